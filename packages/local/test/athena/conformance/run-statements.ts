import { type AthenaServer, finished, startAthena } from '../athena-server'
import starter from '../starter-cases.json'
import type { CaseOutcome } from './run-expressions'
import { type StatementCase, statementCases } from './statement-cases'

/** Runs the statements of the starter cases, each in a database and a folder of its own, and asserts what they do. */
export async function runStatementCases(): Promise<CaseOutcome[]> {
  const athena = await startAthena()
  try {
    const outcomes: CaseOutcome[] = []
    for (const [index, { name, sql }] of starter.statements.entries()) {
      const expected = statementCases.find((one) => one.name === name)
      if (!expected) outcomes.push({ name, sql, verdict: 'wrong', detail: 'it has no expectation' })
      else outcomes.push(await runCase(athena, `c${index}`, sql, expected))
    }
    return outcomes
  } finally {
    await athena.close()
  }
}

async function runCase(athena: AthenaServer, database: string, sql: string, expected: StatementCase): Promise<CaseOutcome> {
  const placed = (text: string) => text.replaceAll('s3://b/', `s3://lake/${database}/`).replaceAll(/my-db|\bdb\b/g, database)
  const context = { QueryExecutionContext: { Database: database } }
  const outcome = (verdict: CaseOutcome['verdict'], detail: string): CaseOutcome => ({
    name: expected.name,
    sql,
    verdict,
    detail,
  })
  try {
    for (const [key, body] of Object.entries(expected.objects ?? {})) await athena.files.put('lake', `${database}/${key}`, body)
    if (expected.name !== 'CREATE DATABASE') await athena.ok(`CREATE DATABASE ${database}`)
    for (const statement of expected.before ?? []) await athena.ok(placed(statement), context)
    const { parameters } = expected
    const input = { ...context, ...(parameters && { ExecutionParameters: [...parameters] }) }
    const execution = await athena.run(placed(sql), input)
    const reason = execution.Status?.StateChangeReason ?? ''
    if (execution.Status?.State !== 'SUCCEEDED') {
      const isRefused = reason.startsWith('NOT_SUPPORTED_LOCALLY: ') && (expected.refused?.test(reason) ?? false)
      return outcome(isRefused ? 'refused' : 'wrong', reason)
    }
    if (expected.refused) return outcome('wrong', 'it ran, and was to be refused')
    if (expected.rows) same(await rowsOf(athena, execution.QueryExecutionId as string), expected.rows, placed)
    for (const [query, rows] of Object.entries(expected.after ?? {}))
      same(await athena.rows(placed(query), context), rows, placed)
    for (const [folder, count] of Object.entries(expected.files ?? {})) {
      const found = athena.files.list('lake', `${database}/${folder}`).length
      if (found !== count) return outcome('wrong', `${found} files below ${folder}, not ${count}`)
    }
    await expected.check?.(athena, { database, bucket: `lake/${database}` })
    return outcome('equal', '')
  } catch (error) {
    return outcome('wrong', error instanceof Error ? error.message : String(error))
  }
}

async function rowsOf(athena: AthenaServer, id: string): Promise<(string | null)[][]> {
  const execution = await finished(athena.client, id)
  const { GetQueryResultsCommand } = await import('@aws-sdk/client-athena')
  const page = await athena.client.send(new GetQueryResultsCommand({ QueryExecutionId: id }))
  const rows = (page.ResultSet?.Rows ?? []).map((row) => (row.Data ?? []).map((cell) => cell.VarCharValue ?? null))
  return execution.StatementType === 'DML' && execution.ResultConfiguration?.OutputLocation?.endsWith('.csv')
    ? rows.slice(1)
    : rows
}

function same(
  found: readonly (readonly (string | null)[])[],
  wanted: StatementCase['rows'],
  placed: (text: string) => string,
): void {
  const expected = (wanted ?? []).map((row) => row.map((cell) => (cell === null ? null : placed(cell))))
  if (JSON.stringify(found) === JSON.stringify(expected)) return
  throw new Error(`${JSON.stringify(found)} instead of ${JSON.stringify(expected)}`)
}
