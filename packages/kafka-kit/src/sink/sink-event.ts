import type { PipeError } from '@pipe/core'

/** What {@link createKafkaToS3} tells while it works. */
export type SinkEvent =
  /** A file stands in S3. `created`: by this worker; `exists`: another one had written it. */
  | {
      readonly kind: 'file'
      readonly outcome: 'created' | 'exists'
      readonly partition: number
      /** `undefined` when none of the records is a row. */
      readonly uri: string | undefined
      readonly first: bigint
      readonly last: bigint
      readonly rows: number
      readonly quarantined: number
    }
  /** Another worker had claimed a range that begins here: its range is read again and written as it claimed it. */
  | { readonly kind: 'claimed-elsewhere'; readonly partition: number; readonly first: bigint; readonly last: bigint }
  /** Work on a partition broke off and begins again from what S3 holds; without a partition: the group is joined again. */
  | { readonly kind: 'retry'; readonly partition: number | undefined; readonly error: PipeError; readonly inMs: number }
  /** Records that retention had taken before they were read; only with `outOfRange: 'skip'`. */
  | { readonly kind: 'skipped'; readonly partition: number; readonly from: bigint; readonly to: bigint }
  | { readonly kind: 'assigned'; readonly partitions: readonly number[] }
  /** The group did not take the offset: its lag shows old. What is stored does not depend on it. */
  | { readonly kind: 'commit-failed'; readonly partition: number; readonly error: PipeError }
