import { createHash } from 'node:crypto'
import { AwsError } from '../service'

/** A user attribute of a message, as on the wire: `BinaryValue` is base64. */
export interface MessageAttribute {
  readonly DataType: string
  readonly StringValue?: string
  readonly BinaryValue?: string
}

/** What a sender gives. */
export interface SentMessage {
  readonly body: string
  readonly attributes: Readonly<Record<string, MessageAttribute>>
  /** Milliseconds until it can be received. */
  readonly delayMs: number
  readonly group?: string
  readonly deduplicationId?: string
  /** Name of who sent it, for `SenderId`. */
  readonly sender: string
}

/** A message in a queue. */
export interface Message extends Omit<SentMessage, 'delayMs'> {
  readonly id: string
  readonly sentAt: number
  readonly sequence: number
  /** From when on it can be received. */
  visibleAt: number
  receives: number
  firstReceivedAt: number | undefined
  /** The handle of the last receipt; `undefined` while it lies in the queue. */
  receipt: string | undefined
}

/** MD5 in hexadecimal digits, which clients compare. */
export function md5(text: string | Uint8Array): string {
  return createHash('md5').update(text).digest('hex')
}

/**
 * MD5 of the user attributes: by name, each with its length, type and value.
 *
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html#sqs-attributes-md5-message-digest-calculation
 */
export function md5OfAttributes(attributes: Readonly<Record<string, MessageAttribute>>): string | undefined {
  const names = Object.keys(attributes).sort()
  if (names.length === 0) return undefined
  const withLength = (bytes: Uint8Array) => {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(bytes.length)
    return [length, bytes]
  }
  const parts = names.flatMap((name) => {
    const { DataType, StringValue, BinaryValue } = attributes[name]!
    const value = StringValue === undefined ? Buffer.from(BinaryValue ?? '', 'base64') : Buffer.from(StringValue)
    const kind = Buffer.from([StringValue === undefined ? 2 : 1])
    return [...withLength(Buffer.from(name)), ...withLength(Buffer.from(DataType)), kind, ...withLength(value)]
  })
  return md5(Buffer.concat(parts))
}

/** Bytes of a message as SQS counts them: body, and names, types and values of its attributes. */
export function messageBytes(body: string, attributes: Readonly<Record<string, MessageAttribute>>): number {
  return Object.entries(attributes).reduce((sum, [name, { DataType, StringValue, BinaryValue }]) => {
    const value = StringValue === undefined ? Buffer.from(BinaryValue ?? '', 'base64').length : Buffer.byteLength(StringValue)
    return sum + Buffer.byteLength(name) + Buffer.byteLength(DataType) + value
  }, Buffer.byteLength(body))
}

/** @throws AwsError for characters that SQS does not take. */
export function checkBody(body: string): void {
  if (body.length === 0) throw new AwsError('MissingParameter', 'The request must contain the parameter MessageBody.')
  if (/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd]/.test(body.replaceAll(/[\ud800-\udbff][\udc00-\udfff]/g, ''))) {
    throw new AwsError(
      'InvalidMessageContents',
      'Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF',
    )
  }
}
