import { AthenaFailure, type SelectEngine } from '../../../src/athena/query-engine'
import { createSelectEngine } from '../../../src/athena/select-engine'

/** A case of starter-cases.json: name, statement, expected rows as JSON or ERR. */
export interface StarterCase {
  readonly name: string
  readonly sql: string
  readonly expected: string
}

/** Outcome of one case. `detail` = the construct refused, or what came instead. */
export interface StarterOutcome {
  readonly name: string
  readonly sql: string
  readonly verdict: 'equal' | 'refused' | 'wrong'
  readonly detail: string
}

/** Runs the cases one by one on an engine of their own. */
export async function runStarterCases(cases: readonly StarterCase[]): Promise<StarterOutcome[]> {
  const engine = await createSelectEngine()
  try {
    const outcomes: StarterOutcome[] = []
    for (const item of cases) outcomes.push(await runCase(engine, item))
    return outcomes
  } finally {
    await engine.close()
  }
}

/** Rows of a statement without tables, as text cells with the type of each column. */
export async function queryRows(engine: SelectEngine, sql: string): Promise<{ rows: (string | null)[][]; types: string[] }> {
  const compiled = await engine.compile(sql, {
    database: 'default',
    resolver: {
      async resolve(database, table) {
        throw new AthenaFailure(`TABLE_NOT_FOUND: Table 'awsdatacatalog.${database}.${table}' does not exist`)
      },
    },
  })
  const rows: (string | null)[][] = []
  for await (const batch of engine.run(compiled, {})) for (const row of batch) rows.push([...row])
  return { rows, types: compiled.columns.map((column) => column.fullType) }
}

async function runCase(engine: SelectEngine, { name, sql, expected }: StarterCase): Promise<StarterOutcome> {
  try {
    const { rows } = await queryRows(engine, sql)
    if (expected === 'ERR') return { name, sql, verdict: 'wrong', detail: `${JSON.stringify(rows)} instead of an error` }
    const wanted = (JSON.parse(expected) as unknown[][]).map((row) => row.map(cell))
    const found = rows.map((row) => row.map((value, index) => numberLike(value, wanted, index)))
    const same = JSON.stringify(found) === JSON.stringify(wanted)
    return { name, sql, verdict: same ? 'equal' : 'wrong', detail: same ? '' : `${JSON.stringify(rows)} instead of ${expected}` }
  } catch (error) {
    if (!(error instanceof AthenaFailure)) return { name, sql, verdict: 'wrong', detail: `broke with ${String(error)}` }
    if (error.message.startsWith('NOT_SUPPORTED_LOCALLY')) return { name, sql, verdict: 'refused', detail: error.message }
    const athenaLike = /^[A-Z][A-Z_]+: /.test(error.message) && !error.message.startsWith('GENERIC_INTERNAL_ERROR')
    if (expected === 'ERR' && athenaLike) return { name, sql, verdict: 'equal', detail: error.message }
    return {
      name,
      sql,
      verdict: 'wrong',
      detail: `${error.message} (expected ${expected})${error.cause === undefined ? '' : `\n      cause: ${String(error.cause)}`}`,
    }
  }
}

// The file holds JSON values; results hold text in Athena's form.
function cell(value: unknown): string | null {
  if (value === null) return null
  return text(value)
}

function text(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return `[${value.map(text).join(', ')}]`
  return String(value)
}

// Doubles print as 1704164645 in the file and as 1.704164645E9 in a result: equal numbers count as equal text.
function numberLike(value: string | null, wanted: readonly (string | null)[][], column: number): string | null {
  if (value === null || !/^-?\d+(?:\.\d+)?E-?\d+$|^-?\d+\.0$/.test(value)) return value
  const same = wanted
    .map((row) => row[column])
    .find((candidate) => candidate != null && candidate !== '' && Number(candidate) === Number(value) && !/E/.test(candidate))
  return same ?? value
}
