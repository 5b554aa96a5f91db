import { ConfigError, type Deadline, type Duration, deadlineIn, durationMs } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { type RecordToWrite, recordBytesAtMost } from '@pipe/kafka-wire'
import { KafkaError, type NotWrittenError } from '../errors'
import type { KafkaResources } from '../kafka-resources'
import { checkTopicName, type EncodedRecord, encodeHeaders, type HeadersIn, type Topic } from '../topic'
import { createBufferRoom } from './buffer-room'
import { type Compression, codecOf } from './compression'
import { acksOf, type Durability, type SendResult } from './durability'
import { defaultKeyPartitioner, type KeyPartitioner, legacyKeyPartitioner } from './partitioner'
import type { ProducerEvent } from './producer-event'
import { manySend, type PendingSend, singleSend } from './send-group'
import { createSender } from './sender'
import { queueOf, type TopicState } from './topic-map'
import { wireTransport } from './transport'
import { neverQueued } from './undelivered'

/** What `kafka.producer()` takes. */
export interface ProducerOptions<D extends Durability = 'quorum'> {
  /** Default `'quorum'`. */
  readonly durability?: D | undefined
  /** Whether the broker drops what it has already. Default `true` with `quorum`; not possible with the others. */
  readonly idempotent?: boolean | undefined
  /**
   * Whether a batch whose answer was lost is sent again when the producer is not idempotent: then it may be stored twice. With `false` such a
   * send rejects at once with an {@link AmbiguousOutcomeError}. Default `true`.
   */
  readonly resendAmbiguous?: boolean | undefined
  /** Default `'none'`. */
  readonly compression?: Compression | undefined
  /** A batch is sent when it holds this many bytes (before compression). Default 65 536. */
  readonly batchBytes?: number | undefined
  /** … or this many messages. Default 10 000. */
  readonly batchRecords?: number | undefined
  /** … or its first message has waited this long. `'0 ms'`: at the end of the turn. Default `'5 ms'`. */
  readonly linger?: Duration | undefined
  /** Largest message in bytes, where the topic contract says nothing. Default 1 048 588, the default of the brokers. */
  readonly maxMessageBytes?: number | undefined
  /** Time from `send` to the answer, tries included. Default `'2 minutes'`. */
  readonly deliveryTimeout?: Duration | undefined
  /** Bytes of messages that are not settled. Default 33 554 432. */
  readonly maxBufferedBytes?: number | undefined
  /** Number of messages that are not settled. Default 1 000 000. */
  readonly maxBufferedMessages?: number | undefined
  /** How long a send waits for room, or for the topic to be found. Default `'1 minute'`. */
  readonly maxBlock?: Duration | undefined
  /** How keys choose their partition: `'murmur2'` as nearly all clients do, `'kafkajs-1'` as kafkajs 1.x did, or your own. Default `'murmur2'`. */
  readonly partitioner?: 'murmur2' | 'kafkajs-1' | KeyPartitioner | undefined
  readonly onEvent?: ((event: ProducerEvent) => void) | undefined
}

/** Where and when, beside the record of the contract. */
export interface Placement {
  /** Instead of the one that the key chooses. */
  readonly partition?: number | undefined
  /** Default: now. Kafka 4 refuses what is more than an hour ahead of its clock. */
  readonly timestamp?: Date | undefined
}

/** A message without a contract. `undefined` and `null` as key: none. An empty text is a key. */
export interface Message {
  readonly key?: string | Uint8Array | null | undefined
  readonly value: string | Uint8Array | null
  readonly headers?: HeadersIn | undefined
}

/** How one call goes about it. */
export interface SendOptions {
  /**
   * Rejects with the signal's reason. What is not on the wire by then is taken back; what is cannot be, and may be stored.
   */
  readonly signal?: AbortSignal | undefined
}

/** Messages of one partition that were not settled. */
export interface LeftOver {
  readonly topic: string
  /** −1: no partition was chosen yet. */
  readonly partition: number
  readonly messages: number
  readonly bytes: number
}

