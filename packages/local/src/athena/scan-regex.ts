import type { LineDecoder } from './line-decoder'
import { toUtf8 } from './utf8'

/**
 * Decodes lines of RegexSerDe: the groups of a line that the expression matches as a whole, in order; NULLs for any other line, and for a
 * column behind the last group.
 *
 * @see Trino's RegexDeserializer
 */
export function regexLineDecoder(columns: number, pattern: RegExp): LineDecoder {
  return (line) => {
    const match = pattern.exec(toUtf8(line).toString())
    return Array.from({ length: columns }, (_, index) => match?.[index + 1] ?? null)
  }
}
