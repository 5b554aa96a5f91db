import type { PipeError } from '@pipe/core'
import { type ProducePartitionResult, recordBytesAtMost } from '@pipe/kafka-wire'
import { protocolError } from '../error-code'
import { type Accumulator, createAccumulator } from './accumulator'
import { type Batch, sliceBatch } from './batch'
import type { BufferRoom } from './buffer-room'
import type { Durability } from './durability'
import { type PartitionQueue, sequenceAfter } from './partition-queue'
import { createProducerIds } from './producer-id'
import type { ResolvedOptions } from './producer-options'
import { reasonOf } from './refusal'
import { backOffMs, verdictOf } from './retry-table'
import { createTopicMap, type TopicMap, type TopicState } from './topic-map'
import type { ProduceTransport, Shipment } from './transport'
import { type Reason, undelivered } from './undelivered'

/** What the engine works with. */
export interface SenderSettings {
  readonly transport: ProduceTransport
  readonly room: BufferRoom
  readonly options: ResolvedOptions<Durability>
}

/** The engine: queues, requests, answers, retries. */
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

/** More than this is not put into one request. */
const maxRequestBytes = 8 * 1024 * 1024

/** Makes an engine. */
export function createSender({ transport, room, options }: SenderSettings): Sender {
  const { isIdempotent, batchBytes, batchRecords, lingerMs, deliveryTimeoutMs, onEvent } = options
  const ready = new Set<PartitionQueue>()
  let isDraining = false
  let isAbandoned = false
  let expiryTimer: NodeJS.Timeout | undefined

  const accumulator = createAccumulator({
    batchBytes,
    batchRecords,
    lingerMs,
    maxOpenMs: Math.max(lingerMs, deliveryTimeoutMs / 8),
    onReady: markReady,
    onOpened() {
      expiryTimer ??= setInterval(expire, Math.min(1000, Math.max(5, deliveryTimeoutMs / 20)))
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
    const byLeader = new Map<number, Shipment[]>()
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
      if (!takeBack(queue, batch) || (isIdempotent && !setSequence(queue, batch))) continue
      if (queue.open === batch) accumulator.close(queue)
      queue.inFlight = batch
      const shipments = byLeader.get(queue.leader)
      const shipment = { topic: queue.topic, partition: queue.partition, batch }
      if (shipments) shipments.push(shipment)
      else byLeader.set(queue.leader, [shipment])
    }
    for (const [leader, shipments] of byLeader) {
      let start = 0
      let bytes = 0
      for (let i = 0; i < shipments.length; i++) {
        const size = shipments[i]!.batch.bytes
        if (i > start && bytes + size > maxRequestBytes) {
          void ship(leader, shipments.slice(start, i))
          start = i
          bytes = 0
        }
        bytes += size
      }
      void ship(leader, shipments.slice(start))
    }
  }

  /** Drops messages whose caller gave up before the first attempt. `false` when none is left. */
  function takeBack(queue: PartitionQueue, batch: Batch): boolean {
    if (batch.attempts > 0 || !batch.groups.some(({ isAborted }) => isAborted)) return true
    const kept = sliceBatch(batch, (i) => !batch.groups[i]!.isAborted, recordBytesAtMost)
    room.give(batch.bytes - kept.bytes, batch.records.length - kept.records.length)
    queue.queuedBytes -= batch.bytes - kept.bytes
    batch.records = kept.records
    batch.groups = kept.groups
    batch.indexes = kept.indexes
    batch.bytes = kept.bytes
    batch.encoded = undefined
    if (kept.records.length > 0) return true
    finish(queue, batch)
    return false
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

  async function ship(leader: number, shipments: readonly Shipment[]): Promise<void> {
    let wasHandedOver = false
    let results: readonly ProducePartitionResult[] | undefined
    try {
      for (const { batch } of shipments) {
        const prepared = transport.prepare(batch)
        if (prepared) await prepared
      }
      results = await transport.produce(leader, shipments, () => {
        // Given up while the connection was made: its outcome was reported as "not written", and so it must stay.
        if (shipments.some(({ batch }) => batch.isSettled)) throw new Error('a batch of the request was given up')
        wasHandedOver = true
        const nowMs = Date.now()
        for (const { batch } of shipments) {
          batch.attempts++
          batch.firstSentAtMs ??= nowMs
        }
      })
    } catch (error) {
      for (const { topic, partition, batch } of shipments) {
        onRequestFailed(topics.get(topic)!.queues[partition]!, batch, error as PipeError, wasHandedOver)
      }
      return
    }
    shipments.forEach(({ topic, partition, batch }, i) => {
      const queue = topics.get(topic)!.queues[partition]!
      queue.inFlight = undefined
      if (results === undefined) onWritten(queue, batch, -1n, -1n)
      else onAnswer(queue, batch, results[i]!)
    })
  }

  function onRequestFailed(queue: PartitionQueue, batch: Batch, error: PipeError, wasHandedOver: boolean): void {
    queue.inFlight = undefined
    if (batch.isSettled) {
      markReady(queue)
      return
    }
    batch.lastError = error.message
    if (wasHandedOver) batch.mayBeWritten = true
    // What is no error of Kafka is the cancelled request above: the others of it go again.
    const isFinal =
      typeof error.code === 'string' && error.code.startsWith('PIPE_') && !error.retryable && error.code !== 'PIPE_KAFKA_WIRE'
    if (isFinal) {
      giveUp(queue, batch, { text: error.message, code: error.code, cause: error })
      return
    }
    if (batch.mayBeWritten && !isIdempotent && !options.resendAmbiguous) {
      giveUp(queue, batch, { text: error.message, cause: error })
      return
    }
    topics.refresh()
    retryLater(queue, batch)
  }

  function onAnswer(queue: PartitionQueue, batch: Batch, result: ProducePartitionResult): void {
    // Given up meanwhile: whatever the answer is, it was reported as unknown.
    if (batch.isSettled) {
      markReady(queue)
      return
    }
    const { errorCode } = result
    const { kind, mayBeWritten, refresh } = verdictOf(errorCode)
    if (kind === 'written') {
      onWritten(queue, batch, result.baseOffset, result.logAppendTimeMs)
      return
    }
    if (kind === 'duplicate') {
      onWritten(queue, batch, -1n, -1n)
      return
    }
    const reason = reasonOf(result)
    batch.lastError = reason.text
    if (mayBeWritten) batch.mayBeWritten = true
    if (refresh) topics.refresh()
    if (kind === 'retry') {
      if (batch.mayBeWritten && !isIdempotent && !options.resendAmbiguous) {
        giveUp(queue, batch, reason)
        return
      }
      retryLater(queue, batch)
      return
    }
    if (batch.mayBeWritten) {
      giveUp(queue, batch, reason)
      return
    }
    if (kind === 'new-id' && isIdempotent) {
      queue.needsNewId = true
      batch.sequence = undefined
      retryLater(queue, batch)
      return
    }
    if (kind === 'split' && batch.records.length > 1) {
      const half = batch.records.length >> 1
      replace(queue, batch, [(i) => i < half, (i) => i >= half])
      return
    }
    const bad = new Set(result.recordErrors.map(({ batchIndex }) => batchIndex))
    if (bad.size > 0 && bad.size < batch.records.length) {
      const refused = sliceBatch(batch, (i) => bad.has(i), recordBytesAtMost)
      fail(refused, undelivered(queue, batch, reason, false))
      room.give(refused.bytes, refused.records.length)
      queue.queuedBytes -= refused.bytes
      replace(queue, batch, [(i) => !bad.has(i)])
      return
    }
    giveUp(queue, batch, reason)
  }

  /** Puts parts of a refused batch in its place: none of its sequence numbers was used. */
  function replace(queue: PartitionQueue, batch: Batch, parts: readonly ((index: number) => boolean)[]): void {
    const batches = parts.map((keep) => sliceBatch(batch, keep, recordBytesAtMost))
    let left = batches.length
    for (const part of batches) {
      part.onSettled.push(() => {
        left--
        if (left === 0) for (const settled of batch.onSettled) settled()
      })
    }
    queue.batches.splice(queue.batches.indexOf(batch), 1, ...batches)
    batch.isSettled = true
    markReady(queue)
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

  function onWritten(queue: PartitionQueue, batch: Batch, baseOffset: bigint, logAppendTimeMs: bigint): void {
    if (batch.isSettled) {
      markReady(queue)
      return
    }
    const { records, groups, indexes, sequence } = batch
    if (sequence) queue.nextSequence = sequenceAfter(sequence.baseSequence, records.length)
    const isKnown = baseOffset >= 0n
    for (let i = 0; i < records.length; i++) {
      const timestampMs = logAppendTimeMs >= 0n ? Number(logAppendTimeMs) : records[i]!.timestampMs
      groups[i]!.written(indexes[i]!, queue.partition, isKnown ? baseOffset + BigInt(i) : -1n, timestampMs)
    }
    if (isKnown) queue.lastOffset = baseOffset + BigInt(records.length - 1)
    finish(queue, batch)
  }

  function giveUp(queue: PartitionQueue, batch: Batch, reason: Reason): void {
    const isUnknown = batch.mayBeWritten
    // Its sequence number may be used up or not: no batch may ever carry it again.
    if (isUnknown && isIdempotent) queue.needsNewId = true
    fail(batch, undelivered(queue, batch, reason, isUnknown))
    finish(queue, batch)
  }

  function fail(batch: Batch, error: ReturnType<typeof undelivered>): void {
    batch.groups.forEach((group, i) => void group.failed(batch.indexes[i]!, error))
  }

  function finish(queue: PartitionQueue, batch: Batch): void {
    const at = queue.batches.indexOf(batch)
    if (at >= 0) queue.batches.splice(at, 1)
    if (queue.open === batch) accumulator.close(queue)
    queue.queuedBytes -= batch.bytes
    room.give(batch.bytes, batch.records.length)
    batch.isSettled = true
    for (const settled of batch.onSettled) settled()
    if (queue.inFlight !== batch) batch.encoded = undefined
    batch.records = []
    batch.groups = []
    batch.indexes = []
    if (queue.batches.length > 0) markReady(queue)
    else if (room.messages === 0 && expiryTimer !== undefined) {
      clearInterval(expiryTimer)
      expiryTimer = undefined
    }
  }

  function expire(): void {
    const nowMs = Date.now()
    forEachQueue((queue) => {
      for (const batch of [...queue.batches]) {
        if (nowMs - batch.createdAtMs < deliveryTimeoutMs) break
        // On the wire without an answer: as unknown as a lost answer.
        if (queue.inFlight === batch && batch.firstSentAtMs !== undefined) batch.mayBeWritten = true
        giveUp(queue, batch, { text: `not confirmed within ${deliveryTimeoutMs / 1000} s`, retryable: true })
      }
    })
  }

  function refuseTopic(topic: TopicState, errorCode: number): void {
    const { name, meaning } = protocolError(errorCode)
    for (const queue of topic.queues) {
      for (const batch of [...queue.batches]) {
        if (batch !== queue.inFlight)
          giveUp(queue, batch, { text: `${name} (${errorCode}): ${meaning}`, errorCode, code: 'PIPE_KAFKA_TOPIC' })
      }
    }
  }

  function refuseAll(error: PipeError): void {
    forEachQueue((queue) => {
      for (const batch of [...queue.batches]) {
        if (batch !== queue.inFlight) giveUp(queue, batch, { text: error.message, code: error.code, cause: error })
      }
    })
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
      for (const { queue, batch } of pending()) {
        if (queue.inFlight === batch && batch.firstSentAtMs !== undefined) batch.mayBeWritten = true
        giveUp(queue, batch, reason)
      }
      accumulator.stop()
      clearInterval(expiryTimer)
      topics.close()
      ids.close()
    },
  }
}
