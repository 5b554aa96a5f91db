import type { RowOfColumns } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { csvRows } from './csv-rows'
import { checkReturns, declaredPlan, type Returns } from './row-plan'

/** Options of {@link readResultCsv}. */
export interface ResultCsvOptions<R extends Returns> {
  /** The columns, in the order of the file. */
  readonly returns: R
  /** Name of the file, for errors. */
  readonly file: string
  readonly signal?: AbortSignal | undefined
}

/**
 * Rows of a result CSV of Athena that is at hand, in batches: for who hears of a finished execution by an event, and reads its file without a
 * call to Athena. Streams; holds 64 KB and one row. As nobody tells the types, a text that is none of its column is what shows a wrong one.
 *
 * @throws {@link PipeError} `PIPE_ATHENA_RESULT` for a file that is cut off, damaged, or has other columns; `PIPE_ATHENA_NULL` and
 * `PIPE_ATHENA_VALUE` with row and column.
 * @example
 * ```ts
 * const object = await createObjectStore({ location: 's3://lake/results/' }).get(`${id}.csv`)
 * for await (const rows of readResultCsv(object!.stream(), { returns: { n: column.bigint() }, file: `${id}.csv` })) console.log(rows.length)
 * ```
 */
export function readResultCsv<const R extends Returns>(
  source: AsyncIterable<Uint8Array>,
  options: ResultCsvOptions<R>,
): AsyncGenerator<RowOfColumns<R>[]> {
  checkOptions('readResultCsv', options, { required: ['returns', 'file'], optional: ['signal'] })
  const { returns, file, signal } = options
  checkReturns(returns)
  const header = Object.keys(returns)
  const plan = declaredPlan(returns, header)
  return csvRows(source, { plan, header, file, signal }) as AsyncGenerator<RowOfColumns<R>[]>
}
