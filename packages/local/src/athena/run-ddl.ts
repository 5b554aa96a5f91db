import type { CatalogPartition, CatalogTable } from '../catalog/catalog-entry'
import { completeSpec, existingDatabase, partitionedTable, qualified, specValues, tableLocation } from './catalog-lookup'
import { type DdlResult, failed, nothing } from './ddl-result'
import { parseHiveType } from './hive-type'
import { partitionName } from './partition-value'
import { alterTable } from './run-alter-table'
import { repairTable } from './run-repair'
import { show } from './run-show'
import { dropView } from './run-view'
import { locationText, parseLocation } from './s3-location'
import type { Statement, StatementOf } from './statement'
import type { StatementContext } from './statement-context'
import { tableFormat } from './table-format'

/** A statement on the catalogue alone. */
export type DdlStatement = Exclude<
  Statement,
  { kind: 'select' | 'create-table-as' | 'unload' | 'insert' | 'create-view' | 'prepare' | 'execute' | 'deallocate' }
>

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
    case 'drop-view':
      return dropView(statement, context)
    case 'add-partitions':
      return addPartitions(statement, context)
    case 'drop-partitions':
      return dropPartitions(statement, context)
    case 'set-partition-location':
    case 'rename-partition':
    case 'alter-columns':
    case 'set-table-properties':
    case 'set-table-location':
      return alterTable(statement, context)
    case 'repair-table':
      return repairTable(statement.table, context)
    default:
      return show(statement, context)
  }
}

function createDatabase(statement: StatementOf<'create-database'>, context: StatementContext): DdlResult {
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

function dropDatabase({ name, ifExists, cascade }: StatementOf<'drop-database'>, context: StatementContext): DdlResult {
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

function createTable(statement: StatementOf<'create-table'>, context: StatementContext): DdlResult {
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

function dropTable(statement: StatementOf<'drop-table'>, context: StatementContext): DdlResult {
  const { database, name } = qualified(statement.table, context)
  context.permissions.glue('GetTable', database, name)
  const table = context.catalog.table(database, name)
  if (!table) {
    if (statement.ifExists) return nothing
    throw failed(`SemanticException [Error 10001]: Table not found ${name}`)
  }
  if (table.view) throw failed(`SemanticException [Error 10131]: Cannot drop a view with DROP TABLE: ${name}`)
  context.permissions.glue('DeleteTable', database, name)
  context.catalog.dropTable(database, name)
  return nothing
}

function addPartitions(statement: StatementOf<'add-partitions'>, context: StatementContext): DdlResult {
  const table = partitionedTable(statement.table, context)
  const partitions: CatalogPartition[] = statement.partitions.map(({ spec, location }) => {
    const complete = completeSpec(table, spec)
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

function dropPartitions(statement: StatementOf<'drop-partitions'>, context: StatementContext): DdlResult {
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
