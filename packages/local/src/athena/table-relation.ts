import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Catalog } from '../catalog/catalog'
import type { CatalogTable } from '../catalog/catalog-entry'
import type { ObjectFiles, StoredObject } from '../s3/object-files'
import { parseHiveType, trinoTypeText } from './hive-type'
import { isProjected, projectedPartitions } from './partition-projection'
import { partitionsRelation } from './partitions-relation'
import type { Permissions } from './permissions'
import {
  AthenaFailure,
  type OutputColumn,
  type Scan,
  type ScanFilter,
  type SelectEngine,
  type TableRelation,
  type TableResolver,
} from './query-engine'
import { locationText, parseLocation } from './s3-location'
import type { ScanFile } from './scan-file'
import { type MetadataQuery, scanParquet } from './scan-parquet'
import { scanText } from './scan-text'
import { holdsLinks, tableFormat } from './table-format'

/** What a query needs to reach tables. */
export interface TableAccess {
  readonly catalog: Catalog
  readonly files: ObjectFiles
  readonly permissions: Permissions
  readonly engine: SelectEngine
  /** Folder for the files of this query's scans; removed by the caller when the query has ended. */
  readonly scratch: string
  readonly signal: AbortSignal
  /** Milliseconds by the clock of the runtime. */
  now(): number
  /** Every object that is read is added here. */
  readonly scanned: ScanFile[]
}

/** Finds tables in the catalogue for one query, with the rights of its caller. */
export function createTableResolver(access: TableAccess): TableResolver {
  let scans = 0
  return {
    async resolve(databaseName, tableName) {
      const database = databaseName.toLowerCase()
      const name = tableName.toLowerCase()
      if (name.endsWith(partitionsSuffix)) {
        const table = findTable(access.catalog, access.permissions, database, name.slice(0, -partitionsSuffix.length))
        return partitionsRelation(table, name, access)
      }
      const table = findTable(access.catalog, access.permissions, database, name)
      const columns = table.columns.map((column) => tableColumn(column.name, column.type, false))
      if (table.view) return { database, table: name, columns, view: table.view }
      // Fails here, not in the scan, when the table cannot be read locally.
      const format = tableFormat(table)
      return {
        database,
        table: name,
        columns: [...columns, ...table.partitionKeys.map((column) => tableColumn(column.name, column.type, true))],
        hidden: table.partitionKeys.length > 0 ? ['$path', '$partition'] : ['$path'],
        async scan(filter: ScanFilter): Promise<Scan> {
          const files = await selectFiles(table, filter, access)
          for (const file of files) access.scanned.push(file)
          if (format.kind === 'parquet')
            return scanParquet({ table, files, columns: filter.columns, query: metadataQuery(access) })
          const spoolFile = join(access.scratch, `scan-${scans++}.parquet`)
          return scanText({ table, format, files, spoolFile, signal: access.signal })
        },
      } satisfies TableRelation
    },
  }
}

/** Of the hidden table that lists the partitions of another. */
const partitionsSuffix = '$partitions'

const tableColumn = (name: string, type: string, partition: boolean) => ({
  name,
  type: trinoTypeText(parseHiveType(type)),
  partition,
})

/**
 * The table of a query or of a DDL statement.
 *
 * @throws {@link AthenaFailure} when the caller may not see it or it does not exist.
 */
export function findTable(catalog: Catalog, permissions: Permissions, database: string, name: string): CatalogTable {
  permissions.glue('GetDatabase', database)
  if (!catalog.database(database))
    throw new AthenaFailure(`SCHEMA_NOT_FOUND: Schema '${database}' does not exist`, { type: 1300 })
  permissions.glue('GetTable', database, name)
  const table = catalog.table(database, name)
  if (!table)
    throw new AthenaFailure(`TABLE_NOT_FOUND: Table 'awsdatacatalog.${database}.${name}' does not exist`, { type: 1301 })
  return table
}

