import { PipeError, type PipeErrorOptions } from '@pipe/core'
import { protocolError } from './error-code'

/** Where an error of Kafka happened. What is not known is absent. */
export interface KafkaErrorDetails {
  readonly topic?: string | undefined
  readonly partition?: number | undefined
  readonly group?: string | undefined
  /** `host:port`. */
  readonly broker?: string | undefined
  /** Error code of the protocol. */
  readonly errorCode?: number | undefined
}

/**
 * What ended a call on Kafka. `code` says what it was; `details` where. Codes, beside those of the classes below:
 *
 * - Connections: `PIPE_KAFKA_CONNECTION` (retryable), `PIPE_KAFKA_AUTH`, `PIPE_KAFKA_VERSION` (a broker is too old), `PIPE_KAFKA_DRIVER` (another
 *   kafkajs), `PIPE_KAFKA_CLOSED`, `PIPE_KAFKA_PROTOCOL` (an error code of the broker, in `details.errorCode`).
 * - Records: `PIPE_KAFKA_VALUE` (does not fit the contract, not sent), `PIPE_KAFKA_DECODE` (cannot be read by it), `PIPE_KAFKA_CODEC` (a compression
 *   that this Node lacks, or that is damaged), `PIPE_KAFKA_CORRUPT` (a batch whose checksum does not fit).
 * - `done` of a consumer: `PIPE_KAFKA_POISON` (a record failed for good and there is no dead-letter topic), `PIPE_KAFKA_DEAD_LETTER` (it could not be
 *   written there), `PIPE_KAFKA_OFFSET` (the log does not have the group's offset), `PIPE_KAFKA_TOPIC` (a topic is not there, or gone),
 *   `PIPE_KAFKA_RETRY_TOPIC` (cannot serve as one), `PIPE_KAFKA_GAVE_UP` (too many restarts; the cause is the last).
 * - Reasons with which handlers are aborted, and records handled again: `PIPE_KAFKA_REVOKED`, `PIPE_KAFKA_FENCED` (another member has the partition).
 * - Transforms: `PIPE_KAFKA_TRANSACTION`, `PIPE_KAFKA_TRANSACTION_ENDED` (retryable), `PIPE_KAFKA_DURABILITY`.
 * - Plans and groups: `PIPE_KAFKA_PLAN_STALE`, `PIPE_KAFKA_APPLY`, `PIPE_KAFKA_GROUP`, `PIPE_KAFKA_GROUP_ACTIVE` (retryable), `PIPE_KAFKA_GROUP_EXISTS`.
 * - `PIPE_KAFKA_SINK_STATE`: what Kafka to S3 finds in its bucket contradicts itself.
 *
 * What can never work is a `ConfigError`: `PIPE_CONFIG`, `PIPE_KAFKA_TOPIC` (a bad name), `PIPE_KAFKA_PLAN_REFUSED`, `PIPE_KAFKA_MSK_SERVERLESS`,
 * `PIPE_KAFKA_RETRY_TOPIC`, `PIPE_KAFKA_CODEC`.
 */
export class KafkaError<Details extends KafkaErrorDetails = KafkaErrorDetails> extends PipeError<Details> {
  constructor(code: string, message: string, options: PipeErrorOptions<Details> = {}) {
    super(code, message, options)
    this.name = 'KafkaError'
  }
}

/** What is known of a message that was not confirmed. */
export interface UndeliveredDetails extends KafkaErrorDetails {
  readonly topic: string
  /** −1 when no partition was chosen yet. */
  readonly partition: number
  /** Requests that carried the message. */
  readonly attempts: number
  /** What went wrong last, as text. */
  readonly lastError: string | undefined
  /** Milliseconds since the epoch; `undefined` when it was never sent. */
  readonly firstSentAtMs: number | undefined
}

/**
 * The message is certainly not in the log: sending it again cannot double it. `code` is `PIPE_KAFKA_NOT_WRITTEN`, or a narrower one
 * (`PIPE_KAFKA_TOO_LARGE`, `PIPE_KAFKA_TOPIC`, `PIPE_KAFKA_AUTH`, `PIPE_KAFKA_CLOSED`).
 */
export class NotWrittenError extends KafkaError<UndeliveredDetails> {
  readonly outcome: 'not-written' = 'not-written'

  constructor(message: string, options: PipeErrorOptions<UndeliveredDetails> & { readonly code?: string } = {}) {
    super(options.code ?? 'PIPE_KAFKA_NOT_WRITTEN', message, options)
    this.name = 'NotWrittenError'
  }
}

