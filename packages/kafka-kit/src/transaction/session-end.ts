import { PipeError } from '@pipe/core'
import { KafkaError, type KafkaErrorDetails, protocolFailure } from '../errors'

/** INVALID_PRODUCER_EPOCH, PRODUCER_FENCED, INVALID_PRODUCER_ID_MAPPING (the id was forgotten, and given out anew). */
const fencedCodes: ReadonlySet<number> = new Set([47, 49, 90])

/** ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID, REBALANCE_IN_PROGRESS, FENCED_INSTANCE_ID. */
const outsiderCodes: ReadonlySet<number> = new Set([22, 25, 27, 82])

/** Answers that the next transaction with these records would get too: nothing helps but a change of the records, the rights or the settings. */
const refusedCodes: ReadonlySet<number> = new Set([2, 10, 17, 18, 21, 23, 24, 26, 29, 30, 31, 32, 35, 42, 43, 44, 50, 53, 76, 87])

/**
 * The error with which a session ends after an answer: `PIPE_KAFKA_FENCED` (another writer has the id), `PIPE_KAFKA_REVOKED` (the group
 * goes on without this member), `PIPE_KAFKA_TRANSACTION` (refused, and would be again), or `PIPE_KAFKA_TRANSACTION_ENDED` (the next session
 * may fare better; retryable). Codes that pass by themselves come here once they were waited for.
 *
 * @param step completes "… of <transactional id>".
 */
export function sessionEnd(
  step: string,
  transactionalId: string,
  errorCode: number,
  details: KafkaErrorDetails = {},
): KafkaError {
  const cause = protocolFailure(`${step} of ${transactionalId}`, errorCode, details)
  const all = { ...details, errorCode }
  if (fencedCodes.has(errorCode)) {
    return new KafkaError(
      'PIPE_KAFKA_FENCED',
      `${cause.message} Another writer has taken over, or the cluster has aborted the transaction.`,
      {
        cause,
        details: all,
      },
    )
  }
  if (outsiderCodes.has(errorCode)) {
    return new KafkaError('PIPE_KAFKA_REVOKED', `${cause.message} The records are handled again by whoever has the partition.`, {
      cause,
      details: all,
      retryable: true,
    })
  }
  if (refusedCodes.has(errorCode)) {
    return new KafkaError('PIPE_KAFKA_TRANSACTION', `${cause.message} The transaction was not committed.`, {
      cause,
      details: all,
      hint: hints[errorCode],
    })
  }
  return new KafkaError('PIPE_KAFKA_TRANSACTION_ENDED', cause.message, { cause, details: all, retryable: true })
}

const hints: Readonly<Record<number, string>> = {
  3: 'Was the topic deleted? Create it again with applyTopics.',
  10: 'One message is larger than max.message.bytes of its topic: put that number into maxMessageBytes of the contract, so that the handler hears of it.',
  29: 'Grant this principal READ on the input topic, WRITE and DESCRIBE on the output topics.',
  30: 'Grant this principal READ on the group.',
  32: 'Brokers refuse timestamps that lie more than an hour ahead (message.timestamp.after.max.ms).',
  50: 'timing.transaction is longer than transaction.max.timeout.ms of the brokers.',
  53: 'Grant this principal WRITE and DESCRIBE on the transactional ids that begin with the name of the group.',
  87: 'Does an output go to a compacted topic without a key?',
}

/** The error with which a session ends when no answer came: what became of the step is not known. */
export function noAnswer(step: string, transactionalId: string, cause: unknown): PipeError {
  const { errorCode } = (PipeError.isInstance(cause) ? cause.details : {}) as { errorCode?: number }
  // What can never work, such as a refused authentication, is not a matter of waiting.
  if (PipeError.isInstance(cause) && !cause.retryable && errorCode === undefined) return cause
  const why = cause instanceof Error ? cause.message : String(cause)
  return new KafkaError('PIPE_KAFKA_TRANSACTION_ENDED', `${step} of ${transactionalId} was not answered: ${why}`, {
    cause,
    retryable: true,
  })
}
