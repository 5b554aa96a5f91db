import type { CompactionProgress } from './engine/engine'

/** A line on a terminal that is drawn over; elsewhere one line every ten seconds. */
export interface ProgressLine {
  update(progress: CompactionProgress): void
  clear(): void
}

/** Between lines where they cannot be drawn over. */
const pauseMs = 10_000

/** Draws progress on a stream. */
export function drawProgress(stream: { readonly isTTY?: boolean; write(text: string): unknown }): ProgressLine {
  const started = Date.now()
  let last = started
  let isDrawn = false
  return {
    update({ phase, window, done, total, unit }) {
      const now = Date.now()
      const share = total === undefined ? `${done}` : `${done} of ${total}`
      const text = `${Math.round((now - started) / 1000)} s  ${phase}${window === undefined ? '' : ` ${window}`}: ${share} ${unit}`
      if (stream.isTTY) {
        stream.write(`\r\u001b[K${text}`)
        isDrawn = true
      } else if (now - last >= pauseMs) {
        stream.write(`${text}\n`)
        last = now
      }
    },
    clear() {
      if (isDrawn) stream.write('\r\u001b[K')
      isDrawn = false
    },
  }
}
