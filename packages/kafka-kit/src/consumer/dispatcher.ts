import { isRetryable, type PipeError } from '@pipe/core'
import { type Assignment, newAbort, refill, type Work } from './assignment'
import { decodeRecord, rawRecord } from './consumed-record'
import type { DispatcherSettings } from './dispatcher-settings'
import { createIdleWatch } from './idle-watch'
import type { Taken } from './key-lanes'
import { runParked } from './parked-run'
import type { Parking } from './parking'
import type { Parked } from './parking-lot'
import { poisonError, unreadableError } from './record-error'
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

/** How long a record waits for room in the retry topic before it is looked at again. */
const fullPauseMs = 1000

/** So many handlers are started before the event loop gets its turn: heartbeats and sockets must live beside handlers that never wait. */
const startsPerTurn = 256
/** From so many on the next turn is asked for. A turn that nobody asked for is a round of the event loop more: too dear for a handful of handlers. */
const startsUnasked = 64

/** So many records of one partition are started before the next partition has its turn. */
const mostInARow = 16

/** Makes the dispatcher of one member. */
export function createDispatcher(settings: DispatcherSettings): Dispatcher {
  const { concurrency, window, retry, handle, bury, parking, onEvent } = settings
  let running = 0
  let mode: 'open' | 'closing' | 'frozen' = 'open'
  let turn = 0
  let inARow = 0
  /** Since the last turn that was asked for. */
  let starts = 0
  let isStarting = false
  // At the end of its turn there may be more to start.
  const idle = createIdleWatch(() => running === 0 && (starts < startsPerTurn || mode === 'frozen'))

  function wake(): void {
    // A handler that ends in the same turn comes back here by way of `ended`: the loop that started it goes on.
    if (isStarting) return
    isStarting = true
    try {
      while (mode !== 'frozen' && running < concurrency && starts < startsPerTurn) {
        const next = takeNext()
        if (!next) break
        if (++starts === startsUnasked) setImmediate(nextTurn)
        running++
        if ('parked' in next) void runOfParked(next.assignment, next.parked)
        else run(next.assignment, next.taken)
      }
    } finally {
      isStarting = false
    }
    idle.notice()
  }

  function nextTurn(): void {
    starts = 0
    wake()
  }

  /** Partitions in turn, so that none starves another; some records of one in a row, as they lie in memory in a row. */
  function takeNext():
    | { readonly assignment: Assignment; readonly taken: Taken<Work> }
    | { readonly assignment: Assignment; readonly parked: Parked }
    | undefined {
    const assignments = settings.assignments()
    for (let i = 0; i <= assignments.length; i++) {
      if (i > 0 || inARow++ >= mostInARow) {
        turn++
        inARow = 0
      }
      if (turn >= assignments.length) turn = 0
      const assignment = assignments[turn]
      if (!assignment) return undefined
      const parked = mode === 'open' ? parking?.next(assignment) : undefined
      if (parked) return { assignment, parked }
      try {
        if (mode === 'open' && assignment.lanes.waiting * 2 < window.maxWaiting) refill(assignment, window)
      } catch (error) {
        settings.onFatal(unreadableError(assignment, error))
        return undefined
      }
      const taken = assignment.lanes.take(mode === 'open' ? undefined : ({ record }) => record.offset < assignment.handledEnd)
      if (!taken) continue
      if (taken.item.record.offset >= assignment.handledEnd) assignment.handledEnd = taken.item.record.offset + 1n
      return { assignment, taken }
    }
    return undefined
  }

  /** In one turn, without a promise of its own, as far as contract and handler allow. */
  function run(assignment: Assignment, taken: Taken<Work>): void {
    const { signal } = assignment.abort
    if (parking) void runBehindParked(parking, assignment, taken, signal)
    else {
      let decoded: unknown
      try {
        decoded = decodeRecord(assignment.topic, assignment.partition, taken.item.record)
      } catch (error) {
        fail({ assignment, taken, signal, error, isDecoded: false })
        return
      }
      if (decoded instanceof Promise) void callDecoded(assignment, taken, signal, decoded)
      else call(assignment, taken, signal, decoded)
    }
  }

  async function runBehindParked(lot: Parking, assignment: Assignment, taken: Taken<Work>, signal: AbortSignal): Promise<void> {
    try {
      if (await isParked(lot, assignment, taken)) {
        ended()
        return
      }
    } catch (error) {
      fail({ assignment, taken, signal, error, isDecoded: false })
      return
    }
    const decode = async () => decodeRecord(assignment.topic, assignment.partition, taken.item.record)
    await callDecoded(assignment, taken, signal, decode())
  }

  async function callDecoded(
    assignment: Assignment,
    taken: Taken<Work>,
    signal: AbortSignal,
    decoded: Promise<unknown>,
  ): Promise<void> {
    let record: unknown
    try {
      record = await decoded
    } catch (error) {
      fail({ assignment, taken, signal, error, isDecoded: false })
      return
    }
    call(assignment, taken, signal, record)
  }

  function call(assignment: Assignment, taken: Taken<Work>, signal: AbortSignal, record: unknown): void {
    const attempt = ++taken.item.attempts
    const failedWith = (error: unknown) => fail({ assignment, taken, signal, error, isDecoded: true })
    let result: unknown
    try {
      result = handle(record as never, { signal, attempt })
    } catch (error) {
      failedWith(error)
      return
    }
    // A promise stays itself; another thenable becomes one.
    if (isThenable(result)) Promise.resolve(result).then(() => finish(assignment, taken), failedWith)
    else finish(assignment, taken)
  }

  function finish(assignment: Assignment, taken: Taken<Work>): void {
    done(assignment, taken)
    ended()
  }

  function fail(failure: Failure): void {
    void failed(failure).finally(ended)
  }

  function ended(): void {
    running--
    wake()
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
        onStop: (_, __, error) => settings.onFatal(poisonError(assignment, work, error)),
      },
      assignment,
      parked,
    ).finally(ended)
  }

  /** A record whose key waits in the retry topic waits behind it. Settles the record, and never rejects, when it returns `true`. */
  async function isParked(lot: Parking, assignment: Assignment, taken: Taken<Work>): Promise<boolean> {
    if (!assignment.isOwned) return false
    const { record } = taken.item
    const standing = lot.standing(assignment, taken.key, record.offset)
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
    else settings.onFatal(poisonError(assignment, work, error))
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

  async function failed(failure: Failure): Promise<void> {
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
      settings.onFatal(poisonError(assignment, work, policyError))
      return
    }
    const place = { topic: assignment.topic.name, partition: assignment.partition, offset: work.record.offset }
    const retryInMs = step.kind === 'retry' ? step.afterMs : undefined
    onEvent({ kind: 'handler-failed', ...place, attempt: work.attempts, error, retryInMs })
    if (step.kind === 'retry') return later(assignment, taken, step.afterMs)
    if (step.kind === 'exhausted' && parking)
      return park(parking, assignment, taken, error ?? new Error('The handler threw undefined.'))
    if (step.kind === 'stop' || !bury) {
      settings.onFatal(poisonError(assignment, work, error))
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
      settings.onFatal(poisonError(assignment, work, buryError))
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
      return idle.wait(ms)
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

interface Failure {
  readonly assignment: Assignment
  readonly taken: Taken<Work>
  readonly signal: AbortSignal
  readonly error: unknown
  /** Whether the handler was called. */
  readonly isDecoded: boolean
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}
