import { expect, test } from 'vitest'
import starter from '../starter-cases.json'
import { caseFiles } from './report'
import { type CaseOutcome, runExpressionCases } from './run-expressions'
import { runStatementCases } from './run-statements'
import { statementCases } from './statement-cases'

const withVerdict = (outcomes: readonly CaseOutcome[], verdict: CaseOutcome['verdict']) =>
  outcomes.filter((outcome) => outcome.verdict === verdict)

test('the starter statements do what the documentation says, or are refused by name', async () => {
  expect(statementCases.map(({ name }) => name).sort()).toEqual(starter.statements.map(({ name }) => name).sort())
  const outcomes = await runStatementCases()
  expect(outcomes).toHaveLength(53)
  expect(withVerdict(outcomes, 'wrong')).toEqual([])
  expect(withVerdict(outcomes, 'equal').length).toBeGreaterThanOrEqual(38)
}, 240_000)

test('expressions by topic are equal or refused by name, none different', async () => {
  const files = caseFiles()
  const cases = files.flatMap((file) => file.cases)
  expect(cases.length + starter.expressions.length + starter.statements.length).toBeGreaterThanOrEqual(500)
  expect(new Set(cases.map(({ sql }) => sql)).size).toBe(cases.length)
  for (const { page } of files) expect(page).toMatch(/^https:\/\/(trino\.io\/docs|docs\.aws\.amazon\.com)\//)
  const outcomes = await runExpressionCases(files)
  expect(withVerdict(outcomes, 'wrong')).toEqual([])
}, 240_000)
