import type { ProducePartitionResult, RecordToWrite } from '@pipe/kafka-wire'
import type { Kafka as KafkajsClient, Producer as KafkajsProducer, Message, RecordMetadata } from 'kafkajs'
import { fromKafkajs } from '../errors'
import type { Batch } from './batch'
import type { ProducerId, ProduceTransport, Shipment, TopicLeaders } from './transport'

/**
 * The public route: `send` of kafkajs, one partition a call, so that none of its retries can mix partitions up. For a kafkajs whose inner
 * members are not those we know, and as the oracle of our own requests.
 *
 * What makes it safe: one batch of a partition at a time, a batch is tried again only through the producer that has tried it first (kafkajs
 * gives it the same sequence number again, as that number goes on only after a success), and after an outcome that nobody knows the partition
 * moves on to a new producer of kafkajs. The "producer id" of the engine is the number of that producer.
 */
export function publicTransport(
  client: KafkajsClient,
  options: {
    readonly acks: number
    readonly isIdempotent: boolean
    readonly requestTimeoutMs: number
    /** Number of the protocol. */
    readonly compression: number
  },
): ProduceTransport {
  const { acks, isIdempotent, compression } = options
  const timeout = Math.max(1, Math.floor(options.requestTimeoutMs * 0.75))
  const producers = new Map<bigint, Promise<KafkajsProducer>>()
  const admin = client.admin({ retry: { retries: 0 } })
  let adminConnected: Promise<void> | undefined
  let nextNumber = 0n

  async function connect(number: bigint): Promise<KafkajsProducer> {
    const producer = client.producer({
      allowAutoTopicCreation: false,
      idempotent: isIdempotent,
      // It refuses to be idempotent without at least one.
      retry: { retries: isIdempotent ? 1 : 0 },
      // Every message has its partition already.
      createPartitioner:
        () =>
        ({ message }) =>
          message.partition!,
    })
    try {
      await producer.connect()
    } catch (error) {
      producers.delete(number)
      throw fromKafkajs('A producer of kafkajs', error)
    }
    return producer
  }

  function producerOf(batch: Batch): Promise<KafkajsProducer> {
    const number = batch.sequence?.producerId ?? -1n
    let producer = producers.get(number)
    if (!producer) {
      producer = connect(number)
      producers.set(number, producer)
    }
    return producer
  }

  async function leadersOf(name: string): Promise<TopicLeaders> {
    try {
      const { topics } = await admin.fetchTopicMetadata({ topics: [name] })
      const partitions = topics[0]?.partitions ?? []
      const leaders = new Array<number>(partitions.length).fill(-1)
      for (const { partitionId, leader } of partitions) leaders[partitionId] = leader
      return { name, errorCode: 0, topicId: '', leaders }
    } catch (error) {
      const errorCode = protocolCode(error)
      if (errorCode === undefined) throw fromKafkajs(`Metadata of ${name}`, error)
      return { name, errorCode, topicId: '', leaders: [] }
    }
  }

  async function ship({ topic, partition, batch }: Shipment, producer: KafkajsProducer): Promise<ProducePartitionResult> {
    try {
      const messages = batch.records.map((record) => toMessage(record, partition))
      const [result] = (await producer.send({ topic, acks, timeout, compression, messages })) ?? []
      return answer(partition, 0, result)
    } catch (error) {
      // 13: the broker may have it; the engine looks for the leader again and sends the batch again.
      return answer(partition, protocolCode(error) ?? 13, undefined, (error as Error).message)
    }
  }

  return {
    async leaders(topics) {
      adminConnected ??= admin.connect()
      try {
        await adminConnected
      } catch (error) {
        adminConnected = undefined
        throw fromKafkajs('Metadata', error)
      }
      return Promise.all(topics.map(leadersOf))
    },
    async newProducerId(): Promise<ProducerId> {
      const number = nextNumber++
      const producer = connect(number)
      producers.set(number, producer)
      await producer
      return { id: number, epoch: 0 }
    },
    prepare: () => undefined,
    async produce(_leader, shipments, onHandOver) {
      const connected = await Promise.all(shipments.map(({ batch }) => producerOf(batch)))
      onHandOver()
      const results = await Promise.all(shipments.map((shipment, i) => ship(shipment, connected[i]!)))
      return acks === 0 && results.every(({ errorCode }) => errorCode === 0) ? undefined : results
    },
    async close() {
      const all = await Promise.allSettled(producers.values())
      const open = all.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
      await Promise.all([...open.map((producer) => producer.disconnect()), admin.disconnect()])
    },
  }
}

function toMessage({ key, value, headers, timestampMs }: RecordToWrite, partition: number): Message {
  const grouped: Record<string, (string | Buffer)[]> = {}
  for (const header of headers) {
    // kafkajs can write no header without a value; an empty one is the nearest.
    const bytes = toKafkajs(header.value) ?? Buffer.alloc(0)
    const known = grouped[header.key]
    if (known) known.push(bytes)
    else grouped[header.key] = [bytes]
  }
  return { key: toKafkajs(key), value: toKafkajs(value), headers: grouped, partition, timestamp: String(timestampMs) }
}

/** kafkajs writes a Uint8Array that is no Buffer as the text of its numbers. */
function toKafkajs(part: Uint8Array | string | null): string | Buffer | null {
  return part === null || typeof part === 'string' || Buffer.isBuffer(part)
    ? part
    : Buffer.from(part.buffer, part.byteOffset, part.byteLength)
}

/** The error code of the broker inside what kafkajs throws. */
function protocolCode(error: unknown): number | undefined {
  const { name, code, cause } = (error ?? {}) as { name?: string; code?: unknown; cause?: unknown }
  if (name === 'KafkaJSNumberOfRetriesExceeded') return protocolCode(cause)
  return name === 'KafkaJSProtocolError' && typeof code === 'number' ? code : undefined
}

function answer(
  partition: number,
  errorCode: number,
  result: RecordMetadata | undefined,
  errorMessage: string | null = null,
): ProducePartitionResult {
  return {
    partition,
    errorCode,
    baseOffset: BigInt(result?.baseOffset ?? -1),
    logAppendTimeMs: BigInt(result?.logAppendTime ?? -1),
    logStartOffset: -1n,
    recordErrors: [],
    errorMessage,
  }
}
