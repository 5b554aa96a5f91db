import { ConfigError, type Duration } from '@pipe/core'
import type { CommandOutput } from '@pipe/core/internal'
import type { ArgsDef } from 'citty'
import type { Athena } from '../athena'
import type { ResultColumn } from '../result/row-plan'
import { unsafeRaw } from '../sql'
import { connectionArgs } from './arguments'
import { textTable } from './text-table'

/** Options of `query`. */
export const queryArgs: ArgsDef = {
  sql: { type: 'positional', description: 'The statement, between quotes', required: true },
  ...connectionArgs,
  rows: { type: 'string', description: 'Rows to show, at most', default: '100' },
  timeout: { type: 'string', description: "Stops it after that time, for example '5 minutes'" },
}

/** Values of {@link queryArgs}. */
export interface QueryCommandArgs {
  readonly sql: string
  readonly rows: string
  readonly json?: boolean
  readonly timeout?: string
}

/** Runs a statement that somebody typed, and shows its first rows. */
export async function queryCommand(
  athena: Athena,
  args: QueryCommandArgs,
  output: CommandOutput,
  signal: AbortSignal,
): Promise<number> {
  if (!/^[1-9]\d*$/.test(args.rows)) throw new ConfigError(`--rows ${args.rows} is not a whole number of rows, at least 1.`)
  const wanted = Number(args.rows)
  // The text is the caller's own: who runs this command may run any statement.
  const query = athena.query(unsafeRaw(args.sql), {
    returns: 'text',
    signal,
    ...(args.timeout === undefined ? {} : { timeout: args.timeout as Duration }),
    onProgress: ({ phase, done, unit }) =>
      output.progress(unit === 'ms' ? `${phase} ${(done / 1000).toFixed(1)} s` : `${phase} ${done} rows`),
  })
  const { columns, route } = await query.result()
  const report = await query.report()
  const rows: (string | null)[][] = []
  let isWhole = true
  for await (const row of query) {
    if (rows.length === wanted) {
      isWhole = false
      break
    }
    rows.push(row)
  }
  if (args.json) for (const row of rows) output.out(jsonLine(columns, row))
  else if (columns.length > 0)
    output.out(
      textTable(
        columns.map(({ name }) => name),
        rows,
        columns.map(({ type }) => isNumeric(type)),
      ),
    )
  const more = isWhole ? '' : ', there are more (--rows)'
  output.note(
    `${rows.length} rows${more}; ${(report.scannedBytes / 1e6).toFixed(2)} MB scanned, ${(report.elapsedMs / 1000).toFixed(1)} s, by ${route}, execution ${report.id}`,
  )
  return 0
}

function isNumeric(type: string): boolean {
  return /^(?:tinyint|smallint|integer|int|bigint|double|real|float|decimal)/i.test(type)
}

/**
 * A row as JSON that loses nothing: whole numbers with all their digits, decimals and everything else as text. An array when a name is there
 * twice, or when the row has other cells than columns.
 */
function jsonLine(columns: readonly ResultColumn[], row: readonly (string | null)[]): string {
  const cells = row.map((text, i) => jsonCell(columns[i]?.type ?? '', text))
  const names = columns.map(({ name }) => name)
  if (new Set(names).size !== names.length || names.length !== row.length) return `[${cells.join(',')}]`
  return `{${cells.map((cell, i) => `${JSON.stringify(names[i])}:${cell}`).join(',')}}`
}

function jsonCell(type: string, text: string | null): string {
  if (text === null) return 'null'
  const isPlain = /^(?:tinyint|smallint|integer|int|bigint|double|real|float|boolean)$/i.test(type)
  // NaN and Infinity are no JSON.
  return isPlain && /^(?:true|false|-?\d+(?:\.\d+)?(?:E-?\d+)?)$/.test(text) ? text : JSON.stringify(text)
}
