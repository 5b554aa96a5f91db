import type { CatalogColumn, CatalogTable } from '../catalog/catalog-entry'
import { alterableTable, completeSpec, partitionedTable, tableLocation } from './catalog-lookup'
import { type DdlResult, failed, nothing } from './ddl-result'
import { partitionName } from './partition-value'
import { notSupportedLocally } from './query-engine'
import type { PartitionSpec, StatementOf } from './statement'
import type { StatementContext } from './statement-context'
import { serdes, tableFormat } from './table-format'

type AlterStatement = StatementOf<
  'set-partition-location' | 'rename-partition' | 'alter-columns' | 'set-table-properties' | 'set-table-location'
>

/** Changes a table or one of its partitions. @throws {@link AthenaFailure} with Athena's text. */
export function alterTable(statement: AlterStatement, context: StatementContext): DdlResult {
  switch (statement.kind) {
    case 'set-partition-location': {
      const location = tableLocation(statement.location)
      return alterPartition(statement, statement.spec, context, (partition) => ({ ...partition, location }))
    }
    case 'rename-partition': {
      const table = partitionedTable(statement.table, context)
      const values = completeSpec(table, statement.to)
      return alterPartition(statement, statement.from, context, (partition) => ({ ...partition, values }))
    }
    case 'alter-columns':
      return update(statement, context, (table) => ({ ...table, columns: newColumns(table, statement) }))
    case 'set-table-properties':
      return update(statement, context, (table) => ({ ...table, properties: { ...table.properties, ...statement.properties } }))
    case 'set-table-location':
      return update(statement, context, (table) => ({ ...table, location: tableLocation(statement.location) }))
  }
}

function update(
  { table: name }: AlterStatement,
  context: StatementContext,
  change: (table: CatalogTable) => CatalogTable,
): DdlResult {
  const before = alterableTable(name, context)
  context.permissions.glue('UpdateTable', before.database, before.name)
  const after = change(before)
  // Refuses at once what could not be read later.
  tableFormat(after)
  context.catalog.alterTable(after)
  return nothing
}

function newColumns(table: CatalogTable, { change, columns }: StatementOf<'alter-columns'>): readonly CatalogColumn[] {
  if (change === 'replace' && table.serde !== serdes.lazySimple && table.serde !== serdes.openxJson) {
    // Athena User Guide, "ALTER TABLE REPLACE COLUMNS": only tables with LazySimpleSerDe; JSON reads by name, so nothing moves.
    throw notSupportedLocally(`REPLACE COLUMNS of a table with the SerDe ${table.serde}`)
  }
  const all = change === 'add' ? [...table.columns, ...columns] : columns
  const seen = new Set<string>()
  for (const { name } of [...all, ...table.partitionKeys]) {
    if (seen.has(name)) throw failed(`SemanticException [Error 10036]: Duplicate column name: ${name}`)
    seen.add(name)
  }
  return all
}

function alterPartition(
  { table: name }: AlterStatement,
  spec: PartitionSpec,
  context: StatementContext,
  change: (partition: NonNullable<ReturnType<StatementContext['catalog']['partition']>>) => typeof partition,
): DdlResult {
  const table = partitionedTable(name, context)
  const values = completeSpec(table, spec)
  context.permissions.glue('GetPartition', table.database, table.name)
  context.permissions.glue('UpdatePartition', table.database, table.name)
  const before = context.catalog.partition(table.database, table.name, values)
  if (!before) throw failed(`SemanticException [Error 10006]: Partition not found {${partitionName(table, values)}}`)
  const after = change(before)
  if (!context.catalog.alterPartition(table.database, table.name, values, after)) {
    throw failed(
      `Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. Partition already exists: ${partitionName(table, after.values)}`,
    )
  }
  return nothing
}
