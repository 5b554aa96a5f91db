import type { PipeError } from '@pipe/core'
import type { ProducePartitionResult } from '@pipe/kafka-wire'
import { protocolError } from '../error-code'
import { type Accumulator, createAccumulator } from './accumulator'
import { createAnswers } from './answer'
import type { Batch } from './batch'
import type { BufferRoom } from './buffer-room'
import type { Durability } from './durability'
import type { PartitionQueue } from './partition-queue'
import { createProducerIds } from './producer-id'
import type { ResolvedOptions } from './producer-options'
import { backOffMs } from './retry-table'
import { createSettlement } from './settlement'
import { createTopicMap, type TopicMap, type TopicState } from './topic-map'
import type { ProduceTransport, Shipment } from './transport'
import type { Reason } from './undelivered'

/** What the engine works with. */
export interface SenderSettings {
  readonly transport: ProduceTransport
  readonly room: BufferRoom
  readonly options: ResolvedOptions<Durability>
}

/** The engine: which batch goes when, in which request. */
export interface Sender {
  readonly topics: TopicMap
  /** Puts a message, whose room was taken, into its queue. */
  readonly append: Accumulator['append']
  readonly flush: Accumulator['flush']
  /** Batches that are not settled. */
  pending(): { readonly queue: PartitionQueue; readonly batch: Batch }[]
  /** Gives up everything, and takes nothing more. */
  abandon(reason: Reason): void
}

/** A batch on its way, with its queue. */
interface Departure extends Shipment {
  readonly queue: PartitionQueue
}

/** More than this is not put into one request. */
const maxRequestBytes = 8 * 1024 * 1024