/** The objects of a table that pass the filter, in order of partition and key. */
async function selectFiles(table: CatalogTable, filter: ScanFilter, access: TableAccess): Promise<ScanFile[]> {
  const places: { readonly location: string; readonly values: readonly string[] }[] = []
  if (table.partitionKeys.length === 0) places.push({ location: table.location, values: [] })
  else {
    access.permissions.glue('GetPartitions', table.database, table.name)
    const partitions = isProjected(table)
      ? projectedPartitions(table, access.now(), filter.partition)
      : access.catalog.partitions(table.database, table.name)
    for (const partition of partitions) {
      const values = Object.fromEntries(table.partitionKeys.map((key, i) => [key.name, partition.values[i] as string]))
      if (!filter.partition || filter.partition(values)) places.push({ location: partition.location, values: partition.values })
    }
  }
  const found: ScanFile[] = []
  for (const { location, values } of places) {
    const listed = objectsBelow(location, access)
    for (const object of holdsLinks(table) ? await linkedObjects(listed, access) : listed) {
      const path = pathOf(object)
      if (object.size === 0 || archived.has(object.storageClass) || (filter.path && !filter.path(path))) continue
      access.permissions.getObject(object.bucket, object.key)
      found.push({ file: object.file, path, size: object.size, partition: values })
    }
  }
  return found
}

// Athena skips these without an error.
const archived = new Set(['GLACIER', 'DEEP_ARCHIVE'])

const pathOf = ({ bucket, key }: StoredObject) => `s3://${bucket}/${key}`

function objectsBelow(place: string, access: TableAccess): StoredObject[] {
  const location = parseLocation(place)
  access.permissions.listBucket(location)
  if (!access.files.hasBucket(location.bucket)) {
    throw new AthenaFailure(`HIVE_CANNOT_OPEN_SPLIT: The specified bucket does not exist (${locationText(location)})`, {
      type: 1100,
    })
  }
  const all = access.files.list(location.bucket, location.prefix)
  return all.filter(({ key }) => !isHidden(key.slice(location.prefix.length)))
}

/**
 * The objects that lists name. Trino lists the folder of each of them, so that takes the same right, and fails when one is not there.
 *
 * @see BackgroundHiveSplitLoader of trino-hive (buildManifestFileIterator)
 */
async function linkedObjects(lists: readonly StoredObject[], access: TableAccess): Promise<StoredObject[]> {
  const found: StoredObject[] = []
  for (const list of lists) {
    access.permissions.getObject(list.bucket, list.key)
    for (const line of (await readFile(list.file, 'utf8')).split(/\r?\n/)) {
      if (line === '') continue
      const match = /^s3[an]?:\/\/([^/]+)\/(.+)$/.exec(line)
      if (!match) {
        throw new AthenaFailure(`HIVE_BAD_DATA: Error parsing symlinks from: ${pathOf(list)}`, { type: 1100 })
      }
      const [, bucket, key] = match as unknown as [string, string, string]
      access.permissions.listBucket({ bucket, prefix: key.slice(0, key.lastIndexOf('/') + 1) })
      const object = access.files.head(bucket, key)
      if (object === undefined) {
        throw new AthenaFailure(
          `HIVE_FILE_NOT_FOUND: Manifest file from the location [${pathOf(list)}] contains non-existent path: ${line}`,
          { type: 1100 },
        )
      }
      found.push(object)
    }
  }
  return found
}

const isHidden = (relativeKey: string) =>
  relativeKey.split('/').some((segment) => segment.startsWith('_') || segment.startsWith('.'))

/** Lets a scan look into Parquet footers with the engine that will read them. */
function metadataQuery({ engine, signal }: TableAccess): MetadataQuery {
  return async (sql, names) => {
    const columns: OutputColumn[] = names.map((name) => ({
      name,
      type: 'varchar',
      fullType: 'varchar',
      precision: 2_147_483_647,
      scale: 0,
    }))
    const rows: (readonly (string | null)[])[] = []
    for await (const batch of engine.run({ sql, columns, tables: [], scannedBytes: 0, scannedFiles: 0 }, { signal }))
      rows.push(...batch)
    return rows
  }
}
