import { addressDigits, addressRange } from './ip-address'
import { comparableNumber } from './json-number'
import type { JsonMember, JsonNode } from './json-source'
import { type PatternPlace, patternError } from './pattern-error'
import type { NumericRange, StringTest, ValueMatcher } from './value-matcher'
import { parseWildcard, type WildcardParts } from './wildcard'

const operators =
  'Operators are prefix, suffix, equals-ignore-case, wildcard, anything-but, numeric, exists and cidr, in lower case.'

/** What is being read: the text of the pattern, and the place by name. */
export interface Source {
  readonly text: string
  readonly path: string
}

const fail = (source: Source, at: number, reason: string, hint?: string): never => {
  const place: PatternPlace = { ...source, at }
  throw patternError(place, reason, hint)
}
const below = (source: Source, name: string): Source => ({ ...source, path: `${source.path}.${name}` })

/** Reads one entry of a field's list. @throws ConfigError `PIPE_PATTERN` for what EventBridge refuses. */
export function parseMatcher(node: JsonNode, source: Source): ValueMatcher {
  const json = jsonOf(node)
  switch (node.kind) {
    case 'string': {
      const digits = addressDigits(node.value)
      return digits === undefined
        ? { kind: 'text', source: json, text: node.value }
        : { kind: 'address', source: json, text: node.value, digits }
    }
    case 'number':
      return { kind: 'number', source: json, text: node.text, number: comparableNumber(node.text) }
    case 'literal':
      return { kind: 'literal', source: json, value: node.value }
    case 'array':
      return fail(
        source,
        node.at,
        'Match value must be String, number, true, false, or null',
        'Write the values side by side in one list.',
      )
    case 'object':
      return { ...parseExpression(node, source), source: json }
  }
}

// Distributes over the union, which Omit alone does not.
type Unsourced<M> = M extends unknown ? Omit<M, 'source'> : never

function parseExpression(node: JsonNode & { kind: 'object' }, source: Source): Unsourced<ValueMatcher> {
  const [operator, second] = node.members
  if (!operator) return fail(source, node.at, 'Match expression name not found', operators)
  const at = below(source, operator.key)
  const matcher = parseOperator(operator, at)
  if (second)
    fail(
      below(source, second.key),
      second.at,
      'Only one key allowed in match expression',
      'Make it two entries of the list: they are joined by OR.',
    )
  return matcher
}

function parseOperator({ key, at, value }: JsonMember, source: Source): Unsourced<ValueMatcher> {
  switch (key) {
    case 'exactly':
      return { kind: 'text', text: textOf(value, source, 'exact match pattern must be a string') }
    case 'prefix':
    case 'suffix':
      return { kind: 'string', test: parseAffix(key, value, source) }
    case 'equals-ignore-case':
      return {
        kind: 'string',
        test: { op: key, text: textOf(value, source, 'equals-ignore-case match pattern must be a string') },
      }
    case 'wildcard':
      return { kind: 'string', test: { op: key, parts: wildcardOf(value, source) } }
    case 'numeric':
      return { kind: 'numeric', range: parseNumeric(value, source) }
    case 'anything-but':
      return { kind: 'anything-but', not: parseAnythingBut(value, source) }
    case 'exists':
      if (value.kind !== 'literal' || value.value === null) {
        return fail(source, value.at, 'exists match pattern must be either true or false.')
      }
      return { kind: 'exists', exists: value.value }
    case 'cidr': {
      const range = addressRange(textOf(value, source, 'prefix match pattern must be a string'))
      if (typeof range === 'string') return fail(source, value.at, range, 'Write a block like 10.0.0.0/24 or 2001:db8::/32.')
      return { kind: 'cidr', ...range }
    }
    default:
      return fail(source, at, `Unrecognized match type ${key}`, operators)
  }
}

function parseAffix(op: 'prefix' | 'suffix', value: JsonNode, source: Source): StringTest {
  if (value.kind !== 'object') return { op, text: textOf(value, source, `${op} match pattern must be a string`) }
  const [inner, second] = value.members
  if (!inner) return fail(source, value.at, `${op === 'prefix' ? 'Prefix' : 'Suffix'} expression name not found`)
  if (inner.key !== 'equals-ignore-case') {
    return fail(
      source,
      inner.at,
      `Unsupported ${op} pattern: ${inner.key}`,
      `${op} takes a text or {"equals-ignore-case": text}.`,
    )
  }
  const text = textOf(inner.value, below(source, inner.key), 'equals-ignore-case match pattern must be a string')
  if (second) fail(source, second.at, 'Only one key allowed in match expression')
  return { op: `${op}-ignore-case`, text }
}

type AnythingBut = Extract<ValueMatcher, { kind: 'anything-but' }>['not']

function parseAnythingBut(value: JsonNode, source: Source): AnythingBut {
  if (value.kind === 'object') return parseAnythingButTest(value, source)
  if (value.kind === 'literal') {
    return fail(source, value.at, 'Value of anything-but must be an array or single string/number value.')
  }
  const items = value.kind === 'array' ? value.items : [value]
  const [texts, numbers]: [string[], number[]] = [[], []]
  for (const item of items) {
    if (item.kind === 'string') texts.push(item.value)
    else if (item.kind === 'number') numbers.push(numberOf(item, source))
    else fail(source, item.at, 'Inside anything but list, start|null|boolean is not supported.')
  }
  if (texts.length > 0 === numbers.length > 0) {
    const reason = 'Inside anything but list, either all values are number or string, mixed type is not supported'
    return fail(source, value.at, reason)
  }
  return texts.length > 0 ? { texts } : { numbers }
}

