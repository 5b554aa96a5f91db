import { list, type ObjectShape, oneOf, optional, required } from '../xml-shape'

/** A lifecycle configuration as it stands in XML, by the names of its elements. */
export interface LifecycleDocument {
  readonly Rule: readonly RuleDocument[]
  /** Of the header `x-amz-transition-default-minimum-object-size`; not in the XML. */
  readonly minimumSize: MinimumSize
}

/** Which objects below 128 KiB may move: none, or those that go to GLACIER and DEEP_ARCHIVE. */
export type MinimumSize = 'all_storage_classes_128K' | 'varies_by_storage_class'

/** `<Rule>` */
export interface RuleDocument {
  readonly ID?: string
  readonly Prefix?: string
  readonly Filter?: FilterDocument
  readonly Status: 'Enabled' | 'Disabled'
  readonly Transition?: readonly TransitionDocument[]
  readonly Expiration?: ExpirationDocument
  readonly NoncurrentVersionTransition?: readonly NoncurrentDocument[]
  readonly NoncurrentVersionExpiration?: NoncurrentDocument
  readonly AbortIncompleteMultipartUpload?: { readonly DaysAfterInitiation: number }
}

interface SizeRange {
  readonly ObjectSizeGreaterThan?: number
  readonly ObjectSizeLessThan?: number
}

interface TagDocument {
  readonly Key: string
  readonly Value: string
}

/** `<Filter>`: one predicate, `And`, or nothing. */
export interface FilterDocument extends SizeRange {
  readonly Prefix?: string
  readonly Tag?: TagDocument
  readonly And?: SizeRange & { readonly Prefix?: string; readonly Tag?: readonly TagDocument[] }
}

/** `<Transition>`: dates are ISO 8601. */
export interface TransitionDocument {
  readonly Date?: string
  readonly Days?: number
  readonly StorageClass: string
}

/** `<Expiration>` */
export interface ExpirationDocument {
  readonly Date?: string
  readonly Days?: number
  readonly ExpiredObjectDeleteMarker?: boolean
}

/** `<NoncurrentVersionTransition>`, and without a class `<NoncurrentVersionExpiration>`. */
export interface NoncurrentDocument {
  readonly NoncurrentDays: number
  readonly NewerNoncurrentVersions?: number
  readonly StorageClass?: string
}

const tag: ObjectShape = { Key: required('text'), Value: required('text') }
const sizes: ObjectShape = { ObjectSizeGreaterThan: optional('integer'), ObjectSizeLessThan: optional('integer') }
const when: ObjectShape = { Date: optional('date'), Days: optional('integer') }
const noncurrent: ObjectShape = { NoncurrentDays: required('integer'), NewerNoncurrentVersions: optional('integer') }
const coldClasses = oneOf('STANDARD_IA', 'ONEZONE_IA', 'INTELLIGENT_TIERING', 'GLACIER', 'DEEP_ARCHIVE', 'GLACIER_IR')

/** Form of the XML of a {@link LifecycleDocument}. */
export const lifecycleShape: ObjectShape = {
  Rule: list({
    ID: optional('text'),
    Prefix: optional('text'),
    Filter: optional({
      Prefix: optional('text'),
      Tag: optional(tag),
      ...sizes,
      And: optional({ Prefix: optional('text'), Tag: list(tag), ...sizes }),
    }),
    Status: required(oneOf('Enabled', 'Disabled')),
    Transition: list({ ...when, StorageClass: required(coldClasses) }),
    Expiration: optional({ ...when, ExpiredObjectDeleteMarker: optional('boolean') }),
    NoncurrentVersionTransition: list({ ...noncurrent, StorageClass: required(coldClasses) }),
    NoncurrentVersionExpiration: optional(noncurrent),
    AbortIncompleteMultipartUpload: optional({ DaysAfterInitiation: required('integer') }),
  }),
}
