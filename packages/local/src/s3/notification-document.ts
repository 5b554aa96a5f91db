import { list, type ObjectShape, oneOf, optional, required } from './xml-shape'

/** A notification configuration as it stands in XML, by the names of its elements. */
export interface NotificationDocument {
  readonly TopicConfiguration?: readonly (NotificationTarget & { readonly Topic: string })[]
  readonly QueueConfiguration?: readonly (NotificationTarget & { readonly Queue: string })[]
  readonly CloudFunctionConfiguration?: readonly (NotificationTarget & { readonly CloudFunction: string })[]
  readonly EventBridgeConfiguration?: Readonly<Record<string, never>>
}

/** What the three kinds of target have in common. */
export interface NotificationTarget {
  readonly Id?: string
  readonly Event: readonly string[]
  readonly Filter?: {
    readonly S3Key?: { readonly FilterRule?: readonly { readonly Name: string; readonly Value: string }[] }
  }
}

/** Names of events, with S3's families (API reference, `Event`). */
export const notificationEvents: readonly string[] = [
  's3:ReducedRedundancyLostObject',
  ...['*', 'Put', 'Post', 'Copy', 'CompleteMultipartUpload'].map((name) => `s3:ObjectCreated:${name}`),
  ...['*', 'Delete', 'DeleteMarkerCreated'].map((name) => `s3:ObjectRemoved:${name}`),
  ...['*', 'Post', 'Completed', 'Delete'].map((name) => `s3:ObjectRestore:${name}`),
  ...[
    '*',
    'OperationFailedReplication',
    'OperationNotTracked',
    'OperationMissedThreshold',
    'OperationReplicatedAfterThreshold',
  ].map((name) => `s3:Replication:${name}`),
  's3:LifecycleTransition',
  's3:IntelligentTiering',
  's3:ObjectAcl:Put',
  ...['*', 'Delete', 'DeleteMarkerCreated'].map((name) => `s3:LifecycleExpiration:${name}`),
  ...['*', 'Put', 'Delete'].map((name) => `s3:ObjectTagging:${name}`),
]

const target: ObjectShape = {
  Id: optional('text'),
  Filter: optional({
    S3Key: optional({
      FilterRule: list({ Name: required(oneOf('prefix', 'suffix', 'Prefix', 'Suffix')), Value: required('text') }),
    }),
  }),
  Event: list('text'),
}

/** Form of the XML of a {@link NotificationDocument}. */
export const notificationShape: ObjectShape = {
  TopicConfiguration: list({ ...target, Topic: required('text') }),
  QueueConfiguration: list({ ...target, Queue: required('text') }),
  CloudFunctionConfiguration: list({ ...target, CloudFunction: required('text') }),
  EventBridgeConfiguration: optional({}),
}
