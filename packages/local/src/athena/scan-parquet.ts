import { open } from 'node:fs/promises'
import type { CatalogTable } from '../catalog/catalog-entry'
import { duckdbIdentifier, duckdbString, duckdbTypeText, type HiveType, hiveTypeText, parseHiveType } from './hive-type'
import { AthenaFailure, notSupportedLocally, type Scan } from './query-engine'
import { emptyRelation, type ScanFile, withPlaces } from './scan-file'

/** Runs a query on the engine and returns its rows as text: how a scan looks into Parquet footers. */
export type MetadataQuery = (sql: string, columns: readonly string[]) => Promise<readonly (readonly (string | null)[])[]>

/**
 * Reads Parquet objects by column name, without case. A column that a file does not have is NULL there; a column whose type cannot be
 * read as the table's fails the query, naming object and column. Timestamps are rounded to milliseconds.
 *
 * @throws {@link AthenaFailure} HIVE_BAD_DATA, HIVE_CURSOR_ERROR.
 */
export async function scanParquet(options: {
  readonly table: CatalogTable
  readonly files: readonly ScanFile[]
  /** Columns that the query reads, for the bytes scanned. Default all. */
  readonly columns?: readonly string[] | undefined
  readonly query: MetadataQuery
}): Promise<Scan> {
  const { table, files, query } = options
  if (files.length === 0) return { sql: emptyRelation(table), files: 0, bytes: 0 }
  for (const file of files) await checkMagic(file)

  const groups = await groupBySchema(files, query)
  const parts: string[] = []
  for (const group of groups) {
    const columns = await fileColumns(group[0] as ScanFile, query)
    const items = table.columns.map((column) => {
      const type = parseHiveType(column.type)
      const found = columns.get(column.name)
      const value =
        found === undefined ? `CAST(NULL AS ${duckdbTypeText(type)})` : readAs(found, type, column.name, group[0] as ScanFile)
      return `${value} AS ${duckdbIdentifier(column.name)}`
    })
    const list = group.map((file) => duckdbString(file.file)).join(', ')
    const source = `read_parquet([${list}], filename = true, hive_partitioning = false)`
    parts.push(withPlaces({ table, files: group, source, columns: items, on: 'filename' }))
  }
  const sql = parts.length === 1 ? (parts[0] as string) : `(${parts.map((part) => `SELECT * FROM ${part}`).join(' UNION ALL ')})`
  const read = new Set(options.columns ?? table.columns.map((column) => column.name))
  return { sql, files: files.length, bytes: await chunkBytes(files, read, query) }
}

/** Bytes of the column chunks, as stored, of columns by their name without case. */
async function chunkBytes(files: readonly ScanFile[], columns: ReadonlySet<string>, query: MetadataQuery): Promise<number> {
  const list = files.map((file) => duckdbString(file.file)).join(', ')
  // The path of a nested column is joined by a comma and a space; its first part names the column.
  const rows = await query(
    `SELECT split_part(path_in_schema, ', ', 1) AS name, CAST(sum(total_compressed_size) AS VARCHAR) AS bytes FROM parquet_metadata([${list}]) GROUP BY 1`,
    ['name', 'bytes'],
  )
  return rows.reduce((sum, [name, bytes]) => (columns.has((name as string).toLowerCase()) ? sum + Number(bytes) : sum), 0)
}

/** Refuses what is not Parquet by its own name, before DuckDB would complain about a local file. */
async function checkMagic(file: ScanFile): Promise<void> {
  const magic = Buffer.alloc(4)
  let intact = file.size >= 12
  if (intact) {
    const handle = await open(file.file, 'r')
    try {
      await handle.read(magic, 0, 4, file.size - 4)
    } finally {
      await handle.close()
    }
    intact = magic.toString('latin1') === 'PAR1'
  }
  if (!intact) {
    const found =
      file.size >= 12 ? ` Expected magic number: PAR1 got: ${JSON.stringify(magic.toString('latin1'))}` : ' It is too small.'
    throw new AthenaFailure(`HIVE_BAD_DATA: Not valid Parquet file: ${file.path}.${found}`, { type: 1100 })
  }
}

