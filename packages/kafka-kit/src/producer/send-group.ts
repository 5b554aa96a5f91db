import { type FailedOutcome, PartialSendError } from '../errors'
import type { SendGroup } from './batch'
import type { Durability, SendResult } from './durability'

/** The messages of one call, and the promise that was given for them. */
export interface PendingSend<Result> extends SendGroup {
  readonly promise: Promise<Result>
  /** Ends the waiting with the reason of the caller's signal. */
  abort(reason: unknown): void
}

function resultOf<D extends Durability>(durability: D, partition: number, offset: bigint, timestampMs: number): SendResult<D> {
  const result = durability === 'fire-and-forget' ? { partition } : { partition, offset, timestamp: new Date(timestampMs) }
  return result as SendResult<D>
}

/** The group of a single message. */
export function singleSend<D extends Durability>(durability: D): PendingSend<SendResult<D>> {
  let resolve!: (result: SendResult<D>) => void
  let reject!: (error: unknown) => void
  const promise = new Promise<SendResult<D>>((yes, no) => {
    resolve = yes
    reject = no
  })
  const group: PendingSend<SendResult<D>> = {
    promise,
    isAborted: false,
    written: (_, partition, offset, timestampMs) => resolve(resultOf(durability, partition, offset, timestampMs)),
    failed: (_, error) => reject(error),
    abort(reason) {
      group.isAborted = true
      reject(reason)
    },
  }
  return group
}

/** The group of `count` messages: resolves when all are confirmed, rejects with {@link PartialSendError} when the last one is settled. */
export function manySend<D extends Durability>(
  durability: D,
  topic: string,
  count: number,
): PendingSend<readonly SendResult<D>[]> {
  const outcomes = new Array<SendResult<D> | FailedOutcome>(count)
  let left = count
  let firstError: FailedOutcome | undefined
  let failures = 0
  let resolve!: (results: readonly SendResult<D>[]) => void
  let reject!: (error: unknown) => void
  const promise = new Promise<readonly SendResult<D>[]>((yes, no) => {
    resolve = yes
    reject = no
  })
  const settle = () => {
    left--
    if (left > 0) return
    if (firstError === undefined) return resolve(outcomes as SendResult<D>[])
    const written = count - failures
    reject(
      new PartialSendError(
        `${topic}: ${failures} of ${count} messages were not confirmed. The first: ${firstError.message}`,
        outcomes,
        {
          cause: firstError,
          hint: 'See outcomes for each message: resend those that are certainly not written.',
          details: { topic, written, failed: failures },
        },
      ),
    )
  }
  if (count === 0) resolve([])
  const group: PendingSend<readonly SendResult<D>[]> = {
    promise,
    isAborted: false,
    written(index, partition, offset, timestampMs) {
      outcomes[index] = resultOf(durability, partition, offset, timestampMs)
      settle()
    },
    failed(index, error) {
      outcomes[index] = error
      firstError ??= error
      failures++
      settle()
    },
    abort(reason) {
      group.isAborted = true
      reject(reason)
    },
  }
  return group
}
