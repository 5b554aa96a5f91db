import { type ColumnMap, typeName } from './column-type'
import { quoteIdentifier, quoteName } from './identifier'
import { parseLocation, type S3Location } from './location'
import { checkOptions } from './options'
import type { Table } from './table'

/** Format of the files below a table's location. TSV and CSV are unquoted-safe Lazy text with the given delimiter. */
export type TableFormat = 'json' | 'csv' | 'tsv' | 'parquet'

/** What {@link tableDdl} takes. */
export interface TableDdlOptions {
  /** Folder of the data, `s3://bucket/prefix/`. */
  readonly location: S3Location
  /** What the files of the table are: decides SerDe and input format. */
  readonly format: TableFormat
  /** Database the table goes into. Default: the database of the session. */
  readonly database?: string | undefined
  /** Name of the table. Default: the name of the contract. */
  readonly name?: string | undefined
  /** Further partition columns, all strings, after those of the contract's scheme. Default none. */
  readonly extraPartitions?: readonly string[] | undefined
}

const storage: Record<TableFormat, readonly string[]> = {
  // ignore.malformed.json: a line that is no JSON gives a row of NULLs instead of failing every query over the raw folder.
  json: [
    "ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'",
    "WITH SERDEPROPERTIES ('ignore.malformed.json'='true')",
    'STORED AS TEXTFILE',
  ],
  csv: ["ROW FORMAT DELIMITED FIELDS TERMINATED BY ','", 'STORED AS TEXTFILE'],
  tsv: ["ROW FORMAT DELIMITED FIELDS TERMINATED BY '\\t'", 'STORED AS TEXTFILE'],
  parquet: ['STORED AS PARQUET'],
}

/**
 * The Athena statement that creates a table over a folder: `CREATE EXTERNAL TABLE IF NOT EXISTS …`.
 *
 * CSV and TSV become Athena's default text format (LazySimpleSerDe): it knows no quotes, so fields must not hold the delimiter.
 *
 * @throws {@link ConfigError} `PIPE_ATHENA_NAME` for a name that fails in DDL, `PIPE_LOCATION` for a bad location.
 * @example
 * ```ts
 * await athena.execute(tableDdl(deviceLogs, { location: 's3://lake/raw/', format: 'json' }))
 * ```
 */
export function tableDdl(table: Table, options: TableDdlOptions): string {
  checkOptions('tableDdl', options, { required: ['location', 'format'], optional: ['database', 'name', 'extraPartitions'] })
  const partitions = [...table.partitions.columns, ...(options.extraPartitions ?? [])]
  return createTable({
    database: options.database,
    name: options.name ?? table.name,
    columns: columnList(table.columns),
    partitions,
    storage: storage[options.format],
    location: options.location,
  })
}

/**
 * The statement that creates a table with one string column, `line`, over text files: every line of every file, unparsed. The regular
 * expression has the flag `s`, as `.` alone does not match a carriage return in Java.
 */
export function rawLineTableDdl(options: {
  readonly database?: string | undefined
  readonly name: string
  readonly location: S3Location
  readonly partitions: readonly string[]
}): string {
  return createTable({
    ...options,
    columns: [`${quoteIdentifier('line', 'hive', 'column')} string`],
    storage: [
      "ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe'",
      "WITH SERDEPROPERTIES ('input.regex'='(?s)(.*)')",
      'STORED AS TEXTFILE',
    ],
  })
}

/** `ALTER TABLE … ADD IF NOT EXISTS PARTITION (…) LOCATION '…'`, one statement for all given partitions. */
export function addPartitionsDdl(
  table: { readonly database?: string | undefined; readonly name: string },
  partitions: readonly { readonly values: Readonly<Record<string, string>>; readonly location: S3Location }[],
): string {
  const clauses = partitions.map(({ values, location }) => {
    parseLocation(location)
    const pairs = Object.entries(values).map(
      ([name, value]) => `${quoteIdentifier(name, 'hive', 'column')} = ${hiveString(value)}`,
    )
    return `PARTITION (${pairs.join(', ')}) LOCATION ${hiveString(location)}`
  })
  return `ALTER TABLE ${qualified(table)} ADD IF NOT EXISTS\n  ${clauses.join('\n  ')}`
}

/** A string literal of Hive DDL: backslash escapes, single quotes. */
export function hiveString(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}

function qualified({ database, name }: { readonly database?: string | undefined; readonly name: string }): string {
  return quoteName(database === undefined ? [name] : [database, name], 'hive')
}

function columnList(columns: ColumnMap): string[] {
  return Object.entries(columns).map(([name, { type }]) => `${quoteIdentifier(name, 'hive', 'column')} ${typeName(type, 'hive')}`)
}

function createTable(parts: {
  readonly database?: string | undefined
  readonly name: string
  readonly columns: readonly string[]
  readonly partitions: readonly string[]
  readonly storage: readonly string[]
  readonly location: S3Location
}): string {
  parseLocation(parts.location)
  const partitions = parts.partitions.map((name) => `${quoteIdentifier(name, 'hive', 'column')} string`)
  return [
    `CREATE EXTERNAL TABLE IF NOT EXISTS ${qualified(parts)} (\n  ${parts.columns.join(',\n  ')}\n)`,
    ...(partitions.length > 0 ? [`PARTITIONED BY (${partitions.join(', ')})`] : []),
    ...parts.storage,
    `LOCATION ${hiveString(parts.location)}`,
  ].join('\n')
}
