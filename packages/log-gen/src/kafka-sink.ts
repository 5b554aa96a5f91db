import { ConfigError } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import type { LogMessage } from './messages'
import { type RecordSink, sendFile } from './sink'

/** The part of a producer of `@pipe/kafka-kit` that {@link toKafka} uses. */
export interface MessageProducer {
  sendMany(
    topic: string,
    messages: readonly { readonly key: string; readonly value: Buffer; readonly timestamp: Date }[],
    options: { readonly signal?: AbortSignal | undefined },
  ): Promise<unknown>
}

/** The part of a producer of kafkajs that {@link toKafka} uses. */
export interface KafkajsProducer {
  send(record: {
    readonly topic: string
    readonly messages: { readonly key: string; readonly value: Buffer; readonly timestamp: string }[]
  }): Promise<unknown>
}

/**
 * A sink into a Kafka topic: a message a line, the key is the device, so that its records stay in order; the timestamp is the event time.
 * Malformed lines are sent as they are. The producer stays open: it is yours.
 *
 * The producer is one of `@pipe/kafka-kit` or of kafkajs, as it is. A message is counted as taken when its send has resolved; a rejection is passed on, as the outcome may be unknown then. A file that is put
 * again is sent again: Kafka does not replace.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG` for an empty topic, or a producer that is neither.
 * @example
 * ```ts
 * const producer = kafka.producer({ durability: 'quorum' })
 * await runLog({ log, sink: toKafka({ producer, topic: 'device-logs' }), from, rate: 500 })
 * ```
 */
export function toKafka(options: { readonly producer: MessageProducer | KafkajsProducer; readonly topic: string }): RecordSink {
  checkOptions('toKafka', options, { required: ['producer', 'topic'] })
  const { producer, topic } = options
  if (topic === '') throw new ConfigError('toKafka: the topic is empty.')
  const sendAll = senderOf(producer, topic)
  const send: RecordSink['send'] = async (messages, { signal }) => {
    signal?.throwIfAborted()
    await sendAll(messages, signal)
  }
  return {
    send,
    put: async (file, putOptions) => {
      await sendFile(file, send, putOptions)
      return { uri: `kafka://${topic}` }
    },
    close: () => {},
  }
}

type SendAll = (messages: readonly LogMessage[], signal: AbortSignal | undefined) => Promise<unknown>

function senderOf(producer: MessageProducer | KafkajsProducer, topic: string): SendAll {
  // An event time before 1970 is none to Kafka.
  const timeOf = ({ eventTime }: LogMessage) => Math.max(0, eventTime)
  // kafka-kit has both methods; its send takes one message.
  if ('sendMany' in producer && typeof producer.sendMany === 'function') {
    return (messages, signal) =>
      producer.sendMany(
        topic,
        messages.map((message) => ({ key: message.key, value: message.value, timestamp: new Date(timeOf(message)) })),
        { signal },
      )
  }
  if ('send' in producer && typeof producer.send === 'function') {
    return (messages) =>
      producer.send({
        topic,
        messages: messages.map((message) => ({ key: message.key, value: message.value, timestamp: String(timeOf(message)) })),
      })
  }
  throw new ConfigError('toKafka: "producer" has neither sendMany(), as that of @pipe/kafka-kit, nor send(), as that of kafkajs.')
}
