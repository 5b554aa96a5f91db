import { ConfigError } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { type RecordSink, sendFile } from './sink'

/** The part of a producer that {@link toKafka} uses: kafkajs's own has it. */
export interface MessageProducer {
  send(record: {
    readonly topic: string
    readonly messages: { readonly key: string; readonly value: Buffer; readonly timestamp: string }[]
  }): Promise<unknown>
}

/**
 * A sink into a Kafka topic: a message a line, the key is the device, so that its records stay in order; the timestamp is the event time.
 * Malformed lines are sent as they are. The producer stays open: it is yours.
 *
 * A message is counted as taken when `send` has resolved; a rejection is passed on, as the outcome may be unknown then. A file that is put
 * again is sent again: Kafka does not replace.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG`
 * @example
 * ```ts
 * const producer = kafka.producer()
 * await producer.connect()
 * await runLog({ log, sink: toKafka({ producer, topic: 'device-logs' }), from, rate: 500 })
 * ```
 */
export function toKafka(options: { readonly producer: MessageProducer; readonly topic: string }): RecordSink {
  checkOptions('toKafka', options, { required: ['producer', 'topic'] })
  const { producer, topic } = options
  if (topic === '') throw new ConfigError('toKafka: the topic is empty.')
  if (typeof producer?.send !== 'function') throw new ConfigError('toKafka: "producer" has no method send().')
  const send: RecordSink['send'] = async (messages, { signal }) => {
    signal?.throwIfAborted()
    await producer.send({
      topic,
      // An event time before 1970 is none to Kafka.
      messages: messages.map(({ key, value, eventTime }) => ({ key, value, timestamp: String(Math.max(0, eventTime)) })),
    })
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
