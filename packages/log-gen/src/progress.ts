/** How far something is that may take long. */
export interface Progress {
  readonly phase: string
  readonly done: number
  /** Absent when it is not known. */
  readonly total?: number
  readonly unit: string
}
