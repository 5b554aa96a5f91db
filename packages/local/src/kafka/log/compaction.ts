import { type BatchRecord, decodeRecordBatch, encodeRecordBatch, WireError } from '@pipe/kafka-wire'
import type { PartitionLog } from './partition-log'
import type { ProducerStates } from './producer-states'
import type { StoredBatch } from './stored-batch'

/** When a record may go. Milliseconds since the epoch. */
export interface CompactionRules {
  readonly now: number
  /** Only records before it are looked at: what is not committed and decided may still change. */
  readonly before: number
  /** Marks of deletion stay this long (delete.retention.ms). */
  readonly tombstoneMs: number
  /** Records younger than this stay (min.compaction.lag.ms). */
  readonly minLagMs: number
}

/**
 * Compacts a log: of records with the same key only the last stays, in all segments but the one that is written to. Offsets do not move. Records of aborted
 * transactions go; batches that cannot be unpacked here, and control batches, stay as they are.
 *
 * @returns when there is more to do (marks of deletion to drop, records that were too young), in milliseconds since the epoch.
 */
export function compact(log: PartitionLog, producers: ProducerStates, rules: CompactionRules): number | undefined {
  const closed = log.segments.slice(0, -1).filter(({ batches }) => batches.every(({ lastOffset }) => lastOffset < rules.before))
  if (closed.length === 0) return undefined
  const latest = latestOffsets(log, producers, rules.before)
  let next = Number.POSITIVE_INFINITY
  for (const segment of closed) {
    const oldEnough = segment.maxTimestamp + rules.minLagMs
    if (rules.minLagMs > 0 && oldEnough > rules.now) {
      next = Math.min(next, oldEnough)
      continue
    }
    const kept = segment.batches.flatMap((batch) => compactBatch(batch, latest, producers, rules))
    for (const batch of kept) next = Math.min(next, tombstoneDue(batch, rules))
    if (kept.length === segment.batches.length && kept.every((batch, index) => batch === segment.batches[index])) continue
    log.replace({ ...segment, batches: kept })
  }
  return Number.isFinite(next) ? next : undefined
}

/** When the first mark of deletion in a batch may go. */
function tombstoneDue(batch: StoredBatch, { tombstoneMs }: CompactionRules): number {
  const marks = (recordsOf(batch) ?? []).filter(({ value }) => value === null)
  return Math.min(...marks.map(({ timestampMs }) => timestampMs + tombstoneMs + 1))
}

function recordsOf(batch: StoredBatch): readonly BatchRecord[] | undefined {
  if (batch.isControl) return undefined
  try {
    return decodeRecordBatch(batch.bytes, { checkCrc: false }).records
  } catch (error) {
    if (error instanceof WireError) return undefined
    throw error
  }
}

function keyOf({ key }: BatchRecord): string | undefined {
  return key === null ? undefined : key.toString('latin1')
}

/** The offset of the last record of each key. */
function latestOffsets(log: PartitionLog, producers: ProducerStates, before: number): Map<string, bigint> {
  const latest = new Map<string, bigint>()
  for (const { batches } of log.segments) {
    for (const batch of batches) {
      if (batch.lastOffset >= before) return latest
      // What was taken back replaces nothing.
      if (batch.isTransactional && producers.isAborted(batch.producerId, batch.baseOffset)) continue
      for (const record of recordsOf(batch) ?? []) {
        const key = keyOf(record)
        if (key !== undefined) latest.set(key, record.offset)
      }
    }
  }
  return latest
}

/** What stays of a batch; itself when all does. */
function compactBatch(
  batch: StoredBatch,
  latest: ReadonlyMap<string, bigint>,
  producers: ProducerStates,
  { now, tombstoneMs }: CompactionRules,
): readonly StoredBatch[] {
  const records = recordsOf(batch)
  if (records === undefined) return [batch]
  const isAborted = batch.isTransactional && producers.isAborted(batch.producerId, batch.baseOffset)
  const kept = records.filter((record) => {
    const key = keyOf(record)
    if (isAborted || key === undefined || latest.get(key) !== record.offset) return false
    return record.value !== null || now - record.timestampMs <= tombstoneMs
  })
  return kept.length === records.length ? [batch] : runsOf(kept).map((run) => batchOf(batch, run))
}

/** Records whose offsets follow each other: a batch is written for each run, so that no offset moves. */
function runsOf(records: readonly BatchRecord[]): BatchRecord[][] {
  const runs: BatchRecord[][] = []
  for (const record of records) {
    const run = runs[runs.length - 1]
    if (run && run[run.length - 1]!.offset + 1n === record.offset) run.push(record)
    else runs.push([record])
  }
  return runs
}

function batchOf(from: StoredBatch, records: readonly BatchRecord[]): StoredBatch {
  const { leaderEpoch, producerId, producerEpoch, isTransactional } = from
  const baseOffset = Number(records[0]!.offset)
  const baseSequence = from.baseSequence < 0 ? from.baseSequence : from.baseSequence + baseOffset - from.baseOffset
  const options = { producerId, producerEpoch, baseSequence, isTransactional }
  const bytes = encodeRecordBatch(records, { ...options, baseOffset: BigInt(baseOffset), partitionLeaderEpoch: leaderEpoch })
  const lastOffset = baseOffset + records.length - 1
  const maxTimestamp = Math.max(...records.map(({ timestampMs }) => timestampMs))
  return { ...from, bytes, baseOffset, lastOffset, baseSequence, maxTimestamp, recordCount: records.length }
}
