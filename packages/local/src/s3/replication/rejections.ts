import { AwsError } from '../../service'
import type { Store } from '../store'
import { malformedXml } from '../xml'
import type { NotDocument, ReplicationDocument, ReplicationFilter, ReplicationRule } from './document'

const maxRules = 1000

/**
 * What S3 does not take although its schema does (API reference, user guide, answers recorded by others); the first mistake is the answer.
 *
 * @throws {@link AwsError} InvalidRequest, InvalidArgument, MalformedXML
 */
export function checkReplication(store: Store, bucket: string, { Role, Rule: rules = [] }: ReplicationDocument): void {
  const source = store.bucket(bucket)
  if (source.configuration.versioning !== 'Enabled')
    throw invalid("Versioning must be 'Enabled' on the bucket to apply a replication configuration")
  if (rules.length === 0) throw malformedXml()
  if (rules.length > maxRules) throw invalid(`Number of rules must not exceed the allowed limit of ${maxRules}`)
  if (!/^arn:[\w-]+:iam::\d{12}:role\/.+$/.test(Role))
    throw new AwsError('InvalidArgument', 'Invalid Role specified in replication configuration')
  const second = rules[0]!.Filter !== undefined
  if (rules.some(({ Filter }) => (Filter !== undefined) !== second))
    throw invalid('Replication configuration must not mix Filter and Prefix')
  checkUnique(rules, second)
  for (const rule of rules) checkRule(store, bucket, rule)
}

function checkUnique(rules: readonly ReplicationRule[], second: boolean): void {
  const ids = rules.flatMap(({ ID }) => (ID === undefined || ID === '' ? [] : [ID]))
  if (new Set(ids).size < ids.length) throw new AwsError('InvalidArgument', 'Rule Id must be unique')
  if (ids.some((id) => id.length > 255))
    throw new AwsError('InvalidArgument', 'Rule Id length should not exceed allowed limit of 255')
  if (!second) return
  const priorities = rules.map(({ Priority }) => Priority)
  if (priorities.includes(undefined))
    throw invalid(
      'Priority must be specified for this version of Cross Region Replication configuration schema. Please refer to S3 Developer Guide for more information.',
    )
  if (new Set(priorities).size < priorities.length) throw invalid('Priorities must be unique for each rule')
}

function checkRule(store: Store, bucket: string, rule: ReplicationRule): void {
  const { Filter, Prefix, DeleteMarkerReplication: markers, SourceSelectionCriteria: criteria } = rule
  if (Filter === undefined && Prefix === undefined) throw malformedXml()
  if (Filter) {
    if (Object.keys(Filter).length > 1) throw malformedXml()
    if (markers === undefined)
      throw invalid(
        'DeleteMarkerReplication must be specified for this version of Cross Region Replication configuration schema. Please refer to S3 Developer Guide for more information.',
      )
    if (markers.Status === 'Enabled' && hasTags(Filter))
      throw invalid(
        'Delete marker replication is not supported if any Tag filter is specified. Please refer to S3 Developer Guide for more information.',
      )
  }
  for (const prefix of [Prefix, Filter?.Prefix, Filter?.And?.Prefix])
    if (prefix !== undefined && Buffer.byteLength(prefix) > 1024)
      throw new AwsError('InvalidArgument', 'Rule prefix should not exceed allowed limit of 1024')
  if (rule.ExistingObjectReplication) throw invalid('ExistingObjectReplication is no longer supported. Use S3 Batch Replication.')
  checkDestination(store, bucket, rule)
  const isKms = criteria?.SseKmsEncryptedObjects?.Status === 'Enabled'
  const key = rule.Destination.EncryptionConfiguration?.ReplicaKmsKeyID
  if (isKms && key === undefined) throw invalid('ReplicaKmsKeyID must be specified if SseKmsEncryptedObjects tag is present.')
  if (!isKms && key !== undefined)
    throw invalid('SseKmsEncryptedObjects must be specified if EncryptionConfiguration is present.')
}

function hasTags({ Tag, And, Not }: ReplicationFilter): boolean {
  const ofNot = (not: NotDocument | undefined) => not?.Tag !== undefined || (not?.Or?.Tag?.length ?? 0) > 0
  return Tag !== undefined || (And?.Tag?.length ?? 0) > 0 || ofNot(Not) || ofNot(And?.Not)
}

function checkDestination(store: Store, bucket: string, { Destination: to }: ReplicationRule): void {
  const name = /^arn:[\w-]+:s3:::([a-z0-9.-]+)$/.exec(to.Bucket)?.[1]
  if (name === undefined) throw new AwsError('InvalidArgument', 'Invalid bucket ARN')
  const destination = store.find(name)
  if (!destination) throw invalid('Destination bucket must exist.')
  if (name === bucket) throw invalid('Destination bucket cannot be the same as the source bucket.')
  if (destination.configuration.versioning !== 'Enabled') throw invalid('Destination bucket must have versioning enabled.')
  if (to.Account !== undefined && to.Account !== destination.owner) throw invalid('Account does not own the destination bucket.')
  if (to.AccessControlTranslation && to.Account === undefined)
    throw invalid('Account must be specified if AccessControlTranslation is present.')
  if (store.bucket(bucket).configuration.objectLock && !destination.configuration.objectLock)
    throw invalid('Object Lock must be enabled on the destination bucket.')
  if (destination.configuration.payer === 'Requester')
    throw invalid('Destination bucket must not be configured as Requester Pays.')
  if (to.ReplicationTime && !to.Metrics) throw invalid('Metrics must be specified if ReplicationTime is present.')
  for (const minutes of [to.ReplicationTime?.Time.Minutes, to.Metrics?.EventThreshold?.Minutes])
    if (minutes !== undefined && minutes !== 15) throw invalid('Minutes must be 15.')
}

function invalid(text: string): AwsError {
  return new AwsError('InvalidRequest', text)
}
