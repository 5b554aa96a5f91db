import { PipeError } from './error'

/** Where a command writes: its result, what else there is to say, and how far it is. */
export interface CommandOutput {
  /** The result, on stdout. */
  out(text: string): void
  /** A remark, on stderr. */
  note(text: string): void
  /** A line on stderr that the next one replaces; on what is no terminal, one every ten seconds. */
  progress(text: string): void
}

const progressEveryMs = 10_000

/**
 * The output of a command line. `clear` takes the last progress line away.
 *
 * @param firstProgress On what is no terminal: whether the first progress is told at once, or only after ten seconds.
 */
export function commandOutput(firstProgress: 'at once' | 'later'): CommandOutput & { clear(): void } {
  let progressAt = firstProgress === 'at once' ? 0 : Date.now()
  let hasProgress = false
  const clear = () => {
    if (hasProgress) process.stderr.write('\r\u001b[K')
    hasProgress = false
  }
  return {
    clear,
    out(text) {
      clear()
      console.log(text)
    },
    note(text) {
      clear()
      console.error(text)
    },
    progress(text) {
      if (process.stderr.isTTY) {
        process.stderr.write(`\r\u001b[K${text}`)
        hasProgress = true
      } else if (Date.now() - progressAt >= progressEveryMs) {
        progressAt = Date.now()
        console.error(text)
      }
    },
  }
}

/** Aborts at SIGINT or SIGTERM with `PIPE_ABORTED` and this message; the second one ends the process with 130. */
export function abortOnInterrupt(message: string): AbortSignal {
  const abort = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (abort.signal.aborted) process.exit(130)
      abort.abort(new PipeError('PIPE_ABORTED', message))
    })
  }
  return abort.signal
}
