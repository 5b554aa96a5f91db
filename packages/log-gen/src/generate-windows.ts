import { ConfigError, type Deadline, PipeError } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { closedWindow, type GeneratedWindow, generateWindow } from './generate-window'
import type { LogSource } from './lines'
import type { Progress } from './progress'
import { type FileRange, filesOf } from './raw-file'
import type { Shard } from './shard'
import type { LogSink } from './sink'

/** What {@link generateWindows} takes. */
export interface GenerateWindowsOptions extends FileRange {
  /** What the devices write: {@link defineLog} or {@link replayCsv}. */
  readonly log: LogSource
  /** Where the files go. */
  readonly sink: LogSink
  /** Files under way at a time; each is held in memory. Default 4. */
  readonly concurrency?: number | undefined
  /** An abort ends the work and rejects with its own `reason`. */
  readonly signal?: AbortSignal | undefined
  /** Told how far the work is. */
  readonly onProgress?: ((progress: Progress) => void) | undefined
}

/** What was written. */
export interface GeneratedWindows {
  readonly files: number
  /** Times and shards without a line. */
  readonly empty: number
  readonly rows: number
  /** Before compression. */
  readonly rawBytes: number
  /** As stored. */
  readonly bytes: number
}

/**
 * Writes the files of a span: the same bytes under the same keys as {@link generateWindow} at each of its ticks, so a backfill may follow, or
 * repeat, what ran live.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG` when `from` or `to` is not a boundary of files; what the sink throws, after the files under way
 * have ended; the signal's reason.
 * @example
 * ```ts
 * await generateWindows({ log, sink: toS3('s3://lake/raw/'), from: '2026-11-01T00:00:00Z', to: '2026-12-01T00:00:00Z', shards: 4 })
 * ```
 */
export async function generateWindows(options: GenerateWindowsOptions): Promise<GeneratedWindows> {
  checkOptions('generateWindows', options, {
    required: ['log', 'sink', 'from', 'to'],
    optional: ['shards', 'concurrency', 'signal', 'onProgress'],
  })
  const { log, sink, from, to, shards, concurrency = 4, signal, onProgress } = options
  if (!Number.isInteger(concurrency) || concurrency < 1) {
    throw new ConfigError(`generateWindows: "concurrency" must be a whole number above 0, not ${concurrency}.`)
  }
  const files = [...filesOf(log, { from, to, shards })]
  const sum = { files: 0, empty: 0, rows: 0, rawBytes: 0, bytes: 0 }
  let done = 0
  let next = 0
  const work = async (): Promise<void> => {
    while (next < files.length) {
      const { window, shard } = files[next++] as (typeof files)[number]
      add(sum, await generateWindow({ log, sink, at: window.end, shard, signal }))
      onProgress?.({ phase: 'generate', done: ++done, total: files.length, unit: 'files' })
    }
  }
  const ended = await Promise.allSettled(
    Array.from({ length: concurrency }, () =>
      work().catch((error: unknown) => {
        // The others stop with the file they are at.
        next = files.length
        throw error
      }),
    ),
  )
  for (const outcome of ended) if (outcome.status === 'rejected') throw outcome.reason
  return sum
}

function add(sum: { -readonly [Name in keyof GeneratedWindows]: number }, result: GeneratedWindow): void {
  if (result.outcome === 'empty') {
    sum.empty++
    return
  }
  sum.files += result.again === undefined ? 1 : 2
  sum.rows += result.rows
  sum.rawBytes += result.rawBytes
  sum.bytes += result.bytes
}

/** What {@link catchUp} takes. */
export interface CatchUpOptions {
  /** What the devices write: {@link defineLog} or {@link replayCsv}. */
  readonly log: LogSource
  /** Where the files go. */
  readonly sink: LogSink
  /** The scheduled time: the file that has just closed, and those before it. */
  readonly at: Date | string | number
  /** How many files, 1 to 10000. */
  readonly files: number
  /** Which part of the devices. Default all. */
  readonly shard?: Shard | undefined
  /** An abort ends the work and rejects with its own `reason`. */
  readonly signal?: AbortSignal | undefined
  /** The first file is written all the same; `left` counts those for which no time was left. */
  readonly deadline?: Deadline | undefined
}

/** What {@link catchUp} did: the last closed file first. */
export interface CaughtUp {
  readonly windows: readonly GeneratedWindow[]
  /** Files that the deadline left no time for. */
  readonly left: number
}

/**
 * Writes the last closed files again, the youngest first: what a missed tick or a failed call left out appears, and what is there already is
 * replaced by the same bytes. The first file must be written; where the deadline ends the others, `left` says how many.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG` for a number of files that is none; what {@link generateWindow} throws.
 */
export async function catchUp(options: CatchUpOptions): Promise<CaughtUp> {
  checkOptions('catchUp', options, { required: ['log', 'sink', 'at', 'files'], optional: ['shard', 'signal', 'deadline'] })
  const { log, sink, files, shard, signal, deadline } = options
  if (!Number.isInteger(files) || files < 1 || files > 10_000) {
    throw new ConfigError(`catchUp: "files" must be a whole number from 1 to 10000, not ${files}.`)
  }
  const windows: GeneratedWindow[] = []
  let at = closedWindow(log, options.at).end
  try {
    for (let i = 0; i < files; i++) {
      const result = await generateWindow({ log, sink, at, shard, signal, deadline })
      windows.push(result)
      at = result.window.start
    }
  } catch (error) {
    const isDeadline = PipeError.isInstance(error) && error.code === 'PIPE_DEADLINE'
    if (!isDeadline || windows.length === 0) throw error
  }
  return { windows, left: files - windows.length }
}
