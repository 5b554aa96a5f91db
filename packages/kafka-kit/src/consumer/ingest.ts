import { PipeError } from '@pipe/core'
import {
  type AbortedTransaction,
  controlKind,
  crc32c,
  decodeRecordBatch,
  type FetchPartitionResult,
  fetchRecords,
  listOffsets,
  offsetAt,
  readBatchHeader,
  splitRecordBatches,
} from '@pipe/kafka-wire'
import { fromKafkajs, KafkaError, protocolFailure } from '../errors'
import type { Cluster, DriverBroker } from '../internals'
import { byTopic, partitionKey } from '../leader-request'
import { type Assignment, openAt } from './assignment'
import type { ConsumerEvent } from './consumer-event'
import type { DriverFetch } from './coordinator'
import type { Fetched } from './partition-queue'

/** What to do when the log no longer has, or does not have yet, the offset to read: stop with an error, or go to one of its ends. */
export type OutOfRangePolicy = 'fail' | 'earliest' | 'latest'

/** Brings records from brokers into the queues of partitions, as far as there is room. */
export interface Ingest {
  /** Never rejects. */
  fetch(broker: DriverBroker, request: DriverFetch): Promise<void>
  /** A partition may have room again. */
  noticeRoom(assignment: Assignment): void
  /** A partition may be read that could not be before. */
  wake(): void
  /** Ends all waiting for room. */
  close(): void
}

/** Settings of {@link createIngest}. */
export interface IngestSettings {
  readonly group: string
  readonly cluster: Cluster
  /** Bytes in memory for all partitions. Each has an equal share; it is fetched no further than that. */
  readonly bufferBytes: number
  readonly maxUnpackedBytes: number | undefined
  readonly outOfRange: OutOfRangePolicy
  readonly find: (topic: string, partition: number) => Assignment | undefined
  readonly assigned: () => number
  /** A partition whose log begins anew gets a new object. */
  readonly replace: (old: Assignment) => Assignment
  readonly refreshLeaders: () => Promise<void>
  readonly onRecords: () => void
  readonly onEvent: (event: ConsumerEvent) => void
  readonly onFatal: (error: PipeError) => void
}

/** One answer carries no more, whatever the room: it is held as a whole until it is taken apart. */
const maxAnswerBytes = 8 * 1024 * 1024
/** A deleted topic is waited for so long, in case that it is created again. */
const missingTopicMs = 30_000
const damagedAttempts = 3

interface Wanted {
  readonly topic: string
  readonly partition: number
  readonly assignment: Assignment
  readonly offset: bigint
  readonly maxBytes: number
}

interface Trouble {
  retryAtMs: number
  missingSinceMs: number | undefined
  damaged: number
}

