import { notSupportedLocally } from './query-engine'
import type { PartitionSpec, QualifiedName, Statement } from './statement'
import { columnList } from './statement-create-table'
import type { StatementCursor } from './statement-cursor'
import { properties } from './statement-property'

/** `ALTER TABLE t …`: partitions, columns, properties and location. What is not known is refused by name. */
export function parseAlterTable(cursor: StatementCursor): Statement {
  cursor.expect('ALTER', 'TABLE')
  const table = cursor.qualifiedName('a table name')
  if (cursor.at('ADD', 'PARTITION') || cursor.at('ADD', 'IF')) {
    cursor.expect('ADD')
    const ifNotExists = cursor.accept('IF', 'NOT', 'EXISTS')
    const partitions: { spec: PartitionSpec; location: string | undefined }[] = []
    do {
      cursor.expect('PARTITION')
      const spec = partitionSpec(cursor)
      partitions.push({ spec, location: cursor.accept('LOCATION') ? cursor.string('a location') : undefined })
    } while (!cursor.atEnd())
    return { kind: 'add-partitions', table, ifNotExists, partitions }
  }
  if (cursor.at('DROP', 'PARTITION') || cursor.at('DROP', 'IF')) {
    cursor.expect('DROP')
    const ifExists = cursor.accept('IF', 'EXISTS')
    const specs: PartitionSpec[] = []
    do {
      cursor.expect('PARTITION')
      specs.push(partitionSpec(cursor))
    } while (cursor.accept(','))
    if (cursor.at('PURGE')) throw notSupportedLocally('ALTER TABLE DROP PARTITION … PURGE')
    cursor.end()
    return { kind: 'drop-partitions', table, ifExists, specs }
  }
  if (cursor.at('PARTITION')) return parseAlterPartition(cursor, table)
  if (cursor.accept('ADD', 'COLUMNS')) return alterColumns(cursor, table, 'add')
  if (cursor.accept('REPLACE', 'COLUMNS')) return alterColumns(cursor, table, 'replace')
  if (cursor.accept('SET', 'TBLPROPERTIES')) {
    const given = properties(cursor)
    cursor.end()
    return { kind: 'set-table-properties', table, properties: given }
  }
  if (cursor.accept('SET', 'LOCATION')) return { kind: 'set-table-location', table, location: location(cursor) }
  const action = [cursor.peek(), cursor.peek(1)]
    .filter((token) => token?.kind === 'word')
    .map((token) => token?.text.toUpperCase())
  if (action.length === 0) throw cursor.unexpected('ADD or DROP')
  throw notSupportedLocally(`ALTER TABLE … ${action.join(' ')}`)
}

function parseAlterPartition(cursor: StatementCursor, table: QualifiedName): Statement {
  cursor.expect('PARTITION')
  const spec = partitionSpec(cursor)
  if (cursor.accept('RENAME', 'TO', 'PARTITION')) {
    const to = partitionSpec(cursor)
    cursor.end()
    return { kind: 'rename-partition', table, from: spec, to }
  }
  if (cursor.accept('SET', 'LOCATION')) return { kind: 'set-partition-location', table, spec, location: location(cursor) }
  throw cursor.unexpected('SET LOCATION or RENAME TO PARTITION')
}

function alterColumns(cursor: StatementCursor, table: QualifiedName, change: 'add' | 'replace'): Statement {
  const columns = columnList(cursor)
  if (cursor.at('CASCADE')) throw notSupportedLocally('CASCADE of a change of columns')
  cursor.end()
  return { kind: 'alter-columns', table, change, columns }
}

function location(cursor: StatementCursor): string {
  const place = cursor.string('a location')
  cursor.end()
  return place
}

function partitionSpec(cursor: StatementCursor): PartitionSpec {
  const spec: { key: string; value: string }[] = []
  cursor.expect('(')
  do {
    const key = cursor.name('a partition column')
    for (const comparison of ['<', '>', '!']) {
      if (cursor.at(comparison)) throw notSupportedLocally(`a partition given by a comparison (${key} ${comparison} …)`)
    }
    cursor.expect('=')
    spec.push({ key, value: partitionValue(cursor) })
  } while (cursor.accept(','))
  cursor.expect(')')
  return spec
}

function partitionValue(cursor: StatementCursor): string {
  const minus = cursor.accept('-') ? '-' : ''
  const token = cursor.peek()
  if (token?.kind === 'number' || (token?.kind === 'string' && minus === '')) return minus + cursor.next().value
  // DATE '2026-11-24'
  if (minus === '' && cursor.at('DATE') && cursor.peek(1)?.kind === 'string') {
    cursor.next()
    return cursor.next().value
  }
  throw cursor.unexpected('a partition value')
}
