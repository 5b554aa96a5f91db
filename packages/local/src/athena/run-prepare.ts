import { type DdlResult, nothing } from './ddl-result'
import { maxPreparedStatements } from './prepared-statements'
import { AthenaFailure } from './query-engine'
import type { StatementOf } from './statement'
import type { StatementContext } from './statement-context'

/**
 * `PREPARE` and `DEALLOCATE PREPARE`. EXECUTE never comes here: it has become the statement that it names.
 *
 * @throws {@link AthenaFailure} when there is no statement of the name, or too many.
 */
export function runPrepare(statement: StatementOf<'prepare' | 'execute' | 'deallocate'>, context: StatementContext): DdlResult {
  const { prepared, workgroup } = context
  const { name } = statement
  if (statement.kind === 'prepare') {
    context.permissions.athena('CreatePreparedStatement', workgroup)
    if (!prepared.get(workgroup, name) && prepared.list(workgroup).length >= maxPreparedStatements) {
      throw new AthenaFailure(
        `INVALID_INPUT: the workgroup ${workgroup} has ${maxPreparedStatements} prepared statements, the most there can be`,
      )
    }
    prepared.put({ workgroup, name, sql: statement.sql, description: undefined, changedAt: context.now() })
    return nothing
  }
  context.permissions.athena('DeletePreparedStatement', workgroup)
  if (!prepared.delete(workgroup, name))
    throw new AthenaFailure(`NOT_FOUND: Prepared statement not found: ${name}`, { type: 1300 })
  return nothing
}
