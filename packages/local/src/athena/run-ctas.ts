import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { CatalogColumn, CatalogTable } from '../catalog/catalog-entry'
import { duckdbIdentifier, duckdbTypeText, type HiveType, hiveTypeOfTrino, hiveTypeText } from './hive-type'
import { AthenaFailure, type CompiledSelect, notSupportedLocally, type SelectEngine, type TableResolver } from './query-engine'
import { locationText, parseLocation, type S3Location } from './s3-location'
import type { CtasValue, Statement } from './statement'
import type { StatementContext } from './statement-context'
import { fileFormats, serdes } from './table-format'

export type CtasStatement = Extract<Statement, { kind: 'create-table-as' }>

export interface CtasResult {
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
export async function runCtas(statement: CtasStatement, context: StatementContext, resolver: TableResolver): Promise<CtasResult> {
  const started = performance.now()
  const database = statement.table.database ?? context.database
  const { name } = statement.table
  const { catalog, permissions } = context
  const settings = ctasSettings(statement.properties)
  const manifest = { bucket: context.output.bucket, key: `${context.output.prefix}${context.id}-manifest.csv` }
  const manifestPath = `s3://${manifest.bucket}/${manifest.key}`

  permissions.glue('GetDatabase', database)
  if (!catalog.database(database))
    throw new AthenaFailure(`SCHEMA_NOT_FOUND: Schema '${database}' does not exist`, { type: 1300 })
  permissions.glue('GetTable', database, name)
  permissions.glue('CreateTable', database, name)
  if (catalog.table(database, name)) {
    if (!statement.ifNotExists) throw alreadyExists(database, name)
    return { rows: 0, scannedBytes: 0, manifest: manifestPath, planningMs: performance.now() - started }
  }
  const target = emptyTarget(statement, settings, context, `${database}.${name}`)

  const engine = await context.engine()
  const query = await engine.compile(statement.select, { database: context.database, resolver })
  const columns = tableColumns(query)
  for (const column of settings.bucketedBy) {
    if (!columns.some((known) => known.name === column)) {
      throw new AthenaFailure(`INVALID_TABLE_PROPERTY: Bucketing columns [${column}] not present in schema`, { type: 1006 })
    }
  }
  const planningMs = performance.now() - started

  const written = statement.withData ? await writeFiles({ query, columns, settings, context, engine }) : { rows: 0, files: [] }
  const objects = written.files.map((file) => ({ file: file.file, key: `${target.prefix}${dataFileName(context, file.bucket)}` }))
  for (const { key } of objects) permissions.putObject(target.bucket, key)
  permissions.putObject(manifest.bucket, manifest.key)
  // The manifest names what was meant to be written, so it comes first.
  await context.files.put(manifest.bucket, manifest.key, objects.map(({ key }) => `s3://${target.bucket}/${key}\n`).join(''))
  for (const { key, file } of objects) {
    context.signal.throwIfAborted()
    await context.files.adoptFile(target.bucket, key, file)
  }
  context.signal.throwIfAborted()
  if (!catalog.createTable(parquetTable(database, name, columns, target, settings, context.now())))
    throw alreadyExists(database, name)
  return { rows: written.rows, scannedBytes: query.scannedBytes, manifest: manifestPath, planningMs }
}

const alreadyExists = (database: string, name: string) =>
  new AthenaFailure(`TABLE_ALREADY_EXISTS: line 1:1: Destination table 'awsdatacatalog.${database}.${name}' already exists`, {
    type: 1302,
  })

interface CtasSettings {
  readonly compression: 'snappy' | 'gzip' | 'zstd' | 'uncompressed'
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

function ctasSettings(properties: Readonly<Record<string, CtasValue>>): CtasSettings {
  const known = new Set([
    'format',
    'parquet_compression',
    'write_compression',
    'bucketed_by',
    'bucket_count',
    'external_location',
  ])
  for (const name of Object.keys(properties)) if (!known.has(name)) throw notSupportedLocally(`CTAS property ${name}`)
  const text = (name: string): string | undefined => {
    const value = properties[name]
    if (value === undefined || typeof value === 'string') return value
    throw invalid(name, value)
  }
  const format = text('format') ?? 'PARQUET'
  if (format.toUpperCase() !== 'PARQUET') throw notSupportedLocally(`CTAS format ${format}`)
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
  if (bucketCount > 100) {
    throw new AthenaFailure(`HIVE_TOO_MANY_OPEN_PARTITIONS: Exceeded limit of 100 open writers for partitions/buckets`, {
      type: 1100,
    })
  }
  return {
    compression,
    bucketedBy: bucketedBy.map((column) => column.toLowerCase()),
    bucketCount,
    externalLocation: text('external_location'),
  }
}

const invalid = (name: string, value: CtasValue) =>
  new AthenaFailure(`INVALID_TABLE_PROPERTY: Invalid value for table property '${name}': ${JSON.stringify(value)}`, {
    type: 1006,
  })

function emptyTarget(statement: CtasStatement, settings: CtasSettings, context: StatementContext, table: string): S3Location {
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
  context.permissions.bucketLocation(target.bucket)
  context.permissions.listBucket(target)
  if (!context.files.hasBucket(target.bucket)) {
    throw new AthenaFailure(`HIVE_FILESYSTEM_ERROR: The specified bucket does not exist: ${target.bucket}`, { type: 1306 })
  }
  if (statement.withData && context.files.list(target.bucket, target.prefix).length > 0) {
    const place = locationText(target)
    throw new AthenaFailure(
      `HIVE_PATH_ALREADY_EXISTS: Target directory for table '${table}' already exists: ${place}. You may need to manually clean the data at location '${place}' before retrying. Athena will not delete data in your account.`,
      { type: 1100 },
    )
  }
  return target
}

interface TypedColumn extends CatalogColumn {
  readonly hiveType: HiveType
  /** As the query calls it. */
  readonly source: string
}

function tableColumns(query: CompiledSelect): TypedColumn[] {
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
    return { name, type: hiveTypeText(hiveType), hiveType, source: column.name }
  })
}

