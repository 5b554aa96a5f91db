/** What a handler gets beside the record. */
export interface HandleContext {
  /** Aborts when the partition is lost, when a rebalance or a stop cannot wait longer, with the reason. The record is then handled again, here or elsewhere. */
  readonly signal: AbortSignal
  /** 1 for the first call of this consumer for this record; calls before it was parked in a retry topic count. */
  readonly attempt: number
}
