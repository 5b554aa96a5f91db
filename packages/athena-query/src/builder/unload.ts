import { ConfigError, parseLocation, type S3Location } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { type RunOptions, runOptionNames } from '../run-options'
import { isFragment, joinSql, type SqlFragment, sql, sqlError } from '../sql'

/** Options of {@link unloadSql}. */
export interface UnloadSqlOptions {
  readonly query: SqlFragment
  /** Empty folder for the files. */
  readonly to: S3Location
  /** Default `'PARQUET'`. */
  readonly format?: 'PARQUET' | 'ORC' | 'AVRO' | 'JSON' | 'TEXTFILE' | undefined
  /** Default `'SNAPPY'` for Parquet; others: Athena's default. */
  readonly compression?: 'SNAPPY' | 'GZIP' | 'ZSTD' | 'NONE' | undefined
  /** One character; of TEXTFILE only. Default `\u0001`. */
  readonly fieldDelimiter?: string | undefined
  /** Columns that become folders: the last ones of the query, in its order. At most 100 partitions. */
  readonly partitionedBy?: readonly string[] | undefined
}

/** Options of {@link Athena.unload}. */
export interface UnloadOptions extends UnloadSqlOptions, RunOptions {
  /** Writes into a new folder below `to`, so that a second attempt never meets what the first left behind. Default `false`. */
  readonly folderPerAttempt?: boolean | undefined
}

const formats = ['PARQUET', 'ORC', 'AVRO', 'JSON', 'TEXTFILE']

/**
 * The statement `UNLOAD (…) TO '…' WITH (…)`: files of a query's rows, without a table. Nothing is promised about their order.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG`, `PIPE_LOCATION` or `PIPE_ATHENA_SQL` for options that can never work.
 * @see Athena user guide, "UNLOAD"
 */
export function unloadSql(options: UnloadSqlOptions): SqlFragment {
  checkOptions('unload', options, {
    required: ['query', 'to'],
    optional: ['format', 'compression', 'fieldDelimiter', 'partitionedBy', ...runOptionNames],
  })
  const { query, to, format = 'PARQUET', fieldDelimiter, partitionedBy } = options
  const compression = options.compression ?? (format === 'PARQUET' ? 'SNAPPY' : undefined)
  parseLocation(to)
  if (!isFragment(query))
    throw sqlError('unload: "query" is not a fragment of the sql tag.', { hint: 'Write query: sql`SELECT …`.' })
  if (!formats.includes(format))
    throw new ConfigError(`unload: the format cannot be ${JSON.stringify(format)}.`, { hint: `Use ${formats.join(', ')}.` })
  if (fieldDelimiter !== undefined && (format !== 'TEXTFILE' || fieldDelimiter.length !== 1)) {
    throw new ConfigError('unload: fieldDelimiter is one character, of the format TEXTFILE only.')
  }
  if (partitionedBy?.length === 0) throw new ConfigError('unload: partitionedBy names no columns.', { hint: 'Leave it out.' })
  const properties = [
    sql`format = ${format}`,
    ...(compression === undefined ? [] : [sql`compression = ${compression}`]),
    ...(fieldDelimiter === undefined ? [] : [sql`field_delimiter = ${fieldDelimiter}`]),
    ...(partitionedBy === undefined ? [] : [sql`partitioned_by = ${partitionedBy}`]),
  ]
  return sql`UNLOAD (
${query}
) TO ${to} WITH (${joinSql(properties)})`
}
