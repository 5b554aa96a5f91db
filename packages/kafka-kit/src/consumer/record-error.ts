import type { PipeError } from '@pipe/core'
import { KafkaError } from '../errors'
import type { Assignment, Work } from './assignment'
import type { AnyTopic } from './consumed-record'

/** Where a record is, for errors. */
export interface RecordErrorDetails {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
}

function placeOf(topic: AnyTopic, partition: number, offset: bigint): RecordErrorDetails {
  return { topic: topic.name, partition, offset }
}

/** Why reading cannot go on: a record that is neither handled nor put away. */
export function poisonError(
  { topic, partition }: Assignment,
  work: Pick<Work, 'record' | 'attempts'>,
  error: unknown,
): PipeError {
  const { offset } = work.record
  const why = error instanceof Error ? error.message : String(error)
  const times = work.attempts === 0 ? 'It could not be decoded' : `Its handler failed, ${work.attempts} of its calls`
  return new KafkaError('PIPE_KAFKA_POISON', `${topic.name}[${partition}] offset ${offset}: ${times}: ${why}`, {
    hint: 'Nothing past it is committed. Give a deadLetter topic to go on without such records, or mend the handler.',
    cause: error,
    details: placeOf(topic, partition, offset),
  })
}

/** Why reading cannot go on: a batch that cannot be unpacked. */
export function unreadableError({ topic, partition, log }: Assignment, error: unknown): PipeError {
  const offset = log?.tracker.frontier ?? -1n
  const why = error instanceof Error ? error.message : String(error)
  return new KafkaError('PIPE_KAFKA_CODEC', `${topic.name}[${partition}] from offset ${offset} on: ${why}`, {
    hint: 'Nothing past it is committed.',
    cause: error,
    details: placeOf(topic, partition, offset),
  })
}
