import type { Clock } from '@pipe/core'
import { type Attempts, attemptsOf } from './attempts'

/** How many executions may be active at once, and how many are. */
export interface SlotLimit {
  readonly most: number
  active: number
}

/** One submission. */
export interface Submission<T> {
  /** Takes turns with the others: the workgroup. */
  readonly lane: string
  /** Of the client that submits; beside it, the account's own limit holds. */
  readonly limit: SlotLimit
  readonly signal: AbortSignal
  /** Sends StartQueryExecution once, always with the same token. Not cut by the signal: its reply holds the id. */
  attempt(): Promise<T>
  /** Told when it has to wait for a slot or after a failed attempt. */
  onPause(): void
}

/** What was submitted, in its slot. */
export interface Admitted<T> {
  readonly value: T
  /** Tells that the execution has ended. Idempotent. */
  release(): void
}

/** Submits executions of all clients that share it. */
export interface Scheduler {
  /** @throws the signal's reason, or what {@link attemptsOf} throws. */
  submit<T>(submission: Submission<T>): Promise<Admitted<T>>
}

interface Job {
  /** Its place in the queue, also after attempts that failed. */
  readonly number: number
  readonly submission: Submission<unknown>
  readonly attempts: Attempts
  /** An attempt got no answer: the execution may exist. */
  mayRun: boolean
  resolve(admitted: Admitted<unknown>): void
  reject(error: unknown): void
}

/** Submissions under way at once: Athena takes 20 a second, 80 in a burst. */
const widest = 8

/**
 * One queue for each workgroup, served in turns. What stops them is told apart: when calls are throttled, all wait shortly; when the slots of the
 * account are taken, the next attempt is made when an execution of this process ends, or after a while (others may free theirs); a broken
 * connection holds up only its own submission.
 */
export function createScheduler(clock: Clock): Scheduler {
  const lanes = new Map<string, Job[]>()
  let underWay = 0
  let width = widest
  let slotsTaken = false
  let throttled = false
  /** Executions of this process that have ended. */
  let ended = 0
  let submissions = 0

  function pump(): void {
    while (!slotsTaken && !throttled && underWay < width) {
      const job = takeNext()
      if (!job) return
      void attempt(job)
    }
  }

  /** The first job of the next lane that may run; the lane goes behind the others. */
  function takeNext(): Job | undefined {
    for (const [name, jobs] of [...lanes]) {
      const at = jobs.findIndex(({ submission: { limit } }) => limit.active < limit.most)
      if (at < 0) continue
      const [job] = jobs.splice(at, 1)
      lanes.delete(name)
      if (jobs.length > 0) lanes.set(name, jobs)
      return job
    }
    return undefined
  }

  async function attempt(job: Job): Promise<void> {
    const { submission } = job
    const endedBefore = ended
    submission.limit.active++
    underWay++
    try {
      const value = await submission.attempt()
      width = Math.min(widest, width + 1)
      job.resolve({ value, release: releaser(submission.limit) })
    } catch (error) {
      submission.limit.active--
      again(job, error, ended > endedBefore)
    } finally {
      underWay--
      pump()
    }
  }

  function releaser(limit: SlotLimit): () => void {
    let released = false
    return () => {
      if (released) return
      released = true
      ended++
      limit.active--
      slotsTaken = false
      pump()
    }
  }

  /** `slotFreed`: while the attempt was under way, a slot became free, so the answer may be older than that. */
  function again(job: Job, error: unknown, slotFreed: boolean): void {
    try {
      const { trouble, pauseMs } = job.attempts.failed(error)
      // Athena knows the token of what runs before it counts slots: then nothing runs.
      job.mayRun = trouble === 'connection' || (job.mayRun && trouble === 'rate')
      if (job.submission.signal.aborted && !job.mayRun) throw job.submission.signal.reason
      job.submission.onPause()
      const pause = () => clock.sleep(pauseMs)
      if (trouble === 'connection') {
        void pause().then(() => enqueue(job))
        return
      }
      width = 1
      if (trouble === 'rate') {
        throttled = true
        void pause().then(() => {
          throttled = false
          pump()
        })
      } else if (!slotFreed) {
        slotsTaken = true
        void pause().then(() => {
          slotsTaken = false
          pump()
        })
      }
      enqueue(job)
    } catch (final) {
      job.reject(final)
    }
  }

  function enqueue(job: Job): void {
    const { lane } = job.submission
    const jobs = lanes.get(lane) ?? []
    const at = jobs.findIndex((one) => one.number > job.number)
    jobs.splice(at < 0 ? jobs.length : at, 0, job)
    lanes.set(lane, jobs)
    pump()
  }

  /** One that waits leaves at once, unless it may run already: then its id is asked for, so that it can be stopped. */
  function leave(job: Job): void {
    if (job.mayRun) return
    const jobs = lanes.get(job.submission.lane)
    const at = jobs?.indexOf(job) ?? -1
    if (at < 0) return
    jobs!.splice(at, 1)
    if (jobs!.length === 0) lanes.delete(job.submission.lane)
    job.reject(job.submission.signal.reason)
  }

  return {
    submit<T>(submission: Submission<T>): Promise<Admitted<T>> {
      const { signal } = submission
      return new Promise<Admitted<T>>((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason)
        const settle = () => signal.removeEventListener('abort', onAbort)
        const job: Job = {
          number: submissions++,
          submission,
          attempts: attemptsOf('StartQueryExecution', undefined, clock),
          mayRun: false,
          resolve: (admitted) => {
            settle()
            resolve(admitted as Admitted<T>)
          },
          reject: (error) => {
            settle()
            reject(error)
          },
        }
        const onAbort = () => leave(job)
        signal.addEventListener('abort', onAbort, { once: true })
        if (slotsTaken || throttled) submission.onPause()
        enqueue(job)
      })
    },
  }
}
