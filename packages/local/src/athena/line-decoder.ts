/** Where a line comes from, for error texts. */
export interface LinePlace {
  /** `s3://bucket/key`. */
  readonly path: string
  /** 1 for the first line of the object. */
  line(): number
}

/** Turns a line into one value a column. The buffer is only valid during the call. */
export type LineDecoder = (line: Buffer, place: LinePlace) => readonly (Buffer | string | null)[]
