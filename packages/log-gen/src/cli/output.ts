import type { Progress } from '../progress'

/** Where a command writes: data to the standard output, everything else to the error output. */
export interface CommandOutput {
  out(text: string): void
  note(text: string): void
  /** A line that the next one replaces; on what is no terminal, one every ten seconds. */
  progress(progress: Progress): void
  /** Takes the last line of progress away. */
  end(): void
}

/** Output of a process. */
export function createOutput(): CommandOutput {
  const isTerminal = process.stderr.isTTY === true
  let shownAt = 0
  let isShown = false
  const end = () => {
    if (isShown) process.stderr.write('\r\u001b[K')
    isShown = false
  }
  return {
    end,
    out: (text) => {
      end()
      process.stdout.write(`${text}\n`)
    },
    note: (text) => {
      end()
      process.stderr.write(`${text}\n`)
    },
    progress: ({ phase, done, total, unit }) => {
      // The first one says that there is something to wait for.
      if (Date.now() - shownAt < (isTerminal ? 100 : 10_000)) return
      shownAt = Date.now()
      const text = `${phase}: ${done}${total === undefined ? '' : ` of ${total}`} ${unit}`
      process.stderr.write(isTerminal ? `\r\u001b[K${text}` : `${text}\n`)
      isShown = isTerminal
    },
  }
}
