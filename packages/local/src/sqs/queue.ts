import { createHash, randomUUID } from 'node:crypto'
import type { RuntimeClock } from '../clock'
import { AwsError } from '../service'
import type { Message, SentMessage } from './message'
import type { QueueSettings } from './queue-settings'

/** How many messages of a queue are where. */
export interface QueueCounts {
  readonly visible: number
  readonly inFlight: number
  readonly delayed: number
}

/** A queue. All its times are those of the runtime's clock. */
export interface Queue {
  readonly name: string
  readonly arn: string
  readonly createdAt: number
  settings: QueueSettings
  /** Takes a message. A FIFO queue answers a repeated deduplication id of the last five minutes with the first message. */
  send(message: SentMessage): Message
  /** Takes over a message of another queue with its id: of what cannot be handled there. */
  adopt(message: Message): void
  /** Up to `max` messages, which are then in flight for `visibilityMs`. */
  receive(max: number, visibilityMs?: number): Message[]
  /** Deletes a message by the handle of its last receipt. Deleting what is not there succeeds, as on AWS. */
  remove(receipt: string): void
  /** @throws AwsError when the message is not in flight. */
  changeVisibility(receipt: string, visibilityMs: number): void
  purge(): void
  counts(): QueueCounts
  /** Tells when messages may have become visible. Returns a function that stops it. */
  onVisible(listener: () => void): () => void
  close(): void
}

/** What a queue needs of the others. */
export interface QueueContext {
  readonly clock: RuntimeClock
  readonly arn: string
  /** The queue of an ARN: dead-letter queues. */
  find(arn: string): Queue | undefined
}

const deduplicationMs = 5 * 60_000

