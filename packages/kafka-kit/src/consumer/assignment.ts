import { setMaxListeners } from 'node:events'
import type { BatchRecord } from '@pipe/kafka-wire'
import { KafkaError } from '../errors'
import type { AnyTopic } from './consumed-record'
import { createKeyLanes, type KeyLanes } from './key-lanes'
import { createOffsetTracker, type OffsetTracker, type OpenOffset } from './offset-tracker'
import { createPartitionQueue, type HeldBatch, type PartitionQueue } from './partition-queue'

/** Which records wait for each other: those of one key, those of one partition, or none. */
export type Order = 'key' | 'partition' | 'none'

/** A record with what is to be settled when it is done. */
export interface Work {
  readonly record: BatchRecord
  readonly batch: HeldBatch
  readonly entry: OpenOffset
  /** Calls of the handler so far; interrupted ones do not count. */
  attempts: number
}

/**
 * A partition while this member has it. When it is lost, the object is: what still runs for it settles into nothing, also when the same
 * partition comes back later as another object.
 */
export interface Assignment {
  readonly topic: AnyTopic
  readonly partition: number
  /** The next offset to fetch; `undefined` before the first answer of the group or the leader. */
  position: bigint | undefined
  /** Made with the first position. */
  log: { readonly queue: PartitionQueue; readonly tracker: OffsetTracker } | undefined
  readonly lanes: KeyLanes<Work>
  /** Everything that was ever handed to a handler lies below. */
  handledEnd: bigint
  /** Aborts the handlers that run for it. Replaced after a rebalance that it outlived. */
  abort: AbortController
  isOwned: boolean
  isPaused: boolean
  /** What the group has, as far as known. */
  committed: bigint | undefined
  /** Back-off timers of records that failed. */
  readonly timers: Set<NodeJS.Timeout>
  /** End of the log as of the last fetch. */
  logEnd: bigint | undefined
}

/** A signal that any number of handlers may listen to. */
export function newAbort(): AbortController {
  const controller = new AbortController()
  setMaxListeners(0, controller.signal)
  return controller
}

/** A partition that was just gained. */
export function createAssignment(topic: AnyTopic, partition: number): Assignment {
  return {
    topic,
    partition,
    position: undefined,
    log: undefined,
    lanes: createKeyLanes(),
    handledEnd: 0n,
    abort: newAbort(),
    isOwned: true,
    isPaused: false,
    committed: undefined,
    timers: new Set(),
    logEnd: undefined,
  }
}

/** Gives it the offset at which it begins. */
export function openAt(assignment: Assignment, start: bigint, maxUnpackedBytes?: number): NonNullable<Assignment['log']> {
  assignment.position = start
  assignment.log = {
    queue: createPartitionQueue({ start, ...(maxUnpackedBytes === undefined ? {} : { maxUnpackedBytes }) }),
    tracker: createOffsetTracker(start),
  }
  return assignment.log
}

/** Lets go of it: its handlers are aborted, its queue is dropped, its results no longer count. */
export function lose(assignment: Assignment, reason: Error): void {
  assignment.isOwned = false
  for (const timer of assignment.timers) clearTimeout(timer)
  assignment.timers.clear()
  assignment.log?.queue.clear()
  assignment.abort.abort(reason)
}

/** How far ahead of the handlers a partition is unpacked. */
export interface Window {
  readonly order: Order
  /** Records that wait in lanes at most. */
  readonly maxWaiting: number
  /** Records from the lowest one that is not done, at most: what a crash repeats. */
  readonly maxSpan: number
  /** Whether results of further records can be held. */
  readonly hasRoom: (assignment: Assignment) => boolean
}

/**
 * Moves records from the queue to the lanes as far as the window allows.
 *
 * @throws WireError as the queue does.
 */
export function refill(assignment: Assignment, window: Window): void {
  const { log, lanes } = assignment
  if (!log) return
  const { queue, tracker } = log
  while (lanes.waiting < window.maxWaiting && tracker.span < window.maxSpan && window.hasRoom(assignment)) {
    const next = queue.next()
    if (!next) return
    if ('skipTo' in next) tracker.advance(next.skipTo)
    else {
      const { record, batch } = next
      lanes.push(laneOf(record, window.order), { record, batch, entry: tracker.begin(record.offset), attempts: 0 })
    }
  }
}

/** Which records wait for each other: those of the same lane. */
export function laneOf(record: BatchRecord, order: Order): string | undefined {
  if (order === 'partition') return ''
  // Records without a key have no order among each other.
  return order === 'none' || record.key === null ? undefined : record.key.toString('latin1')
}

/** The reason with which handlers are aborted. `code` is `PIPE_KAFKA_REVOKED`; retryable: the record will be handled again. */
export function revoked(why: string): KafkaError {
  return new KafkaError('PIPE_KAFKA_REVOKED', why, { retryable: true })
}
