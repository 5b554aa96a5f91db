import { PipeError } from '@pipe/core'
import { expect, it } from 'vitest'
import { type CompiledPattern, compilePattern, explainMatch } from '../../src/index'
import { randomPairs } from './random-pair'
import { referenceMatches } from './reference-matcher'

// PIPE_FUZZ_PAIRS=200000 for the proof.
const pairs = Number(process.env['PIPE_FUZZ_PAIRS'] ?? 2000)
const seed = Number(process.env['PIPE_FUZZ_SEED'] ?? 20_261_128)

it(`compiled and interpreted matcher agree on ${pairs} random pairs`, { timeout: 3_600_000 }, () => {
  let [matches, done] = [0, 0]
  for (const { pattern, event } of randomPairs(seed)) {
    if (done++ === pairs) break
    const compiled = compileUnlessComplex(pattern)
    if (!compiled) continue
    const expected = referenceMatches(pattern, event)
    if (compiled.matches(event) !== expected || compiled.matches(JSON.stringify(event)) !== expected) {
      expect.fail(`pair ${done}: ${expected} expected\n${JSON.stringify(pattern)}\n${JSON.stringify(event)}`)
    }
    if (done % 20 === 0) expect(explainMatch(pattern, event).matches).toBe(expected)
    if (expected) matches++
  }
  // Both verdicts must be frequent, else the pairs prove nothing.
  expect(matches).toBeGreaterThan(pairs / 50)
  expect(matches).toBeLessThan(pairs / 2)
})

/** Several wildcards of one field may be too complex together, which AWS refuses, too. */
function compileUnlessComplex(pattern: Readonly<Record<string, unknown>>): CompiledPattern | undefined {
  try {
    return compilePattern(pattern)
  } catch (error) {
    if (PipeError.isInstance(error) && error.message.includes('Rule is too complex')) return undefined
    throw error
  }
}
