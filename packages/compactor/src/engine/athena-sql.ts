import { identifier, joinSql, list, type SqlFragment, sql, unsafeRaw } from '@pipe/athena-query'
import { type Column, type ColumnType, ConfigError, type Table, typeName } from '@pipe/core'
import { objectPattern } from './line-pattern'

/** The column of a raw-line table. */
const line = identifier('line')
/** The object that a line comes from. */
export const path: SqlFragment = identifier('$path')

/** What a raw-line table is asked for: some objects of one partition. */
export interface LinesQuery {
  readonly table: string
  /** Values of the partition columns. Empty for a table without partitions. */
  readonly partition: Readonly<Record<string, string>>
  /** `s3://bucket/key`. Absent: all that the table holds. */
  readonly paths?: readonly string[] | undefined
}

/** Per object, how many lines it has and how many of them are certain. */
export function countSql(table: Table, query: LinesQuery): SqlFragment {
  return sql`SELECT ${path} AS path, count(*) AS lines, count_if(${isCertain(table)}) AS certain
FROM ${identifier(query.table)}${conditions(query)}
GROUP BY ${path}`
}

/** Whether SQL can find any line of the table certain. */
export function hasCertainLines(table: Table): boolean {
  return objectPattern(table.columns, Object.keys(table.columns), 'sql') !== undefined
}

/** Whether a line is one that every reader reads alike. The pattern is the whole proof, so it is anchored at both ends. */
export function isCertain(table: Table): SqlFragment {
  const pattern = objectPattern(table.columns, Object.keys(table.columns), 'sql')
  return pattern === undefined ? sql`false` : sql`regexp_like(${line}, ${`^${pattern}$`})`
}

/** The rows of certain lines: of objects in the raw-line table, of a clean object in a scratch table, or of both. */
export function rowsSql(table: Table, query: LinesQuery | undefined, cleanTable: string | undefined): SqlFragment {
  const sources = [
    ...(query === undefined ? [] : [sql`SELECT ${line} FROM ${identifier(query.table)}${conditions(query)}`]),
    ...(cleanTable === undefined ? [] : [sql`SELECT ${line} FROM ${identifier(cleanTable)}`]),
  ]
  const columns = Object.entries(table.columns).map(
    ([name, column]) => sql`${valueSql(name, column.type)} AS ${identifier(name)}`,
  )
  return sql`SELECT ${joinSql(columns, ',\n')}
FROM (${joinSql(sources, '\nUNION ALL\n')})`
}

function conditions({ partition, paths }: LinesQuery): SqlFragment {
  const all = Object.entries(partition).map(([name, value]) => sql`${identifier(name)} = ${value}`)
  if (paths !== undefined) all.push(sql`${path} IN ${list(paths)}`)
  return all.length === 0 ? sql`` : sql`\nWHERE ${joinSql(all, ' AND ')}`
}

/** Of the rows with equal keys the least, by all columns in their order, as the in-process engine keeps it. */
export function dedupeSql(table: Table, rows: SqlFragment, by: readonly string[]): SqlFragment {
  if (by.length === 0) return rows
  const names = Object.keys(table.columns).map((name) => identifier(name))
  const keys = joinSql(by.map((name) => identifier(name)))
  const order = joinSql(names.map((name) => sql`${name} ASC NULLS LAST`))
  const rank = sql`row_number() OVER (PARTITION BY ${keys} ORDER BY ${order})`
  return sql`SELECT ${joinSql(names)}
FROM (SELECT ${joinSql(names)}, ${rank} AS pipe_rank FROM (${rows}))
WHERE pipe_rank = 1`
}

/** How many of the rows are left out by {@link dedupeSql}, counted apart from it. */
export function duplicatesSql(rows: SqlFragment, by: readonly string[]): SqlFragment {
  const keys = joinSql(by.map((name) => identifier(name)))
  return sql`SELECT (SELECT count(*) FROM (${rows})) - (SELECT count(*) FROM (SELECT DISTINCT ${keys} FROM (${rows}))) AS duplicates`
}

/** All columns of a table of committed files. */
export function columnsSql(table: Table, from: string): SqlFragment {
  return sql`SELECT ${joinSql(Object.keys(table.columns).map((name) => identifier(name)))} FROM ${identifier(from)}`
}

/** The value of a column in a certain line. */
export function valueSql(name: string, type: ColumnType): SqlFragment {
  const text = sql`json_extract_scalar(${line}, ${`$.${name}`})`
  if (type.kind === 'string') return text
  // By way of a double, as the readers of NDJSON do: text rounded to 32 bits at once can differ in the last digit.
  if (type.kind === 'float') return sql`CAST(CAST(${text} AS double) AS real)`
  return sql`CAST(${text} AS ${unsafeRaw(typeName(type, 'trino'))})`
}

/**
 * Refuses columns that the Athena engine cannot read from lines or write by CTAS.
 *
 * @throws {@link ConfigError} `PIPE_COMPACT_COLUMN`
 */
export function checkAthenaColumns(table: Table): void {
  for (const [name, column] of Object.entries(table.columns)) {
    const problem = problemOf(column)
    if (problem) {
      throw new ConfigError(`The Athena engine cannot write "${name}" of ${table.name}: ${problem}.`, {
        code: 'PIPE_COMPACT_COLUMN',
        hint: 'Use inProcessEngine() for this table, or another type.',
      })
    }
  }
}

function problemOf({ type }: Column): string | undefined {
  switch (type.kind) {
    case 'array':
    case 'map':
    case 'struct':
      return `it reads flat columns only, not ${type.kind}`
    case 'binary':
      return 'it does not read binary from JSON'
    case 'timestamp':
      // CTAS fails: "Incorrect timestamp precision for timestamp(6); the configured precision is MILLISECONDS".
      return type.zone
        ? 'Hive tables have no time zones'
        : type.precision > 3
          ? 'CTAS writes timestamps to milliseconds only'
          : undefined
    default:
      return undefined
  }
}

/** A column by which CTAS may bucket; with a bucket count of one it makes one file. `undefined` when the table has none. */
export function bucketColumn(table: Table): string | undefined {
  for (const kind of ['string', 'bigint', 'integer', 'date', 'boolean']) {
    const found = Object.entries(table.columns).find(([, { type }]) => type.kind === kind)
    if (found) return found[0]
  }
  return undefined
}