/** What `flush` and `close` report. */
export interface FlushReport {
  /** Nothing when all was settled in time. */
  readonly left: readonly LeftOver[]
  readonly leftMessages: number
}

/** Sends messages; what it promises depends on its durability `D`. */
export interface Producer<D extends Durability = 'quorum'> extends AsyncDisposable {
  readonly durability: D
  /**
   * Sends one message. The bytes of keys and values must not change before it settles.
   *
   * @throws {@link NotWrittenError} certainly not in the log · {@link AmbiguousOutcomeError} nobody knows · {@link BufferFullError} ·
   * {@link KafkaError} `PIPE_KAFKA_VALUE` when it does not fit the contract.
   */
  send<Input>(topic: Topic<Input, unknown>, record: Input & Placement, options?: SendOptions): Promise<SendResult<D>>
  send(topic: string, message: Message & Placement, options?: SendOptions): Promise<SendResult<D>>
  /**
   * Sends messages, in their order within each partition. Waits for room as it goes. The results are in the order of the messages.
   *
   * @throws {@link PartialSendError} once all are settled, with the outcome of each.
   */
  sendMany<Input>(
    topic: Topic<Input, unknown>,
    records: Iterable<Input & Placement>,
    options?: SendOptions,
  ): Promise<readonly SendResult<D>[]>
  sendMany(topic: string, messages: Iterable<Message & Placement>, options?: SendOptions): Promise<readonly SendResult<D>[]>
  /** As `send`, but returns `false` where it would have to wait for room. */
  trySend<Input>(topic: Topic<Input, unknown>, record: Input & Placement): Promise<SendResult<D>> | false
  trySend(topic: string, message: Message & Placement): Promise<SendResult<D>> | false
  /** What is not settled yet. */
  readonly buffered: { readonly messages: number; readonly bytes: number }
  /** Sends what waits, and resolves when all that was sent before is settled, or at the deadline with what is left. */
  flush(options?: { readonly deadline?: Deadline | undefined; readonly signal?: AbortSignal | undefined }): Promise<FlushReport>
  /**
   * Takes nothing more, flushes, and closes the connections. What is left at the deadline (default: 30 seconds) is given up: its promises
   * reject, and it is reported. May be called again.
   */
  close(options?: { readonly deadline?: Deadline | undefined }): Promise<FlushReport>
}

const optionNames = [
  'durability',
  'idempotent',
  'resendAmbiguous',
  'compression',
  'batchBytes',
  'batchRecords',
  'linger',
  'maxMessageBytes',
  'deliveryTimeout',
  'maxBufferedBytes',
  'maxBufferedMessages',
  'maxBlock',
  'partitioner',
  'onEvent',
]

/** Overhead of a batch with one record: header and varints. */
const overheadBytes = 100

type AnyTopic = Topic<never, unknown>
type LooseMessage = Message & Placement

