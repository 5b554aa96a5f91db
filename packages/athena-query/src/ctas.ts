import { ConfigError, parseLocation, type S3Location } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { type RunOptions, runOptionNames } from './run-options'
import { identifier, isFragment, joinSql, type SqlFragment, sql, sqlError } from './sql'

/** Options of {@link ctasSql}. */
export interface CtasSqlOptions {
  /** Name of the new table, without a database: it is made in the database of the statement. */
  readonly table: string
  /** The SELECT whose rows the table gets. */
  readonly as: SqlFragment
  /** Empty folder for the data: Athena refuses one that holds objects (HIVE_PATH_ALREADY_EXISTS). */
  readonly location: S3Location
  /** Default `'PARQUET'`. */
  readonly format?: 'PARQUET' | 'ORC' | 'JSON' | 'TEXTFILE' | undefined
  /** Default `'SNAPPY'` for Parquet: Athena's own default is GZIP. Others: Athena's default. */
  readonly compression?: 'SNAPPY' | 'GZIP' | 'ZSTD' | 'NONE' | undefined
  /** `{ by: ['device_name'], count: 1 }` gives one file. At most 100. */
  readonly buckets?: { readonly by: readonly string[]; readonly count: number } | undefined
  /** Columns that become folders: the last ones of the query, in its order. At most 100 partitions times buckets are written at once. */
  readonly partitionedBy?: readonly string[] | undefined
}

/** Options of {@link Athena.ctas}. */
export interface CtasOptions extends CtasSqlOptions, RunOptions {
  /** Writes into a new folder below `location`, so that a second attempt never meets what the first left behind. Default `false`. */
  readonly folderPerAttempt?: boolean | undefined
}

const sqlOptionNames = ['format', 'compression', 'buckets', 'partitionedBy']

/**
 * The statement `CREATE TABLE … WITH (…) AS …` with its properties.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG`, `PIPE_LOCATION`, `PIPE_ATHENA_NAME` or `PIPE_ATHENA_SQL` for options that can never work.
 * @see Athena user guide, "CTAS table properties"
 */
export function ctasSql(options: CtasSqlOptions): SqlFragment {
  checkOptions('ctas', options, { required: ['table', 'as', 'location'], optional: [...sqlOptionNames, ...runOptionNames] })
  const { table, as, location, format = 'PARQUET', buckets, partitionedBy } = options
  parseLocation(location)
  if (!isFragment(as)) throw sqlError('ctas: "as" is not a fragment of the sql tag.', { hint: 'Write as: sql`SELECT …`.' })
  if (typeof table !== 'string' || table.includes('.')) {
    throw new ConfigError(`ctas: ${JSON.stringify(table)} is not the name of a table.`, {
      hint: "Give the database as the option database: '…'.",
    })
  }
  const properties = [
    sql`format = ${oneOf('format', format, ['PARQUET', 'ORC', 'JSON', 'TEXTFILE'])}`,
    ...compressionOf(format, options.compression),
    ...(buckets === undefined ? [] : bucketsOf(buckets)),
    ...(partitionedBy === undefined ? [] : partitionsOf(partitionedBy, buckets?.by ?? [])),
    sql`external_location = ${location}`,
  ]
  return sql`CREATE TABLE ${identifier(table)} WITH (
  ${joinSql(properties, ',\n  ')}
) AS
${as}`
}

function compressionOf(format: string, given: CtasOptions['compression']): SqlFragment[] {
  const compression = given ?? (format === 'PARQUET' ? 'SNAPPY' : undefined)
  if (compression === undefined) return []
  // "Hive compression support in Athena engine version 3" (Athena user guide): ORC knows no GZIP.
  oneOf(
    `compression of ${format}`,
    compression,
    format === 'ORC' ? ['SNAPPY', 'ZSTD', 'NONE'] : ['SNAPPY', 'GZIP', 'ZSTD', 'NONE'],
  )
  if (format === 'PARQUET') return [sql`parquet_compression = ${compression}`]
  if (format === 'ORC') return [sql`orc_compression = ${compression}`]
  return [sql`write_compression = ${compression}`]
}

function bucketsOf({ by, count }: { readonly by: readonly string[]; readonly count: number }): SqlFragment[] {
  if (!Array.isArray(by) || by.length === 0 || by.some((name) => typeof name !== 'string' || name === '')) {
    throw new ConfigError('ctas: buckets.by names no columns.', { hint: "For example { by: ['device_name'], count: 1 }." })
  }
  // HIVE_TOO_MANY_OPEN_PARTITIONS: a statement writes at most 100 partitions times buckets.
  if (!Number.isInteger(count) || count < 1 || count > 100) {
    throw new ConfigError(`ctas: buckets.count must be a whole number from 1 to 100, not ${count}.`)
  }
  return [sql`bucketed_by = ${by}`, sql`bucket_count = ${count}`]
}

function partitionsOf(by: readonly string[], bucketed: readonly string[]): SqlFragment[] {
  if (!Array.isArray(by) || by.length === 0 || by.some((name) => typeof name !== 'string' || name === '')) {
    throw new ConfigError('ctas: partitionedBy names no columns.', { hint: 'Leave it out.' })
  }
  const twice = by.find((name) => bucketed.includes(name))
  if (twice !== undefined) throw new ConfigError(`ctas: "${twice}" cannot be both a partition and a bucket.`)
  return [sql`partitioned_by = ${by}`]
}

function oneOf(what: string, value: string, allowed: readonly string[]): string {
  if (!allowed.includes(value)) {
    throw new ConfigError(`ctas: the ${what} cannot be ${JSON.stringify(value)}.`, { hint: `Use ${allowed.join(', ')}.` })
  }
  return value
}
