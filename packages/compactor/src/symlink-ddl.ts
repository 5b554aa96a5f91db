import { hiveString, parseLocation, quoteIdentifier, quoteName, type S3Location, type Table, typeName } from '@pipe/core'

/** Format of the files that the lists name. */
export type LinkedFormat = 'lines' | 'parquet'

const serdes: Readonly<Record<LinkedFormat, readonly string[]>> = {
  // Every line as it is; the flag s, as `.` alone does not match a carriage return in Java.
  lines: ["ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe'", "WITH SERDEPROPERTIES ('input.regex'='(?s)(.*)')"],
  parquet: ["ROW FORMAT SERDE 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe'"],
}

/**
 * The statement that creates a table over lists of objects: one `s3://…` a line.
 *
 * @see Delta Lake documentation, "Presto, Trino, and Athena to Delta Lake integration"
 */
export function symlinkTableDdl(options: {
  readonly database?: string | undefined
  readonly name: string
  readonly location: S3Location
  readonly format: LinkedFormat
  /** Columns of the files; for `lines` the one column `line`. */
  readonly columns?: Table['columns'] | undefined
  readonly partitions: readonly string[]
}): string {
  const { database, name, location, format, columns, partitions } = options
  parseLocation(location)
  const list = columns
    ? Object.entries(columns).map(
        ([column, { type }]) => `${quoteIdentifier(column, 'hive', 'column')} ${typeName(type, 'hive')}`,
      )
    : [`${quoteIdentifier('line', 'hive', 'column')} string`]
  const keys = partitions.map((column) => `${quoteIdentifier(column, 'hive', 'column')} string`)
  return [
    `CREATE EXTERNAL TABLE IF NOT EXISTS ${quoteName(database === undefined ? [name] : [database, name], 'hive')} (`,
    `  ${list.join(',\n  ')}`,
    ')',
    ...(keys.length > 0 ? [`PARTITIONED BY (${keys.join(', ')})`] : []),
    ...serdes[format],
    "STORED AS INPUTFORMAT 'org.apache.hadoop.hive.ql.io.SymlinkTextInputFormat'",
    "OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'",
    `LOCATION ${hiveString(location)}`,
  ].join('\n')
}
