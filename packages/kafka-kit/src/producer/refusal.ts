import type { ProducePartitionResult } from '@pipe/kafka-wire'
import { protocolError } from '../error-code'
import type { Reason } from './undelivered'

/** What a broker refused, in words, with what to do about it. */
export function reasonOf(result: ProducePartitionResult): Reason {
  const { errorCode, errorMessage, recordErrors } = result
  const { name, meaning } = protocolError(errorCode)
  const said = errorMessage ?? recordErrors[0]?.message
  const text = `${name} (${errorCode}): ${meaning}${said ? ` (the broker says: ${said})` : ''}`
  return { text, errorCode, ...adviceFor(errorCode) }
}

function adviceFor(errorCode: number): { code?: string; hint?: string } {
  switch (errorCode) {
    case 10:
    case 18:
      return {
        code: 'PIPE_KAFKA_TOO_LARGE',
        hint: 'Make the message smaller, compress it, or raise max.message.bytes of the topic.',
      }
    case 29:
      return { code: 'PIPE_KAFKA_AUTH', hint: 'Grant this principal WRITE on the topic.' }
    case 31:
      return { code: 'PIPE_KAFKA_AUTH', hint: 'Grant this principal IDEMPOTENT_WRITE on the cluster, or turn idempotent off.' }
    case 32:
    case 87:
      return {
        hint: 'Kafka 4 refuses timestamps more than an hour ahead of its clock (message.timestamp.after.max.ms), and compacted topics refuse records without a key.',
      }
    case 76:
      return { code: 'PIPE_KAFKA_CODEC', hint: 'zstd needs Kafka 2.1; choose another compression.' }
    default:
      return {}
  }
}
