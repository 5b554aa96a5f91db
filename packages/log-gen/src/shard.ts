/** Which part of the devices a file holds. */
export interface Shard {
  /** 0-based. */
  readonly index: number
  readonly of: number
}

/** A file of a source: its start in milliseconds, and its shard. */
export interface FileId {
  readonly start: number
  readonly shard: Shard
}

/** All devices in one file. */
export const whole: Shard = Object.freeze({ index: 0, of: 1 })
