import { DuckDBInstance } from '@duckdb/node-api'
import { readNdjson, type Table, toText, type UnreadableRow } from '@pipe/core'

/** Rows of a Parquet file as text, exactly: doubles by their shortest digits, NULL as null. */
export async function parquetRows(path: string, table: Table): Promise<unknown[][]> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const names = Object.entries(table.columns).map(([name, { type }]) => {
    if (type.kind === 'timestamp') return `strftime("${name}", '%Y-%m-%d %H:%M:%S.%g') AS "${name}"`
    // Not CAST, which writes the year 0 as 1 (BC).
    if (type.kind === 'date') return `strftime("${name}", '%Y-%m-%d') AS "${name}"`
    // As hexadecimal digits: the client drops a byte order mark at the start of a text.
    if (type.kind === 'string') return `hex("${name}") AS "${name}"`
    if (type.kind === 'double' || type.kind === 'float') return `"${name}"`
    return `CAST("${name}" AS VARCHAR) AS "${name}"`
  })
  const reader = await connection.runAndReadAll(`SELECT ${names.join(', ')} FROM read_parquet('${path}')`)
  const kinds = Object.values(table.columns).map(({ type }) => type.kind)
  const rows = (reader.getRows() as unknown[][]).map((row) =>
    row.map((value, i) => (kinds[i] === 'string' && typeof value === 'string' ? Buffer.from(value, 'hex').toString() : value)),
  )
  connection.closeSync()
  instance.closeSync()
  return rows
}

export function textOf(table: Table, row: Record<string, unknown>): unknown[] {
  return Object.entries(table.columns).map(([name, { type }]) => {
    const value = row[name] ?? null
    if (value === null || type.kind === 'double' || type.kind === 'float') return value
    return toText(type, value)
  })
}

/** What core's reader makes of a file: the truth that the engine has to meet. */
export async function readByCore(bytes: Buffer, file: string, table: Table, expectedRows?: number) {
  const rows: unknown[][] = []
  const unreadable: UnreadableRow[] = []
  async function* source() {
    yield bytes
  }
  for await (const batch of readNdjson(source(), { table, file, expectedRows })) {
    rows.push(...batch.rows.map((row) => textOf(table, row as Record<string, unknown>)))
    unreadable.push(...batch.unreadable)
  }
  return { rows, unreadable }
}
