/** An asynchronous invocation that failed: nobody waits for its answer, so it is reported here. */
export interface EventFailure {
  /** Instant of the run, by the clock of the runtime. */
  readonly at: Date
  /** The rule that fired; absent for an asynchronous Invoke call. */
  readonly rule?: string
  /** The function; of another target, its ARN. */
  readonly functionName: string
  readonly requestId?: string
  /** Which run it was, from 1. */
  readonly attempt: number
  /** Whether nothing more is tried: what failed lies in a dead-letter queue now, or is lost. */
  readonly isFinal: boolean
  /** JSON of the function's error, or why it could not be called. */
  readonly message: string
}

/** The failures of a runtime, newest last. */
export interface FailureList {
  add(failure: EventFailure): void
  all(): readonly EventFailure[]
}

const maxFailures = 10_000

/** Keeps the last 10 000. */
export function createFailureList(onFailure: (failure: EventFailure) => void): FailureList {
  const failures: EventFailure[] = []
  return {
    add(failure) {
      failures.push(failure)
      if (failures.length > maxFailures) failures.shift()
      onFailure(failure)
    },
    all: () => [...failures],
  }
}
