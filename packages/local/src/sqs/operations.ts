import { setTimeout as delay } from 'node:timers/promises'
import type { RuntimeClock } from '../clock'
import { type Authorizer, AwsError, localAccount, type Principal } from '../service'
import { checkBody, type Message, md5, md5OfAttributes, messageBytes } from './message'
import type { Queue } from './queue'
import { readSettings, standardText } from './queue-settings'
import type { Queues } from './queues'
import { queueArn } from './queues'
import {
  batchEntries,
  type Input,
  messageAttributes,
  namesOf,
  optionalNumber,
  optionalText,
  refuseUnknown,
  requiredText,
} from './request'

/** What the operations work on. */
export interface OperationsOptions {
  readonly queues: Queues
  readonly authorizer: Authorizer
  readonly clock: RuntimeClock
  endpoint(): string
}

type Operation = (input: Input, principal: Principal, signal: AbortSignal) => object | Promise<object>

/** Sends a message as the API does; used by EventBridge's targets, too. @throws AwsError as SQS does. */
export function sendTo(queue: Queue, input: Input, sender: string): Message {
  const body = optionalText(input, 'MessageBody') ?? ''
  checkBody(body)
  const attributes = messageAttributes(input)
  const { settings } = queue
  const bytes = messageBytes(body, attributes)
  if (bytes > settings.maxBytes) {
    throw new AwsError(
      'InvalidParameterValue',
      `One or more parameters are invalid. Reason: Message must be shorter than ${settings.maxBytes} bytes.`,
    )
  }
  const group = optionalText(input, 'MessageGroupId')
  const deduplicationId = optionalText(input, 'MessageDeduplicationId')
  const delay = optionalNumber(input, 'DelaySeconds', 0, 900)
  if (settings.fifo && group === undefined)
    throw new AwsError('MissingParameter', 'The request must contain the parameter MessageGroupId.')
  if (settings.fifo && delay !== undefined && delay > 0) {
    throw new AwsError(
      'InvalidParameterValue',
      `Value ${delay} for parameter DelaySeconds is invalid. Reason: The request include parameter that is not valid for this queue type.`,
    )
  }
  if (!settings.fifo && deduplicationId !== undefined) {
    throw new AwsError(
      'InvalidParameterValue',
      'The request include parameter MessageDeduplicationId which is not valid for this queue type',
    )
  }
  return queue.send({
    body,
    attributes,
    sender,
    delayMs: delay === undefined ? settings.delayMs : delay * 1000,
    ...(group === undefined ? {} : { group }),
    ...(deduplicationId === undefined ? {} : { deduplicationId }),
  })
}

const sendMembers = ['QueueUrl', 'MessageBody', 'DelaySeconds', 'MessageAttributes', 'MessageDeduplicationId', 'MessageGroupId']

