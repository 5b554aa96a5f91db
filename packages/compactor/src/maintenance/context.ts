import type { S3Client } from '@aws-sdk/client-s3'
import type { Athena } from '@pipe/athena-query'
import { ConfigError, createObjectStore } from '@pipe/core'
import type { Compaction } from '../define'
import type { StateContext } from '../execute'
import { stateKeys } from '../state'

/** What every maintenance function takes. */
export interface MaintenanceOptions {
  /** The compaction that is looked after. */
  readonly compaction: Compaction
  /** Client with the database of the tables. Without it the catalogue is left alone. */
  readonly athena?: Athena | undefined
  /** Default: made from the standard environment, and closed at the end. */
  readonly client?: S3Client | undefined
  /** An abort ends the work and rejects with its own `reason`. */
  readonly signal?: AbortSignal | undefined
}

/** Names of {@link MaintenanceOptions} that may be left out. */
export const maintenanceOptionNames: readonly string[] = ['athena', 'client', 'signal']

/** Runs work with the stores of a compaction and closes them. */
export async function withState<T>(options: MaintenanceOptions, work: (context: StateContext) => Promise<T>): Promise<T> {
  const { compaction, athena, client, signal } = options
  if (compaction?.kind !== 'compaction') {
    throw new ConfigError('"compaction" was not made by defineCompaction.', {
      hint: 'Write compaction: defineCompaction({ … }).',
    })
  }
  signal?.throwIfAborted()
  const source = createObjectStore({ location: compaction.source, client })
  const target = createObjectStore({ location: compaction.target, client })
  try {
    return await work({ compaction, athena, source, target, keys: stateKeys(compaction), signal })
  } finally {
    source.close()
    target.close()
  }
}

/**
 * The time by the clock of S3, to which every LastModified belongs: that of an object written for it. Clocks of functions may be wrong, and
 * under a virtual clock they always are.
 */
export async function storeTime({ target, compaction, signal }: StateContext): Promise<Date> {
  const key = `_pipe/${compaction.table.name}/clock`
  const options = signal ? { signal } : {}
  await target.put(key, '', options)
  const head = await target.head(key, options)
  if (head === undefined) throw new ConfigError(`${target.uri(key)} is gone right after it was written.`)
  return head.lastModified
}
