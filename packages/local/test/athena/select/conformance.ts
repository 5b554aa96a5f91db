import starter from '../starter-cases.json'
import type { StarterCase } from './starter-cases'

/** The 144 starter expressions. */
export function starterCases(): StarterCase[] {
  return starter.expressions.map(({ name, sql, expected }) => ({ name, sql, expected }))
}
