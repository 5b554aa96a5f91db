import { type EventContract, nameOf } from '../contract/contract'
import type { JsonSchema } from '../contract/shape'
import { type PatternBranch, type PatternInput, parsePattern } from './parse-pattern'
import type { PatternRule } from './rule-index'
import { type Leaf, matchesValue, type NumericRange, type ValueMatcher } from './value-matcher'

/** What {@link reviewRules} found. */
export interface RuleReview {
  /** Rules that no event of any contract can match, with the reason for each contract. */
  readonly neverMatching: readonly {
    readonly rule: string
    readonly reasons: readonly { readonly contract: string; readonly reason: string }[]
  }[]
  /** Contracts whose events no rule can match, as `source detail-type`. */
  readonly withoutRule: readonly string[]
}

/**
 * Finds rules that can never match and events that nobody receives. Sources, detail types and the fields that EventBridge itself writes are
 * always looked at; the detail as far as the contract's schema can be read as JSON Schema (`shape`, and libraries with Standard JSON Schema).
 *
 * @throws ConfigError `PIPE_PATTERN` for a wrong pattern.
 * @example
 * ```ts
 * reviewRules({ rules: [{ name: 'big', pattern: bigOrders }], contracts: [orderPlaced, orderCancelled] })
 * // { neverMatching: [], withoutRule: ['com.shop.orders OrderCancelled'] }
 * ```
 */
export function reviewRules(given: {
  readonly rules: readonly PatternRule[]
  readonly contracts: readonly EventContract[]
}): RuleReview {
  const { rules, contracts } = given
  const reached = new Set<EventContract>()
  const neverMatching: RuleReview['neverMatching'][number][] = []
  for (const { name, pattern } of rules) {
    const reasons = contracts.flatMap((contract) => {
      const reason = whyNever(pattern, contract)
      if (reason === undefined) reached.add(contract)
      return reason === undefined ? [] : [{ contract: nameOf(contract), reason }]
    })
    if (reasons.length === contracts.length) neverMatching.push({ rule: name, reasons })
  }
  return { neverMatching, withoutRule: contracts.filter((contract) => !reached.has(contract)).map(nameOf) }
}

/**
 * Why a pattern can never match an event of a contract; `undefined` when it can, or when the contract does not tell.
 *
 * @throws ConfigError `PIPE_PATTERN` for a wrong pattern.
 * @example
 * ```ts
 * whyNever({ source: ['com.shop.order'] }, orderPlaced) // 'source is "com.shop.orders", the pattern asks ["com.shop.order"]'
 * ```
 */
export function whyNever(pattern: PatternInput, contract: EventContract): string | undefined {
  const envelope = envelopeOf(contract)
  const reasons = parsePattern(pattern).branches.map((branch) => whyBranch(branch, envelope))
  return reasons.includes(undefined) ? undefined : reasons[0]
}

function whyBranch(branch: PatternBranch, envelope: JsonSchema): string | undefined {
  for (const [path, matchers] of branch) {
    const field = fieldOf(envelope, path)
    if (matchers.some((matcher) => isPossible(matcher, field))) continue
    const wanted = `the pattern asks [${matchers.map(({ source }) => source).join(',')}]`
    return `${path} ${field.leaves.length === 0 ? 'is no field with a value' : textOf(field)}, ${wanted}`
  }
  return undefined
}

/** The schema of whole events. What EventBridge writes itself is known. */
function envelopeOf({ source, detailType, version, jsonSchema }: EventContract): JsonSchema {
  const detail = jsonSchema() ?? {}
  return {
    type: 'object',
    additionalProperties: false,
    required: ['version', 'id', 'source', 'detail-type', 'account', 'time', 'region', 'resources', 'detail'],
    properties: {
      version: { const: '0' },
      id: { type: 'string' },
      source: { const: source },
      'detail-type': { const: detailType },
      account: { type: 'string' },
      time: { type: 'string' },
      region: { type: 'string' },
      resources: { type: 'array', items: { type: 'string' } },
      'replay-name': { type: 'string' },
      detail: version === undefined ? detail : withVersion(detail, version),
    },
  }
}

function withVersion(detail: JsonSchema, version: number): JsonSchema {
  if (!isObject(detail['properties'])) return detail
  const required = Array.isArray(detail['required']) ? detail['required'] : []
  return { ...detail, properties: { ...detail['properties'], version: { const: version } }, required: [...required, 'version'] }
}

/** What the leaves of a field can be. An `open` leaf can be anything. */
interface PossibleField {
  readonly leaves: readonly (JsonSchema | 'open')[]
  readonly mayBeAbsent: boolean
}

const missing: PossibleField = { leaves: [], mayBeAbsent: true }

