import { refuseLostDigits } from './event-source'
import { type FieldContent, isList, joinMemberships, type Membership } from './field-tree'
import { JsonNumber } from './json-number'
import type { PatternBranch } from './parse-pattern'
import { type Leaf, looksAtNumbers, matchesValue, type ValueMatcher } from './value-matcher'

/** A field of a branch, made ready: what a leaf must pass, and whether the field may be missing. */
interface CompiledField {
  readonly slot: number
  readonly passes: (value: Leaf) => boolean
  readonly mayBeAbsent: boolean
}

/** Decides one branch on the fields of an event. */
export type CompiledBranch = (contents: readonly FieldContent[]) => boolean

/** Compiles a branch against the places that a field tree gives its fields. */
export function compileBranch(branch: PatternBranch, slotOf: (path: string) => number): CompiledBranch {
  const fields: CompiledField[] = [...branch].map(([path, matchers]) => ({
    slot: slotOf(path),
    passes: compileField(path, matchers),
    mayBeAbsent: matchers.some((matcher) => matcher.kind === 'exists' && !matcher.exists),
  }))
  // As the fields lie in memory: the order does not matter as long as no arrays of objects are involved.
  const bySlot = [...fields].sort((a, b) => a.slot - b.slot)
  return (contents) => {
    let hasArrays = false
    for (let i = 0; i < bySlot.length; i++) {
      const { slot, passes, mayBeAbsent } = bySlot[i]!
      const content = contents[slot]
      if (content === undefined) {
        if (!mayBeAbsent) return false
      } else if (!isList(content)) {
        if (!passes(content)) return false
      } else {
        if (!mayBeAbsent && !content.some(({ value }) => passes(value))) return false
        hasArrays = true
      }
    }
    return !hasArrays || matchesTogether(fields, 0, undefined, contents)
  }
}

/** Whether the fields from `from` on can match in elements that agree with those chosen so far. The order of fields is AWS's: by path. */
function matchesTogether(
  fields: readonly CompiledField[],
  from: number,
  membership: Membership | undefined,
  contents: readonly FieldContent[],
): boolean {
  const field = fields[from]
  if (!field) return true
  const content = contents[field.slot]
  if (content === undefined) return field.mayBeAbsent && matchesTogether(fields, from + 1, membership, contents)
  if (!isList(content)) return field.passes(content) && matchesTogether(fields, from + 1, membership, contents)
  let isAbsent = true
  for (const { value, membership: own } of content) {
    const joined = joinMemberships(membership, own)
    if (joined === null) continue
    isAbsent = false
    if (field.passes(value) && matchesTogether(fields, from + 1, joined, contents)) return true
  }
  return isAbsent && field.mayBeAbsent && matchesTogether(fields, from + 1, membership, contents)
}

/** One test for all entries of a field: exact texts become a set, the others a list. */
function compileField(path: string, matchers: readonly ValueMatcher[]): (value: Leaf) => boolean {
  const present = matchers.filter((matcher) => matcher.kind !== 'exists' || matcher.exists)
  if (present.some(({ kind }) => kind === 'exists')) return () => true
  const texts = new Set(present.flatMap((matcher) => (matcher.kind === 'text' ? [matcher.text] : [])))
  const others = present.filter(({ kind }) => kind !== 'text').map(compileMatcher)
  const test = joined(texts, others)
  if (!present.some(looksAtNumbers)) return test
  return (value) => {
    if (typeof value === 'number') refuseLostDigits(value, path)
    return test(value)
  }
}

function joined(texts: ReadonlySet<string>, others: readonly ((value: Leaf) => boolean)[]): (value: Leaf) => boolean {
  if (others.length === 0) {
    if (texts.size !== 1) return (value) => typeof value === 'string' && texts.has(value)
    const [only] = texts
    return (value) => value === only
  }
  if (texts.size === 0 && others.length === 1) return others[0]!
  return (value) => (typeof value === 'string' && texts.has(value)) || others.some((test) => test(value))
}

/** The frequent ones without the choice by kind. */
function compileMatcher(matcher: ValueMatcher): (value: Leaf) => boolean {
  if (matcher.kind === 'numeric') {
    const { bottom, bottomOpen, top, topOpen } = matcher.range
    return (given) => {
      const value = given instanceof JsonNumber ? given.comparable : given
      if (typeof value !== 'number') return false
      return (bottomOpen ? value > bottom : value >= bottom) && (topOpen ? value < top : value <= top)
    }
  }
  if (matcher.kind === 'string') {
    const { test } = matcher
    if (test.op === 'prefix') return (value) => typeof value === 'string' && value.startsWith(test.text)
    if (test.op === 'suffix') return (value) => typeof value === 'string' && value.endsWith(test.text)
  }
  if (matcher.kind === 'anything-but' && 'texts' in matcher.not) {
    const excluded = new Set(matcher.not.texts)
    return (value) => typeof value !== 'string' || !excluded.has(value)
  }
  return (value) => matchesValue(matcher, value)
}
