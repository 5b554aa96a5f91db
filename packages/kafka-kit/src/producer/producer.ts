import type { WritableStream } from 'node:stream/web'
import { type Deadline, deadlineIn } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import type { KafkaResources } from '../kafka-resources'
import type { Topic } from '../topic'
import { createAdmission } from './admission'
import { createBufferRoom } from './buffer-room'
import { before } from './deadline'
import { acksOf, type Durability, type SendResult } from './durability'
import type { AnyTopic, LooseMessage, Message, Placement } from './message'
import { type ProducerOptions, resolveOptions } from './producer-options'
import { publicTransport } from './public-transport'
import { manySend, type PendingSend, singleSend } from './send-group'
import { createSender } from './sender'
import { wireTransport } from './transport'
import { neverQueued } from './undelivered'
import { writableOf } from './writable'

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
  /**
   * A stream to pipe records into. A write waits for room, not for the answer; the first record that fails errors the stream, and closing it
   * waits for all.
   */
  writable<Input>(topic: Topic<Input, unknown>): WritableStream<Input & Placement>
  writable(topic: string): WritableStream<Message & Placement>
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

/** Makes a producer on the resources of a Kafka. Called as `kafka.producer(options)`. */
export function createProducer<D extends Durability = 'quorum'>(
  resources: KafkaResources,
  given: ProducerOptions<D> = {},
): Producer<D> {
  const isPublic = resources.missing.length > 0
  const resolved = resolveOptions(given)
  // kafkajs groups the messages of a send in quadratic time: beyond a thousand it is slower, not faster.
  const options = isPublic ? { ...resolved, batchRecords: Math.min(resolved.batchRecords, 1000) } : resolved
  const { durability } = options
  const room = createBufferRoom({
    maxBytes: options.maxBufferedBytes,
    maxMessages: options.maxBufferedMessages,
    maxBlockMs: options.maxBlockMs,
  })
  const acks = acksOf[durability]
  const { requestTimeoutMs } = resources
  const transport = isPublic
    ? publicTransport(resources.kafkajs, {
        acks,
        requestTimeoutMs,
        isIdempotent: options.isIdempotent,
        compression: options.codec?.id ?? 0,
      })
    : wireTransport(resources.openCluster(), { acks, requestTimeoutMs, codec: options.codec })
  if (isPublic) options.onEvent({ kind: 'public-route', missing: resources.missing })
  const sender = createSender({ transport, room, options })
  const admission = createAdmission({ room, sender, options })
  const disown = resources.own(() => producer.close())
  let closing: Promise<FlushReport> | undefined
  let flushes = 0

  function watch<T>(group: PendingSend<T>, signal: AbortSignal | undefined): Promise<T> {
    if (!signal) return group.promise
    const onAbort = () => group.abort(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    return group.promise.finally(() => signal.removeEventListener('abort', onAbort))
  }

  function send(topic: string | AnyTopic, message: LooseMessage, sendOptions?: SendOptions): Promise<SendResult<D>> {
    const signal = signalOf('producer.send', sendOptions)
    if (signal?.aborted) return Promise.reject(signal.reason)
    const group = singleSend(durability)
    void admission.admit(topic, message, group, signal)
    return watch(group, signal)
  }

  async function sendMany(
    topic: string | AnyTopic,
    messages: Iterable<LooseMessage>,
    sendOptions?: SendOptions,
  ): Promise<readonly SendResult<D>[]> {
    const signal = signalOf('producer.sendMany', sendOptions)
    signal?.throwIfAborted()
    const list = Array.isArray(messages) ? (messages as readonly LooseMessage[]) : [...messages]
    let settled: Promise<readonly SendResult<D>[]> | undefined
    await admission.admitMany(topic, list, signal, (name) => {
      const group = manySend(durability, name, list.length)
      settled = watch(group, signal)
      // It is waited for below; a rejection before that is not unhandled.
      settled.catch(() => undefined)
      return group
    })
    return settled!
  }

  function trySend(topic: string | AnyTopic, message: LooseMessage): Promise<SendResult<D>> | false {
    const group = singleSend(durability)
    return admission.tryAdmit(topic, message, group) ? group.promise : false
  }

  async function flush(
    flushOptions: { readonly deadline?: Deadline | undefined; readonly signal?: AbortSignal | undefined } = {},
  ): Promise<FlushReport> {
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
    await admission.allAdmitted()
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
    for (const { topic, bytes } of admission.waiting()) add(topic, -1, 1, bytes)
    const all = [...left.values()]
    return { left: all, leftMessages: all.reduce((sum, entry) => sum + entry.messages, 0) }
  }

  async function closeNow(deadline: Deadline): Promise<FlushReport> {
    admission.close()
    const left = await flush({ deadline })
    const reason = { text: 'the producer was closed before it was confirmed', code: 'PIPE_KAFKA_CLOSED' }
    room.refuse((topic) => neverQueued(topic, reason))
    sender.abandon(reason)
    await transport.close()
    disown()
    return left
  }

  const producer = {
    durability,
    send,
    sendMany,
    trySend,
    writable: (topic: string | AnyTopic) =>
      writableOf<LooseMessage>((message) => {
        const group = singleSend(durability)
        return { accepted: admission.admit(topic, message, group, undefined), settled: group.promise }
      }),
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

function signalOf(where: string, options: SendOptions | undefined): AbortSignal | undefined {
  if (options === undefined) return undefined
  checkOptions(where, options, { optional: ['signal'] })
  return options.signal
}
