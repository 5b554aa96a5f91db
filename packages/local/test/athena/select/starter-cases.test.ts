import { expect, test } from 'vitest'
import { starterCases } from './conformance'
import { runStarterCases } from './starter-cases'

test('the 144 starter cases are equal or refused by name, none different', async () => {
  const outcomes = await runStarterCases(starterCases())
  expect(outcomes).toHaveLength(144)
  expect(outcomes.filter((outcome) => outcome.verdict === 'wrong')).toEqual([])
  for (const outcome of outcomes.filter((candidate) => candidate.verdict === 'refused')) {
    expect(outcome.detail).toMatch(/^NOT_SUPPORTED_LOCALLY: \S/)
  }
  expect(outcomes.filter((outcome) => outcome.verdict === 'equal').length).toBeGreaterThanOrEqual(130)
})
