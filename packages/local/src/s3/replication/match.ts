import { isArchived } from '../archive'
import { isMarker, type ReplicationStatus, type VersionRecord } from '../object-record'
import type { NotDocument, ReplicationDocument, ReplicationRule } from './document'

/** The status that a new version begins with: `PENDING` when a rule wants it, else none. */
export function replicationStatusOf(document: ReplicationDocument, version: VersionRecord): ReplicationStatus | undefined {
  return matchingRules(document, version).length > 0 ? 'PENDING' : undefined
}

/** The rules that replicate a version: of those to one destination the one with the highest priority, of different destinations all. */
export function matchingRules({ Rule }: ReplicationDocument, version: VersionRecord): readonly ReplicationRule[] {
  // Replicas are not replicated on, and what is archived cannot be read.
  if (version.replication === 'REPLICA' || (!isMarker(version) && isArchived(version.storageClass))) return []
  const byDestination = new Map<string, ReplicationRule>()
  for (const rule of Rule) {
    if (rule.Status !== 'Enabled' || !wants(rule, version)) continue
    const rival = byDestination.get(rule.Destination.Bucket)
    if (!rival || (rule.Priority ?? 0) > (rival.Priority ?? 0)) byDestination.set(rule.Destination.Bucket, rule)
  }
  return [...byDestination.values()]
}

function wants(rule: ReplicationRule, version: VersionRecord): boolean {
  const { Prefix, Filter } = rule
  const { And } = Filter ?? {}
  if (!version.key.startsWith(Prefix ?? Filter?.Prefix ?? And?.Prefix ?? '')) return false
  const tags = Filter?.Tag ? [Filter.Tag] : (And?.Tag ?? [])
  if (!tags.every((tag) => hasTag(version, tag))) return false
  const not = Filter?.Not ?? And?.Not
  if (not && isExcluded(not, version)) return false
  // Rules of the first generation have no say over markers: they take them along.
  if (isMarker(version)) return tags.length === 0 && (Filter === undefined || rule.DeleteMarkerReplication?.Status === 'Enabled')
  return version.kmsKey === undefined || rule.SourceSelectionCriteria?.SseKmsEncryptedObjects?.Status === 'Enabled'
}

function isExcluded({ Prefix, Tag, Or }: NotDocument, version: VersionRecord): boolean {
  const prefixes = Prefix === undefined ? (Or?.Prefix ?? []) : [Prefix]
  const tags = Tag ? [Tag] : (Or?.Tag ?? [])
  return prefixes.some((prefix) => version.key.startsWith(prefix)) || tags.some((tag) => hasTag(version, tag))
}

function hasTag(version: VersionRecord, { Key, Value }: { readonly Key: string; readonly Value: string }): boolean {
  return !isMarker(version) && version.tags !== undefined && Object.hasOwn(version.tags, Key) && version.tags[Key] === Value
}
