import type { S3Client } from '@aws-sdk/client-s3'
import type { Athena } from '@pipe/athena-query'
import { type Compaction, compactionDdl } from '../define'
import { createMemoryAthena, type MemoryAthena } from './memory-athena'
import { createMemoryS3 } from './memory-s3'
import type { Worker } from './turnstile'

/** The services that a schedule runs against. */
export interface World {
  /** The compaction as it runs here: a world that is shared by schedules moves each to a place of its own. */
  readonly compaction: Compaction
  /** S3, without a turnstile. */
  readonly s3: S3Client
  /** Athena for one worker; its requests pass the worker's turnstile. */
  athenaOf(worker: Worker): Athena
  /** Athena, without a turnstile. */
  readonly athena: Athena
  /** Rows that readers of the compacted table see now. */
  visibleRows(): Promise<Record<string, unknown>[]>
  /** Names of all tables. */
  tables(): Promise<string[]>
  /** Lets time pass: everything on S3 is older afterwards. */
  pass(ms: number): Promise<void>
  /** Whether readers may be asked after each request: too slow for real services. */
  readonly isFast: boolean
  close(): Promise<void>
}

/** Makes the world of one schedule, with the tables of the compaction. */
export type WorldFactory = (compaction: Compaction, options: { readonly addsTwice: boolean }) => Promise<World>

/** S3 and Athena in memory. */
export const memoryWorld: WorldFactory = async (compaction, { addsTwice }) => {
  const s3 = createMemoryS3()
  const athena: MemoryAthena = createMemoryAthena({ s3, table: compaction.table, addsTwice })
  for (const statement of compactionDdl(compaction)) await athena.client.execute(statement)
  return {
    compaction,
    s3: s3.client,
    athenaOf: (worker) => athena.clientOf(worker),
    athena: athena.client,
    visibleRows: () => athena.rows(compaction.compacted.name),
    tables: async () => athena.tables(),
    pass: async (ms) => s3.age(ms),
    isFast: true,
    close: async () => {},
  }
}
