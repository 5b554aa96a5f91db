import type { ClockFaultKind } from './clock-fault'
import type { DuplicateKind } from './fault'
import type { MalformedKind } from './malformed-kind'

/** One line of a file. The object is used again for the next line: take what you need. */
export interface Line {
  /** Position in the list of devices. */
  device: number
  /** Number of the record of its device. */
  tick: number
  /** The tick that its payload is drawn with: another one in a copy with another payload. */
  draws: number
  /** When it happened, milliseconds, as the record says: by the clock of the device. */
  eventTime: number
  /** When it was sent, milliseconds: decides the file. */
  emitTime: number
  /** 1: the second copy of a duplicated record. */
  copy: 0 | 1
  /** Of a second copy. */
  duplicate: DuplicateKind | undefined
  /** Why it is not where its event time would have it. */
  delay: 'late' | 'very-late' | 'out-of-order' | undefined
  clock: ClockFaultKind | undefined
  malformed: LineFault | undefined
}

/** How a line is spoilt. */
export type LineFault = MalformedKind | 'renamed-column'
