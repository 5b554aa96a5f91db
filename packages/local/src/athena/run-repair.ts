import type { CatalogPartition, CatalogTable } from '../catalog/catalog-entry'
import { partitionedTable } from './catalog-lookup'
import { type DdlResult, listing } from './ddl-result'
import { partitionName, partitionText, unescapeName } from './partition-value'
import { locationText, parseLocation } from './s3-location'
import type { QualifiedName } from './statement'
import type { StatementContext } from './statement-context'

/**
 * `MSCK REPAIR TABLE`: adds the partitions whose folders (`key=value`, in the order of the keys) hold objects and that the catalogue does
 * not have. It never drops one. Folders of another form are passed over, as on Athena.
 *
 * @see Athena User Guide, "MSCK REPAIR TABLE"; Hive's DDLTask, `msck`
 */
export function repairTable(name: QualifiedName, context: StatementContext): DdlResult {
  const table = partitionedTable(name, context)
  const { database, name: tableName } = table
  context.permissions.glue('GetPartitions', database, tableName)
  context.permissions.glue('BatchCreatePartition', database, tableName)
  const found = partitionFolders(table, context)
  const missing = [...found.values()].filter(({ values }) => !context.catalog.partition(database, tableName, values))
  context.catalog.addPartitions(database, tableName, missing)
  const label = ({ values }: CatalogPartition) => `${tableName}:${partitionName(table, values)}`
  if (missing.length === 0) return listing('repair', [])
  return listing('repair', [
    ['Partitions not in metastore:', ...missing.map(label)].join('\t'),
    ...missing.map((partition) => `Repair: Added partition to metastore ${label(partition)}`),
  ])
}

function partitionFolders(table: CatalogTable, context: StatementContext): Map<string, CatalogPartition> {
  const location = parseLocation(table.location)
  context.permissions.listBucket(location)
  const found = new Map<string, CatalogPartition>()
  const keys = table.partitionKeys
  for (const { key } of context.files.list(location.bucket, location.prefix)) {
    const folders = key.slice(location.prefix.length).split('/').slice(0, -1)
    if (folders.length < keys.length) continue
    const values = keys.map(({ name }, i) => {
      const folder = folders[i] as string
      return folder.startsWith(`${name}=`) ? unescapeName(folder.slice(name.length + 1)) : ''
    })
    if (values.includes('')) continue
    const place = locationText({
      bucket: location.bucket,
      prefix: `${location.prefix}${folders.slice(0, keys.length).join('/')}/`,
    })
    const canonical = values.map((value, i) => partitionText(value, keys[i] as (typeof keys)[number]))
    const id = JSON.stringify(canonical)
    if (!found.has(id)) found.set(id, { values: canonical, location: place, createdAt: context.now() })
  }
  return found
}
