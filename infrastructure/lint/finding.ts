/** Something that is wrong, and where. */
export interface Finding {
  /** `FILE:LINE` */
  readonly place: string
  readonly text: string
}
