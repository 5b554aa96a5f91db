/** The values of some records, by column. */
export interface Columns {
  /** Milliseconds. */
  readonly timestamp: number[]
  readonly device_name: string[]
  readonly metric: string[]
  readonly value: number[]
  readonly site: string[]
  readonly seq: number[]
}