/** The operations by name. */
export function sqsOperations({ queues, authorizer, clock, endpoint }: OperationsOptions): Readonly<Record<string, Operation>> {
  const urlOf = (name: string) => `${endpoint()}/${localAccount}/${name}`
  /** Checks the caller's rights before it says what exists. */
  const queueOf = (input: Input, principal: Principal, action: string): Queue => {
    const name = requiredText(input, 'QueueUrl').split('/').at(-1)!
    authorizer.authorize(principal, `sqs:${action}`, queueArn(name))
    return existing(name)
  }
  const existing = (name: string): Queue => {
    const queue = queues.get(name)
    if (!queue) throw new AwsError('QueueDoesNotExist', 'The specified queue does not exist.')
    return queue
  }
  /** Runs each entry of a batch by itself: some may fail. */
  const batch = (input: Input, one: (entry: Input) => object) => {
    const [Successful, Failed]: [object[], object[]] = [[], []]
    for (const entry of batchEntries(input)) {
      try {
        Successful.push({ Id: entry['Id'], ...one(entry) })
      } catch (error) {
        if (!(error instanceof AwsError)) throw error
        Failed.push({ Id: entry['Id'], SenderFault: true, Code: error.code, Message: error.message })
      }
    }
    return { Successful, Failed }
  }
  const change = (queue: Queue, input: Input) => {
    const seconds = optionalNumber(input, 'VisibilityTimeout', 0, 43_200)
    if (seconds === undefined) throw new AwsError('MissingParameter', 'The request must contain the parameter VisibilityTimeout.')
    queue.changeVisibility(requiredText(input, 'ReceiptHandle'), seconds * 1000)
    return {}
  }
  const remove = (queue: Queue, input: Input) => {
    queue.remove(requiredText(input, 'ReceiptHandle'))
    return {}
  }

  return {
    CreateQueue(input, principal) {
      refuseUnknown('CreateQueue', input, ['QueueName', 'Attributes'])
      const name = requiredText(input, 'QueueName')
      authorizer.authorize(principal, 'sqs:CreateQueue', queueArn(name))
      return { QueueUrl: urlOf(queues.create(name, (input['Attributes'] ?? {}) as Input).name) }
    },
    DeleteQueue(input, principal) {
      queues.remove(queueOf(input, principal, 'DeleteQueue').name)
      return {}
    },
    GetQueueUrl(input, principal) {
      refuseUnknown('GetQueueUrl', input, ['QueueName', 'QueueOwnerAWSAccountId'])
      const name = requiredText(input, 'QueueName')
      authorizer.authorize(principal, 'sqs:GetQueueUrl', queueArn(name))
      return { QueueUrl: urlOf(existing(name).name) }
    },
    ListQueues(input, principal) {
      refuseUnknown('ListQueues', input, ['QueueNamePrefix', 'MaxResults', 'NextToken'])
      authorizer.authorize(principal, 'sqs:ListQueues', queueArn('*'))
      const prefix = optionalText(input, 'QueueNamePrefix') ?? ''
      const limit = optionalNumber(input, 'MaxResults', 1, 1000) ?? 1000
      const after = Buffer.from(optionalText(input, 'NextToken') ?? '', 'base64url').toString()
      const names = queues
        .list()
        .map(({ name }) => name)
        .filter((name) => name.startsWith(prefix) && name > after)
      const page = names.slice(0, limit)
      return {
        QueueUrls: page.map(urlOf),
        ...(page.length < names.length ? { NextToken: Buffer.from(page.at(-1)!).toString('base64url') } : {}),
      }
    },
    GetQueueAttributes(input, principal) {
      refuseUnknown('GetQueueAttributes', input, ['QueueUrl', 'AttributeNames'])
      const queue = queueOf(input, principal, 'GetQueueAttributes')
      return { Attributes: queueAttributes(queue, namesOf(input, 'AttributeNames')) }
    },
    SetQueueAttributes(input, principal) {
      refuseUnknown('SetQueueAttributes', input, ['QueueUrl', 'Attributes'])
      const queue = queueOf(input, principal, 'SetQueueAttributes')
      const given = (input['Attributes'] ?? {}) as Input
      if ('FifoQueue' in given) throw new AwsError('InvalidAttributeName', 'FifoQueue cannot be changed.')
      queue.settings = readSettings(queue.name, given, queue.settings.texts)
      return {}
    },
    SendMessage(input, principal) {
      refuseUnknown('SendMessage', input, sendMembers)
      return sentView(sendTo(queueOf(input, principal, 'SendMessage'), input, principal.name), input)
    },
    SendMessageBatch(input, principal) {
      refuseUnknown('SendMessageBatch', input, ['QueueUrl', 'Entries'])
      const queue = queueOf(input, principal, 'SendMessage')
      const bytes = batchEntries(input).reduce(
        (sum, entry) => sum + messageBytes(String(entry['MessageBody'] ?? ''), messageAttributes(entry)),
        0,
      )
      if (bytes > 1_048_576)
        throw new AwsError(
          'BatchRequestTooLong',
          `Batch requests cannot be longer than 1048576 bytes. You have sent ${bytes} bytes.`,
        )
      return batch(input, (entry) => {
        refuseUnknown('SendMessageBatch, Entries', entry, ['Id', ...sendMembers])
        return sentView(sendTo(queue, entry, principal.name), entry)
      })
    },
    async ReceiveMessage(input, principal, signal) {
      const known = [
        'QueueUrl',
        'AttributeNames',
        'MessageSystemAttributeNames',
        'MessageAttributeNames',
        'MaxNumberOfMessages',
        'VisibilityTimeout',
        'WaitTimeSeconds',
      ]
      refuseUnknown('ReceiveMessage', input, known)
      const queue = queueOf(input, principal, 'ReceiveMessage')
      const max = optionalNumber(input, 'MaxNumberOfMessages', 1, 10) ?? 1
      const visibility = optionalNumber(input, 'VisibilityTimeout', 0, 43_200)
      const wait = optionalNumber(input, 'WaitTimeSeconds', 0, 20)
      const take = () => queue.receive(max, visibility === undefined ? undefined : visibility * 1000)
      const waitMs = wait === undefined ? queue.settings.waitMs : wait * 1000
      const messages = await longPoll(queue, take, { waitMs, clock, signal, isFunction: principal.name !== 'root' })
      const system = namesOf(input, 'AttributeNames', 'MessageSystemAttributeNames')
      const user = namesOf(input, 'MessageAttributeNames')
      return messages.length === 0 ? {} : { Messages: messages.map((message) => messageView(message, system, user)) }
    },
    DeleteMessage: (input, principal) => remove(queueOf(input, principal, 'DeleteMessage'), input),
    DeleteMessageBatch(input, principal) {
      const queue = queueOf(input, principal, 'DeleteMessage')
      return batch(input, (entry) => remove(queue, entry))
    },
    ChangeMessageVisibility: (input, principal) => change(queueOf(input, principal, 'ChangeMessageVisibility'), input),
    ChangeMessageVisibilityBatch(input, principal) {
      const queue = queueOf(input, principal, 'ChangeMessageVisibility')
      return batch(input, (entry) => change(queue, entry))
    },
    PurgeQueue(input, principal) {
      queueOf(input, principal, 'PurgeQueue').purge()
      return {}
    },
  }
}

