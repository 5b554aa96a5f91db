import type { CatalogPartition, CatalogTable } from '../catalog/catalog-entry'
import { parseHiveType } from './hive-type'
import { partitionName, partitionText } from './partition-value'
import { AthenaFailure } from './query-engine'
import type { Cell } from './result-file'
import { locationText, parseLocation } from './s3-location'
import type { PartitionSpec, QualifiedName, Statement } from './statement'
import type { StatementContext } from './statement-context'
import { tableFormat } from './table-format'
import { findTable } from './table-relation'

/** A DDL or SHOW statement. */
export type DdlStatement = Exclude<Statement, { kind: 'select' } | { kind: 'create-table-as' }>

/** What a SHOW lists: one column, one row an entry. DDL gives nothing. */
export interface DdlResult {
  readonly column: string | undefined
  readonly rows: readonly (readonly Cell[])[]
}

const nothing: DdlResult = { column: undefined, rows: [] }

/**
 * Runs a statement on the catalogue. Each is one step: it happens wholly or not at all.
 *
 * @throws {@link AthenaFailure} with Athena's text.
 */
export function runDdl(statement: DdlStatement, context: StatementContext): DdlResult {
  switch (statement.kind) {
    case 'create-database':
      return createDatabase(statement, context)
    case 'drop-database':
      return dropDatabase(statement, context)
    case 'create-table':
      return createTable(statement, context)
    case 'drop-table':
      return dropTable(statement, context)
    case 'add-partitions':
      return addPartitions(statement, context)
    case 'drop-partitions':
      return dropPartitions(statement, context)
    case 'show-databases':
      context.permissions.glue('GetDatabases')
      return listing('database_name', names(context.catalog.databases(), statement.pattern))
    case 'show-tables': {
      const database = existingDatabase(statement.database ?? context.database, context)
      context.permissions.glue('GetTables', database)
      return listing('tab_name', names(context.catalog.tables(database), statement.pattern))
    }
    case 'show-partitions':
      return showPartitions(statement.table, context)
  }
}

const listing = (column: string, values: readonly string[]): DdlResult => ({ column, rows: values.map((value) => [value]) })

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

const failed = (message: string, cause?: unknown) => new AthenaFailure(`FAILED: ${message}`, { type: 1006, cause })

const qualified = (table: QualifiedName, context: StatementContext) => ({
  database: table.database ?? context.database,
  name: table.name,
})

function existingDatabase(name: string, context: StatementContext): string {
  context.permissions.glue('GetDatabase', name)
  if (!context.catalog.database(name)) throw failed(`SemanticException [Error 10072]: Database does not exist: ${name}`)
  return name
}

function createDatabase(statement: Extract<Statement, { kind: 'create-database' }>, context: StatementContext): DdlResult {
  const { name, comment, location, properties } = statement
  context.permissions.glue('GetDatabase', name)
  context.permissions.glue('CreateDatabase', name)
  const created = context.catalog.createDatabase({
    name,
    ...(comment === undefined ? {} : { comment }),
    ...(location === undefined ? {} : { location: locationText(parseLocation(location)) }),
    properties,
    createdAt: context.now(),
  })
  if (!created && !statement.ifNotExists) {
    throw failed(`Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. Database ${name} already exists`)
  }
  return nothing
}

function dropDatabase(
  { name, ifExists, cascade }: Extract<Statement, { kind: 'drop-database' }>,
  context: StatementContext,
): DdlResult {
  context.permissions.glue('GetDatabase', name)
  if (!context.catalog.database(name)) {
    if (ifExists) return nothing
    throw failed(`SemanticException [Error 10072]: Database does not exist: ${name}`)
  }
  context.permissions.glue('DeleteDatabase', name)
  const tables = context.catalog.tables(name)
  if (tables.length > 0) {
    if (!cascade) {
      throw failed(
        `Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. InvalidOperationException(message:Database ${name} is not empty. One or more tables exist.)`,
      )
    }
    context.permissions.glue('GetTables', name)
    for (const table of tables) context.permissions.glue('DeleteTable', name, table.name)
  }
  context.catalog.dropDatabase(name)
  return nothing
}

