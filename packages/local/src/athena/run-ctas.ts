import type { CatalogTable } from '../catalog/catalog-entry'
import { hiveTypeOfTrino, hiveTypeText } from './hive-type'
import { AthenaFailure, type CompiledSelect, notSupportedLocally, type TableResolver } from './query-engine'
import { locationText, parseLocation, type S3Location } from './s3-location'
import type { CtasValue, StatementOf } from './statement'
import type { StatementContext } from './statement-context'
import { fileFormats, serdes } from './table-format'
import { type ParquetCompression, putManifest, tooManyWriters, type WrittenColumn, writeRows } from './write-rows'

/** How a statement that writes rows ended. */
export interface WriteResult {
  /** Rows written; 0 when the table was already there and the statement said IF NOT EXISTS. */
  readonly rows: number
  readonly scannedBytes: number
  /** `s3://…-manifest.csv` */
  readonly manifest: string
  readonly planningMs: number
}

/**
 * Runs `CREATE TABLE … AS SELECT`: DuckDB writes Parquet, the files become objects under the table's location, and the table is put
 * into the catalogue. A bucketed table gets one file a bucket that has rows, any other table one file; no rows, no file. A failure may
 * leave objects behind, as on AWS, but never a table.
 */
export async function runCtas(
  statement: StatementOf<'create-table-as'>,
  context: StatementContext,
  resolver: TableResolver,
): Promise<WriteResult> {
  const started = performance.now()
  const database = statement.table.database ?? context.database
  const { name } = statement.table
  const { catalog, permissions } = context
  const settings = ctasSettings(statement)

  permissions.glue('GetDatabase', database)
  if (!catalog.database(database))
    throw new AthenaFailure(`SCHEMA_NOT_FOUND: Schema '${database}' does not exist`, { type: 1300 })
  permissions.glue('GetTable', database, name)
  permissions.glue('CreateTable', database, name)
  if (catalog.table(database, name)) {
    if (!statement.ifNotExists) throw alreadyExists(database, name)
    return { rows: 0, scannedBytes: 0, manifest: await putManifest(context, []), planningMs: performance.now() - started }
  }
  const target = emptyTarget(statement, settings, context, `${database}.${name}`)

  const engine = await context.engine()
  const query = await engine.compile(statement.select, { database: context.database, resolver })
  const columns = tableColumns(query)
  checkColumns(columns, settings)
  const planningMs = performance.now() - started

  const written = statement.withData
    ? await writeRows({ ...settings, sql: query.sql, columns, target }, context, engine)
    : { rows: 0, partitions: [], manifest: await putManifest(context, []) }
  const table = newTable(database, name, columns, target, settings, context.now())
  if (!catalog.createTable(table)) throw alreadyExists(database, name)
  const createdAt = context.now()
  catalog.addPartitions(
    database,
    name,
    written.partitions.map((partition) => ({ ...partition, createdAt })),
  )
  return { rows: written.rows, scannedBytes: query.scannedBytes, manifest: written.manifest, planningMs }
}

function checkColumns(columns: readonly WrittenColumn[], { bucketedBy, partitionedBy }: CtasSettings): void {
  for (const column of bucketedBy) {
    if (!columns.some((known) => known.name === column)) {
      throw new AthenaFailure(`INVALID_TABLE_PROPERTY: Bucketing columns [${column}] not present in schema`, { type: 1006 })
    }
  }
  const last = columns.slice(columns.length - partitionedBy.length).map(({ name }) => name)
  if (partitionedBy.length > 0 && last.join() !== partitionedBy.join()) {
    throw new AthenaFailure(
      `HIVE_COLUMN_ORDER_MISMATCH: Partition keys must be the last columns in the table and in the same order as the table properties: [${partitionedBy.join(', ')}]`,
      { type: 1100 },
    )
  }
  if (partitionedBy.length >= columns.length && partitionedBy.length > 0) {
    throw new AthenaFailure('INVALID_TABLE_PROPERTY: Table contains only partition columns', { type: 1006 })
  }
}

const alreadyExists = (database: string, name: string) =>
  new AthenaFailure(`TABLE_ALREADY_EXISTS: line 1:1: Destination table 'awsdatacatalog.${database}.${name}' already exists`, {
    type: 1302,
  })

interface CtasSettings {
  readonly format: 'PARQUET' | 'JSON'
  readonly compression: ParquetCompression
  readonly partitionedBy: readonly string[]
  readonly bucketedBy: readonly string[]
  readonly bucketCount: number
  readonly externalLocation: string | undefined
}

const compressions: Readonly<Record<string, CtasSettings['compression']>> = {
  SNAPPY: 'snappy',
  GZIP: 'gzip',
  ZSTD: 'zstd',
  NONE: 'uncompressed',
}

