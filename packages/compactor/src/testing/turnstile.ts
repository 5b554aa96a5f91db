import { setImmediate as turn } from 'node:timers/promises'
import type { Random } from './random'

/** What happens to one request of a worker. */
export type Fault =
  /** The process dies before the request is sent. */
  | 'dies-before'
  /** The service does the work, the process dies before it hears of it. */
  | 'dies-after'
  /** The service never sees the request; the process gets an error. */
  | 'request-lost'
  /** The service does the work, the reply is lost; the process gets an error. */
  | 'reply-lost'
  /** The service does the work twice (a retry behind a lost reply); the second reply arrives. */
  | 'sent-twice'

/** A process of the simulation. */
export interface Worker {
  /** Requests so far. */
  readonly requests: number
  readonly isDead: boolean
  /** Passes a request through the turnstile. `isRead`: it changes nothing and its reply may be a stream, so it is never done twice. */
  request<T>(label: string, isRead: boolean, work: () => Promise<T>): Promise<T>
}

/** Lets one request through at a time, in an order that depends on the random numbers alone. */
export interface Turnstile {
  /** A new process, with faults by the number of the request (from 1). */
  worker(faults?: ReadonlyMap<number, Fault>): Worker
  /** Runs programs of workers until each has ended or died. Resolves to what they threw. */
  drive(programs: readonly { readonly worker: Worker; run(): Promise<unknown> }[]): Promise<readonly unknown[]>
  /** What happened so far. */
  readonly counts: Readonly<Record<Fault | 'requests', number>>
}

interface Waiting {
  readonly worker: WorkerState
  readonly isRead: boolean
  readonly work: () => Promise<unknown>
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

interface WorkerState extends Worker {
  requests: number
  isDead: boolean
  isDone: boolean
  readonly faults: ReadonlyMap<number, Fault>
}

/** Real time after which a worker that neither asks for anything nor ends is taken for stuck. */
const stuckMs = 120_000

/** Creates it. `onStep` is called after each request, with whether that only read: what readers see then is what they may see. */
export function createTurnstile(random: Random, onStep: (isRead: boolean) => Promise<void>): Turnstile {
  const waiting: Waiting[] = []
  const counts: Record<Fault | 'requests', number> = {
    'dies-before': 0,
    'dies-after': 0,
    'request-lost': 0,
    'reply-lost': 0,
    'sent-twice': 0,
    requests: 0,
  }

  /** Resolves when every worker stands at the turnstile, has ended or is dead. */
  async function quiet(workers: readonly WorkerState[]): Promise<void> {
    const since = Date.now()
    for (;;) {
      await turn()
      const isQuiet = workers.every((one) => one.isDone || one.isDead || waiting.some(({ worker }) => worker === one))
      if (isQuiet) return
      if (Date.now() - since > stuckMs) throw new Error(`A worker has asked for nothing for ${stuckMs} ms.`)
    }
  }

  function bury(worker: WorkerState): void {
    worker.isDead = true
    // What it still waits for never comes, as for a process that was killed: nothing of it runs any more.
    for (let i = waiting.length - 1; i >= 0; i--) if (waiting[i]!.worker === worker) waiting.splice(i, 1)
  }

  async function pass({ worker, isRead, work, resolve, reject }: Waiting): Promise<void> {
    counts.requests++
    worker.requests++
    const given = worker.faults.get(worker.requests)
    // A read whose reply is lost has changed nothing, so it comes to the same as one that was never sent.
    const fault = isRead && given === 'reply-lost' ? 'request-lost' : isRead && given === 'sent-twice' ? undefined : given
    if (fault !== undefined) counts[fault]++
    if (fault === 'dies-before') return bury(worker)
    if (fault === 'request-lost') return reject(connectionReset('the request was lost'))
    try {
      const first = await work()
      if (fault === 'dies-after') return bury(worker)
      if (fault === 'reply-lost') return reject(connectionReset('the reply was lost'))
      resolve(fault === 'sent-twice' ? await work() : first)
    } catch (error) {
      if (fault === 'dies-after') return bury(worker)
      reject(error)
    }
  }

  return {
    counts,
    worker(faults = new Map()) {
      const worker: WorkerState = {
        requests: 0,
        isDead: false,
        isDone: false,
        faults,
        request: (_, isRead, work) =>
          worker.isDead
            ? new Promise(() => {})
            : new Promise((resolve, reject) => {
                waiting.push({ worker, isRead, work, resolve: resolve as (value: unknown) => void, reject })
              }),
      }
      return worker
    },
    async drive(programs) {
      const errors: unknown[] = []
      const workers = programs.map(({ worker }) => worker as WorkerState)
      for (const { worker, run } of programs) {
        const state = worker as WorkerState
        run()
          .catch((error: unknown) => errors.push(error))
          .finally(() => {
            state.isDone = true
          })
      }
      for (;;) {
        await quiet(workers)
        if (waiting.length === 0) return errors
        const [next] = waiting.splice(random.below(waiting.length), 1)
        await pass(next!)
        await onStep(next!.isRead)
      }
    },
  }
}

function connectionReset(message: string): Error {
  return Object.assign(new Error(message), { code: 'ECONNRESET', name: 'TimeoutError', $metadata: {} })
}
