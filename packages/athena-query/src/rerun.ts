import type { QueryExecution } from '@aws-sdk/client-athena'
import { keywordOf } from './statement'

// AthenaError.ErrorType 233: another writer has committed first; nothing of the statement is visible.
const icebergCommitConflict = 233
const reading = new Set(['SELECT', 'WITH', 'VALUES', 'TABLE', 'SHOW', 'DESCRIBE', 'DESC', 'EXPLAIN'])

/**
 * Whether a failed statement may be run again: Athena says that the failure may pass, and the statement either only reads, or failed because of a commit
 * conflict. Others may have left files behind (partial output is never deleted), so running them again could write rows twice.
 */
export function mayRunAgain(execution: QueryExecution): boolean {
  const { Status: status, Query: query = '' } = execution
  if (status?.State !== 'FAILED' || status.AthenaError === undefined) return false
  const { Retryable: retryable, ErrorType: type, ErrorMessage: message = '' } = status.AthenaError
  const text = `${status.StateChangeReason ?? ''} ${message}`
  if (type === icebergCommitConflict && /ICEBERG_COMMIT_ERROR/.test(text)) return true
  return retryable === true && readsOnly(query)
}

/** Only by its first word: a WITH in front of an INSERT does not exist in Athena's grammar (INSERT INTO t WITH …). */
function readsOnly(query: string): boolean {
  return reading.has(keywordOf(query))
}
