import { type PreparedResourcePolicy, prepareResourcePolicy } from '../iam/resource-policy'
import { AwsError } from '../service'

/** The settings of a queue. */
export interface QueueSettings {
  readonly fifo: boolean
  readonly contentBasedDeduplication: boolean
  readonly delayMs: number
  readonly visibilityMs: number
  readonly waitMs: number
  readonly retentionMs: number
  readonly maxBytes: number
  readonly redrive: { readonly deadLetterArn: string; readonly maxReceives: number } | undefined
  readonly policy: PreparedResourcePolicy | undefined
  /** As they were given, for GetQueueAttributes. */
  readonly texts: Readonly<Record<string, string>>
}

/** Attributes with a number, their bounds in the unit of SQS, and its default. */
const numbers: Readonly<Record<string, readonly [min: number, max: number, standard: number]>> = {
  DelaySeconds: [0, 900, 0],
  MaximumMessageSize: [1024, 1_048_576, 1_048_576],
  MessageRetentionPeriod: [60, 1_209_600, 345_600],
  ReceiveMessageWaitTimeSeconds: [0, 20, 0],
  VisibilityTimeout: [0, 43_200, 30],
}
const flags = ['FifoQueue', 'ContentBasedDeduplication']

/**
 * Reads the attributes of a queue; those that are not given stay as they were.
 *
 * @throws AwsError InvalidAttributeName, InvalidAttributeValue. What is not modelled (encryption, high-throughput FIFO) is refused by name.
 */
export function readSettings(
  name: string,
  given: Readonly<Record<string, unknown>>,
  before: Readonly<Record<string, string>> = {},
): QueueSettings {
  const texts: Record<string, string> = { ...before }
  for (const [key, value] of Object.entries(given)) {
    if (!(key in numbers) && !flags.includes(key) && key !== 'RedrivePolicy' && key !== 'Policy') {
      throw new AwsError('InvalidAttributeName', `The local SQS has no attribute ${key}.`)
    }
    if (value === '' && (key === 'RedrivePolicy' || key === 'Policy')) delete texts[key]
    else texts[key] = String(value)
  }
  const number = (key: string): number => {
    const [min, max, standard] = numbers[key]!
    const value = texts[key] === undefined ? standard : Number(texts[key])
    if (!Number.isInteger(value) || value < min || value > max) throw invalid(key, `must be a whole number from ${min} to ${max}`)
    return value
  }
  const flag = (key: string): boolean => {
    if (!['true', 'false', undefined].includes(texts[key])) throw invalid(key, 'must be true or false')
    return texts[key] === 'true'
  }
  const fifo = flag('FifoQueue')
  if (fifo !== name.endsWith('.fifo')) {
    throw new AwsError(
      'InvalidParameterValue',
      'The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length.',
    )
  }
  const contentBasedDeduplication = flag('ContentBasedDeduplication')
  if (contentBasedDeduplication && !fifo) throw invalid('ContentBasedDeduplication', 'is for FIFO queues')
  return {
    fifo,
    contentBasedDeduplication,
    delayMs: number('DelaySeconds') * 1000,
    visibilityMs: number('VisibilityTimeout') * 1000,
    waitMs: number('ReceiveMessageWaitTimeSeconds') * 1000,
    retentionMs: number('MessageRetentionPeriod') * 1000,
    maxBytes: number('MaximumMessageSize'),
    redrive: texts['RedrivePolicy'] === undefined ? undefined : readRedrive(texts['RedrivePolicy'], fifo),
    policy: texts['Policy'] === undefined ? undefined : readPolicy(name, texts['Policy']),
    texts,
  }
}

/** The value of an attribute that was never set. */
export function standardText(key: string): string | undefined {
  return numbers[key] === undefined ? undefined : String(numbers[key][2])
}

function readRedrive(text: string, fifo: boolean): NonNullable<QueueSettings['redrive']> {
  const { deadLetterTargetArn, maxReceiveCount } = jsonOf('RedrivePolicy', text) as Record<string, unknown>
  const maxReceives = Number(maxReceiveCount)
  if (typeof deadLetterTargetArn !== 'string' || !Number.isInteger(maxReceives) || maxReceives < 1 || maxReceives > 1000) {
    throw invalid('RedrivePolicy', 'needs deadLetterTargetArn and maxReceiveCount from 1 to 1000')
  }
  if (deadLetterTargetArn.endsWith('.fifo') !== fifo) {
    throw invalid('RedrivePolicy', 'the dead-letter queue of a FIFO queue must be FIFO, that of a standard queue standard')
  }
  return { deadLetterArn: deadLetterTargetArn, maxReceives }
}

function readPolicy(name: string, text: string): PreparedResourcePolicy {
  try {
    return prepareResourcePolicy(`queue ${name}`, jsonOf('Policy', text))
  } catch (error) {
    throw error instanceof AwsError ? error : invalid('Policy', (error as Error).message)
  }
}

function jsonOf(key: string, text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value
  } catch {
    // Answered below.
  }
  throw invalid(key, 'is no JSON object')
}

function invalid(key: string, problem: string): AwsError {
  return new AwsError('InvalidAttributeValue', `Invalid value for the parameter ${key}: ${problem}.`)
}
