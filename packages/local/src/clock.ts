import { type Clock, ConfigError, type Duration, durationMs, PipeError, sleep } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { createQuietness } from './quietness'

/** The clock of a runtime: real or virtual, with tasks that fire on it. */
export interface RuntimeClock extends Clock {
  readonly virtual: boolean
  /** Runs `task` when the clock reaches `at` (milliseconds). Returns a function that cancels it. Tasks of one instant run in order of scheduling. */
  schedule(at: number, task: () => void | Promise<void>): () => void
  /**
   * Marks work that belongs to the present instant (an invocation in flight, a running query). `advance` does not pass the instant while
   * any such work is unfinished.
   */
  track<T>(work: Promise<T>): Promise<T>
  close(): void
}

/** Options of {@link realClock}. */
export interface RealClockOptions {
  /** Called with the error of a task. Default: it is thrown as an uncaught exception, as by `setTimeout`. */
  readonly onError?: (error: unknown) => void
}

/** The machine's clock. `close` cancels all its tasks. */
export interface RealClock extends RuntimeClock {
  readonly virtual: false
}

/** Options of `advance` and `advanceTo`. */
export interface AdvanceOptions {
  /** Stops between two steps, or while waiting for work; time stays at the instant that was reached. */
  readonly signal?: AbortSignal
  /** Called after every instant that had tasks; `done` and `total` count milliseconds of virtual time. */
  readonly onProgress?: (progress: {
    readonly phase: 'advance'
    readonly done: number
    readonly total: number
    readonly unit: 'ms'
  }) => void
}

/** A clock that stands still until it is moved. */
export interface VirtualClock extends RuntimeClock {
  readonly virtual: true
  /**
   * Moves time by a duration, from due instant to due instant; at each, the tasks run one after the other, each followed by a wait until all tracked work, and
   * what that work started, is done. So two rules of one instant never overlap, and the order is that of scheduling.
   *
   * @throws the error of a task (an AggregateError if several failed) once the instant is quiet: time stays there, and a further `advance`
   * goes on. `PipeError` `PIPE_CLOCK_BUSY` when another `advance` runs. The signal's reason when it aborts.
   */
  advance(duration: Duration, options?: AdvanceOptions): Promise<void>
  /** The same up to an instant: a Date, or milliseconds since the epoch. @throws ConfigError `PIPE_CLOCK` when it lies in the past. */
  advanceTo(instant: Date | number, options?: AdvanceOptions): Promise<void>
}

/** The machine's clock, with tasks. */
export function realClock(options: RealClockOptions = {}): RealClock {
  checkOptions('realClock', options, { optional: ['onError'] })
  const cancels = new Set<() => void>()
  const fail =
    options.onError ??
    ((error: unknown) => {
      queueMicrotask(() => {
        throw error
      })
    })
  return {
    virtual: false,
    now: () => Date.now(),
    sleep,
    schedule(at, task) {
      let timer: NodeJS.Timeout
      const cancel = () => {
        clearTimeout(timer)
        cancels.delete(cancel)
      }
      const wait = () => {
        const left = at - Date.now()
        // One timer holds 2^31 - 1 ms (24.8 days) at most, and may fire a little early.
        if (left > 0) timer = setTimeout(wait, Math.min(left, 2 ** 31 - 1))
        else {
          cancels.delete(cancel)
          Promise.resolve().then(task).catch(fail)
        }
      }
      timer = setTimeout(wait, 0)
      cancels.add(cancel)
      return cancel
    },
    // Real time waits for nobody.
    track: (work) => work,
    close() {
      for (const cancel of [...cancels]) cancel()
    },
  }
}

interface DueTask {
  readonly at: number
  readonly run: () => void | Promise<void>
}

/**
 * A clock that starts at `start` (ISO 8601 with a zone, e.g. `2026-11-24T00:00:00Z`) and moves only by `advance`.
 *
 * Work that is tracked must not wait for this clock's `sleep`: the clock waits for it. Use `schedule` for what comes later.
 *
 * @throws ConfigError `PIPE_CLOCK` when the text is not such an instant.
 * @example
 * ```ts
 * const clock = virtualClock('2026-11-24T00:00:00Z')
 * await clock.advance('1 hour')
 * ```
 */
