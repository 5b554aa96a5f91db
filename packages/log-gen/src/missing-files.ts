import type { ObjectStore } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { encodeFile } from './encoded-file'
import type { LogSource } from './lines'
import type { Progress } from './progress'
import { type FileRange, filesOf, fileWindows, keysOf } from './raw-file'

/** What {@link missingFiles} takes. */
export interface MissingFilesOptions extends FileRange {
  /** What the devices should have written. */
  readonly log: LogSource
  /** Store at the location of the sink: `createObjectStore({ location: 's3://lake/raw/' })`. */
  readonly store: ObjectStore
  /** An abort ends the work and rejects with its own `reason`. */
  readonly signal?: AbortSignal | undefined
  /** Told how far the work is. */
  readonly onProgress?: ((progress: Progress) => void) | undefined
}

/** A file that should be there. */
export interface MissingKey {
  /** Relative to the location. */
  readonly key: string
  /** Start of the time whose records it holds: `generateWindow({ at })` with its end writes it. */
  readonly minute: Date
}

/**
 * The files of a span that are not in a store, in order. One LIST a partition; files of other configurations do not count. What
 * `faults.file` leaves out on purpose is not missing.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG` when `from` or `to` is not a boundary of files; {@link PipeError} `PIPE_IAM_DENIED` without
 * `s3:ListBucket`.
 * @example
 * ```ts
 * for (const { minute } of await missingFiles({ log, store, from, to })) await generateWindow({ log, sink, at: +minute + 60_000 })
 * ```
 */
export async function missingFiles(options: MissingFilesOptions): Promise<MissingKey[]> {
  checkOptions('missingFiles', options, {
    required: ['log', 'store', 'from', 'to'],
    optional: ['shards', 'signal', 'onProgress'],
  })
  const { log, store, signal, onProgress, from, to, shards } = options
  const range = { from, to, shards }
  const there = new Set<string>()
  const partitions = new Set(Array.from(fileWindows(log, range), ({ start }) => log.table.partitions.pathOf(start)))
  let done = 0
  for (const prefix of partitions) {
    for await (const { key } of store.list({ prefix, ...(signal && { signal }) })) there.add(key)
    onProgress?.({ phase: 'list', done: ++done, total: partitions.size, unit: 'partitions' })
  }
  const missing: MissingKey[] = []
  for (const { window, shard } of filesOf(log, range)) {
    const keys = keysOf(log, window, shard, encodeFile(log, { start: window.start.getTime(), shard }))
    for (const key of keys) if (!there.has(key)) missing.push({ key, minute: window.start })
  }
  return missing
}