/** Makes the ingest of one member. */
export function createIngest(settings: IngestSettings): Ingest {
  const { cluster, onEvent, onFatal } = settings
  const troubles = new WeakMap<Assignment, Trouble>()
  let waiters: (() => void)[] = []
  let isClosed = false
  let turn = 0

  function troubleOf(assignment: Assignment): Trouble {
    let trouble = troubles.get(assignment)
    if (!trouble) {
      trouble = { retryAtMs: 0, missingSinceMs: undefined, damaged: 0 }
      troubles.set(assignment, trouble)
    }
    return trouble
  }

  const shareBytes = () => Math.max(1, Math.floor(settings.bufferBytes / Math.max(1, settings.assigned())))

  /** The room of a partition, and its state by the two marks: full at its share, open again below half of it. */
  function roomOf(assignment: Assignment): number {
    const bytes = assignment.log?.queue.bytes ?? 0
    const share = shareBytes()
    const isPaused = assignment.isPaused ? bytes * 2 > share : bytes >= share
    if (isPaused !== assignment.isPaused) {
      assignment.isPaused = isPaused
      const { topic, partition } = assignment
      onEvent({ kind: isPaused ? 'paused' : 'resumed', topic: topic.name, partition, bytes })
    }
    return isPaused ? 0 : share - bytes
  }

  function wantedOf({ topics }: DriverFetch): Wanted[] {
    const now = Date.now()
    const wanted: Wanted[] = []
    for (const { topic, partitions } of topics) {
      for (const { partition, fetchOffset } of partitions) {
        const assignment = settings.find(topic, partition)
        if (!assignment || (troubles.get(assignment)?.retryAtMs ?? 0) > now) continue
        const maxBytes = roomOf(assignment)
        if (maxBytes > 0)
          wanted.push({ topic, partition, assignment, offset: assignment.position ?? BigInt(fetchOffset), maxBytes })
      }
    }
    // Only the first partition of an answer may carry a batch that is larger than its room: each one is the first in its turn.
    if (wanted.length > 1) wanted.push(...wanted.splice(0, turn++ % wanted.length))
    return wanted
  }

  function waitForRoom(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer)
        resolve()
      }
      const timer = setTimeout(() => {
        waiters = waiters.filter((waiter) => waiter !== done)
        resolve()
      }, ms)
      waiters.push(done)
    })
  }

  function wakeWaiters(): void {
    const woken = waiters
    waiters = []
    for (const wake of woken) wake()
  }

  async function fetch(broker: DriverBroker, request: DriverFetch): Promise<void> {
    if (isClosed) return waitForRoom(20)
    const wanted = wantedOf(request)
    // At most a tenth of a second: a partition whose back-off ends must not wait for one that is full.
    if (wanted.length === 0) return waitForRoom(Math.min(request.maxWaitTime, 100))
    try {
      const total = wanted.reduce((sum, { maxBytes }) => sum + maxBytes, 0)
      const answer = await cluster.call(
        broker,
        fetchRecords,
        {
          replicaId: -1,
          maxWaitMs: request.maxWaitTime,
          minBytes: 1,
          maxBytes: Math.min(total, maxAnswerBytes),
          isolationLevel: request.isolationLevel,
          sessionId: 0,
          sessionEpoch: -1,
          topics: byTopic(wanted, ({ partition, offset, maxBytes }) => ({
            partition,
            currentLeaderEpoch: -1,
            fetchOffset: offset,
            logStartOffset: -1n,
            maxBytes,
          })),
          forgottenTopics: [],
          rackId: '',
        },
        { timeoutMs: request.maxWaitTime + 15_000 },
      )
      const byKey = new Map(wanted.map((one) => [partitionKey(one), one]))
      let isStale = false
      for (const { name, partitions } of answer.topics) {
        for (const result of partitions) {
          const one = byKey.get(partitionKey({ topic: name, partition: result.partition }))
          // Lost, or moved on, while the answer was under way.
          if (!one?.assignment.isOwned || (one.assignment.position ?? one.offset) !== one.offset) continue
          if (result.errorCode === 0) take(one, result)
          else if (result.errorCode === 1) await outOfRange(broker, one)
          else isStale = failed(one, result.errorCode) || isStale
        }
      }
      settings.onRecords()
      if (isStale) await settings.refreshLeaders()
    } catch (error) {
      if (isClosed) return
      const failure = PipeError.isInstance(error) ? error : fromKafkajs(`Fetch of group ${settings.group}`, error)
      onEvent({ kind: 'fetch-failed', error: failure })
      if (failure.code === 'PIPE_KAFKA_VERSION' || failure.code === 'PIPE_KAFKA_AUTH') return onFatal(failure)
      for (const { assignment } of wanted) troubleOf(assignment).retryAtMs = Date.now() + 200
      await settings.refreshLeaders()
    }
  }

  function take({ assignment, offset, topic, partition }: Wanted, result: FetchPartitionResult): void {
    const trouble = troubleOf(assignment)
    let fetched: { readonly pieces: readonly Fetched[]; readonly endOffset: bigint }
    try {
      fetched = takeApart(result.records, result.abortedTransactions, offset)
      trouble.damaged = 0
      trouble.missingSinceMs = undefined
    } catch (error) {
      trouble.damaged++
      trouble.retryAtMs = Date.now() + 200 * trouble.damaged
      const failure = new KafkaError(
        'PIPE_KAFKA_CORRUPT',
        `${topic}[${partition}] from offset ${offset} on: ${(error as Error).message}`,
        {
          hint: 'It was fetched again and is damaged each time: look at the disk of the leader, or skip the batch by a replay from behind it.',
          cause: error,
          details: { topic, partition },
        },
      )
      if (trouble.damaged >= damagedAttempts) onFatal(failure)
      else onEvent({ kind: 'fetch-failed', error: failure })
      return
    }
    assignment.logEnd = result.highWatermark
    const { queue } = assignment.log ?? openAt(assignment, offset, settings.maxUnpackedBytes)
    for (const piece of fetched.pieces) queue.push(piece)
    assignment.position = fetched.endOffset
  }

  /** @returns whether leaders must be looked up again. */
  function failed({ assignment, topic, partition }: Wanted, errorCode: number): boolean {
    const trouble = troubleOf(assignment)
    const failure = protocolFailure(partitionKey({ topic, partition }), errorCode, { topic, partition })
    trouble.retryAtMs = Date.now() + 200
    if (errorCode === 3) {
      trouble.missingSinceMs ??= Date.now()
      if (Date.now() - trouble.missingSinceMs > missingTopicMs) {
        onFatal(
          new KafkaError('PIPE_KAFKA_TOPIC', `${topic}[${partition}] is gone for ${missingTopicMs / 1000} s.`, {
            hint: 'Was the topic deleted? Create it again with applyTopics, or take it out of the consumer.',
            details: { topic, partition, errorCode },
          }),
        )
        return false
      }
    }
    if (failure.retryable) {
      onEvent({ kind: 'fetch-failed', error: failure })
      return true
    }
    onFatal(failure)
    return false
  }

  async function outOfRange(broker: DriverBroker, { assignment, offset, topic, partition }: Wanted): Promise<void> {
    const [start, end] = await Promise.all([
      edge(broker, topic, partition, offsetAt.start),
      edge(broker, topic, partition, offsetAt.end),
    ])
    if (!assignment.isOwned) return
    troubleOf(assignment).retryAtMs = Date.now() + 200
    // A leader that was just elected may not know yet how far it may answer: asked again.
    if (offset >= start && offset <= end) return
    const { outOfRange: policy } = settings
    if (policy === 'fail') {
      const why =
        offset < start
          ? `The log begins at ${start}: ${start - offset} offsets were removed by retention before they were read`
          : `The log ends at ${end}: the topic was created again, or an unclean election lost its end`
      onFatal(
        new KafkaError('PIPE_KAFKA_OFFSET', `${topic}[${partition}] has no offset ${offset}. ${why}.`, {
          hint: `Group ${settings.group} keeps its offset. Set offsets.outOfRange to 'earliest' or 'latest' to go on there, or plan a replay.`,
          details: { topic, partition, group: settings.group, errorCode: 1 },
        }),
      )
      return
    }
    const to = policy === 'earliest' ? start : end
    onEvent({ kind: 'offset-reset', topic, partition, from: offset, to, skipped: to > offset ? to - offset : 0n })
    if (to > offset) {
      // What is in the queue from below is still good.
      if (assignment.log) {
        assignment.log.queue.push({ batch: undefined, endOffset: to })
        assignment.position = to
      } else openAt(assignment, to, settings.maxUnpackedBytes)
    } else openAt(settings.replace(assignment), to, settings.maxUnpackedBytes)
  }

  async function edge(broker: DriverBroker, topic: string, partition: number, timestamp: bigint): Promise<bigint> {
    const answer = await cluster.call(broker, listOffsets, {
      replicaId: -1,
      isolationLevel: 0,
      topics: [{ name: topic, partitions: [{ partition, currentLeaderEpoch: -1, timestamp }] }],
    })
    const result = answer.topics[0]?.partitions[0]
    if (result?.errorCode !== 0) throw protocolFailure(partitionKey({ topic, partition }), result?.errorCode ?? -1)
    return result.offset
  }

  return {
    fetch,
    noticeRoom(assignment) {
      if (waiters.length > 0 && assignment.isPaused && roomOf(assignment) > 0) wakeWaiters()
    },
    wake: wakeWaiters,
    close() {
      isClosed = true
      wakeWaiters()
    },
  }
}

