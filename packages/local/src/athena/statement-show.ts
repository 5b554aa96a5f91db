import { notSupportedLocally } from './query-engine'
import type { QualifiedName, Statement } from './statement'
import type { StatementCursor } from './statement-cursor'

/** `SHOW DATABASES [LIKE '…']` */
export function parseShowDatabases(cursor: StatementCursor): Statement {
  cursor.expect('SHOW')
  cursor.next()
  const pattern = cursor.accept('LIKE') ? cursor.string('a pattern') : undefined
  cursor.end()
  return { kind: 'show-databases', pattern }
}

/** `SHOW TABLES [IN d] ['…']` */
export function parseShowTables(cursor: StatementCursor): Statement {
  cursor.expect('SHOW', 'TABLES')
  const database = inDatabase(cursor)
  cursor.accept('LIKE')
  const pattern = cursor.atEnd() ? undefined : cursor.string('a pattern')
  cursor.end()
  return { kind: 'show-tables', database, pattern }
}

/** `SHOW VIEWS [IN d] [LIKE '…']` */
export function parseShowViews(cursor: StatementCursor): Statement {
  cursor.expect('SHOW', 'VIEWS')
  const database = inDatabase(cursor)
  const pattern = cursor.accept('LIKE') ? cursor.string('a pattern') : undefined
  cursor.end()
  return { kind: 'show-views', database, pattern }
}

/** `SHOW PARTITIONS t` */
export function parseShowPartitions(cursor: StatementCursor): Statement {
  cursor.expect('SHOW', 'PARTITIONS')
  const table = cursor.qualifiedName('a table name')
  if (!cursor.atEnd()) throw notSupportedLocally('SHOW PARTITIONS with a partition or filter')
  return { kind: 'show-partitions', table }
}

/** `SHOW CREATE TABLE t` and `SHOW CREATE VIEW v` */
export function parseShowCreate(cursor: StatementCursor): Statement {
  cursor.expect('SHOW', 'CREATE')
  const isView = cursor.accept('VIEW')
  if (!isView) cursor.expect('TABLE')
  const table = cursor.qualifiedName('a name')
  cursor.end()
  return isView ? { kind: 'show-create-view', view: table } : { kind: 'show-create-table', table }
}

/** `SHOW COLUMNS {FROM|IN} t [{FROM|IN} d]` */
export function parseShowColumns(cursor: StatementCursor): Statement {
  cursor.expect('SHOW', 'COLUMNS')
  if (!cursor.accept('IN')) cursor.expect('FROM')
  const table = cursor.qualifiedName('a table name')
  const database = inDatabase(cursor)
  if (cursor.at('LIKE')) throw notSupportedLocally('LIKE in SHOW COLUMNS')
  cursor.end()
  return { kind: 'show-columns', table: withDatabase(table, database) }
}

/** `SHOW TBLPROPERTIES t [('name')]` */
export function parseShowTableProperties(cursor: StatementCursor): Statement {
  cursor.expect('SHOW', 'TBLPROPERTIES')
  const table = cursor.qualifiedName('a table name')
  let property: string | undefined
  if (cursor.accept('(')) {
    property = cursor.string('a property name')
    cursor.expect(')')
  }
  cursor.end()
  return { kind: 'show-table-properties', table, property }
}

/** `DESCRIBE t`; the forms whose text depends on more than the columns are refused by name. */
export function parseDescribe(cursor: StatementCursor): Statement {
  if (!cursor.accept('DESC')) cursor.expect('DESCRIBE')
  for (const mode of ['EXTENDED', 'FORMATTED', 'INPUT', 'OUTPUT']) {
    if (cursor.at(mode)) throw notSupportedLocally(`DESCRIBE ${mode}`)
  }
  const table = cursor.qualifiedName('a table name')
  if (cursor.at('PARTITION')) throw notSupportedLocally('DESCRIBE … PARTITION')
  if (!cursor.atEnd()) throw notSupportedLocally('DESCRIBE of one column')
  return { kind: 'describe', table }
}

function inDatabase(cursor: StatementCursor): string | undefined {
  return cursor.accept('IN') || cursor.accept('FROM') ? cursor.name('a database name') : undefined
}

function withDatabase(table: QualifiedName, database: string | undefined): QualifiedName {
  return database === undefined ? table : { ...table, database }
}