/**
 * Nobody can tell whether the message is in the log: it was handed to a broker whose answer never came. `code` is `PIPE_KAFKA_AMBIGUOUS`.
 * Sending it again may store it twice; read the partition back to find out.
 */
export class AmbiguousOutcomeError extends KafkaError<UndeliveredDetails> {
  readonly outcome: 'unknown' = 'unknown'

  constructor(message: string, options: PipeErrorOptions<UndeliveredDetails> = {}) {
    super('PIPE_KAFKA_AMBIGUOUS', message, options)
    this.name = 'AmbiguousOutcomeError'
  }
}

/** The producer's buffer stayed full for `maxBlock`: brokers take less than is sent. The message was not accepted. Retryable. */
export class BufferFullError extends KafkaError<
  KafkaErrorDetails & { readonly bufferedBytes: number; readonly maxBufferedBytes: number }
> {
  readonly outcome: 'not-written' = 'not-written'

  constructor(
    message: string,
    options: PipeErrorOptions<KafkaErrorDetails & { readonly bufferedBytes: number; readonly maxBufferedBytes: number }>,
  ) {
    super('PIPE_KAFKA_BUFFER_FULL', message, { ...options, retryable: true })
    this.name = 'BufferFullError'
  }
}

/** The outcome of one message of {@link Producer.sendMany}. */
export type FailedOutcome = NotWrittenError | AmbiguousOutcomeError | BufferFullError

/** Some messages of a `sendMany` were not confirmed. `code` is `PIPE_KAFKA_PARTIAL`. */
export class PartialSendError<Result> extends KafkaError<
  KafkaErrorDetails & { readonly written: number; readonly failed: number }
> {
  /** One entry a message, in the order given: its result, or why it was not confirmed. */
  readonly outcomes: readonly (Result | FailedOutcome)[]

  constructor(
    message: string,
    outcomes: readonly (Result | FailedOutcome)[],
    options: PipeErrorOptions<KafkaErrorDetails & { readonly written: number; readonly failed: number }>,
  ) {
    super('PIPE_KAFKA_PARTIAL', message, options)
    this.name = 'PartialSendError'
    this.outcomes = outcomes
  }
}

/** The error for an error code of the protocol. `where` starts the sentence: `orders[3]`, `group billing`. */
export function protocolFailure(where: string, code: number, details: KafkaErrorDetails = {}, said?: string | null): KafkaError {
  const { name, meaning } = protocolError(code)
  return new KafkaError(
    'PIPE_KAFKA_PROTOCOL',
    `${where}: ${name} (${code}): ${meaning}${said ? ` (the broker says: ${said})` : ''}.`,
    {
      retryable: retryableCodes.has(code),
      details: { ...details, errorCode: code },
    },
  )
}

/** Codes after which the same call may succeed later. */
const retryableCodes: ReadonlySet<number> = new Set([
  3, 5, 6, 7, 8, 9, 13, 14, 15, 16, 19, 20, 27, 41, 51, 56, 60, 74, 75, 88, 89, 100,
])

/**
 * Turns what kafkajs throws into a {@link KafkaError}. PipeErrors pass through as they are.
 *
 * @param where starts the sentence.
 */
export function fromKafkajs(where: string, error: unknown, details: KafkaErrorDetails = {}): PipeError {
  if (PipeError.isInstance(error)) return error
  const { name, message, type, code, broker } = (error ?? {}) as {
    name?: string
    message?: string
    type?: string
    code?: unknown
    broker?: string
  }
  if (name === 'KafkaJSProtocolError' && typeof code === 'number' && type !== 'SASL_AUTHENTICATION_FAILED') {
    return protocolFailure(where, code, details)
  }
  if (name === 'KafkaJSSASLAuthenticationError' || /SASL|authenticat/i.test(`${type} ${message}`)) {
    return new KafkaError('PIPE_KAFKA_AUTH', `${where}: the broker refused to authenticate this client: ${message}.`, {
      // MSK refuses a connection whose session name changed with its credentials; a new connection may have any.
      retryable: /change principals/i.test(message ?? ''),
      hint: 'Check mechanism, user and password (or the IAM policy and the clock of this machine), and that the listener is the one for this mechanism.',
      cause: error,
      details,
    })
  }
  return new KafkaError('PIPE_KAFKA_CONNECTION', `${where}: ${message ?? String(error)}.`, {
    retryable: true,
    hint: 'Check that the brokers run and can be reached under the addresses that they advertise.',
    cause: error,
    details: { ...details, broker: details.broker ?? broker },
  })
}
