import type { PipeError } from '@pipe/core'
import type { Assignment, Window } from './assignment'
import type { Poison } from './consumed-record'
import type { ConsumerEvent } from './consumer-event'
import type { HandleContext } from './handle-context'
import type { Parking } from './parking'
import type { RetryPolicy } from './retry-policy'

/** Settings of `createDispatcher`. */
export interface DispatcherSettings {
  readonly concurrency: number
  readonly window: Window
  readonly retry: RetryPolicy
  readonly handle: (record: never, context: HandleContext) => unknown
  /** Writes a poison record away. Without it, the first one stops the consumer. */
  readonly bury: ((poison: Poison, signal: AbortSignal) => Promise<string>) | undefined
  /** Where failed records wait for another try. Default: nowhere. Needs `bury`. */
  readonly parking?: Parking | undefined
  readonly assignments: () => readonly Assignment[]
  readonly onEvent: (event: ConsumerEvent) => void
  /** A record is done, so there is something to commit, and room in the partition's queue. */
  readonly onDone: (assignment: Assignment) => void
  /** Reading cannot go on. */
  readonly onFatal: (error: PipeError) => void
  /** The retry topic cannot be written just now: the member should begin anew. */
  readonly onBroken?: ((error: PipeError) => void) | undefined
}
