import { ConfigError } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import type { RuleFilter } from './configuration'
import type { IsLess, IsWhole } from './number-order'

/** What narrows a scope beyond its prefix. All must hold. */
export interface ScopeFilter {
  /** Tags that an object must have, with exactly these values. */
  readonly tags?: Readonly<Record<string, string>> | undefined
  /** Only objects larger than this many bytes. */
  readonly largerThanBytes?: number | undefined
  /** Only objects smaller than this many bytes. */
  readonly smallerThanBytes?: number | undefined
}

/** Which objects a rule is for. Made by {@link keyPrefix} or {@link wholeBucket}, never by leaving something out. */
export interface Scope<Kind extends 'prefix' | 'filtered' = 'prefix' | 'filtered'> {
  readonly kind: 'scope'
  /** `prefix`: only the key decides. Clean-up of uploads and delete markers needs such a scope. */
  readonly narrowedBy: Kind
  /** Empty for the whole bucket. */
  readonly prefix: string
  readonly filter: ScopeFilter
}

/** A mistake, named in the type, so that the compiler shows it. */
export interface Mistake<Text extends string> {
  readonly mistake: Text
}

type CheckedPrefix<P extends string> = P extends ''
  ? Mistake<'an empty prefix is the whole bucket: write wholeBucket()'>
  : P extends `${string}*${string}`
    ? Mistake<'a prefix has no wildcards: leave out what follows the *'>
    : P

type CheckedFilter<F extends ScopeFilter> = {
  readonly [K in keyof F]: K extends 'largerThanBytes' | 'smallerThanBytes'
    ? CheckedSize<F, K>
    : K extends 'tags'
      ? F[K]
      : Mistake<`a scope has no "${K & string}"`>
}

type CheckedSize<F extends ScopeFilter, K extends 'largerThanBytes' | 'smallerThanBytes'> = F[K] extends number
  ? IsWhole<F[K]> extends false
    ? Mistake<'a size is a whole number of bytes'>
    : K extends 'smallerThanBytes'
      ? F[K] extends 0
        ? Mistake<'no object is smaller than 0 bytes'>
        : F['largerThanBytes'] extends number
          ? IsLess<F['largerThanBytes'], F[K]> extends true
            ? F[K]
            : Mistake<'smallerThanBytes must be more than largerThanBytes'>
          : F[K]
      : F[K]
  : F[K]

/**
 * All objects whose key begins with `prefix`, optionally only those with some tags or sizes. `log-` matches `log-archive/…` too: end a
 * folder with a slash.
 *
 * @throws {@link ConfigError} `PIPE_LIFECYCLE_SCOPE` for an empty prefix (that is the whole bucket), a prefix over 1 024 bytes, a wildcard,
 * sizes that leave nothing over.
 * @example
 * ```ts
 * keyPrefix('raw/', { tags: { stage: 'test' }, largerThanBytes: 131_072 })
 * ```
 */
export function keyPrefix<const P extends string>(prefix: P & CheckedPrefix<P>): Scope<'prefix'>
export function keyPrefix<const P extends string, const F extends ScopeFilter>(
  prefix: P & CheckedPrefix<P>,
  filter: F & CheckedFilter<F>,
): Scope<'filtered'>
export function keyPrefix(prefix: string, filter?: ScopeFilter): Scope {
  if (prefix === '')
    throw scopeError('keyPrefix: the prefix is empty, which is the whole bucket.', 'Write wholeBucket() if you mean it.')
  if (typeof prefix !== 'string' || Buffer.byteLength(prefix) > 1024) {
    throw scopeError('keyPrefix: a prefix is a text of at most 1 024 bytes, as a key is.')
  }
  if (prefix.includes('*')) {
    throw scopeError(
      `keyPrefix: ${JSON.stringify(prefix)} has a *, but a prefix has no wildcards.`,
      'Leave out what follows the *.',
    )
  }
  return makeScope('keyPrefix', prefix, filter)
}

/**
 * Every object of the bucket, optionally only those with some tags or sizes.
 *
 * @throws {@link ConfigError} `PIPE_LIFECYCLE_SCOPE`
 */
export function wholeBucket(): Scope<'prefix'>
export function wholeBucket<const F extends ScopeFilter>(filter: F & CheckedFilter<F>): Scope<'filtered'>
export function wholeBucket(filter?: ScopeFilter): Scope {
  return makeScope('wholeBucket', '', filter)
}

function makeScope(where: string, prefix: string, filter: ScopeFilter = {}): Scope {
  checkOptions(where, filter, { optional: ['tags', 'largerThanBytes', 'smallerThanBytes'] })
  const { tags = {}, largerThanBytes, smallerThanBytes } = filter
  for (const [name, bytes] of Object.entries({ largerThanBytes, smallerThanBytes })) {
    if (bytes !== undefined && (!Number.isSafeInteger(bytes) || bytes < 0))
      throw scopeError(`${where}: ${name} ${bytes} is not a whole number of bytes.`)
  }
  if (
    smallerThanBytes !== undefined &&
    smallerThanBytes <= (largerThanBytes ?? 0) &&
    (smallerThanBytes === 0 || largerThanBytes !== undefined)
  )
    throw scopeError(`${where}: no object is larger than ${largerThanBytes ?? 0} and smaller than ${smallerThanBytes} bytes.`)
  const isNarrowed = Object.keys(tags).length > 0 || largerThanBytes !== undefined || smallerThanBytes !== undefined
  return Object.freeze({
    kind: 'scope',
    narrowedBy: isNarrowed ? 'filtered' : 'prefix',
    prefix,
    filter: Object.freeze({
      ...(Object.keys(tags).length > 0 && { tags: Object.freeze({ ...tags }) }),
      ...(largerThanBytes !== undefined && { largerThanBytes }),
      ...(smallerThanBytes !== undefined && { smallerThanBytes }),
    }),
  })
}

/** The filter of a rule, in the form of the API: one predicate alone, several in `And`. */
export function filterOf({ prefix, filter }: Scope): RuleFilter {
  const tags = Object.entries(filter.tags ?? {}).map(([Key, Value]) => ({ Key, Value }))
  const sizes = {
    ...(filter.largerThanBytes !== undefined && { ObjectSizeGreaterThan: filter.largerThanBytes }),
    ...(filter.smallerThanBytes !== undefined && { ObjectSizeLessThan: filter.smallerThanBytes }),
  }
  const predicates = (prefix === '' ? 0 : 1) + tags.length + Object.keys(sizes).length
  if (predicates === 0) return { Prefix: '' }
  if (predicates > 1)
    return { And: { ...(prefix !== '' && { Prefix: prefix }), ...(tags.length > 0 && { Tags: tags }), ...sizes } }
  if (prefix !== '') return { Prefix: prefix }
  return tags.length > 0 ? { Tag: tags[0]! } : sizes
}

function scopeError(text: string, hint?: string): ConfigError {
  return new ConfigError(text, { code: 'PIPE_LIFECYCLE_SCOPE', hint })
}