interface PollOptions {
  readonly waitMs: number
  readonly clock: RuntimeClock
  readonly signal: AbortSignal
  readonly isFunction: boolean
}

/**
 * Waits for messages, on the clock. A virtual clock stands still while a function runs, so a function's wait ends in real time, too: else the
 * clock and the function would wait for each other.
 */
async function longPoll(
  queue: Queue,
  take: () => Message[],
  { waitMs, clock, signal, isFunction }: PollOptions,
): Promise<Message[]> {
  const until = clock.now() + waitMs
  const ended = new AbortController()
  if (clock.virtual && isFunction)
    void delay(waitMs, undefined, { signal: ended.signal }).then(
      () => ended.abort(),
      () => {},
    )
  const onGone = () => ended.abort()
  signal.addEventListener('abort', onGone, { once: true })
  try {
    for (;;) {
      const messages = take()
      if (messages.length > 0 || clock.now() >= until || ended.signal.aborted || signal.aborted) return messages
      await nextChange(queue, clock, until, ended.signal)
    }
  } finally {
    signal.removeEventListener('abort', onGone)
    ended.abort()
  }
}

function nextChange(queue: Queue, clock: RuntimeClock, until: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      cancel()
      stop()
      signal.removeEventListener('abort', done)
      resolve()
    }
    const stop = queue.onVisible(done)
    const cancel = clock.schedule(until, done)
    signal.addEventListener('abort', done, { once: true })
  })
}

/** The sums are of what was sent now: for a repeated deduplication id the message is another. */
function sentView(message: Message, sent: Input): object {
  const digest = md5OfAttributes(messageAttributes(sent))
  return {
    MessageId: message.id,
    MD5OfMessageBody: md5(requiredText(sent, 'MessageBody')),
    ...(digest === undefined ? {} : { MD5OfMessageAttributes: digest }),
    ...(message.group !== undefined && message.deduplicationId !== undefined ? { SequenceNumber: sequenceText(message) } : {}),
  }
}

function sequenceText({ sequence }: Message): string {
  return String(sequence).padStart(20, '0')
}

/** System attributes of a message by their names, as far as it has them. */
export function systemAttributes(message: Message): Readonly<Record<string, string>> {
  const isFifo = message.deduplicationId !== undefined
  return {
    SenderId: message.sender,
    SentTimestamp: String(message.sentAt),
    ApproximateReceiveCount: String(message.receives),
    ApproximateFirstReceiveTimestamp: String(message.firstReceivedAt),
    ...(message.group === undefined ? {} : { MessageGroupId: message.group }),
    ...(isFifo ? { MessageDeduplicationId: message.deduplicationId!, SequenceNumber: sequenceText(message) } : {}),
  }
}

function messageView(message: Message, system: ReadonlySet<string>, user: ReadonlySet<string>): object {
  const asked =
    (names: ReadonlySet<string>) =>
    ([name]: [string, unknown]) =>
      names.has('All') ||
      names.has(name) ||
      names.has('.*') ||
      [...names].some((one) => one.endsWith('.*') && name.startsWith(one.slice(0, -1)))
  const attributes = Object.fromEntries(Object.entries(message.attributes).filter(asked(user)))
  const digest = md5OfAttributes(attributes)
  const systems = Object.fromEntries(Object.entries(systemAttributes(message)).filter(asked(system)))
  return {
    MessageId: message.id,
    ReceiptHandle: message.receipt,
    Body: message.body,
    MD5OfBody: md5(message.body),
    ...(Object.keys(systems).length === 0 ? {} : { Attributes: systems }),
    ...(digest === undefined ? {} : { MessageAttributes: attributes, MD5OfMessageAttributes: digest }),
  }
}

function queueAttributes(queue: Queue, names: ReadonlySet<string>): object {
  const { visible, inFlight, delayed } = queue.counts()
  const created = String(Math.floor(queue.createdAt / 1000))
  const standard = [
    'DelaySeconds',
    'MaximumMessageSize',
    'MessageRetentionPeriod',
    'ReceiveMessageWaitTimeSeconds',
    'VisibilityTimeout',
  ]
  const all: Readonly<Record<string, string>> = {
    QueueArn: queue.arn,
    ApproximateNumberOfMessages: String(visible),
    ApproximateNumberOfMessagesNotVisible: String(inFlight),
    ApproximateNumberOfMessagesDelayed: String(delayed),
    CreatedTimestamp: created,
    LastModifiedTimestamp: created,
    ...Object.fromEntries(standard.map((key) => [key, standardText(key)!])),
    ...queue.settings.texts,
  }
  return Object.fromEntries(Object.entries(all).filter(([name]) => names.has('All') || names.has(name)))
}
