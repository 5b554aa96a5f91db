import type { MinimumSizeMode, TransitionClass } from './storage-class'

/** One tag. */
export interface Tag {
  readonly Key: string
  readonly Value: string
}

/** Several predicates at once; sizes in bytes, exclusive. */
export interface FilterAnd {
  readonly Prefix?: string | undefined
  readonly Tags?: readonly Tag[] | undefined
  readonly ObjectSizeGreaterThan?: number | undefined
  readonly ObjectSizeLessThan?: number | undefined
}

/** Which objects a rule is for: one predicate, `And`, or nothing (all objects). */
export interface RuleFilter {
  readonly Prefix?: string | undefined
  readonly Tag?: Tag | undefined
  readonly ObjectSizeGreaterThan?: number | undefined
  readonly ObjectSizeLessThan?: number | undefined
  readonly And?: FilterAnd | undefined
}

/** `Expiration`: exactly one of the three. `Date` is midnight UTC. */
export interface RuleExpiration {
  readonly Days?: number | undefined
  readonly Date?: Date | undefined
  readonly ExpiredObjectDeleteMarker?: boolean | undefined
}

/** `Transition`: `Days` or `Date`. */
export interface RuleTransition {
  readonly Days?: number | undefined
  readonly Date?: Date | undefined
  readonly StorageClass?: TransitionClass | undefined
}

/** `NoncurrentVersionTransition`. */
export interface RuleNoncurrentTransition {
  readonly NoncurrentDays?: number | undefined
  readonly NewerNoncurrentVersions?: number | undefined
  readonly StorageClass?: TransitionClass | undefined
}

/** `NoncurrentVersionExpiration`. */
export interface RuleNoncurrentExpiration {
  readonly NoncurrentDays?: number | undefined
  readonly NewerNoncurrentVersions?: number | undefined
}

/** One rule, in the form of the S3 API and of `aws s3api get-bucket-lifecycle-configuration`. */
export interface LifecycleRule {
  readonly ID?: string | undefined
  readonly Status: 'Enabled' | 'Disabled' | undefined
  /** Absent only in configurations of version 1. */
  readonly Filter?: RuleFilter | undefined
  /** Version 1 only. */
  readonly Prefix?: string | undefined
  readonly Transitions?: readonly RuleTransition[] | undefined
  readonly Expiration?: RuleExpiration | undefined
  readonly NoncurrentVersionTransitions?: readonly RuleNoncurrentTransition[] | undefined
  readonly NoncurrentVersionExpiration?: RuleNoncurrentExpiration | undefined
  readonly AbortIncompleteMultipartUpload?: { readonly DaysAfterInitiation?: number | undefined } | undefined
}

/** The lifecycle configuration of a bucket, as S3 reads and writes it. */
export interface LifecycleConfiguration {
  readonly Rules: readonly LifecycleRule[]
  /** Default `all_storage_classes_128K`, as on a new bucket. */
  readonly TransitionDefaultMinimumObjectSize?: MinimumSizeMode | undefined
}
