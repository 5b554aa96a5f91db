import type { StoredBatch } from './stored-batch'

/** A stretch of a log; the last one is written to. Retention and compaction work on whole segments. */
export interface Segment {
  readonly baseOffset: number
  /** By offset. */
  readonly batches: readonly StoredBatch[]
  readonly sizeBytes: number
  /** Of its first batch; decides with `segment.ms` when it is closed. */
  readonly firstTimestamp: number
  readonly maxTimestamp: number
}

interface OpenSegment extends Segment {
  batches: StoredBatch[]
  sizeBytes: number
  firstTimestamp: number
  maxTimestamp: number
}

/** When a segment is closed and a new one begun. */
export interface SegmentLimits {
  readonly segmentBytes: number
  readonly segmentMs: number
}

/** The log of one replica, in memory. */
export interface PartitionLog {
  /** The first offset that can be read. */
  readonly startOffset: number
  /** The offset that the next record gets. */
  readonly endOffset: number
  readonly sizeBytes: number
  readonly segments: readonly Segment[]
  /** Appends a batch that begins at the end of the log or, on a follower of a compacted leader, behind it. */
  append(batch: StoredBatch): void
  /**
   * Whole batches from the one that contains `offset` on, as long as they end before `before` and fit into `maxBytes`; the first one also when
   * it is larger.
   */
  read(offset: number, maxBytes: number, before: number): readonly StoredBatch[]
  /** Bytes that `read` would find, counted up to `enough`. */
  available(offset: number, enough: number, before: number): number
  /** The first batch that ends before `before` and has a record of `timestamp` or later. */
  firstSince(timestamp: number, before: number): StoredBatch | undefined
  /** Drops everything from `offset` on. */
  truncate(offset: number): void
  /** Moves the start; segments that end before it are given back. */
  moveStart(offset: number): void
  /** Empties the log; the next record gets `offset`. */
  restartAt(offset: number): void
  /** Puts a rewritten segment (compaction) in the place of the one with the same base offset; without batches it goes away. */
  replace(segment: Segment): void
  /** Closes the present segment. */
  roll(): void
}

/** An empty log. `limits` is asked at each append, as settings may change. */
export function createPartitionLog(limits: () => SegmentLimits, firstOffset = 0): PartitionLog {
  let segments: OpenSegment[] = [emptySegment(firstOffset)]
  let startOffset = firstOffset
  let endOffset = firstOffset
  let sizeBytes = 0

  const sum = () => {
    sizeBytes = segments.reduce((total, segment) => total + segment.sizeBytes, 0)
  }
  const last = () => segments[segments.length - 1]!
  /** The segment in which `offset` lies, or would lie. */
  const segmentIndex = (offset: number) => {
    let low = 0
    let high = segments.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (segments[middle]!.baseOffset <= offset) low = middle
      else high = middle - 1
    }
    return low
  }
  /** All batches from the one with `offset` (or the next one, in a gap) on. */
  function* from(offset: number): Generator<StoredBatch> {
    for (let at = segmentIndex(offset); at < segments.length; at++) {
      const { batches } = segments[at]!
      for (let i = firstEndingAt(batches, offset); i < batches.length; i++) yield batches[i]!
    }
  }
  const recount = (segment: OpenSegment) => {
    segment.sizeBytes = 0
    segment.maxTimestamp = -1
    for (const { bytes, maxTimestamp } of segment.batches) {
      segment.sizeBytes += bytes.length
      segment.maxTimestamp = Math.max(segment.maxTimestamp, maxTimestamp)
    }
  }

  return {
    get startOffset() {
      return startOffset
    },
    get endOffset() {
      return endOffset
    },
    get sizeBytes() {
      return sizeBytes
    },
    get segments() {
      return segments
    },
    append(batch) {
      const { segmentBytes, segmentMs } = limits()
      let segment = last()
      const isFull = segment.sizeBytes + batch.bytes.length > segmentBytes
      if (segment.batches.length > 0 && (isFull || batch.maxTimestamp - segment.firstTimestamp > segmentMs)) {
        segment = emptySegment(batch.baseOffset)
        segments.push(segment)
      }
      if (segment.batches.length === 0) segment.firstTimestamp = batch.maxTimestamp
      segment.batches.push(batch)
      segment.sizeBytes += batch.bytes.length
      segment.maxTimestamp = Math.max(segment.maxTimestamp, batch.maxTimestamp)
      sizeBytes += batch.bytes.length
      endOffset = batch.lastOffset + 1
    },
    read(offset, maxBytes, before) {
      const found: StoredBatch[] = []
      let size = 0
      for (const batch of from(offset)) {
        if (batch.lastOffset >= before) break
        size += batch.bytes.length
        if (size > maxBytes && found.length > 0) break
        found.push(batch)
        if (size >= maxBytes) break
      }
      return found
    },
    available(offset, enough, before) {
      let size = 0
      for (const batch of from(offset)) {
        if (batch.lastOffset >= before) break
        size += batch.bytes.length
        if (size >= enough) break
      }
      return size
    },
    firstSince(timestamp, before) {
      for (const segment of segments) {
        if (segment.maxTimestamp < timestamp) continue
        for (const batch of segment.batches) {
          if (batch.lastOffset >= before) return undefined
          if (batch.maxTimestamp >= timestamp && batch.lastOffset >= startOffset && !batch.isControl) return batch
        }
      }
      return undefined
    },
    truncate(offset) {
      if (offset >= endOffset) return
      segments = segments.filter((segment, index) => index === 0 || segment.baseOffset < offset)
      const segment = last()
      segment.batches = segment.batches.filter(({ lastOffset }) => lastOffset < offset)
      recount(segment)
      sum()
      endOffset = Math.max(offset, startOffset)
    },
    moveStart(offset) {
      if (offset <= startOffset) return
      startOffset = Math.min(offset, endOffset)
      while (segments.length > 1 && segments[1]!.baseOffset <= startOffset) segments.shift()
      if (startOffset === endOffset) segments = [emptySegment(endOffset)]
      sum()
    },
    restartAt(offset) {
      segments = [emptySegment(offset)]
      startOffset = offset
      endOffset = offset
      sizeBytes = 0
    },
    replace(segment) {
      const index = segments.findIndex(({ baseOffset }) => baseOffset === segment.baseOffset)
      if (index < 0) return
      if (segment.batches.length === 0 && index < segments.length - 1) segments.splice(index, 1)
      else segments[index] = { ...segment, batches: [...segment.batches] }
      recount(segments[Math.min(index, segments.length - 1)]!)
      sum()
    },
    roll() {
      if (last().batches.length > 0) segments.push(emptySegment(endOffset))
    },
  }
}

function emptySegment(baseOffset: number): OpenSegment {
  return { baseOffset, batches: [], sizeBytes: 0, firstTimestamp: -1, maxTimestamp: -1 }
}

/** Index of the first batch whose last offset is not before `offset`. */
function firstEndingAt(batches: readonly StoredBatch[], offset: number): number {
  let low = 0
  let high = batches.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (batches[middle]!.lastOffset < offset) low = middle + 1
    else high = middle
  }
  return low
}
