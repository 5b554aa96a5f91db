import { type RecordToWrite, recordBytesAtMost } from '@pipe/kafka-wire'
import { KafkaError, type NotWrittenError } from '../errors'
import type { SendGroup } from './batch'
import type { BufferRoom } from './buffer-room'
import type { Durability } from './durability'
import { type AnyTopic, checkTopic, type LooseMessage, nameOf, toRecord } from './message'
import type { ResolvedOptions } from './producer-options'
import type { Sender } from './sender'
import { queueOf, type TopicState } from './topic-map'
import { neverQueued } from './undelivered'

/** The way of a message from the call to the queue of its partition: check, encode, take room, look the topic up. In the order of the calls. */
export interface Admission {
  /**
   * What goes wrong fails the message in its group. Returns when it has room or failed: `undefined` at once, where nothing has to be waited
   * for.
   */
  admit(
    topic: string | AnyTopic,
    message: LooseMessage,
    group: SendGroup,
    signal: AbortSignal | undefined,
  ): Promise<void> | undefined
  /**
   * All are checked before the first goes: a message that does not fit rejects, and nothing is sent. `open` makes the group. Resolves when
   * all are in their queues or failed.
   */
  admitMany(
    topic: string | AnyTopic,
    messages: readonly LooseMessage[],
    signal: AbortSignal | undefined,
    open: (name: string) => SendGroup,
  ): Promise<void>
  /** `false` when it would have to wait for room. */
  tryAdmit(topic: string | AnyTopic, message: LooseMessage, group: SendGroup): boolean
  /** Resolves when all that was given so far is in its queue, or failed. */
  allAdmitted(): Promise<void>
  /** Messages on the way. */
  waiting(): { readonly topic: string; readonly bytes: number }[]
  /** Refuses everything from now on. */
  close(): void
}

/** A message that has room, but no partition yet. */
interface Unplaced {
  readonly record: RecordToWrite
  readonly bytes: number
  readonly partition: number | undefined
  readonly group: SendGroup
  readonly index: number
}

/** Header of a batch and varints around its only record. */
const overheadBytes = 100