function createTable(statement: Extract<Statement, { kind: 'create-table' }>, context: StatementContext): DdlResult {
  const { database, name } = qualified(statement.table, context)
  existingDatabase(database, context)
  context.permissions.glue('GetTable', database, name)
  context.permissions.glue('CreateTable', database, name)
  const seen = new Set<string>()
  for (const column of [...statement.columns, ...statement.partitionKeys]) {
    if (seen.has(column.name)) throw failed(`SemanticException [Error 10036]: Duplicate column name: ${column.name}`)
    seen.add(column.name)
  }
  for (const key of statement.partitionKeys) {
    const { kind } = parseHiveType(key.type)
    if (kind === 'array' || kind === 'map' || kind === 'struct') {
      throw failed(`SemanticException: partition column ${key.name} must be of a primitive type, not ${key.type}`)
    }
  }
  const table: CatalogTable = {
    database,
    name,
    columns: statement.columns,
    partitionKeys: statement.partitionKeys,
    location: tableLocation(statement.location),
    serde: statement.serde,
    serdeProperties: statement.serdeProperties,
    inputFormat: statement.inputFormat,
    outputFormat: statement.outputFormat,
    properties: { ...statement.properties, EXTERNAL: 'TRUE' },
    ...(statement.comment === undefined ? {} : { comment: statement.comment }),
    createdAt: context.now(),
  }
  // Refuses at once what could not be read later.
  tableFormat(table)
  if (!context.catalog.createTable(table) && !statement.ifNotExists) {
    throw failed(
      `Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. AlreadyExistsException(message:Table ${name} already exists.)`,
    )
  }
  return nothing
}

function tableLocation(location: string): string {
  const parsed = parseLocation(location)
  if (/[*?]/.test(parsed.prefix)) throw failed(`SemanticException: LOCATION '${location}' has a wildcard; it must name a folder`)
  return locationText(parsed)
}

function dropTable(statement: Extract<Statement, { kind: 'drop-table' }>, context: StatementContext): DdlResult {
  const { database, name } = qualified(statement.table, context)
  context.permissions.glue('GetTable', database, name)
  if (!context.catalog.table(database, name)) {
    if (statement.ifExists) return nothing
    throw failed(`SemanticException [Error 10001]: Table not found ${name}`)
  }
  context.permissions.glue('DeleteTable', database, name)
  context.catalog.dropTable(database, name)
  return nothing
}

function partitionedTable(name: QualifiedName, context: StatementContext): CatalogTable {
  const { database, name: table } = qualified(name, context)
  const found = findTable(context.catalog, context.permissions, database, table)
  if (found.partitionKeys.length === 0)
    throw failed(`SemanticException [Error 10241]: Table ${database}.${table} is not a partitioned table`)
  return found
}

/** Values of a spec by position of the keys; `undefined` for keys that it does not name. */
function specValues(table: CatalogTable, spec: PartitionSpec): (string | undefined)[] {
  const given = new Map<string, string>()
  for (const { key, value } of spec) {
    if (given.has(key)) throw failed(`SemanticException: partition column ${key} is given twice`)
    given.set(key, value)
  }
  const values = table.partitionKeys.map((key) => {
    const value = given.get(key.name)
    given.delete(key.name)
    return value === undefined ? undefined : partitionText(value, key)
  })
  const [unknown] = given.keys()
  if (unknown !== undefined)
    throw failed(`SemanticException [Error 10098]: Non-Partition column appears in the partition specification: ${unknown}`)
  return values
}

function addPartitions(statement: Extract<Statement, { kind: 'add-partitions' }>, context: StatementContext): DdlResult {
  const table = partitionedTable(statement.table, context)
  const partitions: CatalogPartition[] = statement.partitions.map(({ spec, location }) => {
    const values = specValues(table, spec)
    if (values.some((value) => value === undefined)) {
      throw failed(
        `SemanticException: partition spec (${spec.map(({ key }) => key).join(', ')}) does not name every partition column`,
      )
    }
    const complete = values as string[]
    return {
      values: complete,
      location: location === undefined ? `${table.location}${partitionName(table, complete)}/` : tableLocation(location),
      createdAt: context.now(),
    }
  })
  context.permissions.glue('BatchCreatePartition', table.database, table.name)
  if (!statement.ifNotExists) {
    const keys = partitions.map((partition) => JSON.stringify(partition.values))
    const taken = partitions.find(
      (partition, i) =>
        context.catalog.partition(table.database, table.name, partition.values) || keys.indexOf(keys[i] as string) < i,
    )
    if (taken) {
      throw failed(
        `Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. AlreadyExistsException(message:Partition already exists: ${partitionName(table, taken.values)})`,
      )
    }
  }
  context.catalog.addPartitions(table.database, table.name, partitions)
  return nothing
}

function dropPartitions(statement: Extract<Statement, { kind: 'drop-partitions' }>, context: StatementContext): DdlResult {
  const table = partitionedTable(statement.table, context)
  context.permissions.glue('GetPartitions', table.database, table.name)
  context.permissions.glue('BatchDeletePartition', table.database, table.name)
  const all = context.catalog.partitions(table.database, table.name)
  const dropped: (readonly string[])[] = []
  for (const spec of statement.specs) {
    const wanted = specValues(table, spec)
    const matching = all.filter((partition) => wanted.every((value, i) => value === undefined || value === partition.values[i]))
    if (matching.length === 0 && !statement.ifExists) {
      const text = spec.map(({ key, value }) => `${key}=${value}`).join('/')
      throw failed(`SemanticException [Error 10006]: Partition not found (${text})`)
    }
    for (const partition of matching) dropped.push(partition.values)
  }
  context.catalog.dropPartitions(table.database, table.name, dropped)
  return nothing
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
