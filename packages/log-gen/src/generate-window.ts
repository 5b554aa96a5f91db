import { anySignal, ConfigError, type Deadline, PipeError, type Window, windowOf } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import type { LogSource } from './lines'
import { makeFile } from './raw-file'
import type { LogSink } from './sink'

/** What {@link generateWindow} takes. */
export interface GenerateWindowOptions {
  readonly log: LogSource
  readonly sink: LogSink
  /** The scheduled time. The file that has just closed is written: at 15:32, that of 15:31. */
  readonly at: Date | string | number
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
    }
  /** The file would hold no line, so there is none. */
  | { readonly outcome: 'empty'; readonly window: Window; readonly rows: 0 }

/**
 * Writes the file that has just closed at a scheduled time. Calling it again for the same time writes the same bytes under the same key.
 *
 * @throws {@link ConfigError} `PIPE_WINDOW` when `at` is no instant.
 * @throws {@link PipeError} `PIPE_DEADLINE` (retryable) when the deadline passes; what the sink throws; the signal's reason.
 */
export async function generateWindow(options: GenerateWindowOptions): Promise<GeneratedWindow> {
  checkOptions('generateWindow', options, { required: ['log', 'sink', 'at'], optional: ['signal', 'deadline'] })
  const { log, sink, deadline } = options
  const current = windowOf(log.file, options.at)
  const window = windowOf(log.file, current.start.getTime() - 1)
  if (window.end.getTime() !== current.start.getTime()) throw new ConfigError(`Files of "${log.file}" do not follow each other.`)
  options.signal?.throwIfAborted()
  const file = makeFile(log, window)
  if (!file) return { outcome: 'empty', window, rows: 0 }
  const left = deadline?.remainingMs()
  const tooLate = () =>
    new PipeError('PIPE_DEADLINE', `The time of the call was over before ${file.key} was stored.`, {
      retryable: true,
      hint: 'Raise the time-out of the function, or use shorter files. A further call writes the same file.',
    })
  if (left !== undefined && left <= 0) throw tooLate()
  const timeout = left === undefined ? undefined : AbortSignal.timeout(left)
  const signal = anySignal(options.signal, timeout)
  signal?.throwIfAborted()
  try {
    const { uri } = await sink.put(file, { signal })
    return { outcome: 'written', window, key: file.key, uri, rows: file.rows, rawBytes: file.rawBytes, bytes: file.body.length }
  } catch (error) {
    if (timeout?.aborted && !options.signal?.aborted) throw tooLate()
    throw error
  }
}
