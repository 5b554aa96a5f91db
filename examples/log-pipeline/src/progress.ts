/** A line that tells how far a long run is: redrawn in place on a terminal, one line every ten seconds elsewhere. */
export interface Progress {
  update(text: string): void
  /** Leaves the last line standing and goes on below it. */
  end(text?: string): void
}

const quietMs = 10_000

export function createProgress(out: NodeJS.WriteStream = process.stdout): Progress {
  const started = Date.now()
  let printedAt = 0
  const line = (text: string) => `${((Date.now() - started) / 1000).toFixed(1).padStart(5)} s  ${text}`
  return {
    update(text) {
      if (out.isTTY) {
        out.write(`\r\u001b[2K${line(text).slice(0, (out.columns ?? 120) - 1)}`)
      } else if (Date.now() - printedAt >= quietMs) {
        printedAt = Date.now()
        out.write(`${line(text)}\n`)
      }
    },
    end(text) {
      if (out.isTTY) out.write('\r\u001b[2K')
      if (text !== undefined) out.write(`${line(text)}\n`)
    },
  }
}
