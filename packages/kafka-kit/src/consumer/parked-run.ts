import type { Assignment } from './assignment'
import { decodeRecord, type Poison, rawRecord } from './consumed-record'
import type { ConsumerEvent } from './consumer-event'
import type { HandleContext } from './handle-context'
import type { Parking } from './parking'
import type { Parked } from './parking-lot'
import type { RetryPolicy } from './retry-policy'

/** What a run of a parked record needs. */
export interface ParkedRunSettings {
  readonly parking: Parking
  readonly retry: RetryPolicy
  readonly handle: (record: never, context: HandleContext) => unknown
  readonly bury: (poison: Poison, signal: AbortSignal) => Promise<string>
  readonly onEvent: (event: ConsumerEvent) => void
  /** There is something to commit. */
  readonly onDone: (assignment: Assignment) => void
  /** It could neither be handled nor put away. */
  readonly onFailed: (assignment: Assignment, parked: Parked, error: unknown) => void
  /** The policy says to stop, with the error of the handler. */
  readonly onStop: (assignment: Assignment, parked: Parked, error: unknown) => void
}

/**
 * Handles a record whose time has come: once. It is done with, comes back after a longer pause, or becomes a dead letter. Interrupted, it waits
 * where it was. Never rejects.
 */
export async function runParked(settings: ParkedRunSettings, assignment: Assignment, parked: Parked): Promise<void> {
  const { parking, onEvent } = settings
  const { signal } = assignment.abort
  const { topic, partition } = assignment
  const place = { topic: topic.name, partition, offset: parked.record.offset }
  let attempts = parked.attempts
  let isDecoded = false
  try {
    const record = await decodeRecord(topic, partition, parked.record)
    isDecoded = true
    attempts++
    await settings.handle(record as never, { signal, attempt: attempts })
  } catch (error) {
    if (!assignment.isOwned) return
    if (signal.aborted) return parking.putBack(assignment, parked)
    return failed(error)
  }
  await settle(async () => {
    await parking.resolve(assignment, parked)
    onEvent({ kind: 'unparked', ...place, round: parked.round })
  })

  async function failed(error: unknown): Promise<void> {
    let verdict: ReturnType<RetryPolicy['after']>
    try {
      // What cannot be decoded now cannot be later.
      verdict = isDecoded ? settings.retry.after(error, attempts) : { kind: 'dead-letter' }
    } catch (policyError) {
      return settings.onStop(assignment, parked, policyError)
    }
    if (verdict.kind === 'stop') {
      onEvent({ kind: 'handler-failed', ...place, attempt: attempts, error, retryInMs: undefined })
      return settings.onStop(assignment, parked, error)
    }
    await settle(async () => {
      const dueAtMs = verdict.kind === 'dead-letter' ? undefined : await parking.again(assignment, parked, { attempts, error })
      const retryInMs = dueAtMs === undefined ? undefined : Math.max(0, dueAtMs - Date.now())
      onEvent({ kind: 'handler-failed', ...place, attempt: attempts, error, retryInMs })
      if (retryInMs !== undefined) {
        onEvent({ kind: 'parked', ...place, retryTopic: parking.retryTopic, round: parked.round + 1, retryInMs })
        return
      }
      const record = rawRecord(place.topic, partition, parked.record)
      const deadLetterTopic = await settings.bury({ record, error, attempts }, signal)
      onEvent({ kind: 'dead-lettered', ...place, deadLetterTopic, error })
      await parking.resolve(assignment, parked)
    })
  }

  async function settle(write: () => Promise<void>): Promise<void> {
    try {
      await write()
      settings.onDone(assignment)
    } catch (error) {
      if (!assignment.isOwned) return
      parking.putBack(assignment, parked)
      if (!signal.aborted) settings.onFailed(assignment, parked, error)
    }
  }
}