/** Makes an engine. */
export function createSender({ transport, room, options }: SenderSettings): Sender {
  const { isIdempotent, batchBytes, batchRecords, lingerMs, deliveryTimeoutMs, onEvent } = options
  const expireEveryMs = Math.min(1000, Math.max(5, deliveryTimeoutMs / 20))
  // The first message of a batch sets its deadline: one that cannot go takes no more after an eighth of the time.
  const maxOpenMs = Math.max(lingerMs, deliveryTimeoutMs / 8 - expireEveryMs)
  const ready = new Set<PartitionQueue>()
  let isDraining = false
  let isAbandoned = false
  let expiryTimer: NodeJS.Timeout | undefined

  const accumulator = createAccumulator({
    batchBytes,
    batchRecords,
    lingerMs,
    onReady: markReady,
    onOpened() {
      expiryTimer ??= setInterval(expire, expireEveryMs)
    },
  })
  const topics = createTopicMap({
    transport,
    maxBlockMs: options.maxBlockMs,
    maxAgeMs: 60_000,
    onEvent,
    onChange(queue) {
      queue.retryAtMs = 0
      markReady(queue)
    },
    onRefused: (topic, errorCode) => refuseTopic(topic, errorCode),
  })
  const ids = createProducerIds({
    fetch: transport.newProducerId,
    onReady: () => forEachQueue(markReady),
    onFailed: refuseAll,
    onRenewed: ({ id }, reason) => onEvent({ kind: 'producer-id-renewed', producerId: id, reason }),
  })
  const settlement = createSettlement({
    room,
    isIdempotent,
    onClosed: accumulator.close,
    onNext: markReady,
    onEmpty() {
      if (room.messages > 0 || expiryTimer === undefined) return
      clearInterval(expiryTimer)
      expiryTimer = undefined
    },
  })
  const answers = createAnswers({
    settlement,
    isIdempotent,
    resendAmbiguous: options.resendAmbiguous,
    refreshLeaders: topics.refresh,
    retryLater,
    onLate: markReady,
  })

  function forEachQueue(visit: (queue: PartitionQueue) => void): void {
    for (const topic of topics.all()) for (const queue of topic.queues) if (queue.batches.length > 0) visit(queue)
  }

  function markReady(queue: PartitionQueue): void {
    ready.add(queue)
    if (isDraining) return
    isDraining = true
    // After the current turn: what is sent in one turn goes together.
    queueMicrotask(drain)
  }

  function drain(): void {
    isDraining = false
    if (isAbandoned) return
    const nowMs = Date.now()
    topics.refreshIfOld(nowMs)
    const byLeader = new Map<number, Departure[]>()
    for (const queue of ready) {
      ready.delete(queue)
      const batch = queue.batches[0]
      if (!batch?.isDue || queue.inFlight || queue.retryAtMs > nowMs) continue
      if (queue.leader < 0) {
        batch.lastError = protocolError(5).meaning
        topics.refresh()
        retryLater(queue, batch)
        continue
      }
      if (!settlement.takeBack(queue, batch) || (isIdempotent && !setSequence(queue, batch))) continue
      if (queue.open === batch) accumulator.close(queue)
      queue.inFlight = batch
      const departure = { topic: queue.topic, partition: queue.partition, batch, queue }
      const departures = byLeader.get(queue.leader)
      if (departures) departures.push(departure)
      else byLeader.set(queue.leader, [departure])
    }
    for (const [leader, departures] of byLeader) {
      for (const request of requestsOf(departures)) void ship(leader, request)
    }
  }

  /** Gives a new batch its sequence number; a batch that was sent before keeps its own. `false` while there is no producer id. */
  function setSequence(queue: PartitionQueue, batch: Batch): boolean {
    if (batch.sequence) return true
    if (queue.needsNewId) ids.renew(queue.producer, `the outcome of a batch of ${queue.topic}[${queue.partition}] is not known`)
    const id = ids.current
    if (!id) {
      // onReady brings the queue back.
      ids.acquire()
      return false
    }
    if (queue.producer !== id) {
      queue.producer = id
      queue.nextSequence = 0
    }
    queue.needsNewId = false
    batch.sequence = { producerId: id.id, producerEpoch: id.epoch, baseSequence: queue.nextSequence }
    return true
  }

  async function ship(leader: number, departures: readonly Departure[]): Promise<void> {
    let wasHandedOver = false
    let results: readonly ProducePartitionResult[] | undefined
    try {
      for (const { batch } of departures) {
        const prepared = transport.prepare(batch)
        if (prepared) await prepared
      }
      results = await transport.produce(leader, departures, () => {
        // Given up while the connection was made: its outcome was reported as "not written", and so it must stay.
        if (departures.some(({ batch }) => batch.isSettled)) throw new Error('a batch of the request was given up')
        wasHandedOver = true
        const nowMs = Date.now()
        for (const { batch } of departures) {
          batch.attempts++
          batch.firstSentAtMs ??= nowMs
        }
      })
    } catch (error) {
      for (const { queue, batch } of departures) {
        queue.inFlight = undefined
        answers.unanswered(queue, batch, error as PipeError, wasHandedOver)
      }
      return
    }
    departures.forEach(({ queue, batch }, i) => {
      queue.inFlight = undefined
      // With acks 0 there is nothing to answer.
      if (results === undefined) settlement.written(queue, batch, -1n, -1n)
      else answers.answered(queue, batch, results[i]!)
    })
  }

  function retryLater(queue: PartitionQueue, batch: Batch): void {
    batch.retries++
    const delayMs = backOffMs(batch.retries, Math.random)
    queue.retryAtMs = Date.now() + delayMs
    setTimeout(() => {
      queue.retryAtMs = 0
      markReady(queue)
    }, delayMs)
  }

  /** On the wire without an answer: as unknown as a lost answer. */
  function giveUpUnanswered(queue: PartitionQueue, batch: Batch, reason: Reason): void {
    if (queue.inFlight === batch && batch.firstSentAtMs !== undefined) batch.mayBeWritten = true
    settlement.giveUp(queue, batch, reason)
  }

  function expire(): void {
    const nowMs = Date.now()
    forEachQueue((queue) => {
      if (queue.open && nowMs - queue.open.createdAtMs > maxOpenMs) accumulator.close(queue)
      for (const batch of [...queue.batches]) {
        if (nowMs - batch.createdAtMs < deliveryTimeoutMs) break
        giveUpUnanswered(queue, batch, { text: `not confirmed within ${deliveryTimeoutMs / 1000} s`, retryable: true })
      }
    })
  }

  /** Gives up what is not on the wire. */
  function refuse(queue: PartitionQueue, reason: Reason): void {
    for (const batch of [...queue.batches]) if (batch !== queue.inFlight) settlement.giveUp(queue, batch, reason)
  }

  function refuseTopic(topic: TopicState, errorCode: number): void {
    const { name, meaning } = protocolError(errorCode)
    const reason = { text: `${name} (${errorCode}): ${meaning}`, errorCode, code: 'PIPE_KAFKA_TOPIC' }
    for (const queue of topic.queues) refuse(queue, reason)
  }

  function refuseAll(error: PipeError): void {
    forEachQueue((queue) => refuse(queue, { text: error.message, code: error.code, cause: error }))
  }

  function pending(): { queue: PartitionQueue; batch: Batch }[] {
    const found: { queue: PartitionQueue; batch: Batch }[] = []
    forEachQueue((queue) => {
      for (const batch of queue.batches) found.push({ queue, batch })
    })
    return found
  }

  return {
    topics,
    append: accumulator.append,
    flush: accumulator.flush,
    pending,
    abandon(reason) {
      isAbandoned = true
      for (const { queue, batch } of pending()) giveUpUnanswered(queue, batch, reason)
      accumulator.stop()
      clearInterval(expiryTimer)
      topics.close()
      ids.close()
    },
  }
}

/** Batches for one broker, cut into requests that are not too large. */
function requestsOf(departures: readonly Departure[]): Departure[][] {
  const requests: Departure[][] = []
  let current: Departure[] = []
  let bytes = 0
  for (const departure of departures) {
    const size = departure.batch.bytes
    if (current.length > 0 && bytes + size > maxRequestBytes) {
      requests.push(current)
      current = []
      bytes = 0
    }
    current.push(departure)
    bytes += size
  }
  requests.push(current)
  return requests
}