async function groupBySchema(files: readonly ScanFile[], query: MetadataQuery): Promise<readonly (readonly ScanFile[])[]> {
  let signatures: ReadonlyMap<string, string>
  try {
    signatures = await schemaSignatures(files, query)
  } catch (error) {
    // One of them cannot be read, and DuckDB does not always say which.
    for (const file of files) await readableFooter(file, query)
    throw error
  }
  const groups = new Map<string, ScanFile[]>()
  for (const file of files) {
    const signature = signatures.get(file.file) ?? ''
    const group = groups.get(signature)
    if (group) group.push(file)
    else groups.set(signature, [file])
  }
  return [...groups.values()]
}

/** A digest of the schema by local file. */
async function schemaSignatures(files: readonly ScanFile[], query: MetadataQuery): Promise<ReadonlyMap<string, string>> {
  const list = files.map((file) => duckdbString(file.file)).join(', ')
  const element = "concat_ws('/', name, type, coalesce(num_children, 0), coalesce(duckdb_type, ''), coalesce(converted_type, ''))"
  const rows = await query(
    `SELECT file_name, md5(string_agg(${element}, ',' ORDER BY column_id)) AS signature FROM parquet_schema([${list}]) GROUP BY file_name`,
    ['file_name', 'signature'],
  )
  return new Map(rows.map(([file, signature]) => [file as string, signature as string]))
}

async function readableFooter(file: ScanFile, query: MetadataQuery): Promise<void> {
  try {
    await schemaSignatures([file], query)
  } catch (cause) {
    const reason = withoutLocalPaths((cause as Error).message, [file])
    throw new AthenaFailure(`HIVE_BAD_DATA: The Parquet footer of ${file.path} cannot be read: ${reason}`, { type: 1100, cause })
  }
}

interface FileColumn {
  readonly name: string
  /** DuckDB type. */
  readonly type: string
}

async function fileColumns(file: ScanFile, query: MetadataQuery): Promise<ReadonlyMap<string, FileColumn>> {
  const rows = await query(
    `SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM read_parquet(${duckdbString(file.file)}, hive_partitioning = false))`,
    ['column_name', 'column_type'],
  )
  return new Map(rows.map(([name, type]) => [(name as string).toLowerCase(), { name: name as string, type: type as string }]))
}

const integers = ['TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT']

/** DuckDB expression that reads a column of the file as the type of the table, as Athena would, or a failure. */
function readAs(column: FileColumn, type: HiveType, name: string, file: ScanFile): string {
  const source = `r.${duckdbIdentifier(column.name)}`
  const target = duckdbTypeText(type)
  const mismatch = () =>
    new AthenaFailure(
      `HIVE_BAD_DATA: Field ${name}'s type ${column.type} in parquet file ${file.path} is incompatible with type ${hiveTypeText(type)} defined in table schema`,
      { type: 1100 },
    )
  if (type.kind === 'varchar') {
    if (column.type !== 'VARCHAR') throw mismatch()
    return `left(${source}, ${type.length})`
  }
  if (type.kind === 'primitive' && type.name === 'timestamp') {
    const naive = column.type === 'TIMESTAMP WITH TIME ZONE' ? `timezone('UTC', ${source})` : `CAST(${source} AS TIMESTAMP)`
    if (!column.type.startsWith('TIMESTAMP')) throw mismatch()
    if (column.type === 'TIMESTAMP_MS' || column.type === 'TIMESTAMP_S') return naive
    return `date_trunc('milliseconds', ${naive} + INTERVAL 500 MICROSECOND)`
  }
  if (sameType(column.type, target)) return source
  const widerInteger =
    integers.includes(target) && integers.indexOf(column.type) >= 0 && integers.indexOf(column.type) < integers.indexOf(target)
  if (widerInteger || (target === 'DOUBLE' && column.type === 'FLOAT')) return `CAST(${source} AS ${target})`
  if (type.kind === 'array' || type.kind === 'map' || type.kind === 'struct') {
    throw notSupportedLocally(`column ${name}: reading ${column.type} of ${file.path} as ${hiveTypeText(type)}`)
  }
  throw mismatch()
}

const sameType = (a: string, b: string) => typeText(a) === typeText(b)
const typeText = (type: string) => type.toLowerCase().replaceAll('"', '').replaceAll(/\s+/g, ' ').replaceAll(/, /g, ',')

/** An error text in which every local file is called by its object. */
export function withoutLocalPaths(message: string, files: readonly ScanFile[]): string {
  let text = message
  for (const file of files) if (text.includes(file.file)) text = text.replaceAll(file.file, file.path)
  return text
}
