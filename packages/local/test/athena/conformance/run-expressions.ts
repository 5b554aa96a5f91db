import { AthenaFailure } from '../../../src/athena/query-engine'
import { createSelectEngine } from '../../../src/athena/select-engine'
import { queryRows } from '../select/starter-cases'

/** A query and what Athena answers: rows of cells in Athena's text form, or the code of its error. */
export interface ExpressionCase {
  readonly sql: string
  readonly rows?: readonly (readonly (string | null)[])[]
  readonly error?: string
}

/** Cases that a page of the documentation describes. */
export interface CaseFile {
  readonly page: string
  readonly cases: readonly ExpressionCase[]
}

/** What became of a case. `detail`: what was refused, or what came instead. */
export interface CaseOutcome {
  readonly name: string
  readonly sql: string
  readonly verdict: 'equal' | 'refused' | 'wrong'
  readonly detail: string
}

/** Runs the cases one by one on an engine of their own. */
export async function runExpressionCases(files: readonly CaseFile[]): Promise<CaseOutcome[]> {
  const engine = await createSelectEngine()
  const outcomes: CaseOutcome[] = []
  const run = async ({ sql, rows, error: code }: ExpressionCase): Promise<Pick<CaseOutcome, 'verdict' | 'detail'>> => {
    const expected = code ?? JSON.stringify(rows)
    try {
      const found = JSON.stringify((await queryRows(engine, sql)).rows)
      return found === expected
        ? { verdict: 'equal', detail: '' }
        : { verdict: 'wrong', detail: `${found} instead of ${expected}` }
    } catch (error) {
      if (!(error instanceof AthenaFailure)) return { verdict: 'wrong', detail: `broke with ${String(error)}` }
      if (error.message.startsWith('NOT_SUPPORTED_LOCALLY: ')) return { verdict: 'refused', detail: error.message }
      const isSame = code !== undefined && error.message.startsWith(`${code}: `)
      return { verdict: isSame ? 'equal' : 'wrong', detail: isSame ? '' : `${error.message} instead of ${expected}` }
    }
  }
  try {
    for (const { cases } of files) for (const one of cases) outcomes.push({ name: one.sql, sql: one.sql, ...(await run(one)) })
    return outcomes
  } finally {
    await engine.close()
  }
}
