import { ConfigError } from '@pipe/core'
import { type JsonNode, readJsonSource } from './json-source'
import { parseMatcher, type Source } from './parse-matcher'
import { patternError } from './pattern-error'
import type { ValueMatcher } from './value-matcher'
import { isTooComplex, type WildcardParts } from './wildcard'

/** An event pattern: the JSON text of EventBridge, or the same as an object. */
export type PatternInput = string | Readonly<Record<string, unknown>>

/** One way to match: the entries of each field (any of them must match), by the field's dotted path, in order of the paths. */
export type PatternBranch = ReadonlyMap<string, readonly ValueMatcher[]>

/** A pattern that was read: any branch must match. Without `$or` there is one. */
export interface ParsedPattern {
  readonly text: string
  readonly branches: readonly PatternBranch[]
}

// EventBridge documents this bound for the combinations of `$or`.
const maxBranches = 1000

/** Names that make an array behind `$or` a field of that name, as event-ruler reads it. */
const reservedInOr = new Set([
  ...['exactly', 'equals-ignore-case', 'prefix', 'suffix', 'anything-but', 'exists', 'wildcard', 'numeric', 'cidr'],
  ...['=', '<', '<=', '>', '>=', 'regex', 'not-wildcard', 'not-equals-ignore-case', 'date-after', 'date-on-or-after'],
  ...['date-before', 'date-on-or-before', 'in-date-range', 'ip-address-in-range', 'ip-address-not-in-range'],
])

/**
 * Reads and checks an event pattern with the rules of EventBridge's own engine.
 *
 * @throws ConfigError `PIPE_PATTERN` with line, column and path of the mistake.
 */
export function parsePattern(pattern: PatternInput): ParsedPattern {
  const text = typeof pattern === 'string' ? pattern : textOfObject(pattern)
  const read = readJsonSource(text)
  if ('fault' in read) throw patternError({ text, at: read.fault.at, path: '' }, read.fault.problem, 'A pattern is JSON.')
  const { node } = read
  if (node.kind !== 'object') throw patternError({ text, at: node.at, path: '' }, 'Filter is not an object')
  const branches = readObject(node, { text, path: '' }, [new Map()])
  for (const branch of branches) checkComplexity(branch, text)
  return { text, branches: branches.map((branch) => new Map([...branch].sort(([a], [b]) => (a < b ? -1 : 1)))) }
}

function textOfObject(pattern: object): string {
  const lost = findLostDigits(pattern, '')
  if (lost !== undefined) {
    throw new ConfigError(`Event pattern (${lost}): an integer beyond 2^53 may have lost digits in JavaScript.`, {
      code: 'PIPE_PATTERN',
      hint: 'Give the pattern as JSON text.',
      details: { path: lost, line: 1, column: 1, reason: 'integer beyond 2^53' },
    })
  }
  return JSON.stringify(pattern) ?? 'null'
}

function findLostDigits(value: unknown, path: string): string | undefined {
  if (typeof value === 'number') return Number.isInteger(value) && !Number.isSafeInteger(value) ? path : undefined
  if (typeof value !== 'object' || value === null) return undefined
  for (const [key, item] of Object.entries(value)) {
    const lost = findLostDigits(item, Array.isArray(value) ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`)
    if (lost !== undefined) return lost
  }
  return undefined
}

type Branches = readonly ReadonlyMap<string, readonly ValueMatcher[]>[]

/** Adds the fields of an object to every branch. A field that stands twice counts the second time, as with AWS. */
function readObject(node: JsonNode & { kind: 'object' }, source: Source, branches: Branches): Branches {
  if (node.members.length === 0) throw patternError({ ...source, at: node.at }, 'Empty objects are not allowed')
  let all = branches
  for (const { key, value } of node.members) {
    const path = source.path === '' ? key : `${source.path}.${key}`
    const here = { ...source, path }
    const alternatives = key === '$or' ? alternativesOf(value) : undefined
    if (alternatives) {
      const before = all
      all = alternatives.flatMap((alternative) => readObject(alternative, source, before))
      if (all.length > maxBranches) {
        const hint = `EventBridge allows ${maxBranches} combinations.`
        throw patternError({ ...here, at: value.at }, `Rule is too complex - $or makes ${all.length} combinations`, hint)
      }
    } else if (value.kind === 'object') all = readObject(value, here, all)
    else if (value.kind === 'array') {
      const matchers = readList(value, here)
      all = all.map((branch) => new Map(branch).set(path, matchers))
    } else {
      const hint = `Put it into a list: ${JSON.stringify(key)}: [${source.text.slice(value.at).split(/[\s,}]/)[0]}].`
      throw patternError({ ...here, at: value.at }, `"${key}" must be an object or an array`, hint)
    }
  }
  return all
}

/** What `$or` joins: two or more objects without words of the engine. Everything else is a field named `$or`. */
function alternativesOf(value: JsonNode): readonly (JsonNode & { kind: 'object' })[] | undefined {
  if (value.kind !== 'array' || value.items.length < 2) return undefined
  const objects = value.items.filter((item) => item.kind === 'object')
  const isOr =
    objects.length === value.items.length && objects.every(({ members }) => members.every(({ key }) => !reservedInOr.has(key)))
  return isOr ? objects : undefined
}

function readList(node: JsonNode & { kind: 'array' }, source: Source): readonly ValueMatcher[] {
  if (node.items.length === 0)
    throw patternError({ ...source, at: node.at }, 'Empty arrays are not allowed', 'Name at least one value.')
  return node.items.map((item, i) => parseMatcher(item, { ...source, path: `${source.path}[${i}]` }))
}

function checkComplexity(branch: PatternBranch, text: string): void {
  for (const [path, matchers] of branch) {
    const wildcards = [...new Map(matchers.flatMap(wildcardsOf).map((parts) => [parts.join('\u0000'), parts])).values()]
    if (wildcards.length === 0 || !isTooComplex(wildcards)) continue
    const reason =
      'Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after a wildcard character'
    throw patternError({ text, at: 0, path }, reason)
  }
}

function wildcardsOf(matcher: ValueMatcher): readonly WildcardParts[] {
  if (matcher.kind === 'string') return matcher.test.op === 'wildcard' ? [matcher.test.parts] : []
  if (matcher.kind !== 'anything-but' || !('tests' in matcher.not)) return []
  return matcher.not.tests.flatMap((test) => (test.op === 'wildcard' ? [test.parts] : []))
}
