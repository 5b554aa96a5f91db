/**
 * A second implementation of the matching rules, as plain as possible: no tree of fields, nothing compiled, its own reading of patterns and
 * its own comparisons. It is the oracle of the fuzz tests and the naive interpreter of the benchmark. Patterns must be valid, numbers small.
 */
type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json }
type Fields = Readonly<Record<string, Json>>

interface Found {
  readonly path: string
  readonly value: string | number | boolean | null
  /** Element by array; arrays are numbered. */
  readonly elements: Readonly<Record<number, number>>
}

/** Whether an event matches a valid pattern. */
export function referenceMatches(pattern: unknown, event: unknown): boolean {
  const found: Found[] = []
  let arrays = 0
  const walk = (value: Json, path: string, elements: Readonly<Record<number, number>>, isRoot: boolean): void => {
    if (Array.isArray(value)) {
      const id = arrays++
      value.forEach((item: Json, i) => {
        walk(item, path, typeof item === 'object' && item !== null ? { ...elements, [id]: i } : elements, false)
      })
    } else if (typeof value === 'object' && value !== null) {
      for (const [name, item] of Object.entries(value)) walk(item as Json, isRoot ? name : `${path}.${name}`, elements, false)
    } else found.push({ path, value: value as string, elements })
  }
  walk(event as Json, '', {}, true)
  return alternatives(pattern as Fields, '').some((fields) => {
    const last = new Map(fields.map(({ path, entries }) => [path, entries]))
    const sorted = [...last].sort(([a], [b]) => (a < b ? -1 : 1))
    return together(sorted, {}, found)
  })
}

interface Asked {
  readonly path: string
  readonly entries: readonly Json[]
}

/** All combinations of `$or`, each a list of fields in the order of the text. */
function alternatives(pattern: Fields, path: string): Asked[][] {
  let all: Asked[][] = [[]]
  for (const [name, value] of Object.entries(pattern)) {
    const isOr = name === '$or' && Array.isArray(value) && value.length > 1 && value.every((item) => typeof item === 'object')
    const here = path === '' ? name : `${path}.${name}`
    const added = isOr
      ? (value as readonly Fields[]).flatMap((item) => alternatives(item, path))
      : Array.isArray(value)
        ? [[{ path: here, entries: value as readonly Json[] }]]
        : alternatives(value as Fields, here)
    all = all.flatMap((before) => added.map((more) => [...before, ...more]))
  }
  return all
}

function together(
  fields: readonly [string, readonly Json[]][],
  chosen: Readonly<Record<number, number>>,
  found: readonly Found[],
): boolean {
  const [first, ...rest] = fields
  if (!first) return true
  const [path, entries] = first
  const agreeing = found.filter(
    (one) =>
      one.path === path && Object.entries(one.elements).every(([array, index]) => (chosen[Number(array)] ?? index) === index),
  )
  const isAbsent = agreeing.length === 0 && entries.some((entry) => (entry as { exists?: unknown } | null)?.exists === false)
  if (isAbsent) return together(rest, chosen, found)
  return agreeing.some(
    ({ value, elements }) => entries.some((entry) => passes(entry, value)) && together(rest, { ...chosen, ...elements }, found),
  )
}

function passes(entry: Json, value: Found['value']): boolean {
  if (typeof entry !== 'object' || entry === null) return entry === value || sameAddress(entry, value)
  const [operator, operand] = Object.entries(entry)[0] as [string, Json]
  switch (operator) {
    case 'exists':
      return operand === true
    case 'numeric':
      return typeof value === 'number' && within(operand as readonly Json[], value)
    case 'anything-but':
      return !excluded(operand, value)
    case 'cidr':
      return typeof value === 'string' && inBlock(operand as string, value)
    default:
      return typeof value === 'string' && textPasses(operator, operand, value)
  }
}

function textPasses(operator: string, operand: Json, value: string): boolean {
  if (typeof operand === 'object') {
    const text = (operand as Fields)['equals-ignore-case'] as string
    return operator === 'prefix' ? foldedAt(text, value, 0) : foldedAt(text, value, value.length - text.length)
  }
  const text = operand as string
  if (operator === 'prefix') return value.slice(0, text.length) === text
  if (operator === 'suffix') return text === '' || value.slice(-text.length) === text
  if (operator === 'equals-ignore-case') return value.length === text.length && foldedAt(text, value, 0)
  const source = text.replaceAll(/\\[*\\]|[\s\S]/g, (part) =>
    part === '*' ? '[^]*' : `\\u${part.at(-1)!.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  return new RegExp(`^${source}$`).test(value)
}

/** Enough for letters of one code unit. */
function foldedAt(text: string, value: string, at: number): boolean {
  if (at < 0 || at + text.length > value.length) return false
  return [...text].every((letter, i) => {
    const given = value[at + i]!
    const forms = [letter.toLowerCase(), letter.toUpperCase()].filter((form) => form.length === 1)
    return letter === given || forms.includes(given)
  })
}

function within([op, bound, second, top]: readonly Json[], value: number): boolean {
  const compare = (operator: Json, limit: number) => {
    if (operator === '=') return value === limit
    if (operator === '<') return value < limit
    if (operator === '<=') return value <= limit
    return operator === '>' ? value > limit : value >= limit
  }
  return compare(op!, bound as number) && (second === undefined || compare(second, top as number))
}

function excluded(operand: Json, value: Found['value']): boolean {
  if (Array.isArray(operand)) return operand.includes(value)
  if (typeof operand !== 'object' || operand === null) return operand === value
  const [operator, texts] = Object.entries(operand)[0] as [string, Json]
  const list = Array.isArray(texts) ? (texts as readonly string[]) : [texts as string]
  return typeof value === 'string' && list.some((text) => textPasses(operator, text, value))
}

const v4 = /^(\d+)\.(\d+)\.(\d+)\.(\d+)$/
const toNumber = (text: string) =>
  v4
    .exec(text)!
    .slice(1)
    .reduce((sum, part) => sum * 256 + Number(part), 0)

function inBlock(block: string, value: string): boolean {
  const [address, mask] = block.split('/')
  if (!v4.test(value) || value.split('.').some((part) => Number(part) > 255)) return false
  const size = 2 ** (32 - Number(mask))
  return Math.floor(toNumber(address!) / size) === Math.floor(toNumber(value) / size)
}

function sameAddress(entry: Json, value: Found['value']): boolean {
  return (
    typeof entry === 'string' &&
    typeof value === 'string' &&
    v4.test(entry) &&
    v4.test(value) &&
    toNumber(entry) === toNumber(value)
  )
}
