import { notSupportedLocally } from './query-engine'
import type { Statement } from './statement'
import type { StatementCursor } from './statement-cursor'
import { queryText } from './statement-query'

/** `CREATE [OR REPLACE] VIEW v AS query`, in Trino's dialect. */
export function parseCreateView(cursor: StatementCursor): Statement {
  cursor.expect('CREATE')
  const orReplace = cursor.accept('OR', 'REPLACE')
  cursor.expect('VIEW')
  const view = cursor.qualifiedName('<identifier>')
  for (const clause of ['COMMENT', 'SECURITY']) if (cursor.at(clause)) throw notSupportedLocally(`${clause} in CREATE VIEW`)
  cursor.expect('AS')
  return { kind: 'create-view', view, orReplace, select: queryText(cursor) }
}

/** `DROP VIEW [IF EXISTS] v` */
export function parseDropView(cursor: StatementCursor): Statement {
  cursor.expect('DROP', 'VIEW')
  const ifExists = cursor.accept('IF', 'EXISTS')
  const view = cursor.qualifiedName('<identifier>')
  cursor.end()
  return { kind: 'drop-view', view, ifExists }
}