/** Makes a producer of a Kafka. Called as `kafka.producer(options)`. */
export function createProducer<D extends Durability = 'quorum'>(
  resources: KafkaResources,
  options: ProducerOptions<D> = {},
): Producer<D> {
  const where = 'kafka.producer'
  checkOptions(where, options, { optional: optionNames })
  const durability = (options.durability ?? 'quorum') as D
  if (!(durability in acksOf)) {
    throw new ConfigError(`${where}: there is no durability ${JSON.stringify(durability)}.`, {
      hint: `Choose ${Object.keys(acksOf).join(', ')}.`,
    })
  }
  const isIdempotent = options.idempotent ?? durability === 'quorum'
  if (isIdempotent && durability !== 'quorum') {
    throw new ConfigError(`${where}: an idempotent producer needs durability 'quorum', not ${JSON.stringify(durability)}.`)
  }
  const positive = (name: keyof ProducerOptions<D>, fallback: number): number => {
    const value = (options[name] ?? fallback) as number
    if (!Number.isInteger(value) || value < 1)
      throw new ConfigError(`${where}: ${name} must be a whole number of at least 1, not ${value}.`)
    return value
  }
  const maxMessageBytes = positive('maxMessageBytes', 1_048_588)
  const maxBlockMs = durationMs(options.maxBlock ?? '1 minute')
  const partitioner = partitionerOf(where, options.partitioner ?? 'murmur2')
  const onEvent = options.onEvent ?? (() => undefined)
  const codec = codecOf(where, options.compression ?? 'none')
  const maxBufferedBytes = positive('maxBufferedBytes', 32 * 1024 * 1024)
  const room = createBufferRoom({
    maxBytes: maxBufferedBytes,
    maxMessages: positive('maxBufferedMessages', 1_000_000),
    maxBlockMs,
  })
  const transport = wireTransport(resources.openCluster(), {
    acks: acksOf[durability],
    requestTimeoutMs: resources.requestTimeoutMs,
    codec,
  })
  const disown = resources.own(() => producer.close())
  const sender = createSender({
    transport,
    room,
    isIdempotent,
    resendAmbiguous: options.resendAmbiguous ?? true,
    batchBytes: positive('batchBytes', 65_536),
    batchRecords: positive('batchRecords', 10_000),
    lingerMs: durationMs(options.linger ?? '5 ms'),
    deliveryTimeoutMs: durationMs(options.deliveryTimeout ?? '2 minutes'),
    maxBlockMs,
    onEvent,
  })
  /** Messages whose topic is being looked up, in the order of the calls. */
  const loading = new Map<string, { readonly waiting: Unplaced[]; readonly done: Promise<void> }>()
  /** While a record is validated asynchronously, those after it wait: the order of the calls is the order of the log. */
  let encoding: Promise<void> | undefined
  let closing: Promise<FlushReport> | undefined
  let isClosed = false

  function checkOpen(topic: string): void {
    if (isClosed) throw neverQueued(topic, { text: 'the producer is closed', code: 'PIPE_KAFKA_CLOSED' })
  }

  /** Checks, encodes and measures. */
  function toRecord(topic: string | AnyTopic, message: LooseMessage): RecordToWrite | Promise<RecordToWrite> {
    const timestampMs = message.timestamp === undefined ? Date.now() : timestampOf(topic, message.timestamp)
    if (typeof topic === 'string') return rawRecord(topic, message, timestampMs)
    const encoded = topic.encode(message as never)
    return encoded instanceof Promise
      ? encoded.then((record) => ({ ...record, timestampMs }))
      : withTimestamp(encoded, timestampMs)
  }

  function sizeOf(topic: string | AnyTopic, record: RecordToWrite): number {
    const bytes = recordBytesAtMost(record)
    const limit = typeof topic === 'string' ? maxMessageBytes : (topic.maxMessageBytes ?? maxMessageBytes)
    if (bytes + overheadBytes > limit || bytes > maxBufferedBytes) {
      throw neverQueued(nameOf(topic), {
        text: `a message of about ${bytes} bytes; at most ${Math.min(limit, maxBufferedBytes)} are allowed`,
        code: 'PIPE_KAFKA_TOO_LARGE',
        hint: 'Make it smaller, or raise max.message.bytes of the topic and maxMessageBytes of its contract (or of the producer).',
      })
    }
    return bytes
  }

  /** Puts a message, whose room was taken, into the queue of its partition. Never throws: what goes wrong fails the message. */
  function place(topic: TopicState, item: Unplaced): void {
    const { record, bytes, partition, group, index } = item
    if (group.isAborted) {
      room.give(bytes, 1)
      return
    }
    try {
      sender.append(queueOf(topic, { key: record.key, partition }, partitioner, Math.random), record, bytes, group, index)
    } catch (error) {
      room.give(bytes, 1)
      group.failed(index, error as NotWrittenError)
    }
  }

  function placeWhenLoaded(name: string, item: Unplaced): void {
    const topic = sender.topics.get(name)
    const queue = loading.get(name)
    if (topic && !queue) {
      place(topic, item)
      return
    }
    if (queue) {
      queue.waiting.push(item)
      return
    }
    const waiting = [item]
    const done = sender.topics.load(name).then(
      (loaded) => {
        loading.delete(name)
        for (const next of waiting) place(loaded, next)
      },
      (error) => {
        loading.delete(name)
        for (const next of waiting) {
          room.give(next.bytes, 1)
          next.group.failed(next.index, error)
        }
      },
    )
    loading.set(name, { waiting, done })
  }

  /** Holds back until records before it are validated. */
  function afterEncoding<T>(work: () => T | Promise<T>): T | Promise<T> {
    return encoding === undefined ? work() : encoding.then(work)
  }

  function watch<T>(group: PendingSend<T>, signal: AbortSignal | undefined): Promise<T> {
    if (!signal) return group.promise
    const onAbort = () => group.abort(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    return group.promise.finally(() => signal.removeEventListener('abort', onAbort))
  }

  /** Runs the parts of a send in one turn where nothing has to be waited for. */
  function admit(
    topic: string | AnyTopic,
    message: LooseMessage,
    group: PendingSend<unknown>,
    signal: AbortSignal | undefined,
  ): void {
    const name = nameOf(topic)
    const refuse = (error: unknown) => group.failed(0, error as NotWrittenError)
    const place = (record: RecordToWrite): void | Promise<void> => {
      const bytes = sizeOf(topic, record)
      const item = { record, bytes, partition: message.partition, group, index: 0 }
      if (room.tryTake(bytes)) return placeWhenLoaded(name, item)
      return room.take(bytes, signal).then(() => placeWhenLoaded(name, item))
    }
    try {
      const encoded = afterEncoding(() => toRecord(topic, message))
      if (!(encoded instanceof Promise)) {
        const waiting = place(encoded)
        if (waiting) waiting.catch(refuse)
        return
      }
      const admitted = encoded.then(place).catch(refuse)
      hold(admitted)
    } catch (error) {
      refuse(error)
    }
  }

  function hold(work: Promise<void>): void {
    const tail: Promise<void> = Promise.all([encoding, work]).then(() => {
      if (encoding === tail) encoding = undefined
    })
    encoding = tail
  }

  function send(topic: string | AnyTopic, message: LooseMessage, sendOptions: SendOptions = {}): Promise<SendResult<D>> {
    const { signal } = sendOptions
    if (signal?.aborted) return Promise.reject(signal.reason)
    const group = singleSend(durability)
    try {
      checkOpen(checkTopic(topic))
    } catch (error) {
      group.failed(0, error as NotWrittenError)
      return group.promise
    }
    admit(topic, message, group as PendingSend<unknown>, signal)
    return watch(group, signal)
  }

  async function sendMany(
    topic: string | AnyTopic,
    messages: Iterable<LooseMessage>,
    sendOptions: SendOptions = {},
  ): Promise<readonly SendResult<D>[]> {
    const { signal } = sendOptions
    signal?.throwIfAborted()
    checkOpen(checkTopic(topic))
    const name = nameOf(topic)
    // All are checked before the first is sent: a message that does not fit leaves nothing half done.
    const list = Array.isArray(messages) ? (messages as readonly LooseMessage[]) : [...messages]
    const records = new Array<RecordToWrite>(list.length)
    const sizes = new Array<number>(list.length)
    let release: (() => void) | undefined
    if (encoding) await encoding
    for (let i = 0; i < list.length; i++) {
      let record = toRecord(topic, list[i]!)
      if (record instanceof Promise) {
        if (!release) hold(new Promise((resolve) => (release = resolve)))
        try {
          record = await record
        } catch (error) {
          release?.()
          throw error
        }
      }
      records[i] = record
      sizes[i] = sizeOf(topic, record)
    }
    const group = manySend(durability, name, list.length)
    const settled = watch(group, signal)
    // It rejects only when someone waits for it; until the loop is through, nobody does.
    settled.catch(() => undefined)
    try {
      for (let i = 0; i < list.length; i++) {
        const bytes = sizes[i]!
        try {
          if (!room.tryTake(bytes)) await room.take(bytes, signal)
        } catch (error) {
          if (signal?.aborted) break
          for (let rest = i; rest < list.length; rest++) group.failed(rest, error as NotWrittenError)
          break
        }
        placeWhenLoaded(name, { record: records[i]!, bytes, partition: list[i]!.partition, group, index: i })
      }
    } finally {
      release?.()
    }
    return settled
  }

  function trySend(topic: string | AnyTopic, message: LooseMessage): Promise<SendResult<D>> | false {
    const waiting = room.waiting
    if (waiting.messages > 0) return false
    const group = singleSend(durability)
    try {
      checkOpen(checkTopic(topic))
      const encoded = afterEncoding(() => toRecord(topic, message))
      if (encoded instanceof Promise) {
        throw new KafkaError(
          'PIPE_KAFKA_VALUE',
          `${nameOf(topic)} validates asynchronously, so trySend cannot say at once whether there is room.`,
          {
            hint: 'Use send.',
          },
        )
      }
      const bytes = sizeOf(topic, encoded)
      if (!room.tryTake(bytes)) return false
      placeWhenLoaded(nameOf(topic), {
        record: encoded,
        bytes,
        partition: message.partition,
        group: group as PendingSend<unknown>,
        index: 0,
      })
    } catch (error) {
      group.failed(0, error as NotWrittenError)
    }
    return group.promise
  }

  let flushes = 0

  async function flush(
    flushOptions: { readonly deadline?: Deadline | undefined; readonly signal?: AbortSignal | undefined } = {},
  ) {
    checkOptions('producer.flush', flushOptions, { optional: ['deadline', 'signal'] })
    const { deadline, signal } = flushOptions
    signal?.throwIfAborted()
    flushes++
    sender.flush(true)
    try {
      await before(allSettled(), deadline, signal)
      return report()
    } finally {
      flushes--
      if (flushes === 0) sender.flush(false)
    }
  }

  /** Resolves when all that was sent so far is settled. */
  async function allSettled(): Promise<void> {
    if (encoding) await encoding
    await room.afterWaiting()
    await Promise.all(Array.from(loading.values(), ({ done }) => done))
    await Promise.all(sender.pending().map(({ batch }) => new Promise<void>((resolve) => batch.onSettled.push(resolve))))
  }

  function report(): FlushReport {
    const left = new Map<string, { topic: string; partition: number; messages: number; bytes: number }>()
    const add = (topic: string, partition: number, messages: number, bytes: number) => {
      const key = `${topic}\n${partition}`
      const entry = left.get(key) ?? { topic, partition, messages: 0, bytes: 0 }
      entry.messages += messages
      entry.bytes += bytes
      left.set(key, entry)
    }
    for (const { queue, batch } of sender.pending()) add(queue.topic, queue.partition, batch.records.length, batch.bytes)
    for (const [name, { waiting }] of loading) for (const { bytes } of waiting) add(name, -1, 1, bytes)
    const { messages, bytes } = room.waiting
    if (messages > 0) add('', -1, messages, bytes)
    const all = [...left.values()]
    return { left: all, leftMessages: all.reduce((sum, entry) => sum + entry.messages, 0) }
  }

  async function closeNow(deadline: Deadline): Promise<FlushReport> {
    isClosed = true
    const left = await flush({ deadline })
    const closed = { text: 'the producer was closed before it was confirmed', code: 'PIPE_KAFKA_CLOSED' }
    room.refuse(neverQueued('producer', closed))
    sender.abandon(closed)
    await transport.close()
    disown()
    return left
  }

  const producer = {
    durability,
    send,
    sendMany,
    trySend,
    get buffered() {
      return { messages: room.messages, bytes: room.bytes }
    },
    flush,
    close(closeOptions: { readonly deadline?: Deadline | undefined } = {}) {
      checkOptions('producer.close', closeOptions, { optional: ['deadline'] })
      closing ??= closeNow(closeOptions.deadline ?? deadlineIn(30_000))
      return closing
    },
    async [Symbol.asyncDispose]() {
      await producer.close()
    },
  }
  return producer as unknown as Producer<D>
}

interface Unplaced {
  readonly record: RecordToWrite
  readonly bytes: number
  readonly partition: number | undefined
  readonly group: PendingSend<unknown> | PendingSend<readonly unknown[]>
  readonly index: number
}

function nameOf(topic: string | AnyTopic): string {
  return typeof topic === 'string' ? topic : topic.name
}

function checkTopic(topic: string | AnyTopic): string {
  if (typeof topic === 'string') checkTopicName(topic)
  else if (topic?.kind !== 'topic') throw new ConfigError('send takes the name of a topic, or a topic made by defineTopic.')
  return nameOf(topic)
}

function timestampOf(topic: string | AnyTopic, timestamp: Date): number {
  const timestampMs = timestamp instanceof Date ? timestamp.getTime() : Number.NaN
  if (Number.isNaN(timestampMs)) {
    throw new KafkaError('PIPE_KAFKA_VALUE', `The timestamp of a record of ${nameOf(topic)} is no valid Date. It was not sent.`)
  }
  return timestampMs
}

function withTimestamp({ key, value, headers }: EncodedRecord, timestampMs: number): RecordToWrite {
  return { key, value, headers, timestampMs }
}

function rawRecord(topic: string, message: LooseMessage, timestampMs: number): RecordToWrite {
  if (typeof message !== 'object' || message === null) {
    throw new KafkaError('PIPE_KAFKA_VALUE', `A message of ${topic} must be an object with a value. It was not sent.`)
  }
  return {
    key: rawPart(topic, 'key', message.key ?? null),
    value: rawPart(topic, 'value', message.value),
    headers: encodeHeaders(`a message of ${topic}`, message.headers),
    timestampMs,
  }
}

function rawPart(topic: string, part: string, value: unknown): string | Uint8Array | null {
  if (value === null || typeof value === 'string' || value instanceof Uint8Array) return value
  throw new KafkaError(
    'PIPE_KAFKA_VALUE',
    `The ${part} of a message of ${topic} is ${value === undefined ? 'missing' : `a ${typeof value}`}. It was not sent.`,
    {
      hint: 'Give a text, a Uint8Array or null, or define the topic (defineTopic) to have values encoded.',
    },
  )
}

function partitionerOf(where: string, partitioner: 'murmur2' | 'kafkajs-1' | KeyPartitioner): KeyPartitioner {
  if (typeof partitioner === 'function') return partitioner
  if (partitioner === 'murmur2') return defaultKeyPartitioner
  if (partitioner === 'kafkajs-1') return legacyKeyPartitioner
  throw new ConfigError(`${where}: there is no partitioner ${JSON.stringify(partitioner)}.`, {
    hint: "Choose 'murmur2', 'kafkajs-1' or a function.",
  })
}

/** Waits until the deadline at most. */
async function before(work: Promise<void>, deadline: Deadline | undefined, signal: AbortSignal | undefined): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  let onAbort: (() => void) | undefined
  const limits: Promise<void>[] = [work]
  if (deadline) limits.push(new Promise((resolve) => (timer = setTimeout(resolve, deadline.remainingMs()))))
  if (signal) {
    limits.push(
      new Promise((_, reject) => {
        onAbort = () => reject(signal.reason)
        signal.addEventListener('abort', onAbort, { once: true })
      }),
    )
  }
  try {
    await Promise.race(limits)
  } finally {
    clearTimeout(timer)
    if (onAbort) signal?.removeEventListener('abort', onAbort)
  }
}
