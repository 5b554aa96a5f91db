import {
  type Codec,
  encodeCompressedBatch,
  encodeRecordBatch,
  initProducerId,
  type ProducePartitionResult,
  produce,
  setProducer,
} from '@pipe/kafka-wire'
import { versionFor } from '../cluster'
import { fromKafkajs, protocolFailure } from '../errors'
import { addressOf, type Cluster } from '../internals'
import type { Batch } from './batch'

/** Leaders of a topic's partitions. */
export interface TopicLeaders {
  readonly name: string
  readonly errorCode: number
  /** Changes when the topic was deleted and created again; empty where the cluster does not tell. */
  readonly topicId: string
  /** In the order of the partition numbers; −1 without a leader. */
  readonly leaders: readonly number[]
}

/** A batch on its way, with its address. */
export interface Shipment {
  readonly topic: string
  readonly partition: number
  readonly batch: Batch
}

/** A producer id. */
export interface ProducerId {
  readonly id: bigint
  readonly epoch: number
}

/** How batches get to the brokers. */
export interface ProduceTransport {
  leaders(topics: readonly string[]): Promise<readonly TopicLeaders[]>
  /** A new producer id. Rejects with a {@link KafkaError}. */
  newProducerId(): Promise<ProducerId>
  /** Makes the bytes of a batch, or renews their producer id. */
  prepare(batch: Batch): void | Promise<void>
  /**
   * Sends batches to their leader. Resolves with one answer a batch, in their order; with acks 0 with `undefined` once the socket took them.
   * `onHandOver` is called when they are about to be on the wire.
   */
  produce(
    leader: number,
    shipments: readonly Shipment[],
    onHandOver: () => void,
  ): Promise<readonly ProducePartitionResult[] | undefined>
  close(): Promise<void>
}

/** Our own Produce requests on the connections of kafkajs. */
export function wireTransport(
  cluster: Cluster,
  options: { readonly acks: number; readonly requestTimeoutMs: number; readonly codec: Codec | undefined },
): ProduceTransport {
  const { acks, codec } = options
  // The broker gives up first, so that its answer, not our timer, decides.
  const timeoutMs = Math.max(1, Math.floor(options.requestTimeoutMs * 0.75))

  return {
    async leaders(topics) {
      const { topics: found } = await cluster.metadata(topics)
      return found.map(({ name, errorCode, topicId, partitions }) => {
        const leaders = new Array<number>(partitions.length).fill(-1)
        for (const { partition, leader } of partitions) leaders[partition] = leader
        return { name: name ?? '', errorCode, topicId, leaders }
      })
    },

    async newProducerId() {
      const broker = await cluster.anyBroker()
      const answer = await cluster.call(broker, initProducerId, {
        transactionalId: null,
        transactionTimeoutMs: 60_000,
        producerId: -1n,
        producerEpoch: -1,
      })
      if (answer.errorCode !== 0) throw protocolFailure('A producer id', answer.errorCode, { broker: addressOf(broker) })
      return { id: answer.producerId, epoch: answer.producerEpoch }
    },

    prepare(batch) {
      const { sequence, encoded } = batch
      if (encoded) {
        if (sequence) setProducer(encoded, sequence.producerId, sequence.producerEpoch, sequence.baseSequence)
        return
      }
      const around = sequence ?? {}
      if (!codec) {
        batch.encoded = encodeRecordBatch(batch.records, around)
        return
      }
      return encodeCompressedBatch(batch.records, codec, around).then((bytes) => {
        batch.encoded = bytes
      })
    },

    async produce(leader, shipments, onHandOver) {
      const broker = await cluster.broker(leader)
      const version = versionFor(broker, produce as never, 8)
      let wasHandedOver = false
      const request = {
        apiKey: produce.key,
        apiName: produce.name,
        apiVersion: version,
        body: encodeProduce(shipments, acks, timeoutMs, version),
        expectResponse: acks !== 0,
        parse: (payload: Buffer) => produce.decodeResponse(payload, version),
        onHandOver() {
          onHandOver()
          wasHandedOver = true
        },
      }
      let answer: Awaited<ReturnType<typeof cluster.send<ReturnType<typeof produce.decodeResponse> | undefined>>>
      try {
        answer = await cluster.send(broker, request)
      } catch (error) {
        // After this, nobody knows what still stands in the socket: a new one begins clean.
        if (wasHandedOver) cluster.drop(broker)
        throw fromKafkajs(`Produce to ${addressOf(broker)}`, error, { broker: addressOf(broker) })
      }
      if (acks === 0 || answer === undefined) {
        await cluster.drained(broker)
        return undefined
      }
      const results = new Map<string, ProducePartitionResult>()
      for (const { name, partitions } of answer.topics) {
        for (const result of partitions) results.set(`${name}\n${result.partition}`, result)
      }
      return shipments.map(({ topic, partition }) => results.get(`${topic}\n${partition}`) ?? unanswered(partition))
    },

    close: () => cluster.close(),
  }
}

/** A partition that the answer left out: outcome unknown (-1, UNKNOWN_SERVER_ERROR). */
function unanswered(partition: number): ProducePartitionResult {
  return {
    partition,
    errorCode: -1,
    baseOffset: -1n,
    logAppendTimeMs: -1n,
    logStartOffset: -1n,
    recordErrors: [],
    errorMessage: 'the answer does not name the partition',
  }
}

function encodeProduce(shipments: readonly Shipment[], acks: number, timeoutMs: number, version: number): Buffer {
  const topics = new Map<string, { partition: number; records: Uint8Array }[]>()
  for (const { topic, partition, batch } of shipments) {
    const partitions = topics.get(topic)
    const entry = { partition, records: batch.encoded! }
    if (partitions) partitions.push(entry)
    else topics.set(topic, [entry])
  }
  return produce.encodeRequest(
    { transactionalId: null, acks, timeoutMs, topics: [...topics].map(([name, partitions]) => ({ name, partitions })) },
    version,
  )
}
