import { isRetryable, type PipeError } from '@pipe/core'
import { KafkaError } from '../errors'
import { type Assignment, newAbort, refill, type Window, type Work } from './assignment'
import { type AnyTopic, decodeRecord, type Poison, rawRecord } from './consumed-record'
import type { ConsumerEvent } from './consumer-event'
import type { HandleContext } from './handle-context'
import type { Taken } from './key-lanes'
import { runParked } from './parked-run'
import type { Parking } from './parking'
import type { Parked } from './parking-lot'
import type { RetryPolicy } from './retry-policy'

/** Runs handlers over the partitions of a member. */
export interface Dispatcher {
  /** Handlers that run now, also those of lost partitions. */
  readonly running: number
  /** Sees whether something can start. */
  wake(): void
  /**
   * Until `release`, only records start that lie below one that was handled already: without them, what is done above could not be
   * committed, and would be handled again.
   */
  hold(): void
  /** Nothing starts any more until `release`. */
  freeze(): void
  release(): void
  /** Resolves with `true` once no handler runs and none may start, with `false` after `ms`. */
  settled(ms: number): Promise<boolean>
  /** Freezes, and aborts what runs for these partitions. What is interrupted stands at the head of its lane again. */
  interrupt(assignments: Iterable<Assignment>, reason: Error): void
}

/** Settings of {@link createDispatcher}. */
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

/** How long a record waits for room in the retry topic before it is looked at again. */
const fullPauseMs = 1000

/** So many handlers are started before the event loop gets its turn: heartbeats and sockets must live beside handlers that never wait. */
const startsPerTurn = 256

