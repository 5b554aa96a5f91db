import type { BatchRecord } from '@pipe/kafka-wire'
import { KafkaError } from '../../src/errors'
import type { PartitionLog } from '../../src/sink/partition-log'
import type { Turn } from './memory-objects'

/** A partition in memory. `start` and `end` may move. */
export interface MemoryLog {
  readonly records: BatchRecord[]
  start: bigint
  end: bigint
  topicId: string
}

/** A record with a JSON value, or with bytes that are none. */
export function logRecord(offset: bigint, timestampMs: number, value: string | null): BatchRecord {
  return { offset, timestampMs, key: null, value: value === null ? null : Buffer.from(value), headers: [] }
}

/** Reads it, at most `pieceSize()` records at a time. */
export function memoryLog(log: MemoryLog, turn: Turn, pieceSize: () => number): PartitionLog {
  return {
    state: () => turn('state', () => ({ start: log.start, end: log.end, topicId: log.topicId })),
    read: (offset) =>
      turn(`read ${offset}`, () => {
        if (offset < log.start || offset > log.end) {
          throw new KafkaError('PIPE_KAFKA_PROTOCOL', 'out of range', { details: { errorCode: 1 } })
        }
        const there = log.records.filter((record) => record.offset >= offset && record.offset < log.end)
        const records = there.slice(0, pieceSize())
        const next = records.length < there.length ? there[records.length]!.offset : log.end
        return { records, next, end: log.end }
      }),
  }
}
