import { bindParameters } from './parameters'
import type { PreparedStatement } from './prepared-statements'
import { AthenaFailure } from './query-engine'
import type { Statement } from './statement'
import { parseStatement } from './statement-parser'

/** What a statement may be that has parameters. @see Athena User Guide, "Use parameterized queries" */
const preparable = new Set<Statement['kind']>(['select', 'insert', 'create-table-as', 'unload'])

/**
 * The statement of a query text with the values of its parameters. EXECUTE becomes the statement that it names.
 *
 * @param find the prepared statement of a name in the workgroup of the query.
 * @throws {@link AthenaFailure}
 */
export function prepareStatement(
  query: string,
  parameters: readonly string[],
  find: (name: string) => PreparedStatement | undefined,
): Statement {
  const written = parseStatement(query)
  if (written.kind === 'prepare') {
    if (parameters.length > 0) bindParameters('', parameters)
    checkPreparable(written.sql)
    return written
  }
  if (written.kind === 'execute') {
    const prepared = find(written.name)
    if (!prepared) throw new AthenaFailure(`NOT_FOUND: Prepared statement not found: ${written.name}`, { type: 1300 })
    return parseStatement(bindParameters(prepared.sql, written.parameters.length > 0 ? written.parameters : parameters))
  }
  // Without values, too: a `?` that stands alone is an error that says so.
  if (parameters.length > 0 || preparable.has(written.kind)) return parseStatement(bindParameters(query, parameters))
  return written
}

/** @throws {@link AthenaFailure} for a statement that cannot be prepared. */
export function checkPreparable(sql: string): void {
  const { kind } = parseStatement(sql)
  if (preparable.has(kind)) return
  throw new AthenaFailure('NOT_SUPPORTED: Only SELECT, INSERT INTO, CREATE TABLE AS and UNLOAD can be prepared', { type: 1007 })
}
