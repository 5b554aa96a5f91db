import type { CatalogTable } from '../catalog/catalog-entry'
import { failed } from './ddl-result'
import { partitionText } from './partition-value'
import { locationText, parseLocation } from './s3-location'
import type { PartitionSpec, QualifiedName } from './statement'
import type { StatementContext } from './statement-context'
import { findTable } from './table-relation'

/** A name with the database of the execution where it has none. */
export const qualified = (
  table: QualifiedName,
  context: StatementContext,
): { readonly database: string; readonly name: string } => ({
  database: table.database ?? context.database,
  name: table.name,
})

/** A database that is there. @throws {@link AthenaFailure} when it is not. */
export function existingDatabase(name: string, context: StatementContext): string {
  context.permissions.glue('GetDatabase', name)
  if (!context.catalog.database(name)) throw failed(`SemanticException [Error 10072]: Database does not exist: ${name}`)
  return name
}

/** A table or view that is there. @throws {@link AthenaFailure} when it is not. */
export function existingTable(name: QualifiedName, context: StatementContext): CatalogTable {
  const { database, name: table } = qualified(name, context)
  return findTable(context.catalog, context.permissions, database, table)
}

/** A table that may be changed: not a view. */
export function alterableTable(name: QualifiedName, context: StatementContext): CatalogTable {
  const table = existingTable(name, context)
  if (table.view) throw failed(`SemanticException [Error 10131]: ${table.database}.${table.name} is a view, not a table`)
  return table
}

/** A table with partitions. @throws {@link AthenaFailure} when it has none. */
export function partitionedTable(name: QualifiedName, context: StatementContext): CatalogTable {
  const { database, name: table } = qualified(name, context)
  const found = findTable(context.catalog, context.permissions, database, table)
  if (found.partitionKeys.length === 0)
    throw failed(`SemanticException [Error 10241]: Table ${database}.${table} is not a partitioned table`)
  return found
}

/** Values of a spec by position of the keys; `undefined` for keys that it does not name. */
export function specValues(table: CatalogTable, spec: PartitionSpec): (string | undefined)[] {
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

/** Values of a spec that must name every partition column. */
export function completeSpec(table: CatalogTable, spec: PartitionSpec): string[] {
  const values = specValues(table, spec)
  if (values.some((value) => value === undefined)) {
    throw failed(
      `SemanticException: partition spec (${spec.map(({ key }) => key).join(', ')}) does not name every partition column`,
    )
  }
  return values as string[]
}

/** A location of a table or partition: a folder, with its slash. @throws {@link AthenaFailure} for anything else. */
export function tableLocation(location: string): string {
  const parsed = parseLocation(location)
  if (/[*?]/.test(parsed.prefix)) throw failed(`SemanticException: LOCATION '${location}' has a wildcard; it must name a folder`)
  return locationText(parsed)
}
