/** Which leader epoch wrote which stretch of a log: what a follower needs to find where it left the leader's history (KIP-101). */
export interface LeaderEpochs {
  /** Epoch of the latest record or leadership; −1 when there was none. */
  readonly latest: number
  /** An epoch begins at an offset. Earlier ones are left as they are; a known one is not moved. */
  begin(epoch: number, startOffset: number): void
  /** The largest epoch that is not larger than `epoch`, and where it ends; −1 when there is none. */
  endOf(epoch: number, logEnd: number): { readonly epoch: number; readonly endOffset: number }
  /** Epochs that begin at `offset` or later never happened. */
  truncate(offset: number): void
  /** The log begins at `offset` now. */
  moveStart(offset: number): void
  clear(): void
}

/** Knows no epoch yet. */
export function createLeaderEpochs(): LeaderEpochs {
  let entries: { epoch: number; startOffset: number }[] = []
  return {
    get latest() {
      return entries[entries.length - 1]?.epoch ?? -1
    },
    begin(epoch, startOffset) {
      const last = entries[entries.length - 1]
      if (last && last.epoch >= epoch) return
      entries = entries.filter((entry) => entry.startOffset < startOffset)
      entries.push({ epoch, startOffset })
    },
    endOf(epoch, logEnd) {
      let found = -1
      for (const [index, entry] of entries.entries()) if (entry.epoch <= epoch) found = index
      if (found < 0) return { epoch: -1, endOffset: -1 }
      return { epoch: entries[found]!.epoch, endOffset: entries[found + 1]?.startOffset ?? logEnd }
    },
    truncate(offset) {
      entries = entries.filter(({ startOffset }) => startOffset < offset)
    },
    moveStart(offset) {
      const first = entries.findLastIndex(({ startOffset }) => startOffset <= offset)
      if (first > 0) entries = entries.slice(first)
      if (entries[0] && entries[0].startOffset < offset) entries[0] = { epoch: entries[0].epoch, startOffset: offset }
    },
    clear() {
      entries = []
    },
  }
}