/** Follows a dotted path; names of the schema may hold dots themselves. */
function fieldOf(schema: JsonSchema, path: string): PossibleField {
  const alternatives = alternativesOf(schema)
  if (alternatives === 'open') return { leaves: ['open'], mayBeAbsent: true }
  const found = alternatives.map((one) => fieldOfOne(one, path))
  return { leaves: found.flatMap(({ leaves }) => leaves), mayBeAbsent: found.some(({ mayBeAbsent }) => mayBeAbsent) }
}

function fieldOfOne(schema: JsonSchema, path: string): PossibleField {
  const { type, items, properties, required, additionalProperties } = schema
  if (type === 'array')
    return isObject(items) ? { ...fieldOf(items, path), mayBeAbsent: true } : { leaves: ['open'], mayBeAbsent: true }
  if (type !== undefined && type !== 'object') return path === '' ? { leaves: [schema], mayBeAbsent: false } : missing
  if (path === '') return type === 'object' ? missing : { leaves: [schema], mayBeAbsent: false }
  if (type === undefined && properties === undefined)
    return 'const' in schema || 'enum' in schema ? missing : { leaves: ['open'], mayBeAbsent: true }
  const known = Object.entries(isObject(properties) ? properties : {}).filter(
    ([name]) => path === name || path.startsWith(`${name}.`),
  )
  if (known.length === 0) return additionalProperties === false ? missing : { leaves: ['open'], mayBeAbsent: true }
  const found = known.map(([name, value]) => {
    const field = fieldOf(value as JsonSchema, path.slice(name.length + 1))
    const isRequired = Array.isArray(required) && required.includes(name)
    return isRequired ? field : { ...field, mayBeAbsent: true }
  })
  return { leaves: found.flatMap(({ leaves }) => leaves), mayBeAbsent: found.every(({ mayBeAbsent }) => mayBeAbsent) }
}

/** The schema's alternatives, or `open` where it is not understood. */
function alternativesOf(schema: JsonSchema): readonly JsonSchema[] | 'open' {
  const { $ref, allOf, anyOf, oneOf, type, ...rest } = schema
  if ($ref !== undefined || allOf !== undefined) return 'open'
  const either = anyOf ?? oneOf
  if (Array.isArray(either)) {
    const all = either.map((one) => (isObject(one) ? alternativesOf(one) : 'open'))
    return all.includes('open') ? 'open' : (all as JsonSchema[][]).flat()
  }
  if (Array.isArray(type)) return type.map((one) => ({ ...rest, type: one }))
  return Object.keys(schema).length === 0 ? 'open' : [schema]
}

function isPossible(matcher: ValueMatcher, { leaves, mayBeAbsent }: PossibleField): boolean {
  if (matcher.kind === 'exists') return matcher.exists ? leaves.length > 0 : mayBeAbsent
  return leaves.some((leaf) => leaf === 'open' || canMatch(matcher, leaf))
}

function canMatch(matcher: ValueMatcher, schema: JsonSchema): boolean {
  const values = 'const' in schema ? [schema['const']] : Array.isArray(schema['enum']) ? schema['enum'] : undefined
  if (values) return values.some((value) => matchesValue(matcher, value as Leaf))
  const type = schema['type']
  switch (matcher.kind) {
    case 'text':
    case 'address':
    case 'cidr':
    case 'string':
      return type === 'string' || type === undefined
    case 'number':
      return (
        isNumeric(type) &&
        (matcher.number === undefined ||
          overlaps(schema, { bottom: matcher.number, bottomOpen: false, top: matcher.number, topOpen: false }))
      )
    case 'numeric':
      return isNumeric(type) && overlaps(schema, matcher.range)
    case 'literal':
      return type === undefined || type === (matcher.value === null ? 'null' : 'boolean')
    default:
      return true
  }
}

function isNumeric(type: unknown): boolean {
  return type === undefined || type === 'number' || type === 'integer'
}

function overlaps(schema: JsonSchema, { bottom, bottomOpen, top, topOpen }: NumericRange): boolean {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema
  const above = (bound: unknown, open: boolean) => typeof bound !== 'number' || (topOpen || open ? top > bound : top >= bound)
  const below = (bound: unknown, open: boolean) =>
    typeof bound !== 'number' || (bottomOpen || open ? bottom < bound : bottom <= bound)
  return above(minimum, false) && above(exclusiveMinimum, true) && below(maximum, false) && below(exclusiveMaximum, true)
}

function textOf({ leaves }: PossibleField): string {
  const texts = leaves.map((leaf) => {
    if (leaf === 'open') return 'anything'
    if ('const' in leaf) return JSON.stringify(leaf['const'])
    if ('enum' in leaf) return `one of ${JSON.stringify(leaf['enum'])}`
    const { type, minimum, maximum } = leaf
    const bounds = minimum === undefined && maximum === undefined ? '' : ` from ${minimum ?? '−∞'} to ${maximum ?? '∞'}`
    return `a ${String(type)}${bounds}`
  })
  return `is ${[...new Set(texts)].join(' or ')}`
}

function isObject(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
