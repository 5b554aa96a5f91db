import type { EventContract } from '../contract/contract'
import { compilePattern } from './match'

/** A list that is not empty. */
export type OneOrMore<T> = readonly [T, ...T[]]

/** `exists: true` asks for a value; `exists: false`, for none, is allowed only where the contract lets the field be missing. */
type Exists<Missing> = { readonly exists: true } | (Missing extends true ? { readonly exists: false } : never)

type TextTest =
  | { readonly prefix: string | { readonly 'equals-ignore-case': string } }
  | { readonly suffix: string | { readonly 'equals-ignore-case': string } }
  | { readonly 'equals-ignore-case': string }
  | { readonly wildcard: string }
  | { readonly cidr: string }

type TextExclusion<T> =
  | T
  | OneOrMore<T>
  | { readonly prefix: string | OneOrMore<string> }
  | { readonly suffix: string | OneOrMore<string> }
  | { readonly 'equals-ignore-case': string | OneOrMore<string> }
  | { readonly wildcard: string | OneOrMore<string> }

/** Bounds of `numeric`: one, or the lower and then the upper one. */
export type NumericBounds = readonly ['=' | '<' | '<=' | '>' | '>=', number] | readonly ['>' | '>=', number, '<' | '<=', number]

/** The entries that a leaf of this type can match. A field of several types takes the entries of each. */
export type LeafEntry<T, Missing = false> = LeafEntryOf<T> | Exists<Missing>

type LeafEntryOf<T> = T extends string
  ? T | TextTest | { readonly 'anything-but': TextExclusion<T> }
  : T extends number | bigint
    ? number | { readonly numeric: NumericBounds } | { readonly 'anything-but': number | OneOrMore<number> }
    : T extends boolean | null
      ? T
      : never

/** Any entry, where the type of a field is not known. */
type AnyEntry = LeafEntryOf<string> | LeafEntryOf<number> | boolean | null | { readonly exists: boolean }
type AnyPattern = {
  readonly [name: string]: OneOrMore<AnyEntry> | AnyPattern | readonly [AnyPattern, AnyPattern, ...AnyPattern[]]
}

/** Whether a type is `unknown` or `any`. */
type IsOpen<T> = unknown extends T ? true : false

type FieldPattern<T, Missing> =
  IsOpen<T> extends true
    ? OneOrMore<AnyEntry> | AnyPattern
    : [Extract<T, object>] extends [never]
      ? OneOrMore<LeafEntry<T, Missing>>
      : Extract<T, readonly unknown[]> extends never
        ? [Exclude<T, object>] extends [never]
          ? ObjectPattern<T, Missing>
          : ObjectPattern<Extract<T, object>, Missing> | OneOrMore<LeafEntry<Exclude<T, object>, Missing>>
        : Extract<T, readonly unknown[]> extends readonly (infer Element)[]
          ? // An array may be empty, which counts as missing.
            FieldPattern<Element, true>
          : never

/** A pattern of an object, which may be missing itself: any of its fields, and `$or`. */
export type ObjectPattern<T, Missing = false> = {
  readonly [K in keyof T & string]?: FieldPattern<Exclude<T[K], undefined>, undefined extends T[K] ? true : Missing>
} & {
  readonly $or?: readonly [ObjectPattern<T, Missing>, ObjectPattern<T, Missing>, ...ObjectPattern<T, Missing>[]]
}

/** What can be asked of the events of a contract besides their source and detail type. */
export interface ContractPattern<Detail> {
  readonly account?: OneOrMore<LeafEntry<string>>
  readonly region?: OneOrMore<LeafEntry<string>>
  readonly time?: OneOrMore<LeafEntry<string>>
  readonly id?: OneOrMore<LeafEntry<string>>
  readonly resources?: OneOrMore<LeafEntry<string, true>>
  readonly 'replay-name'?: OneOrMore<LeafEntry<string, true>>
  readonly detail?: ObjectPattern<Detail>
}

/** A checked pattern of EventBridge. `JSON.stringify` makes the text for a rule. */
export type EventPattern = Readonly<Record<string, unknown>> & {
  readonly source: OneOrMore<string>
  readonly 'detail-type': OneOrMore<string>
}

/**
 * A pattern for the events of a contract. Fields that the contract does not have, texts outside of its unions, wrong types and bounds of
 * `numeric` that AWS refuses do not compile; everything else is checked when it is made.
 *
 * @throws ConfigError `PIPE_PATTERN` for whatever EventBridge refuses.
 * @example
 * ```ts
 * const bigOrders = eventPattern(orderPlaced, { detail: { total: [{ numeric: ['>=', 100] }] } })
 * ```
 */
export function eventPattern<Detail>(contract: EventContract<Detail>, pattern: ContractPattern<Detail> = {}): EventPattern {
  const { source, detailType, version } = contract
  const { detail } = pattern
  const versioned = version === undefined ? detail : { version: [version], ...detail }
  const whole = {
    source: [source],
    'detail-type': [detailType],
    ...pattern,
    ...(versioned === undefined ? {} : { detail: versioned }),
  } as const
  compilePattern(whole)
  return Object.freeze(whole)
}