/** Makes the dispatcher of one member. */
export function createDispatcher(settings: DispatcherSettings): Dispatcher {
  const { concurrency, window, retry, handle, bury, parking, onEvent } = settings
  let running = 0
  let mode: 'open' | 'closing' | 'frozen' = 'open'
  let turn = 0
  let starts = 0
  let isTurnScheduled = false
  let waiters: (() => void)[] = []

  function wake(): void {
    while (mode !== 'frozen' && running < concurrency) {
      if (starts >= startsPerTurn) return
      const next = takeNext()
      if (!next) return
      starts++
      if (!isTurnScheduled) {
        isTurnScheduled = true
        setImmediate(() => {
          isTurnScheduled = false
          starts = 0
          wake()
          noticeIdle()
        })
      }
      running++
      void ('parked' in next ? runOfParked(next.assignment, next.parked) : run(next.assignment, next.taken))
    }
  }

  /** Partitions in turn, so that none starves another. */
  function takeNext():
    | { readonly assignment: Assignment; readonly taken: Taken<Work> }
    | { readonly assignment: Assignment; readonly parked: Parked }
    | undefined {
    const assignments = settings.assignments()
    for (let i = 0; i < assignments.length; i++) {
      turn = (turn + 1) % assignments.length
      const assignment = assignments[turn]!
      const parked = mode === 'open' ? parking?.next(assignment) : undefined
      if (parked) return { assignment, parked }
      try {
        if (mode === 'open' && assignment.lanes.waiting * 2 < window.maxWaiting) refill(assignment, window)
      } catch (error) {
        settings.onFatal(unreadable(assignment, error))
        return undefined
      }
      const taken = assignment.lanes.take(mode === 'open' ? undefined : ({ record }) => record.offset < assignment.handledEnd)
      if (!taken) continue
      if (taken.item.record.offset >= assignment.handledEnd) assignment.handledEnd = taken.item.record.offset + 1n
      return { assignment, taken }
    }
    return undefined
  }

  async function run(assignment: Assignment, taken: Taken<Work>): Promise<void> {
    const { signal } = assignment.abort
    const work = taken.item
    let isPlain = false
    try {
      if (parking && (await isParked(parking, assignment, taken))) return
      const decoded = decodeRecord(assignment.topic, assignment.partition, work.record)
      const record = decoded instanceof Promise ? await decoded : decoded
      isPlain = true
      work.attempts++
      const result = handle(record as never, { signal, attempt: work.attempts })
      if (isThenable(result)) await result
      done(assignment, taken)
    } catch (error) {
      await failed({ assignment, taken, signal, error, isDecoded: isPlain })
    } finally {
      ended()
    }
  }

  function ended(): void {
    running--
    wake()
    noticeIdle()
  }

  function runOfParked(assignment: Assignment, parked: Parked): Promise<void> {
    const work = { record: parked.record, attempts: parked.attempts }
    return runParked(
      {
        parking: parking!,
        retry,
        handle,
        bury: bury!,
        onEvent,
        onDone: settings.onDone,
        onFailed: (_, __, error) => unwritten(assignment, work, error),
        onStop: (_, __, error) => settings.onFatal(fatal(assignment, work, error)),
      },
      assignment,
      parked,
    ).finally(ended)
  }

  /** A record whose key waits in the retry topic waits behind it. Settles the record, and never rejects, when it returns `true`. */
  async function isParked(lot: Parking, assignment: Assignment, taken: Taken<Work>): Promise<boolean> {
    if (!assignment.isOwned) return false
    const { record } = taken.item
    const standing = lot.standing(assignment, taken.lane.key, record.offset)
    if (standing === 'free') return false
    if (standing === 'known') done(assignment, taken)
    else await park(lot, assignment, taken)
    return true
  }

  /** Puts a record into the retry topic; while that is full, it waits where it is. */
  async function park(lot: Parking, assignment: Assignment, taken: Taken<Work>, error?: unknown): Promise<void> {
    const { record, attempts } = taken.item
    const place = { topic: assignment.topic.name, partition: assignment.partition, offset: record.offset }
    try {
      const dueAtMs = await lot.park(assignment, record, error === undefined ? undefined : { attempts, error })
      if (dueAtMs === 'full') return later(assignment, taken, fullPauseMs)
      const round = error === undefined ? 0 : 1
      onEvent({ kind: 'parked', ...place, retryTopic: lot.retryTopic, round, retryInMs: Math.max(0, dueAtMs - Date.now()) })
      done(assignment, taken)
    } catch (parkError) {
      if (!assignment.isOwned) return drop(assignment, taken)
      assignment.lanes.putBack(taken)
      unwritten(assignment, taken.item, parkError)
    }
  }

  /** Neither handled nor put away: beginning anew, or stopping, is all that does not lose it. */
  function unwritten(assignment: Assignment, work: Pick<Work, 'record' | 'attempts'>, error: unknown): void {
    mode = 'frozen'
    if (isRetryable(error) && settings.onBroken) settings.onBroken(error as PipeError)
    else settings.onFatal(fatal(assignment, work, error))
  }

  /** Takes a record up again after a pause; those of its key wait meanwhile. */
  function later(assignment: Assignment, taken: Taken<Work>, ms: number): void {
    const timer = setTimeout(() => {
      assignment.timers.delete(timer)
      if (!assignment.isOwned) return drop(assignment, taken)
      assignment.lanes.putBack(taken)
      wake()
    }, ms)
    assignment.timers.add(timer)
  }

  function noticeIdle(): void {
    // At the end of its turn there may be more to start.
    if (running > 0 || (starts >= startsPerTurn && mode !== 'frozen')) return
    const resolved = waiters
    waiters = []
    for (const resolve of resolved) resolve()
  }

  function done(assignment: Assignment, taken: Taken<Work>): void {
    const { batch, entry } = taken.item
    assignment.log!.queue.release(batch)
    if (!assignment.isOwned) return
    assignment.lanes.finish(taken)
    assignment.log!.tracker.complete(entry)
    settings.onDone(assignment)
  }

  function drop(assignment: Assignment, taken: Taken<Work>): void {
    assignment.log!.queue.release(taken.item.batch)
  }

  async function failed(failure: {
    readonly assignment: Assignment
    readonly taken: Taken<Work>
    readonly signal: AbortSignal
    readonly error: unknown
    readonly isDecoded: boolean
  }): Promise<void> {
    const { assignment, taken, signal, error, isDecoded } = failure
    if (!assignment.isOwned) return drop(assignment, taken)
    const work = taken.item
    if (signal.aborted) {
      // Interrupted, not failed: it does not count as an attempt.
      if (isDecoded) work.attempts--
      assignment.lanes.putBack(taken)
      return
    }
    let step: ReturnType<RetryPolicy['after']>
    try {
      // What cannot be decoded now cannot be later.
      step = isDecoded ? retry.after(error, work.attempts) : { kind: 'dead-letter' }
    } catch (policyError) {
      settings.onFatal(fatal(assignment, work, policyError))
      return
    }
    const place = { topic: assignment.topic.name, partition: assignment.partition, offset: work.record.offset }
    const retryInMs = step.kind === 'retry' ? step.afterMs : undefined
    onEvent({ kind: 'handler-failed', ...place, attempt: work.attempts, error, retryInMs })
    if (step.kind === 'retry') return later(assignment, taken, step.afterMs)
    if (step.kind === 'exhausted' && parking)
      return park(parking, assignment, taken, error ?? new Error('The handler threw undefined.'))
    if (step.kind === 'stop' || !bury) {
      settings.onFatal(fatal(assignment, work, error))
      return
    }
    try {
      const record = rawRecord(place.topic, place.partition, work.record)
      const deadLetterTopic = await bury({ record, error, attempts: work.attempts }, signal)
      onEvent({ kind: 'dead-lettered', ...place, deadLetterTopic, error })
      done(assignment, taken)
    } catch (buryError) {
      if (!assignment.isOwned) return drop(assignment, taken)
      if (signal.aborted) {
        assignment.lanes.putBack(taken)
        return
      }
      // Neither handled nor put away: stopping is all that does not lose it.
      settings.onFatal(fatal(assignment, work, buryError))
    }
  }

  return {
    get running() {
      return running
    },
    wake,
    hold() {
      if (mode === 'open') mode = 'closing'
    },
    freeze() {
      mode = 'frozen'
    },
    release() {
      mode = 'open'
      wake()
    },
    settled(ms) {
      wake()
      if (running === 0 && (starts < startsPerTurn || mode === 'frozen')) return Promise.resolve(true)
      return new Promise((resolve) => {
        const timer = setTimeout(() => {
          waiters = waiters.filter((waiter) => waiter !== onIdle)
          resolve(false)
        }, ms)
        const onIdle = () => {
          clearTimeout(timer)
          resolve(true)
        }
        waiters.push(onIdle)
      })
    },
    interrupt(assignments, reason) {
      mode = 'frozen'
      for (const assignment of assignments) {
        const { abort } = assignment
        assignment.abort = newAbort()
        abort.abort(reason)
      }
    },
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}

/** Where a record is, for errors. */
export interface RecordErrorDetails {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
}

function placeOf(topic: AnyTopic, partition: number, offset: bigint): RecordErrorDetails {
  return { topic: topic.name, partition, offset }
}

function fatal({ topic, partition }: Assignment, work: Pick<Work, 'record' | 'attempts'>, error: unknown): PipeError {
  const { offset } = work.record
  const why = error instanceof Error ? error.message : String(error)
  const times = work.attempts === 0 ? 'It could not be decoded' : `Its handler failed, ${work.attempts} of its calls`
  return new KafkaError('PIPE_KAFKA_POISON', `${topic.name}[${partition}] offset ${offset}: ${times}: ${why}`, {
    hint: 'Nothing past it is committed. Give a deadLetter topic to go on without such records, or mend the handler.',
    cause: error,
    details: placeOf(topic, partition, offset),
  })
}

function unreadable({ topic, partition, log }: Assignment, error: unknown): PipeError {
  const offset = log?.tracker.frontier ?? -1n
  const why = error instanceof Error ? error.message : String(error)
  return new KafkaError('PIPE_KAFKA_CODEC', `${topic.name}[${partition}] from offset ${offset} on: ${why}`, {
    hint: 'Nothing past it is committed.',
    cause: error,
    details: placeOf(topic, partition, offset),
  })
}
