import { isMarker, type VersionRecord } from '../object-record'
import type { RuleDocument } from './document'

/** Which objects a rule is for, with the two places where a predicate can stand brought together. */
export interface RuleScope {
  readonly prefix: string
  readonly tags: readonly { readonly Key: string; readonly Value: string }[]
  readonly above: number | undefined
  readonly below: number | undefined
}

/** The scope of a rule. */
export function scopeOf({ Prefix, Filter = {} }: RuleDocument): RuleScope {
  const { And = {}, Tag } = Filter
  return {
    prefix: Prefix ?? Filter.Prefix ?? And.Prefix ?? '',
    tags: Tag ? [Tag] : (And.Tag ?? []),
    above: Filter.ObjectSizeGreaterThan ?? And.ObjectSizeGreaterThan,
    below: Filter.ObjectSizeLessThan ?? And.ObjectSizeLessThan,
  }
}

/** Whether a version lies in a scope. A delete marker has no bytes and no tags. */
export function isInScope({ prefix, tags, above, below }: RuleScope, version: VersionRecord): boolean {
  if (!version.key.startsWith(prefix)) return false
  const size = isMarker(version) ? 0 : version.size
  if (above !== undefined && size <= above) return false
  if (below !== undefined && size >= below) return false
  const own = isMarker(version) ? undefined : version.tags
  return tags.every(({ Key, Value }) => own !== undefined && Object.hasOwn(own, Key) && own[Key] === Value)
}
