import starter from '../starter-cases.json'
import { runStarterCases, type StarterCase } from './starter-cases'

/** Cases whose expectation in the file was checked and found wrong, with the page that says so. */
export const overrides: Readonly<Record<string, { readonly expected: string; readonly source: string }>> = {}

/** The starter cases, with the overrides put in. */
export function starterCases(): StarterCase[] {
  return starter.expressions.map(({ name, sql, expected }) => ({ name, sql, expected: overrides[name]?.expected ?? expected }))
}

/** Runs all cases and prints what became of them. Returns the number of wrong ones. */
export async function reportConformance(print: (line: string) => void): Promise<number> {
  const outcomes = await runStarterCases(starterCases())
  const count = (verdict: string): number => outcomes.filter((outcome) => outcome.verdict === verdict).length
  for (const verdict of ['refused', 'wrong']) {
    for (const outcome of outcomes.filter((candidate) => candidate.verdict === verdict))
      print(`${verdict.padEnd(8)} ${outcome.name}: ${outcome.detail}\n         ${outcome.sql}`)
  }
  for (const [name, { expected, source }] of Object.entries(overrides)) print(`override ${name}: ${expected} (${source})`)
  print(`equal ${count('equal')}, refused ${count('refused')}, wrong ${count('wrong')} (of ${outcomes.length})`)
  return count('wrong')
}
