import { sleep } from './abort'

/** A source of time that can be replaced: the machine's clock, or the virtual clock of `@pipe/local`. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  now(): number
  /** Resolves after `ms` of this clock. Rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** The machine's own clock. */
export const systemClock: Clock = { now: () => Date.now(), sleep }
