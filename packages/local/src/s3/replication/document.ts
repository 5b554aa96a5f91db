import { list, type ObjectShape, oneOf, optional, required, status } from '../xml-shape'

interface Status {
  readonly Status: 'Enabled' | 'Disabled'
}

interface TagDocument {
  readonly Key: string
  readonly Value: string
}

/** `<Not>`: what a rule leaves out. */
export interface NotDocument {
  readonly Prefix?: string
  readonly Tag?: TagDocument
  readonly Or?: { readonly Prefix?: readonly string[]; readonly Tag?: readonly TagDocument[] }
}

/** `<Filter>` of a rule: one of the four, or nothing. */
export interface ReplicationFilter {
  readonly Prefix?: string
  readonly Tag?: TagDocument
  readonly And?: { readonly Prefix?: string; readonly Tag?: readonly TagDocument[]; readonly Not?: NotDocument }
  readonly Not?: NotDocument
}

/** `<Rule>` */
export interface ReplicationRule {
  readonly ID?: string
  readonly Priority?: number
  readonly Prefix?: string
  readonly Filter?: ReplicationFilter
  readonly Status: 'Enabled' | 'Disabled'
  readonly SourceSelectionCriteria?: { readonly SseKmsEncryptedObjects?: Status; readonly ReplicaModifications?: Status }
  readonly ExistingObjectReplication?: Status
  readonly Destination: {
    /** ARN. */
    readonly Bucket: string
    readonly Account?: string
    readonly StorageClass?: string
    readonly AccessControlTranslation?: { readonly Owner: 'Destination' }
    readonly EncryptionConfiguration?: { readonly ReplicaKmsKeyID?: string }
    readonly ReplicationTime?: Status & { readonly Time: { readonly Minutes: number } }
    readonly Metrics?: Status & { readonly EventThreshold?: { readonly Minutes: number } }
  }
  readonly DeleteMarkerReplication?: Status
}

/** A replication configuration as it stands in XML, by the names of its elements. */
export interface ReplicationDocument {
  /** ARN of the role in whose name S3 replicates. */
  readonly Role: string
  readonly Rule: readonly ReplicationRule[]
}

const tag: ObjectShape = { Key: required('text'), Value: required('text') }
const not: ObjectShape = { Prefix: optional('text'), Tag: optional(tag), Or: optional({ Prefix: list('text'), Tag: list(tag) }) }
const minutes: ObjectShape = { Minutes: required('integer') }
const classes = oneOf(
  'STANDARD',
  'REDUCED_REDUNDANCY',
  'STANDARD_IA',
  'ONEZONE_IA',
  'INTELLIGENT_TIERING',
  'GLACIER',
  'DEEP_ARCHIVE',
  'GLACIER_IR',
)

/** Form of the XML of a {@link ReplicationDocument}. */
export const replicationShape: ObjectShape = {
  Role: required('text'),
  Rule: list({
    ID: optional('text'),
    Priority: optional('integer'),
    Prefix: optional('text'),
    Filter: optional({
      Prefix: optional('text'),
      Tag: optional(tag),
      And: optional({ Prefix: optional('text'), Tag: list(tag), Not: optional(not) }),
      Not: optional(not),
    }),
    Status: required(oneOf('Enabled', 'Disabled')),
    SourceSelectionCriteria: optional({ SseKmsEncryptedObjects: optional(status), ReplicaModifications: optional(status) }),
    ExistingObjectReplication: optional(status),
    Destination: required({
      Bucket: required('text'),
      Account: optional('text'),
      StorageClass: optional(classes),
      AccessControlTranslation: optional({ Owner: required(oneOf('Destination')) }),
      EncryptionConfiguration: optional({ ReplicaKmsKeyID: optional('text') }),
      ReplicationTime: optional({ Status: required(oneOf('Enabled', 'Disabled')), Time: required(minutes) }),
      Metrics: optional({ Status: required(oneOf('Enabled', 'Disabled')), EventThreshold: optional(minutes) }),
    }),
    DeleteMarkerReplication: optional(status),
  }),
}