/**
 * Cuts a record set into pieces that are copies: a piece must not keep a whole answer in memory. Control batches and those of aborted
 * transactions become offsets without records.
 *
 * @throws WireError for damaged batches.
 * @see org.apache.kafka.clients.consumer.internals.CompletedFetch for the rule of aborted transactions.
 */
export function takeApart(
  records: Uint8Array | null,
  abortedTransactions: readonly AbortedTransaction[] | null,
  from: bigint,
): { readonly pieces: readonly Fetched[]; readonly endOffset: bigint } {
  const pieces: Fetched[] = []
  let endOffset = from
  if (!records || records.byteLength === 0) return { pieces, endOffset }
  const aborted = [...(abortedTransactions ?? [])].sort((a, b) => (a.firstOffset < b.firstOffset ? -1 : 1))
  let nextAborted = 0
  const abortedIds = new Set<bigint>()
  for (const bytes of splitRecordBatches(records)) {
    const header = readBatchHeader(bytes)
    const lastOffset = header.baseOffset + BigInt(header.lastOffsetDelta)
    if (crc32c(bytes, 21) !== bytes.readUInt32BE(17)) {
      throw new RangeError(`The checksum of the record batch at offset ${header.baseOffset} does not fit.`)
    }
    for (; nextAborted < aborted.length && aborted[nextAborted]!.firstOffset <= lastOffset; nextAborted++) {
      abortedIds.add(aborted[nextAborted]!.producerId)
    }
    if (header.isControl) {
      const [marker] = decodeRecordBatch(bytes, { checkCrc: false }).records
      if (marker && controlKind(marker) === 'abort') abortedIds.delete(header.producerId)
    }
    if (lastOffset < from) continue
    const isForApplication = !header.isControl && !(header.isTransactional && abortedIds.has(header.producerId))
    endOffset = lastOffset + 1n
    pieces.push({ batch: isForApplication ? Buffer.from(bytes) : undefined, endOffset })
  }
  return { pieces, endOffset }
}
