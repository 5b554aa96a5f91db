import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { starterCases } from '../select/conformance'
import { runStarterCases } from '../select/starter-cases'
import { type CaseFile, type CaseOutcome, runExpressionCases } from './run-expressions'
import { runStatementCases } from './run-statements'

/** A part of the conformance table, with what became of its cases. */
export interface ConformancePart {
  readonly name: string
  readonly outcomes: readonly CaseOutcome[]
}

/** The cases of `cases/`, a file a topic. */
export function caseFiles(): CaseFile[] {
  const folder = join(import.meta.dirname, 'cases')
  const names = readdirSync(folder).sort()
  return names.map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as CaseFile)
}

/** Runs the whole table. */
export async function runConformance(): Promise<ConformancePart[]> {
  return [
    { name: 'starter expressions', outcomes: await runStarterCases(starterCases()) },
    { name: 'starter statements', outcomes: await runStatementCases() },
    { name: 'expressions by topic', outcomes: await runExpressionCases(caseFiles()) },
  ]
}

/** Runs all cases and prints what became of them. Returns the number of wrong ones. */
export async function reportConformance(print: (line: string) => void): Promise<number> {
  const parts = await runConformance()
  const count = (outcomes: readonly CaseOutcome[], verdict: CaseOutcome['verdict']) =>
    outcomes.filter((outcome) => outcome.verdict === verdict).length
  const totals = (outcomes: readonly CaseOutcome[]) =>
    `equal ${count(outcomes, 'equal')}, refused ${count(outcomes, 'refused')}, wrong ${count(outcomes, 'wrong')} (of ${outcomes.length})`
  for (const verdict of ['refused', 'wrong'] as const) {
    for (const { outcomes } of parts) {
      for (const outcome of outcomes.filter((one) => one.verdict === verdict)) {
        print(`${verdict.padEnd(8)} ${outcome.sql.replaceAll(/\s+/g, ' ')}\n         ${outcome.detail}`)
      }
    }
  }
  for (const { name, outcomes } of parts) print(`${name}: ${totals(outcomes)}`)
  const all = parts.flatMap(({ outcomes }) => outcomes)
  print(`conformance: ${totals(all)}`)
  return count(all, 'wrong')
}