/** Makes the admission of one producer. */
export function createAdmission(settings: {
  readonly room: BufferRoom
  readonly sender: Sender
  readonly options: ResolvedOptions<Durability>
}): Admission {
  const { room, sender, options } = settings
  /** Messages whose topic is being looked up. */
  const loading = new Map<string, { readonly waiting: Unplaced[]; readonly done: Promise<void> }>()
  /** While a record is validated asynchronously, those after it wait: the order of the calls is the order of the log. */
  let encoding: Promise<void> | undefined
  let isClosed = false

  function checkCall(topic: string | AnyTopic): string {
    const name = checkTopic(topic)
    if (isClosed) throw neverQueued(name, { text: 'the producer is closed', code: 'PIPE_KAFKA_CLOSED' })
    return name
  }

  function sizeOf(topic: string | AnyTopic, record: RecordToWrite): number {
    const bytes = recordBytesAtMost(record)
    const ofTopic = typeof topic === 'string' ? undefined : topic.maxMessageBytes
    const limit = Math.min((ofTopic ?? options.maxMessageBytes) - overheadBytes, options.maxBufferedBytes)
    if (bytes <= limit) return bytes
    throw neverQueued(nameOf(topic), {
      text: `a message of about ${bytes} bytes, of which at most ${limit} are allowed`,
      code: 'PIPE_KAFKA_TOO_LARGE',
      hint: 'Make it smaller, or raise max.message.bytes of the topic and maxMessageBytes of its contract (or of the producer).',
    })
  }

  function place(topic: TopicState, item: Unplaced): void {
    const { record, bytes, partition, group, index } = item
    if (group.isAborted) {
      room.give(bytes, 1)
      return
    }
    try {
      sender.append(queueOf(topic, record.key, partition, options.partitioner), record, bytes, group, index)
    } catch (error) {
      room.give(bytes, 1)
      group.failed(index, error as NotWrittenError)
    }
  }

  function placeWhenLoaded(name: string, item: Unplaced): void {
    const entry = loading.size === 0 ? undefined : loading.get(name)
    if (entry) {
      entry.waiting.push(item)
      return
    }
    const topic = sender.topics.get(name)
    if (topic) {
      place(topic, item)
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
        for (const { bytes, group, index } of waiting) {
          room.give(bytes, 1)
          group.failed(index, error)
        }
      },
    )
    loading.set(name, { waiting, done })
  }

  /** Lets what comes later wait for `work`, which never rejects. */
  function hold(work: Promise<void>): void {
    const tail: Promise<void> = Promise.all([encoding, work]).then(() => {
      if (encoding === tail) encoding = undefined
    })
    encoding = tail
  }

  function admit(
    topic: string | AnyTopic,
    message: LooseMessage,
    group: SendGroup,
    signal: AbortSignal | undefined,
  ): Promise<void> | undefined {
    const refuse = (error: unknown) => group.failed(0, error as NotWrittenError)
    try {
      const name = checkCall(topic)
      const enter = (record: RecordToWrite): Promise<void> | undefined => {
        const bytes = sizeOf(topic, record)
        const item = { record, bytes, partition: message.partition, group, index: 0 }
        if (!room.tryTake(bytes)) return room.take(name, bytes, signal).then(() => placeWhenLoaded(name, item))
        placeWhenLoaded(name, item)
        return undefined
      }
      const nowMs = Date.now()
      const record =
        encoding === undefined ? toRecord(topic, message, nowMs) : encoding.then(() => toRecord(topic, message, nowMs))
      if (!(record instanceof Promise)) return enter(record)?.catch(refuse)
      const admitted = record.then(enter).catch(refuse)
      hold(admitted)
      return admitted
    } catch (error) {
      refuse(error)
      return undefined
    }
  }

  async function admitMany(
    topic: string | AnyTopic,
    messages: readonly LooseMessage[],
    signal: AbortSignal | undefined,
    open: (name: string) => SendGroup,
  ): Promise<void> {
    const name = checkCall(topic)
    const nowMs = Date.now()
    const records = new Array<RecordToWrite>(messages.length)
    const sizes = new Array<number>(messages.length)
    let endTurn: (() => void) | undefined
    const takeTurn = () => {
      if (!endTurn) hold(new Promise((resolve) => (endTurn = resolve)))
    }
    try {
      const before = encoding
      if (before) {
        takeTurn()
        await before
      }
      for (let i = 0; i < messages.length; i++) {
        let record = toRecord(topic, messages[i]!, nowMs)
        if (record instanceof Promise) {
          takeTurn()
          record = await record
        }
        records[i] = record
        sizes[i] = sizeOf(topic, record)
      }
      const group = open(name)
      for (let i = 0; i < messages.length; i++) {
        const bytes = sizes[i]!
        try {
          if (!room.tryTake(bytes)) await room.take(name, bytes, signal)
        } catch (error) {
          // No room, or an abort: neither this one nor those after it go.
          for (let rest = i; rest < messages.length; rest++) group.failed(rest, error as NotWrittenError)
          return
        }
        placeWhenLoaded(name, { record: records[i]!, bytes, partition: messages[i]!.partition, group, index: i })
      }
    } finally {
      endTurn?.()
    }
  }

  function tryAdmit(topic: string | AnyTopic, message: LooseMessage, group: SendGroup): boolean {
    try {
      const name = checkCall(topic)
      if (encoding !== undefined || room.waiting().length > 0) return false
      const record = toRecord(topic, message, Date.now())
      if (record instanceof Promise) {
        record.catch(() => undefined)
        throw new KafkaError(
          'PIPE_KAFKA_VALUE',
          `${name} validates asynchronously, so trySend cannot say at once whether there is room. It was not sent.`,
          { hint: 'Use send.' },
        )
      }
      const bytes = sizeOf(topic, record)
      if (!room.tryTake(bytes)) return false
      placeWhenLoaded(name, { record, bytes, partition: message.partition, group, index: 0 })
    } catch (error) {
      group.failed(0, error as NotWrittenError)
    }
    return true
  }

  return {
    admit,
    admitMany,
    tryAdmit,
    async allAdmitted() {
      if (encoding) await encoding
      await room.afterWaiting()
      await Promise.all(Array.from(loading.values(), ({ done }) => done))
    },
    waiting() {
      const all = [...room.waiting()]
      for (const [topic, { waiting }] of loading) for (const { bytes } of waiting) all.push({ topic, bytes })
      return all
    },
    close() {
      isClosed = true
    },
  }
}
