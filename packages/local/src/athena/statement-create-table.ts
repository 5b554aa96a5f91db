import type { CatalogColumn } from '../catalog/catalog-entry'
import { hiveTypeText, parseHiveType } from './hive-type'
import { notSupportedLocally } from './query-engine'
import type { Statement } from './statement'
import type { StatementCursor } from './statement-cursor'
import { properties } from './statement-property'
import { fileFormats, serdes } from './table-format'

/** `CREATE EXTERNAL TABLE`, its clauses in Hive's order. */
export function parseCreateTable(cursor: StatementCursor): Statement {
  cursor.expect('CREATE', 'EXTERNAL', 'TABLE')
  const ifNotExists = cursor.accept('IF', 'NOT', 'EXISTS')
  const table = cursor.qualifiedName('a table name')
  const columns = columnList(cursor)
  const comment = cursor.accept('COMMENT') ? cursor.string('a comment') : undefined
  const partitionKeys = cursor.accept('PARTITIONED', 'BY') ? columnList(cursor) : []
  if (cursor.at('CLUSTERED')) throw notSupportedLocally('CLUSTERED BY in CREATE EXTERNAL TABLE')
  const row = rowFormat(cursor)
  const stored = storedAs(cursor)
  if (cursor.accept('WITH', 'SERDEPROPERTIES')) Object.assign(row.properties, properties(cursor))
  cursor.expect('LOCATION')
  const location = cursor.string('a location')
  const tableProperties = cursor.accept('TBLPROPERTIES') ? properties(cursor) : {}
  cursor.end()
  return {
    kind: 'create-table',
    table,
    ifNotExists,
    columns,
    partitionKeys,
    comment,
    serde: row.serde ?? stored.serde,
    serdeProperties: row.properties,
    inputFormat: stored.inputFormat,
    outputFormat: stored.outputFormat,
    location,
    properties: tableProperties,
  }
}

/** `(name type [COMMENT '…'], …)` */
export function columnList(cursor: StatementCursor): CatalogColumn[] {
  const columns: CatalogColumn[] = []
  cursor.expect('(')
  do {
    const name = cursor.name('a column name')
    const type = hiveTypeText(parseHiveType(typeText(cursor)))
    const comment = cursor.accept('COMMENT') ? cursor.string('a comment') : undefined
    columns.push({ name, type, ...(comment === undefined ? {} : { comment }) })
  } while (cursor.accept(','))
  cursor.expect(')')
  return columns
}

/** The text of a type: everything up to a comma or parenthesis that is not inside brackets of the type. */
function typeText(cursor: StatementCursor): string {
  let text = ''
  let depth = 0
  for (let token = cursor.peek(); token; token = cursor.peek()) {
    if (depth === 0 && (token.text === ',' || token.text === ')' || (text !== '' && token.text.toUpperCase() === 'COMMENT')))
      break
    if (token.text === '<' || token.text === '(') depth++
    if (token.text === '>' || token.text === ')') depth--
    text += `${cursor.next().text} `
  }
  if (text === '') throw cursor.unexpected('a column type')
  return text
}

function rowFormat(cursor: StatementCursor): { serde: string | undefined; properties: Record<string, string> } {
  if (!cursor.accept('ROW', 'FORMAT')) return { serde: undefined, properties: {} }
  if (cursor.accept('SERDE')) {
    const serde = cursor.string('the class of a SerDe')
    return { serde, properties: cursor.accept('WITH', 'SERDEPROPERTIES') ? properties(cursor) : {} }
  }
  cursor.expect('DELIMITED')
  const found: Record<string, string> = {}
  if (cursor.accept('FIELDS', 'TERMINATED', 'BY')) {
    const delimiter = cursor.string('a delimiter')
    found['field.delim'] = delimiter
    found['serialization.format'] = delimiter
    if (cursor.accept('ESCAPED', 'BY')) found['escape.delim'] = cursor.string('an escape character')
  }
  if (cursor.accept('COLLECTION', 'ITEMS', 'TERMINATED', 'BY')) found['colelction.delim'] = cursor.string('a delimiter')
  if (cursor.accept('MAP', 'KEYS', 'TERMINATED', 'BY')) found['mapkey.delim'] = cursor.string('a delimiter')
  if (cursor.accept('LINES', 'TERMINATED', 'BY')) found['line.delim'] = cursor.string('a delimiter')
  if (cursor.accept('NULL', 'DEFINED', 'AS')) found['serialization.null.format'] = cursor.string('a text for NULL')
  return { serde: serdes.lazySimple, properties: found }
}

function storedAs(cursor: StatementCursor): { serde: string; inputFormat: string; outputFormat: string } {
  const text = { serde: serdes.lazySimple, inputFormat: fileFormats.textInput, outputFormat: fileFormats.textOutput }
  if (!cursor.accept('STORED', 'AS')) return text
  if (cursor.accept('INPUTFORMAT')) {
    const inputFormat = cursor.string('the class of an input format')
    cursor.expect('OUTPUTFORMAT')
    return { serde: serdes.lazySimple, inputFormat, outputFormat: cursor.string('the class of an output format') }
  }
  if (cursor.accept('TEXTFILE')) return text
  if (cursor.accept('PARQUET')) {
    return { serde: serdes.parquet, inputFormat: fileFormats.parquetInput, outputFormat: fileFormats.parquetOutput }
  }
  throw notSupportedLocally(`STORED AS ${cursor.next().text.toUpperCase()}`)
}