function parseAnythingButTest(value: JsonNode & { kind: 'object' }, source: Source): AnythingBut {
  const [operator, second] = value.members
  if (!operator) return fail(source, value.at, 'Anything-But expression name not found')
  const { key, value: operand } = operator
  if (key !== 'prefix' && key !== 'suffix' && key !== 'equals-ignore-case' && key !== 'wildcard') {
    const hint = 'anything-but takes a text, a number, a list of one of them, or prefix, suffix, equals-ignore-case, wildcard.'
    return fail(source, operator.at, `Unsupported anything-but pattern: ${key}`, hint)
  }
  const at = below(source, key)
  if (operand.kind === 'object' || operand.kind === 'literal') {
    return fail(at, operand.at, 'Value of anything-but must be an array or single string/number value.')
  }
  const items = operand.kind === 'array' ? operand.items : [operand]
  if (items.length === 0) return fail(at, operand.at, 'Empty arrays are not allowed', 'Name at least one text.')
  const tests = items.map((item): StringTest => {
    if (key === 'wildcard') return { op: key, parts: wildcardOf(item, at) }
    if (key === 'equals-ignore-case') {
      const reason = 'Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.'
      return { op: key, text: textOf(item, at, reason) }
    }
    const text = textOf(item, at, 'prefix/suffix match pattern must be a string')
    if (text === '') fail(at, item.at, 'Null prefix/suffix not allowed', 'An empty one would exclude every text.')
    return { op: key, text }
  })
  if (second) fail(source, second.at, 'Only one key allowed in match expression')
  return { tests }
}

function parseNumeric(value: JsonNode, source: Source): NumericRange {
  if (value.kind !== 'array')
    return fail(source, value.at, 'Value of numeric must be an array.', 'Write {"numeric": [">", 0, "<=", 5]}.')
  const [operator, operand, second, top, ...more] = value.items
  if (operator?.kind !== 'string') {
    return fail(source, (operator ?? value).at, `Invalid member in numeric match: ${operator ? jsonOf(operator) : ']'}`)
  }
  const op = operator.value
  if (!['=', '<', '<=', '>', '>='].includes(op)) {
    return fail(source, operator.at, `Unrecognized numeric range operator: ${op}`, 'Operators are =, <, <=, > and >=.')
  }
  const name = op === '=' ? 'equals' : op
  if (operand?.kind !== 'number') return fail(source, (operand ?? operator).at, `Value of ${name} must be numeric`)
  const number = numberOf(operand, source)
  const lower = op === '>' || op === '>='
  if (second === undefined) {
    if (op === '=') return { bottom: number, bottomOpen: false, top: number, topOpen: false }
    return lower
      ? { bottom: number, bottomOpen: op === '>', top: Number.POSITIVE_INFINITY, topOpen: false }
      : { bottom: Number.NEGATIVE_INFINITY, bottomOpen: false, top: number, topOpen: op === '<' }
  }
  if (!lower) return fail(source, second.at, 'Too many elements in numeric expression', 'A range names the lower bound first.')
  if (second.kind !== 'string') return fail(source, second.at, `Bad value in numeric range: ${jsonOf(second)}`)
  if (second.value !== '<' && second.value !== '<=') {
    return fail(source, second.at, `Bad numeric range operator: ${second.value}`, 'After the lower bound comes < or <=.')
  }
  if (top?.kind !== 'number') return fail(source, (top ?? second).at, `Value of ${second.value} must be numeric`)
  if (more.length > 0) return fail(source, more[0]!.at, 'Too many terms in numeric range expression')
  const upper = numberOf(top, source)
  if (number >= upper)
    return fail(source, operand.at, 'Bottom must be less than top', 'One number alone is {"numeric": ["=", 5]}.')
  return { bottom: number, bottomOpen: op === '>', top: upper, topOpen: second.value === '<' }
}

function textOf(node: JsonNode, source: Source, reason: string): string {
  return node.kind === 'string' ? node.value : fail(source, node.at, reason)
}

function wildcardOf(node: JsonNode, source: Source): WildcardParts {
  const text = textOf(node, source, 'wildcard match pattern must be a string')
  const parts = parseWildcard(text)
  if ('reason' in parts) return fail(source, node.at + 1 + parts.at, parts.reason, 'A star of the text is \\*, a backslash \\\\.')
  return parts
}

function numberOf(node: JsonNode & { kind: 'number' }, source: Source): number {
  const number = comparableNumber(node.text)
  const hint = 'It has more digits than a double holds; AWS compares such numbers as exact values only.'
  return number ?? fail(source, node.at, `Cannot compare number : ${node.text}`, hint)
}

/** The JSON of a node, with every digit. */
export function jsonOf(node: JsonNode): string {
  switch (node.kind) {
    case 'object':
      return `{${node.members.map(({ key, value }) => `${JSON.stringify(key)}:${jsonOf(value)}`).join(',')}}`
    case 'array':
      return `[${node.items.map(jsonOf).join(',')}]`
    case 'number':
      return node.text
    default:
      return JSON.stringify(node.value)
  }
}
