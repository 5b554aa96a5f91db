/** What was promised for the records of a row. */
export type Guarantee =
  /** Acknowledged by all in-sync replicas, idempotent: there once. */
  | 'quorum'
  /** Acknowledged by the leader alone: lost with it, and twice after a resend. Shown, not judged. */
  | 'leader'
  /** Written to another topic by a transform: once for each that was read. */
  | 'transform'
  /** Handled by a consumer group: at least once. */
  | 'group'
  /** Handled, or in the dead-letter topic with its bytes intact: at least once. */
  | 'dead-letter'
  /** In S3: once. */
  | 's3'

/** What became of the records of one scenario. */
export interface Counts {
  /** By the application, each once: it never sends again what was ambiguous. */
  readonly sent: number
  readonly acknowledged: number
  /** Records that were found: in the log, in S3, or in the handler. */
  readonly stored: number
  /** Acknowledged, and not found at the place that was acknowledged. */
  readonly lost: number
  /** Copies beyond the first. `undefined` where more than once is allowed (see `again`). */
  readonly duplicated: number | undefined
  /** Sends that ended with AmbiguousOutcomeError. */
  readonly ambiguous: number
  /** Sends that ended with NotWrittenError (or BufferFullError) … */
  readonly notWritten: number
  /** … and of these, the ones that were found all the same. */
  readonly phantoms: number
  /** Acknowledged records that stand before one of their partition that was sent earlier. */
  readonly reordered: number
  /** Handled more than once, which at least once allows. */
  readonly again: number | undefined
}

/** One line of the result. */
export interface FaultRow extends Counts {
  readonly scenario: string
  /** `undefined`: the scenario did not come to its end. */
  readonly guarantee: Guarantee | undefined
  readonly seed: number
  readonly elapsedMs: number
  /** What this seed did. */
  readonly note: string
  /** Promises that were not kept; empty when all were. */
  readonly broken: readonly string[]
}

/** The promises that a row breaks, as sentences. */
export function brokenPromises(guarantee: Guarantee, counts: Counts): readonly string[] {
  const broken: string[] = []
  const none = (count: number | undefined, what: string) => {
    if (count !== undefined && count > 0) broken.push(`${count} ${what}`)
  }
  none(counts.phantoms, 'reported as not written are stored')
  if (guarantee === 'leader') return broken
  none(counts.lost, 'acknowledged and lost')
  none(counts.duplicated, 'stored twice')
  none(counts.reordered, 'out of order')
  if (counts.acknowledged === 0) broken.push('nothing was acknowledged: nothing was shown')
  return broken
}
