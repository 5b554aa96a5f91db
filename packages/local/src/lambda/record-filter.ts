import { PipeError } from '@pipe/core'
import { type CompiledPattern, compilePattern, type PatternErrorDetails } from '@pipe/events'
import { AwsError } from '../service'

/** The filters of an event source mapping. */
export interface RecordFilter {
  /** The patterns as they were given. */
  readonly patterns: readonly string[]
  /** Whether one of the patterns takes the record. */
  matches(record: Readonly<Record<string, unknown>>): boolean
}

interface OnePattern {
  readonly compiled: CompiledPattern
  /** What the pattern wants the content to be; `undefined` when it does not look at it. */
  readonly content: 'json' | 'text' | undefined
}

const maxFilters = 5
const maxPatternLength = 4096

/**
 * Reads `FilterCriteria`. `content` is the part of a record that users write (`body`, `value`): a pattern for its fields takes records whose
 * content is a JSON object, a pattern for it as a text those that are none; others are passed over, as on AWS.
 *
 * @returns `undefined` when there are none.
 * @throws AwsError InvalidParameterValueException, with the place of the mistake in a pattern.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
 */
export function readRecordFilter(
  criteria: unknown,
  content: 'body' | 'value',
  keys: readonly string[],
): RecordFilter | undefined {
  if (criteria === undefined || criteria === null) return undefined
  const filters = (criteria as { readonly Filters?: unknown }).Filters
  if (filters === undefined || filters === null) return undefined
  if (!Array.isArray(filters)) throw invalid('FilterCriteria.Filters is no list.')
  if (filters.length === 0) return undefined
  if (filters.length > maxFilters)
    throw invalid(`FilterCriteria has ${filters.length} filters; at most ${maxFilters} are allowed.`)
  const texts = filters.map((filter: { readonly Pattern?: unknown } | null) => {
    const text = filter?.Pattern
    if (typeof text !== 'string' || text.length > maxPatternLength)
      throw invalid(`A filter needs a Pattern of at most ${maxPatternLength} characters.`)
    return text
  })
  const patterns = texts.map((text) => readPattern(text, content, keys))
  return {
    patterns: texts,
    matches(record) {
      const given = record[content]
      const parsed = typeof given === 'string' ? jsonObject(given) : undefined
      return patterns.some(({ compiled, content: wants }) => {
        if (wants === undefined) return compiled.matches(JSON.stringify({ ...record, [content]: undefined }))
        if ((wants === 'json') !== (parsed !== undefined)) return false
        if (parsed === undefined) return compiled.matches(JSON.stringify(record))
        // As text: the digits of large numbers stay.
        const rest = JSON.stringify({ ...record, [content]: undefined }).slice(1)
        return compiled.matches(`{${JSON.stringify(content)}:${parsed}${rest === '}' ? rest : `,${rest}`}`)
      })
    },
  }
}

function readPattern(text: string, content: string, keys: readonly string[]): OnePattern {
  let compiled: CompiledPattern
  try {
    compiled = compilePattern(text)
  } catch (error) {
    if (!PipeError.isInstance(error)) throw error
    const { reason, line, column } = error.details as PatternErrorDetails
    throw invalid(`Invalid filter pattern definition. ${reason} (line ${line}, column ${column})`)
  }
  const pattern = JSON.parse(text) as Readonly<Record<string, unknown>>
  const names = Object.keys(pattern).map((name) => name.split('.')[0]!)
  const unknown = names.find((name) => !keys.includes(name) && name !== '$or')
  if (unknown !== undefined)
    throw invalid(
      `Invalid filter pattern definition. A filter of this event source looks at ${keys.join(', ')}, not at ${unknown}.`,
    )
  return { compiled, content: contentOf(pattern, content) }
}

function contentOf(pattern: Readonly<Record<string, unknown>>, content: string): OnePattern['content'] {
  const own = Object.entries(pattern).find(([name]) => name === content || name.startsWith(`${content}.`))
  if (own) return Array.isArray(own[1]) && own[0] === content ? 'text' : 'json'
  const alternatives = pattern['$or']
  if (!Array.isArray(alternatives)) return undefined
  return alternatives.map((one) => contentOf(one as Readonly<Record<string, unknown>>, content)).find((one) => one !== undefined)
}

/** The text when it is a JSON object. */
function jsonObject(text: string): string | undefined {
  if (!/^\s*\{/.test(text)) return undefined
  try {
    JSON.parse(text)
    return text
  } catch {
    // No JSON: a plain text.
    return undefined
  }
}

function invalid(message: string): AwsError {
  return new AwsError('InvalidParameterValueException', message)
}