export function virtualClock(start: string): VirtualClock {
  let now = parseInstant(start)
  let advancing = false
  let closed = false
  const tasks: DueTask[] = []
  const quietness = createQuietness()

  const schedule = (at: number, run: () => void | Promise<void>) => {
    if (closed) throw new PipeError('PIPE_CLOCK_CLOSED', 'The virtual clock is closed.')
    if (!Number.isFinite(at)) throw new ConfigError(`A task cannot be scheduled at ${at}.`, { code: 'PIPE_CLOCK' })
    const task: DueTask = { at, run }
    tasks.splice(positionAfter(tasks, at), 0, task)
    return () => {
      const index = tasks.indexOf(task)
      if (index >= 0) tasks.splice(index, 1)
    }
  }

  const runInstant = async (signal: AbortSignal | undefined) => {
    const errors: unknown[] = []
    for (let task = tasks[0]; task && task.at <= now && !signal?.aborted; task = tasks[0]) {
      tasks.shift()
      const work = Promise.resolve().then(task.run)
      // The error is kept above; the wait below is for all work of the instant.
      void quietness.add(work.catch((error) => errors.push(error)))
      await quietness.wait(signal)
    }
    if (errors.length === 1) throw errors[0]
    if (errors.length > 1) throw new AggregateError(errors, `${errors.length} tasks of ${new Date(now).toISOString()} failed.`)
  }

  const advanceTo = async (instant: Date | number, options: AdvanceOptions = {}) => {
    checkOptions('advance', options, { optional: ['signal', 'onProgress'] })
    const target = typeof instant === 'number' ? instant : instant.getTime()
    if (!Number.isFinite(target) || target < now) {
      const hint = `Its time is ${new Date(now).toISOString()}.`
      const text = Number.isFinite(target) ? new Date(target).toISOString() : String(target)
      throw new ConfigError(`A virtual clock cannot go to ${text}.`, { code: 'PIPE_CLOCK', hint })
    }
    if (closed) throw new PipeError('PIPE_CLOCK_CLOSED', 'The virtual clock is closed.')
    if (advancing) {
      const hint = 'Await the first call before the second.'
      throw new PipeError('PIPE_CLOCK_BUSY', 'The virtual clock is being advanced already.', { hint })
    }
    advancing = true
    const from = now
    const { signal, onProgress } = options
    try {
      signal?.throwIfAborted()
      // What was started before belongs to the present instant.
      await quietness.wait(signal)
      for (let next = tasks[0]; next && next.at <= target && !closed; next = tasks[0]) {
        now = Math.max(now, next.at)
        await runInstant(signal)
        signal?.throwIfAborted()
        onProgress?.({ phase: 'advance', done: now - from, total: target - from, unit: 'ms' })
      }
      if (!closed) now = Math.max(now, target)
    } finally {
      advancing = false
    }
  }

  return {
    virtual: true,
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason)
        const onAbort = () => {
          cancel()
          reject(signal?.reason)
        }
        const cancel = schedule(now + ms, () => {
          signal?.removeEventListener('abort', onAbort)
          resolve()
        })
        signal?.addEventListener('abort', onAbort, { once: true })
      }),
    schedule,
    track: (work) => quietness.add(work),
    advance: async (duration, options) => advanceTo(now + durationMs(duration), options),
    advanceTo,
    close() {
      closed = true
      tasks.length = 0
    },
  }
}

/** Index behind all tasks that are due not later than `at`: tasks of one instant keep their order. */
function positionAfter(tasks: readonly DueTask[], at: number): number {
  let low = 0
  let high = tasks.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (tasks[middle]!.at <= at) low = middle + 1
    else high = middle
  }
  return low
}

function parseInstant(text: string): number {
  const ms = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})$/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(ms)) {
    const hint = "Write it like '2026-11-24T00:00:00Z'."
    throw new ConfigError(`"${text}" is not an instant with a time zone.`, { code: 'PIPE_CLOCK', hint })
  }
  return ms
}
