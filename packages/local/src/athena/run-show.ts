import type { CatalogColumn, CatalogTable } from '../catalog/catalog-entry'
import { existingDatabase, existingTable, partitionedTable } from './catalog-lookup'
import { createTableText } from './create-table-text'
import { type DdlResult, failed, listing } from './ddl-result'
import { partitionName } from './partition-value'
import { notSupportedLocally } from './query-engine'
import type { QualifiedName, Statement } from './statement'
import type { StatementContext } from './statement-context'
import { serdes } from './table-format'

/** A statement that only looks at the catalogue. */
type ShowStatement = Extract<Statement, { kind: 'describe' | `show-${string}` }>

/** Answers SHOW and DESCRIBE. @throws {@link AthenaFailure} with Athena's text. */
export function show(statement: ShowStatement, context: StatementContext): DdlResult {
  switch (statement.kind) {
    case 'show-databases':
      context.permissions.glue('GetDatabases')
      return listing('database_name', names(context.catalog.databases(), statement.pattern))
    case 'show-tables':
      return listing('tab_name', names(tablesOf(statement.database, context), statement.pattern))
    case 'show-views': {
      const views = tablesOf(statement.database, context).filter((table) => table.view)
      return listing('views', names(views, statement.pattern))
    }
    case 'show-partitions':
      return showPartitions(statement.table, context)
    case 'show-columns':
      return listing(
        'field',
        columnsOf(existingTable(statement.table, context)).map(({ name }) => padded(name)),
      )
    case 'show-table-properties':
      return showProperties(existingTable(statement.table, context), statement.property)
    case 'show-create-table':
      return listing('createtab_stmt', createTableText(existingTable(statement.table, context)).split('\n'))
    case 'show-create-view':
      // Trino formats the query anew, and what Athena puts before it is not documented.
      throw notSupportedLocally('SHOW CREATE VIEW')
    case 'describe':
      return describe(existingTable(statement.table, context))
  }
}

function tablesOf(database: string | undefined, context: StatementContext): readonly CatalogTable[] {
  const name = existingDatabase(database ?? context.database, context)
  context.permissions.glue('GetTables', name)
  return context.catalog.tables(name)
}

/** Hive's patterns: `*` is any text, `|` separates alternatives, the rest is a regular expression. */
function names(entries: readonly { readonly name: string }[], pattern: string | undefined): string[] {
  const all = entries.map((entry) => entry.name)
  if (pattern === undefined) return all
  let expression: RegExp
  try {
    expression = new RegExp(`^(?:${pattern.trim().replaceAll('*', '.*')})$`, 'i')
  } catch (cause) {
    throw failed(`SemanticException the pattern '${pattern}' is not valid`, cause)
  }
  return all.filter((name) => expression.test(name))
}

function showPartitions(name: QualifiedName, context: StatementContext): DdlResult {
  const table = partitionedTable(name, context)
  context.permissions.glue('GetPartitions', table.database, table.name)
  const partitions = context.catalog.partitions(table.database, table.name)
  return listing(
    'partition',
    partitions.map((partition) => partitionName(table, partition.values)),
  )
}

/** Properties as the catalogue has them; of one property only its value. */
function showProperties(table: CatalogTable, property: string | undefined): DdlResult {
  if (table.view) throw notSupportedLocally('SHOW TBLPROPERTIES of a view')
  const all: Record<string, string> = { ...table.properties, transient_lastDdlTime: String(Math.floor(table.createdAt / 1000)) }
  if (property === undefined) {
    const rows = Object.keys(all)
      .sort()
      .map((name) => [`${name}\t${all[name]}`])
    return { columns: ['prpt_name', 'prpt_value'], rows }
  }
  const value = all[property] ?? `Table ${table.database}.${table.name} does not have property: ${property}`
  return { columns: ['prpt_name', 'prpt_value'], rows: [[value]] }
}

const columnsOf = (table: CatalogTable): readonly CatalogColumn[] => [...table.columns, ...table.partitionKeys]

// Hive pads a cell to twenty characters (MetaDataFormatUtils) and never cuts one.
const padded = (text: string) => text.padEnd(20)
const line = (...cells: readonly string[]) => [cells.map(padded).join('\t')]

/**
 * Columns, and the partition columns once more below a heading. The columns of a SerDe that Hive asks for its schema, as JSON, have the
 * comment "from deserializer".
 *
 * @see Athena User Guide, "DESCRIBE"
 */
function describe(table: CatalogTable): DdlResult {
  if (table.view) throw notSupportedLocally('DESCRIBE of a view')
  const ownsSchema = table.serde === serdes.openxJson
  if (!ownsSchema && table.serde !== serdes.lazySimple && table.serde !== serdes.parquet) {
    throw notSupportedLocally(`DESCRIBE of a table with the SerDe ${table.serde}`)
  }
  if (ownsSchema && table.columns.some(({ comment }) => comment !== undefined)) {
    throw notSupportedLocally('DESCRIBE of a JSON table whose columns have comments')
  }
  const rows = table.columns.map(({ name, type, comment = '' }) => line(name, type, ownsSchema ? 'from deserializer' : comment))
  const keys = table.partitionKeys.map(({ name, type, comment = '' }) => line(name, type, comment))
  const heading = [['\t \t '], ['# Partition Information\t \t '], line('# col_name', 'data_type', 'comment'), ['\t \t ']]
  return {
    columns: ['col_name', 'data_type', 'comment'],
    rows: keys.length === 0 ? rows : [...rows, ...keys, ...heading, ...keys],
  }
}
