import { type RecordToWrite, recordBytesAtMost } from '@pipe/kafka-wire'
import { KafkaError } from '../errors'
import { type AnyTopic, type LooseMessage, toRecord } from '../producer/message'
import { type KeyPartitioner, partitionOfKey } from '../producer/partitioner'
import type { OutputTopics } from './output-topics'

/** A record on its way into a transaction. */
export interface Output {
  readonly topic: string
  readonly partition: number
  readonly record: RecordToWrite
  /** Upper bound of its encoded size. */
  readonly bytes: number
}

/** Makes outputs of what a handler returned. */
export interface OutputEncoder {
  /** @throws KafkaError `PIPE_KAFKA_VALUE` for what is no message of a target topic, `PIPE_KAFKA_TOO_LARGE`, `PIPE_KAFKA_TOPIC` for a partition that is not there. */
  encode(returned: unknown, inputPartition: number): Promise<readonly Output[]>
}

/** Default of the brokers, where a contract says nothing. */
const defaultMaxMessageBytes = 1_048_588
/** Header of a batch and varints around its only record. */
const overheadBytes = 100

/** Makes the encoder of one transform. */
export function createOutputEncoder(settings: {
  readonly to: AnyTopic | readonly AnyTopic[]
  readonly topics: OutputTopics
  readonly partitioner: KeyPartitioner
}): OutputEncoder {
  const { to, topics, partitioner } = settings
  const targets: readonly AnyTopic[] = Array.isArray(to) ? to : [to as AnyTopic]
  const only = Array.isArray(to) ? undefined : targets[0]
  const names = targets.map(({ name }) => name).join(', ')

  function targetOf(message: unknown): AnyTopic {
    if (typeof message !== 'object' || message === null) {
      throw new KafkaError(
        'PIPE_KAFKA_VALUE',
        `The handler returned ${message === null ? 'null' : `a ${typeof message}`} as a message.`,
      )
    }
    if (only) return only
    const { topic } = message as { readonly topic?: unknown }
    const target = targets.find((one) => one === topic)
    if (target) return target
    throw new KafkaError('PIPE_KAFKA_VALUE', 'The handler returned a message that does not name its topic.', {
      hint: `Give it a topic: one of the contracts that stand in to (${names}).`,
    })
  }

  function placeOf(topic: AnyTopic, record: RecordToWrite, wanted: number | undefined, inputPartition: number): number {
    const count = topics.partitions(topic.name)
    const partition = wanted ?? (record.key === null ? inputPartition % count : partitionOfKey(record.key, count, partitioner))
    if (Number.isInteger(partition) && partition >= 0 && partition < count) return partition
    throw new KafkaError('PIPE_KAFKA_TOPIC', `${topic.name} has ${count} partitions, and none ${partition}.`, {
      details: { topic: topic.name },
    })
  }

  async function encodeOne(message: unknown, inputPartition: number): Promise<Output> {
    const topic = targetOf(message)
    const record = await toRecord(topic, message as LooseMessage)
    const bytes = recordBytesAtMost(record)
    const limit = (topic.maxMessageBytes ?? defaultMaxMessageBytes) - overheadBytes
    if (bytes > limit) {
      throw new KafkaError(
        'PIPE_KAFKA_TOO_LARGE',
        `${topic.name}: a message of about ${bytes} bytes, of which at most ${limit} are allowed.`,
        {
          hint: 'Make it smaller, or raise max.message.bytes of the topic and maxMessageBytes of its contract.',
          details: { topic: topic.name },
        },
      )
    }
    const partition = placeOf(topic, record, (message as LooseMessage).partition, inputPartition)
    return { topic: topic.name, partition, record, bytes }
  }

  return {
    async encode(returned, inputPartition) {
      if (returned === undefined || returned === null) return []
      const messages: readonly unknown[] = Array.isArray(returned) ? returned : [returned]
      const outputs: Output[] = []
      for (const message of messages) outputs.push(await encodeOne(message, inputPartition))
      return outputs
    },
  }
}
