import type { Catalog } from '../catalog/catalog'
import type { CatalogTable } from '../catalog/catalog-entry'
import { duckdbIdentifier, duckdbString, duckdbTypeText, parseHiveType, trinoTypeText } from './hive-type'
import { isProjected } from './partition-projection'
import { nullPartition } from './partition-value'
import type { Permissions } from './permissions'
import { AthenaFailure, notSupportedLocally, type TableRelation } from './query-engine'

/**
 * The hidden table `"t$partitions"`: a row a partition of the catalogue, the partition columns its columns. Nothing is scanned.
 *
 * @see Athena User Guide, "SHOW PARTITIONS"
 */
export function partitionsRelation(
  table: CatalogTable,
  name: string,
  { catalog, permissions }: { readonly catalog: Catalog; readonly permissions: Permissions },
): TableRelation {
  const { database, partitionKeys: keys } = table
  if (keys.length === 0) {
    throw new AthenaFailure(`TABLE_NOT_FOUND: Table 'awsdatacatalog.${database}.${name}' does not exist`, { type: 1301 })
  }
  if (isProjected(table)) throw notSupportedLocally('"$partitions" of a table with partition projection')
  return {
    database,
    table: name,
    columns: keys.map((key) => ({ name: key.name, type: trinoTypeText(parseHiveType(key.type)), partition: false })),
    hidden: [],
    async scan() {
      permissions.glue('GetPartitions', database, table.name)
      const rows = catalog.partitions(database, table.name).map(({ values }) => `(${values.map(valueSql).join(', ')})`)
      const columns = keys.map(
        (key, i) => `CAST(p${i} AS ${duckdbTypeText(parseHiveType(key.type))}) AS ${duckdbIdentifier(key.name)}`,
      )
      const names = keys.map((_, i) => `p${i}`).join(', ')
      const nothing = `(SELECT ${keys.map((_, i) => `CAST(NULL AS VARCHAR) AS p${i}`).join(', ')} WHERE false)`
      const source = rows.length === 0 ? nothing : `(VALUES ${rows.join(', ')}) v(${names})`
      return { sql: `(SELECT ${columns.join(', ')} FROM ${source})`, files: 0, bytes: 0 }
    },
  }
}

const valueSql = (value: string) => (value === nullPartition ? 'CAST(NULL AS VARCHAR)' : duckdbString(value))
