import { anySignal, type Deadline, PipeError, type Window, windowOf } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import type { LogSource } from './lines'
import { checkShard, makeFiles, type RawFile } from './raw-file'
import { type Shard, whole } from './shard'
import type { LogSink } from './sink'

/** What {@link generateWindow} takes. */
export interface GenerateWindowOptions {
  /** What the devices write: {@link defineLog} or {@link replayCsv}. */
  readonly log: LogSource
  /** Where the file goes. */
  readonly sink: LogSink
  /** The scheduled time. The file that has just closed is written: at 15:32, that of 15:31. */
  readonly at: Date | string | number
  /** Which part of the devices: `{ index: 0, of: 4 }` for the first of four functions. Default all. */
  readonly shard?: Shard | undefined
  /** An abort ends the work and rejects with its own `reason`. */
  readonly signal?: AbortSignal | undefined
  /** When no time is left, nothing is written. */
  readonly deadline?: Deadline | undefined
}

/** What {@link generateWindow} did. */
export type GeneratedWindow =
  | {
      readonly outcome: 'written'
      readonly window: Window
      /** Relative to the location of the sink. */
      readonly key: string
      readonly uri: string
      /** Lines, malformed ones and those behind a cut included. */
      readonly rows: number
      /** Before compression. */
      readonly rawBytes: number
      /** As stored. */
      readonly bytes: number
      /** SHA-256 before compression, hexadecimal. */
      readonly sha256: string
      /** Key of the second copy of a file that is redelivered (`faults.file`). */
      readonly again?: string
    }
  /** The file would hold no line, or is missing (`faults.file`), so there is none. */
  | { readonly outcome: 'empty'; readonly window: Window; readonly rows: 0 }

/**
 * Writes the file that has just closed at a scheduled time. Calling it again for the same time writes the same bytes under the same key.
 *
 * @throws {@link ConfigError} `PIPE_WINDOW` when `at` is no instant, `PIPE_CONFIG` for a shard that is none.
 * @throws {@link PipeError} `PIPE_DEADLINE` (retryable) when the deadline passes; what the sink throws; the signal's reason.
 */
export async function generateWindow(options: GenerateWindowOptions): Promise<GeneratedWindow> {
  checkOptions('generateWindow', options, {
    required: ['log', 'sink', 'at'],
    optional: ['shard', 'signal', 'deadline'],
  })
  const { log, sink, shard = whole, deadline } = options
  checkShard(shard)
  const window = closedWindow(log, options.at)
  options.signal?.throwIfAborted()
  const [file, again] = makeFiles(log, window, shard)
  if (!file) return { outcome: 'empty', window, rows: 0 }
  const uri = await store(sink, file, options.signal, deadline)
  if (again) await store(sink, again, options.signal, deadline)
  const { key, rows, rawBytes, sha256, body } = file
  return { outcome: 'written', window, key, uri, rows, rawBytes, bytes: body.length, sha256, ...(again && { again: again.key }) }
}

/**
 * The window of the file that has just closed at an instant. Lengths of files divide a day, so one ends where the next one begins.
 *
 * @throws {@link ConfigError} `PIPE_WINDOW` when `at` is no instant.
 */
export function closedWindow(log: LogSource, at: Date | string | number): Window {
  return windowOf(log.file, windowOf(log.file, at).start.getTime() - 1)
}

async function store(
  sink: LogSink,
  file: RawFile,
  given: AbortSignal | undefined,
  deadline: Deadline | undefined,
): Promise<string> {
  const left = deadline?.remainingMs()
  const tooLate = () =>
    new PipeError('PIPE_DEADLINE', `The time of the call was over before ${file.key} was stored.`, {
      retryable: true,
      hint: 'Raise the time-out of the function, or use shorter files. A further call writes the same file.',
    })
  if (left !== undefined && left <= 0) throw tooLate()
  const timeout = left === undefined ? undefined : AbortSignal.timeout(left)
  const signal = anySignal(given, timeout)
  signal?.throwIfAborted()
  try {
    return (await sink.put(file, { signal })).uri
  } catch (error) {
    if (timeout?.aborted && !given?.aborted) throw tooLate()
    throw error
  }
}
