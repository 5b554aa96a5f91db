import { addressDigits } from './ip-address'
import { JsonNumber } from './json-number'
import { endsIgnoringCase, equalsIgnoringCase, startsIgnoringCase } from './letter-case'
import { matchesWildcard, type WildcardParts } from './wildcard'

/** A leaf of an event: what is no object and no array. */
export type Leaf = string | number | boolean | null | JsonNumber

/** One entry of a field's list, read and checked. `source` is its JSON. */
export type ValueMatcher =
  | { readonly kind: 'text'; readonly source: string; readonly text: string }
  /** A text that is an IP address: it matches every way to write that address. */
  | { readonly kind: 'address'; readonly source: string; readonly text: string; readonly digits: string }
  | { readonly kind: 'number'; readonly source: string; readonly text: string; readonly number: number | undefined }
  | { readonly kind: 'literal'; readonly source: string; readonly value: boolean | null }
  | { readonly kind: 'exists'; readonly source: string; readonly exists: boolean }
  | { readonly kind: 'numeric'; readonly source: string; readonly range: NumericRange }
  | { readonly kind: 'cidr'; readonly source: string; readonly first: string; readonly last: string }
  | { readonly kind: 'string'; readonly source: string; readonly test: StringTest }
  | { readonly kind: 'anything-but'; readonly source: string; readonly not: AnythingBut }

/** Bounds of `numeric`. */
export interface NumericRange {
  readonly bottom: number
  readonly bottomOpen: boolean
  readonly top: number
  readonly topOpen: boolean
}

/** A comparison of texts. */
export type StringTest =
  | {
      readonly op: 'equals-ignore-case' | 'prefix' | 'suffix' | 'prefix-ignore-case' | 'suffix-ignore-case'
      readonly text: string
    }
  | { readonly op: 'wildcard'; readonly parts: WildcardParts }

/** What `anything-but` excludes. */
export type AnythingBut =
  | { readonly texts: readonly string[] }
  | { readonly numbers: readonly number[] }
  | { readonly tests: readonly StringTest[] }

/** Whether a value of an event matches one entry. `exists` is decided by whoever knows what is absent: here the value is there. */
export function matchesValue(matcher: ValueMatcher, value: Leaf): boolean {
  switch (matcher.kind) {
    case 'text':
      return value === matcher.text
    case 'address':
      return typeof value === 'string' && (value === matcher.text || addressDigits(value) === matcher.digits)
    case 'number':
      return value instanceof JsonNumber
        ? (matcher.number !== undefined && value.comparable === matcher.number) || value.text === matcher.text
        : typeof value === 'number' && value === matcher.number
    case 'literal':
      return value === matcher.value
    case 'exists':
      return matcher.exists
    case 'numeric': {
      const number = comparableOf(value)
      return number !== undefined && isWithin(matcher.range, number)
    }
    case 'cidr': {
      const digits = typeof value === 'string' ? addressDigits(value) : undefined
      return digits !== undefined && digits.length === matcher.first.length && digits >= matcher.first && digits <= matcher.last
    }
    case 'string':
      return typeof value === 'string' && passes(matcher.test, value)
    case 'anything-but':
      return !isExcluded(matcher.not, value)
  }
}

function isExcluded(not: AnythingBut, value: Leaf): boolean {
  if ('texts' in not) return typeof value === 'string' && not.texts.includes(value)
  if ('numbers' in not) {
    const number = comparableOf(value)
    return number !== undefined && not.numbers.includes(number)
  }
  return typeof value === 'string' && not.tests.some((test) => passes(test, value))
}

/** A number as AWS compares it by value; `undefined` for everything else. */
export function comparableOf(value: Leaf): number | undefined {
  if (value instanceof JsonNumber) return value.comparable
  return typeof value === 'number' ? value : undefined
}

/** Whether a number lies within bounds. */
export function isWithin({ bottom, bottomOpen, top, topOpen }: NumericRange, value: number): boolean {
  return (bottomOpen ? value > bottom : value >= bottom) && (topOpen ? value < top : value <= top)
}

/** Whether a text passes a comparison. */
export function passes(test: StringTest, value: string): boolean {
  switch (test.op) {
    case 'prefix':
      return value.startsWith(test.text)
    case 'suffix':
      return value.endsWith(test.text)
    case 'equals-ignore-case':
      return equalsIgnoringCase(test.text, value)
    case 'prefix-ignore-case':
      return startsIgnoringCase(test.text, value)
    case 'suffix-ignore-case':
      return endsIgnoringCase(test.text, value)
    case 'wildcard':
      return matchesWildcard(test.parts, value)
  }
}

/** Whether a matcher tells numbers apart: then a number that lost digits must not be guessed. */
export function looksAtNumbers({ kind, ...rest }: ValueMatcher): boolean {
  return kind === 'number' || kind === 'numeric' || (kind === 'anything-but' && 'numbers' in (rest as { not: AnythingBut }).not)
}
