import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { CatalogColumn } from '../catalog/catalog-entry'
import { duckdbIdentifier, duckdbString, duckdbTypeText, type HiveType } from './hive-type'
import { nullPartition, partitionName } from './partition-value'
import { AthenaFailure, notSupportedLocally, type OutputColumn, type SelectEngine } from './query-engine'
import { locationText, type S3Location } from './s3-location'
import type { StatementContext } from './statement-context'

/** A column that is written. */
export interface WrittenColumn extends CatalogColumn {
  readonly hiveType: HiveType
}

export type ParquetCompression = 'snappy' | 'gzip' | 'zstd' | 'uncompressed'

/** What {@link writeRows} writes, and where. */
export interface RowsToWrite {
  /** DuckDB query. */
  readonly sql: string
  /** Its columns in their order, those of the partitions last. */
  readonly columns: readonly WrittenColumn[]
  /** Names of the last columns, by whose values the files lie in folders. */
  readonly partitionedBy: readonly string[]
  readonly bucketedBy: readonly string[]
  /** 0: one file a partition. */
  readonly bucketCount: number
  readonly compression: ParquetCompression
  readonly target: S3Location
  /** Place of a partition that lies elsewhere than below the target. */
  placeOf?(values: readonly string[]): S3Location | undefined
}

/** What was written. */
export interface WrittenRows {
  readonly rows: number
  /** Partitions that got rows: the values as the catalogue has them, and their folders. */
  readonly partitions: readonly { readonly values: readonly string[]; readonly location: string }[]
  /** `s3://…-manifest.csv` */
  readonly manifest: string
}

/** Partitions × buckets that one statement may write. @see Athena User Guide, "Considerations and limitations for CTAS queries" */
const maxWriters = 100

/**
 * Writes the rows of a query as Parquet objects: one a partition and bucket that has rows. The manifest names what is meant to be written,
 * so it comes first. A failure may leave objects behind, as on AWS.
 *
 * @throws {@link AthenaFailure} HIVE_TOO_MANY_OPEN_PARTITIONS for more than 100 partitions × buckets.
 */
export async function writeRows(rows: RowsToWrite, context: StatementContext, engine: SelectEngine): Promise<WrittenRows> {
  const written = await writeFiles(rows, context, engine)
  const objects = written.files.map(({ file, bucket, partition }) => {
    const place = placeOfFile(rows, partition)
    return { file, place, key: `${place.prefix}${dataFileName(context, bucket)}`, partition }
  })
  for (const { place, key } of objects) context.permissions.putObject(place.bucket, key)
  const manifest = await putManifest(
    context,
    objects.map(({ place, key }) => `s3://${place.bucket}/${key}`),
  )
  for (const { place, key, file } of objects) {
    context.signal.throwIfAborted()
    await context.files.adoptFile(place.bucket, key, file)
  }
  context.signal.throwIfAborted()
  const partitions = new Map(
    objects.map(({ partition, place }) => [partition.join('\0'), { values: partition, location: locationText(place) }]),
  )
  return {
    rows: written.rows,
    partitions: rows.partitionedBy.length === 0 ? [] : [...partitions.values()],
    manifest,
  }
}

/** Stores the manifest of an execution, the list of its data files. Returns its place. */
export async function putManifest(context: StatementContext, paths: readonly string[]): Promise<string> {
  const { bucket, prefix } = context.output
  const key = `${prefix}${context.id}-manifest.csv`
  context.permissions.putObject(bucket, key)
  await context.files.put(bucket, key, paths.map((path) => `${path}\n`).join(''))
  return `s3://${bucket}/${key}`
}

function placeOfFile({ partitionedBy, columns, target, placeOf }: RowsToWrite, partition: readonly string[]): S3Location {
  if (partitionedBy.length === 0) return target
  const name = partitionName({ partitionKeys: columns.slice(-partitionedBy.length) }, partition)
  return placeOf?.(partition) ?? { bucket: target.bucket, prefix: `${target.prefix}${name}/` }
}

interface WrittenFile {
  readonly file: string
  readonly bucket: number
  readonly partition: readonly string[]
}