interface WrittenFile {
  readonly file: string
  readonly bucket: number
}

async function writeFiles(options: {
  readonly query: CompiledSelect
  readonly columns: readonly TypedColumn[]
  readonly settings: CtasSettings
  readonly context: StatementContext
  readonly engine: SelectEngine
}): Promise<{ readonly rows: number; readonly files: readonly WrittenFile[] }> {
  const { query, columns, settings, context, engine } = options
  const { signal, scratch } = context
  const copy = (from: string, name: string) => {
    const file = join(scratch, name)
    const target = `'${file.replaceAll("'", "''")}' (FORMAT parquet, COMPRESSION ${settings.compression})`
    return { file, run: () => engine.execute(`COPY (${from}) TO ${target}`, { signal }) }
  }
  // The names in the file are those of the table.
  const items = columns.map(
    (column, i) => `CAST(q.c${i} AS ${duckdbTypeText(column.hiveType)}) AS ${duckdbIdentifier(column.name)}`,
  )
  const aliases = columns.map((_, i) => `c${i}`).join(', ')
  const all = copy(`SELECT ${items.join(', ')} FROM (${query.sql}) q(${aliases})`, 'ctas.parquet')
  const rows = await all.run()
  if (rows === 0) return { rows, files: [] }
  if (settings.bucketCount <= 1) return { rows, files: [{ file: all.file, bucket: 0 }] }

  const source = `read_parquet('${all.file.replaceAll("'", "''")}', hive_partitioning = false)`
  const bucket = `hash(${settings.bucketedBy.map(duckdbIdentifier).join(', ')}) % ${settings.bucketCount}`
  const files: WrittenFile[] = []
  for (let i = 0; i < settings.bucketCount; i++) {
    const part = copy(`SELECT * FROM ${source} WHERE ${bucket} = ${i}`, `ctas-${i}.parquet`)
    // An empty bucket has no file.
    if ((await part.run()) > 0 && (await stat(part.file)).size > 0) files.push({ file: part.file, bucket: i })
  }
  return { rows, files }
}

/** Like the names that Athena's writers give: time, query, bucket. */
function dataFileName(context: StatementContext, bucket: number): string {
  const time = new Date(context.now()).toISOString().replace(/[-:]/g, '').replace('T', '_').slice(0, 15)
  const query = context.id.replaceAll('-', '')
  return `${time}_${query.slice(0, 5)}_${query.slice(5, 10)}_bucket-${String(bucket).padStart(5, '0')}`
}

function parquetTable(
  database: string,
  name: string,
  columns: readonly TypedColumn[],
  target: S3Location,
  settings: CtasSettings,
  createdAt: number,
): CatalogTable {
  const bucketing: Record<string, string> =
    settings.bucketCount > 0 ? { bucketed_by: settings.bucketedBy.join(','), bucket_count: String(settings.bucketCount) } : {}
  return {
    database,
    name,
    columns: columns.map(({ name: column, type }) => ({ name: column, type })),
    partitionKeys: [],
    location: locationText(target),
    serde: serdes.parquet,
    serdeProperties: {},
    inputFormat: fileFormats.parquetInput,
    outputFormat: fileFormats.parquetOutput,
    properties: { EXTERNAL: 'TRUE', 'parquet.compression': settings.compression.toUpperCase(), ...bucketing },
    createdAt,
  }
}
