/** A record that was handed out and is not done yet. */
export interface OpenOffset {
  readonly offset: bigint
  isDone: boolean
}

/**
 * What of one partition may be committed: everything below {@link OffsetTracker.committable} is done, whatever the order in which
 * handlers ended.
 */
export interface OffsetTracker {
  /** The next offset to read after a crash: the lowest one that is not done, or the first that was not handed out. */
  readonly committable: bigint
  /** Everything below was handed out, or holds no record (control records, aborted transactions, compacted away). */
  readonly frontier: bigint
  /** Records that were handed out and are not done. */
  readonly open: number
  /** Records that were handed out from the lowest open one on, done or not: what a crash would repeat at most. */
  readonly span: number
  /** A record is handed out. Offsets must rise. */
  begin(offset: bigint): OpenOffset
  /** Its work is done. A second call does nothing. */
  complete(entry: OpenOffset): void
  /** Everything below `offset` was handed out or holds no record. A lower one than before does nothing. */
  advance(offset: bigint): void
}

/**
 * Makes the tracker of one partition.
 *
 * @param start the first offset that will be read.
 */
export function createOffsetTracker(start: bigint): OffsetTracker {
  // A queue over an array: `head` moves, and the array is cut once half of it is behind.
  let entries: OpenOffset[] = []
  let head = 0
  let open = 0
  let frontier = start

  return {
    get committable() {
      return entries[head]?.offset ?? frontier
    },
    get frontier() {
      return frontier
    },
    get open() {
      return open
    },
    get span() {
      return entries.length - head
    },
    begin(offset) {
      if (offset < frontier) throw new RangeError(`Offset ${offset} after everything below ${frontier} was handed out.`)
      const entry: OpenOffset = { offset, isDone: false }
      entries.push(entry)
      open++
      frontier = offset + 1n
      return entry
    },
    complete(entry) {
      if (entry.isDone) return
      entry.isDone = true
      open--
      while (head < entries.length && entries[head]!.isDone) head++
      if (head === entries.length) {
        entries = []
        head = 0
      } else if (head > 1024 && head * 2 > entries.length) {
        entries = entries.slice(head)
        head = 0
      }
    },
    advance(offset) {
      if (offset > frontier) frontier = offset
    },
  }
}