async function writeFiles(
  rows: RowsToWrite,
  context: StatementContext,
  engine: SelectEngine,
): Promise<{ readonly rows: number; readonly files: readonly WrittenFile[] }> {
  const { columns, partitionedBy, bucketedBy, bucketCount } = rows
  const { signal, scratch } = context
  const copy = async (from: string, name: string) => {
    const file = join(scratch, name)
    const target = `${duckdbString(file)} (FORMAT parquet, COMPRESSION ${rows.compression})`
    return { file, rows: await engine.execute(`COPY (${from}) TO ${target}`, { signal }) }
  }
  // The names in the file are those of the table.
  const items = columns.map(
    (column, i) => `CAST(q.c${i} AS ${duckdbTypeText(column.hiveType)}) AS ${duckdbIdentifier(column.name)}`,
  )
  const aliases = columns.map((_, i) => `c${i}`).join(', ')
  const all = await copy(`SELECT ${items.join(', ')} FROM (${rows.sql}) q(${aliases})`, 'written.parquet')
  if (all.rows === 0) return { rows: 0, files: [] }
  if (partitionedBy.length === 0 && bucketCount <= 1) {
    return { rows: all.rows, files: [{ file: all.file, bucket: 0, partition: [] }] }
  }
  const source = `read_parquet(${duckdbString(all.file)}, hive_partitioning = false)`
  const partitions = partitionedBy.length === 0 ? [[]] : await partitionsIn(source, rows, engine, signal)
  if (partitions.length * Math.max(bucketCount, 1) > maxWriters) throw tooManyWriters()
  const data = columns.slice(0, columns.length - partitionedBy.length).map(({ name }) => duckdbIdentifier(name))
  const bucket = `hash(${bucketedBy.map(duckdbIdentifier).join(', ')}) % ${bucketCount}`
  const files: WrittenFile[] = []
  for (const partition of partitions) {
    for (let i = 0; i < Math.max(bucketCount, 1); i++) {
      const conditions = [
        ...partitionedBy.map((name, p) => isPartition(name, partition[p] as string)),
        ...(bucketCount > 1 ? [`${bucket} = ${i}`] : []),
      ]
      const part = await copy(
        `SELECT ${data.join(', ')} FROM ${source} WHERE ${conditions.join(' AND ')}`,
        `written-${files.length}.parquet`,
      )
      // An empty bucket has no file.
      if (part.rows > 0 && (await stat(part.file)).size > 0) files.push({ file: part.file, bucket: i, partition })
    }
  }
  return { rows: all.rows, files }
}

/** The failure of a statement with more than 100 open writers. */
export function tooManyWriters(): AthenaFailure {
  return new AthenaFailure(`HIVE_TOO_MANY_OPEN_PARTITIONS: Exceeded limit of ${maxWriters} open writers for partitions/buckets`, {
    type: 1100,
  })
}

const textOfKey = (name: string) => `CAST(${duckdbIdentifier(name)} AS VARCHAR)`
const isPartition = (name: string, value: string) =>
  value === nullPartition ? `${duckdbIdentifier(name)} IS NULL` : `${textOfKey(name)} = ${duckdbString(value)}`

/** Types whose text as a partition value is the same everywhere. */
const partitionTypes = new Set(['string', 'boolean', 'tinyint', 'smallint', 'int', 'bigint', 'date'])

async function partitionsIn(source: string, rows: RowsToWrite, engine: SelectEngine, signal: AbortSignal): Promise<string[][]> {
  for (const { name, hiveType } of rows.columns.slice(-rows.partitionedBy.length)) {
    const isKnown = hiveType.kind === 'varchar' || (hiveType.kind === 'primitive' && partitionTypes.has(hiveType.name))
    if (!isKnown) throw notSupportedLocally(`writing partitions by ${name} of its type`)
  }
  const columns = rows.partitionedBy.map((name): OutputColumn => {
    return { name, type: 'varchar', fullType: 'varchar', precision: 2_147_483_647, scale: 0 }
  })
  const keys = rows.partitionedBy.map((name, i) => `${textOfKey(name)} AS c${i}`).join(', ')
  const order = columns.map((_, i) => `c${i}`).join(', ')
  const sql = `SELECT DISTINCT ${keys} FROM ${source} ORDER BY ${order}`
  const found: string[][] = []
  for await (const batch of engine.run({ sql, columns, tables: [], scannedBytes: 0, scannedFiles: 0 }, { signal })) {
    for (const row of batch) {
      if (row.includes('')) throw notSupportedLocally('writing a partition whose value is an empty string')
      found.push(row.map((value) => value ?? nullPartition))
      if (found.length > maxWriters) throw tooManyWriters()
    }
  }
  return found
}

/** Like the names that Athena's writers give: time, query, bucket. */
function dataFileName(context: StatementContext, bucket: number): string {
  const time = new Date(context.now()).toISOString().replace(/[-:]/g, '').replace('T', '_').slice(0, 15)
  const query = context.id.replaceAll('-', '')
  return `${time}_${query.slice(0, 5)}_${query.slice(5, 10)}_bucket-${String(bucket).padStart(5, '0')}`
}