function ctasSettings({ properties, withData }: StatementOf<'create-table-as'>): CtasSettings {
  const known = new Set([
    'format',
    'parquet_compression',
    'write_compression',
    'bucketed_by',
    'bucket_count',
    'external_location',
    'partitioned_by',
  ])
  for (const name of Object.keys(properties)) if (!known.has(name)) throw notSupportedLocally(`CTAS property ${name}`)
  const text = (name: string): string | undefined => {
    const value = properties[name]
    if (value === undefined || typeof value === 'string') return value
    throw invalid(name, value)
  }
  const format = (text('format') ?? 'PARQUET').toUpperCase()
  // JSON rows are not written here; a table without rows is.
  if (format !== 'PARQUET' && (format !== 'JSON' || withData)) throw notSupportedLocally(`CTAS format ${format}`)
  if (properties['parquet_compression'] !== undefined && properties['write_compression'] !== undefined) {
    throw new AthenaFailure('INVALID_TABLE_PROPERTY: only one of parquet_compression and write_compression may be given', {
      type: 1006,
    })
  }
  const compressionName = text('parquet_compression') ?? text('write_compression') ?? 'GZIP'
  const compression = compressions[compressionName.toUpperCase()]
  if (!compression) throw notSupportedLocally(`CTAS Parquet compression ${compressionName}`)

  const bucketedBy = properties['bucketed_by'] ?? []
  if (!Array.isArray(bucketedBy)) throw invalid('bucketed_by', bucketedBy)
  const bucketCount = properties['bucket_count'] ?? 0
  if (typeof bucketCount !== 'number' || !Number.isInteger(bucketCount) || bucketCount < 0)
    throw invalid('bucket_count', bucketCount)
  if (bucketedBy.length > 0 !== bucketCount > 0) {
    throw new AthenaFailure('INVALID_TABLE_PROPERTY: bucketed_by and bucket_count (greater than 0) must be given together', {
      type: 1006,
    })
  }
  if (bucketCount > 100) throw tooManyWriters()
  const partitionedBy = properties['partitioned_by'] ?? []
  if (!Array.isArray(partitionedBy)) throw invalid('partitioned_by', partitionedBy)
  return {
    format,
    compression,
    partitionedBy: partitionedBy.map((column) => column.toLowerCase()),
    bucketedBy: bucketedBy.map((column) => column.toLowerCase()),
    bucketCount,
    externalLocation: text('external_location'),
  }
}

const invalid = (name: string, value: CtasValue) =>
  new AthenaFailure(`INVALID_TABLE_PROPERTY: Invalid value for table property '${name}': ${JSON.stringify(value)}`, {
    type: 1006,
  })

function emptyTarget(
  statement: StatementOf<'create-table-as'>,
  settings: CtasSettings,
  context: StatementContext,
  table: string,
): S3Location {
  const { externalLocation } = settings
  if (externalLocation !== undefined && context.outputEnforced) {
    throw new AthenaFailure(
      'INVALID_TABLE_PROPERTY: The Create Table As Select query failed because it was submitted with an external_location property to an Athena Workgroup that enforces a centralized output location for all queries. Please remove the external_location property and resubmit the query',
      { type: 1006 },
    )
  }
  const target =
    externalLocation === undefined
      ? { bucket: context.output.bucket, prefix: `${context.output.prefix}tables/${context.id}/` }
      : parseLocation(externalLocation)
  checkTarget(target, statement.withData, `Target directory for table '${table}'`, context)
  return target
}

/** @throws {@link AthenaFailure} when the bucket does not exist, or objects lie in a folder that must be empty. */
export function checkTarget(target: S3Location, mustBeEmpty: boolean, what: string, context: StatementContext): void {
  context.permissions.bucketLocation(target.bucket)
  context.permissions.listBucket(target)
  if (!context.files.hasBucket(target.bucket)) {
    throw new AthenaFailure(`HIVE_FILESYSTEM_ERROR: The specified bucket does not exist: ${target.bucket}`, { type: 1306 })
  }
  if (!mustBeEmpty || context.files.list(target.bucket, target.prefix).length === 0) return
  const place = locationText(target)
  throw new AthenaFailure(
    `HIVE_PATH_ALREADY_EXISTS: ${what} already exists: ${place}. You may need to manually clean the data at location '${place}' before retrying. Athena will not delete data in your account.`,
    { type: 1100 },
  )
}

/** Columns of a query as columns of a table or of files. @throws {@link AthenaFailure} for one without a name or type, or named twice. */
export function tableColumns(query: CompiledSelect): WrittenColumn[] {
  const seen = new Set<string>()
  return query.columns.map((column, i) => {
    // The name that Trino gives to an expression without an alias.
    if (column.name === '' || column.name === `_col${i}`) {
      throw new AthenaFailure(`COLUMN_NAME_NOT_SPECIFIED: line 1:1: Column name not specified at position ${i + 1}`, {
        type: 1006,
      })
    }
    const name = column.name.toLowerCase()
    if (seen.has(name))
      throw new AthenaFailure(`DUPLICATE_COLUMN_NAME: line 1:1: Column name '${name}' specified more than once`, { type: 1006 })
    seen.add(name)
    if (column.fullType === 'unknown')
      throw new AthenaFailure(`COLUMN_TYPE_UNKNOWN: line 1:1: Column type is unknown: ${name}`, { type: 1006 })
    const hiveType = hiveTypeOfTrino(column.fullType)
    return { name, type: hiveTypeText(hiveType), hiveType }
  })
}

function newTable(
  database: string,
  name: string,
  columns: readonly WrittenColumn[],
  target: S3Location,
  settings: CtasSettings,
  createdAt: number,
): CatalogTable {
  const { format, compression, partitionedBy, bucketedBy, bucketCount } = settings
  const bucketing: Record<string, string> =
    bucketCount > 0 ? { bucketed_by: bucketedBy.join(','), bucket_count: String(bucketCount) } : {}
  const plain = columns.map(({ name: column, type }) => ({ name: column, type }))
  const data = plain.length - partitionedBy.length
  const storage =
    format === 'JSON'
      ? { serde: serdes.hiveJson, inputFormat: fileFormats.textInput, outputFormat: fileFormats.textOutput }
      : { serde: serdes.parquet, inputFormat: fileFormats.parquetInput, outputFormat: fileFormats.parquetOutput }
  const compressed: Record<string, string> = format === 'JSON' ? {} : { 'parquet.compression': compression.toUpperCase() }
  return {
    database,
    name,
    columns: plain.slice(0, data),
    partitionKeys: plain.slice(data),
    location: locationText(target),
    serdeProperties: {},
    ...storage,
    properties: { EXTERNAL: 'TRUE', ...compressed, ...bucketing },
    createdAt,
  }
}