/** A fresh, empty queue. Messages live as long as the process. */
export function createQueue(name: string, settings: QueueSettings, { clock, arn, find }: QueueContext): Queue {
  // In order of sending: what is in flight keeps its place, so that it comes back where it was.
  const messages = new Map<string, Message>()
  const receipts = new Map<string, Message>()
  const sent = new Map<string, { readonly message: Message; readonly until: number }>()
  const listeners = new Set<() => void>()
  let sequence = 0
  let wakeAt = Number.POSITIVE_INFINITY
  let cancelWake = () => {}

  const isInFlight = (message: Message) => message.receipt !== undefined
  const notify = () => {
    for (const listener of listeners) listener()
  }
  /** One timer for the earliest message that is not visible yet. */
  const wakeBy = (at: number) => {
    if (at >= wakeAt) return
    cancelWake()
    wakeAt = at
    cancelWake = clock.schedule(at, wake)
  }
  const wake = () => {
    wakeAt = Number.POSITIVE_INFINITY
    const now = clock.now()
    let next = Number.POSITIVE_INFINITY
    for (const message of messages.values()) if (message.visibleAt > now) next = Math.min(next, message.visibleAt)
    if (next < Number.POSITIVE_INFINITY) wakeBy(next)
    release(now)
    notify()
  }
  /** What was in flight too long lies in the queue again. */
  const release = (now: number) => {
    for (const [receipt, message] of receipts) {
      if (message.visibleAt > now) continue
      receipts.delete(receipt)
      message.receipt = undefined
    }
  }
  const expire = (now: number) => {
    for (const message of messages.values()) {
      if (message.sentAt + queue.settings.retentionMs > now) break
      drop(message)
    }
  }
  const drop = (message: Message) => {
    messages.delete(message.id)
    if (message.receipt !== undefined) receipts.delete(message.receipt)
  }
  const add = (message: Message) => {
    messages.set(message.id, message)
    if (message.visibleAt > clock.now()) wakeBy(message.visibleAt)
    else notify()
  }

  const queue: Queue = {
    name,
    arn,
    createdAt: clock.now(),
    settings,
    send(given) {
      const now = clock.now()
      const id = queue.settings.fifo ? deduplicationOf(given, queue.settings) : undefined
      const known = id === undefined ? undefined : sent.get(id)
      if (known && known.until > now) return known.message
      const { delayMs, ...rest } = given
      const message: Message = {
        ...rest,
        ...(id === undefined ? {} : { deduplicationId: id }),
        id: randomUUID(),
        sentAt: now,
        sequence: ++sequence,
        visibleAt: now + delayMs,
        receives: 0,
        firstReceivedAt: undefined,
        receipt: undefined,
      }
      if (id !== undefined) {
        for (const [other, { until }] of sent) if (until <= now) sent.delete(other)
        sent.set(id, { message, until: now + deduplicationMs })
      }
      add(message)
      return message
    },
    adopt(message) {
      const now = clock.now()
      // A standard queue keeps the time of sending, and so the end of the retention.
      const sentAt = queue.settings.fifo ? now : message.sentAt
      const fresh = { receives: 0, firstReceivedAt: undefined, receipt: undefined }
      add({ ...message, ...fresh, sentAt, sequence: ++sequence, visibleAt: now })
    },
    receive(max, visibilityMs = queue.settings.visibilityMs) {
      const now = clock.now()
      expire(now)
      release(now)
      const received: Message[] = []
      // A FIFO queue gives nothing of a group while some of it is in flight or delayed.
      const held = new Set<string>()
      if (queue.settings.fifo)
        for (const message of messages.values()) if (isInFlight(message) || message.visibleAt > now) held.add(message.group!)
      for (const message of messages.values()) {
        if (received.length === max) break
        if (message.visibleAt > now || isInFlight(message) || (queue.settings.fifo && held.has(message.group!))) continue
        const { redrive } = queue.settings
        const deadLetters = redrive && message.receives >= redrive.maxReceives ? find(redrive.deadLetterArn) : undefined
        if (deadLetters) {
          drop(message)
          deadLetters.adopt(message)
          continue
        }
        message.receipt = `${randomUUID()}#${message.id}`
        message.receives++
        message.firstReceivedAt ??= now
        message.visibleAt = now + visibilityMs
        receipts.set(message.receipt, message)
        received.push(message)
        wakeBy(message.visibleAt)
      }
      return received
    },
    remove(receipt) {
      const message = receipts.get(checkReceipt(receipt))
      if (!message) return
      drop(message)
      // The rest of its group may go on.
      if (queue.settings.fifo) notify()
    },
    changeVisibility(receipt, visibilityMs) {
      const message = receipts.get(checkReceipt(receipt))
      if (!message) throw new AwsError('MessageNotInflight', 'The specified message is not in flight.')
      message.visibleAt = clock.now() + visibilityMs
      if (visibilityMs > 0) wakeBy(message.visibleAt)
      else {
        release(clock.now())
        notify()
      }
    },
    purge() {
      messages.clear()
      receipts.clear()
    },
    counts() {
      const now = clock.now()
      expire(now)
      release(now)
      const inFlight = receipts.size
      const delayed = [...messages.values()].filter((message) => !isInFlight(message) && message.visibleAt > now).length
      return { inFlight, delayed, visible: messages.size - inFlight - delayed }
    },
    onVisible(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close() {
      cancelWake()
      listeners.clear()
    },
  }
  return queue
}

function deduplicationOf({ deduplicationId, body }: SentMessage, { contentBasedDeduplication }: QueueSettings): string {
  if (deduplicationId !== undefined) return deduplicationId
  if (contentBasedDeduplication) return createHash('sha256').update(body).digest('hex')
  throw new AwsError(
    'InvalidParameterValue',
    'The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly',
  )
}

function checkReceipt(receipt: string): string {
  if (/^[0-9a-f-]{36}#[0-9a-f-]{36}$/.test(receipt)) return receipt
  throw new AwsError(
    'ReceiptHandleIsInvalid',
    `The input receipt handle "${receipt.slice(0, 100)}" is not a valid receipt handle.`,
  )
}
