import { ConfigError, PipeError, type RowOf, type Table } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { maxStatementBytes, renderSql } from '../render'
import { identifier, joinSql, type SqlFragment, sql, unsafeRaw } from '../sql'
import { valueSql } from './value-sql'

/** Options of {@link insertSql}. */
export interface InsertOptions<T extends Table> {
  readonly table: T
  // The list stands first for the compiler's sake: about one wrong row it then says what is wrong with it, not with its iterator.
  readonly rows: readonly RowOf<T>[] | Iterable<RowOf<T>>
  /** When a row arrived, which decides about its partition: one instant for all rows, or one each. */
  readonly at: Date | ((row: RowOf<T>) => Date)
  /** Name of the table. Default: the name of the contract. */
  readonly name?: string | undefined
  /** Rows of a statement, at most. Default 1 000. */
  readonly maxRows?: number | undefined
}

/** A statement writes into at most so many partitions ("Using CTAS and INSERT INTO to work around the 100 partition limit", user guide). */
const maxPartitions = 100

/**
 * The statements `INSERT INTO … VALUES …` of rows: each holds at most `maxRows` rows, 100 partitions, and the bytes that Athena takes. Rows are
 * taken as the statements are. Each statement makes files of its own: for many rows, write files and add their partition instead.
 *
 * @throws {@link ConfigError} `PIPE_ATHENA_SQL` when a value is not one of its column, naming row and column.
 * @throws {@link PipeError} `PIPE_ATHENA_QUERY_TOO_LONG` when one row alone has more bytes than a statement may have.
 * @example
 * ```ts
 * for (const statement of insertSql({ table: deviceLogs, rows, at: new Date() })) await athena.execute(statement)
 * ```
 */
export function* insertSql<T extends Table>(options: InsertOptions<T>): Generator<SqlFragment> {
  checkOptions('insert', options, { required: ['table', 'rows', 'at'], optional: ['name', 'maxRows'] })
  const { table, at, maxRows = 1_000 } = options
  if (!Number.isInteger(maxRows) || maxRows < 1) throw new ConfigError(`insert: maxRows must be a whole number, not ${maxRows}.`)
  const columns = Object.entries(table.columns)
  const names = [...columns.map(([name]) => name), ...table.partitions.columns].map((name) => identifier(name))
  const head = sql`INSERT INTO ${identifier(options.name ?? table.name)} (${joinSql(names)}) VALUES\n`
  const headBytes = bytesOf(head)
  let batch: SqlFragment[] = []
  let bytes = headBytes
  let partitions = new Set<string>()
  let number = 0
  const statement = () => sql`${head}${joinSql(batch, unsafeRaw(',\n'))}`
  for (const row of options.rows) {
    number++
    const values = table.partitions.valuesOf(typeof at === 'function' ? at(row) : at)
    const partition = Object.values(values).join('/')
    const cells = columns.map(([name, column]) =>
      valueSql(column, (row as Record<string, unknown>)[name], `Row ${number}: "${name}"`),
    )
    const text = sql`(${joinSql([...cells, ...table.partitions.columns.map((name) => sql`${values[name]!}`)])})`
    const size = bytesOf(text) + 2
    if (headBytes + size > maxStatementBytes) {
      throw new PipeError(
        'PIPE_ATHENA_QUERY_TOO_LONG',
        `Row ${number} alone makes a statement of more than ${maxStatementBytes} bytes.`,
        {
          hint: 'Write it into a file of the table.',
          details: { row: number },
        },
      )
    }
    const isFull =
      batch.length === maxRows ||
      bytes + size > maxStatementBytes ||
      (partitions.size === maxPartitions && !partitions.has(partition))
    if (isFull) {
      yield statement()
      batch = []
      bytes = headBytes
      partitions = new Set()
    }
    batch.push(text)
    bytes += size
    partitions.add(partition)
  }
  if (batch.length > 0) yield statement()
}

function bytesOf(fragment: SqlFragment): number {
  return Buffer.byteLength(renderSql(fragment, 'trino'))
}
