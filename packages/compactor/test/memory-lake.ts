import { createObjectStore, type ObjectStore } from '@pipe/core'
import {
  athenaEngine,
  type CommitRecord,
  type CompactionOptions,
  type Compactor,
  type CompactorOptions,
  compactionDdl,
  createCompactor,
  defineCompaction,
  inProcessEngine,
} from '../src/index'
import { createMemoryAthena } from '../src/testing/memory-athena'
import { createMemoryS3 } from '../src/testing/memory-s3'
import { deviceLogs, keyOf, line, putLines } from './lake'

/** When the window 15:30 has ended. */
export const at = new Date('2026-11-24T15:35:00Z')
export const window = '20261124T1530Z'

/** A lake whose services are in memory: what happens to state is looked at, not how services answer. */
export async function memoryLake(options: Partial<CompactionOptions> = {}) {
  const compaction = defineCompaction({
    table: deviceLogs,
    source: 's3://lake/raw/',
    target: 's3://lake/compacted/',
    window: '5 minutes',
    ...options,
  })
  const s3 = createMemoryS3()
  const athena = createMemoryAthena({ s3, table: compaction.table })
  for (const statement of compactionDdl(compaction)) await athena.client.execute(statement)
  const raw = createObjectStore({ location: compaction.source, client: s3.client })
  const compacted = createObjectStore({ location: compaction.target, client: s3.client })
  return {
    compaction,
    s3,
    athena,
    raw,
    compacted,
    compactor: (given: Partial<CompactorOptions> = {}): Compactor =>
      createCompactor({
        compaction,
        engine: inProcessEngine({ writer: 'hyparquet' }),
        athena: athena.client,
        client: s3.client,
        ...given,
      }),
    athenaEngine: (given: { readonly inputList?: 'symlink'; readonly buckets?: number } = {}) =>
      athenaEngine({ athena: athena.client, ...given }),
    /** An object of a minute with a row a metric. */
    put: (minute: string, index: number, ...metrics: number[]) =>
      putLines(
        raw,
        keyOf(minute, index, 'ndjson'),
        metrics.map((metric) => line(minute, 'd1', metric)),
      ),
    /** Metrics that readers of the compacted table see, ascending. */
    seen: async () => (await athena.rows(compaction.compacted.name)).map((row) => row['metric'] as number).sort((a, b) => a - b),
    commits: () => commitsOf(compacted),
    /** Keys below a prefix of the target. */
    keys: (prefix: string) => s3.keys('lake', `compacted/${prefix}`),
  }
}

/** All commits, in order. */
export async function commitsOf(store: ObjectStore): Promise<CommitRecord[]> {
  const records: CommitRecord[] = []
  for await (const { key } of store.list({ prefix: '_pipe/device_logs/commit/' })) {
    records.push(JSON.parse(await (await store.get(key))!.text()))
  }
  return records
}
