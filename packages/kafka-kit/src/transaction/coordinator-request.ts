import { PipeError, sleep } from '@pipe/core'
import type { Api } from '@pipe/kafka-wire'
import { fromKafkajs, protocolFailure } from '../errors'
import type { Cluster, DriverBroker } from '../internals'
import { backOffMs } from '../producer/retry-table'
import { noAnswer, sessionEnd } from './session-end'

/** How long a request may be waited for, and for whom it is. */
export interface StepOptions {
  /** Completes "… of <transactional id>". */
  readonly step: string
  readonly transactionalId: string
  /** No further try begins after it. */
  readonly giveUpAtMs: number
  readonly signal: AbortSignal
}

/** One coordinator, wherever it is just now. */
export interface CoordinatorLink {
  /**
   * Asks until there is an answer that counts: connections that break and coordinators that move or load are waited for, and
   * CONCURRENT_TRANSACTIONS (the previous transaction is still being ended) for 20 to 100 ms at a time.
   *
   * @param codesOf the error codes in an answer.
   * @throws KafkaError as `sessionEnd` and `noAnswer` make it.
   */
  ask<Request extends object, Response extends object>(
    api: Api<Request, Response>,
    request: Request,
    codesOf: (answer: Response) => readonly number[],
    options: StepOptions,
  ): Promise<Response>
}

/** COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR, BROKER_NOT_AVAILABLE. */
const movedCodes: ReadonlySet<number> = new Set([8, 14, 15, 16])
/** UNKNOWN_TOPIC_OR_PARTITION (a broker that has not heard of it yet), REQUEST_TIMED_OUT, NETWORK_EXCEPTION, NOT_ENOUGH_REPLICAS: of the log of the coordinator. */
const laterCodes: ReadonlySet<number> = new Set([3, 7, 13, 19, 20])
const concurrentTransactions = 51
/** The others of the request were not looked at: the reason stands with another partition. */
const operationNotAttempted = 55

/** A coordinator that is stopped, not dead, takes requests and never answers. */
const answerMs = 10_000

/** Makes a link; the coordinator is looked up with the first request. */
export function createCoordinatorLink(cluster: Cluster, find: () => Promise<DriverBroker>): CoordinatorLink {
  let current: DriverBroker | undefined

  async function askOnce<Request extends object, Response extends object>(
    api: Api<Request, Response>,
    request: Request,
    signal: AbortSignal,
  ): Promise<Response> {
    const broker = current ?? (await find())
    current = broker
    const timer = setTimeout(() => cluster.drop(broker), answerMs)
    try {
      return await cluster.call(broker, api, request, { signal })
    } finally {
      clearTimeout(timer)
    }
  }

  return {
    async ask(api, request, codesOf, options) {
      const { step, transactionalId, giveUpAtMs, signal } = options
      for (let attempt = 1; ; attempt++) {
        let waitMs: number
        let failure: PipeError
        let isAnswered = true
        try {
          const answer = await askOnce(api, request, signal)
          const failed = codesOf(answer).filter((code) => code !== 0 && code !== operationNotAttempted)
          if (failed.length === 0) return answer
          const errorCode = failed.find((code) => !isPassing(code)) ?? failed[0]!
          if (!isPassing(errorCode)) throw sessionEnd(step, transactionalId, errorCode)
          failure = protocolFailure(`${step} of ${transactionalId}`, errorCode)
          if (movedCodes.has(errorCode)) current = undefined
          waitMs = errorCode === concurrentTransactions ? Math.min(20 * attempt, 100) : backOffMs(attempt, Math.random)
        } catch (error) {
          signal.throwIfAborted()
          failure = PipeError.isInstance(error) ? error : fromKafkajs(step, error)
          const { errorCode } = failure.details as { errorCode?: number }
          // An answer that ends the session, or one to the question for the coordinator.
          if (failure.code.startsWith('PIPE_KAFKA_') && errorCode !== undefined && !isPassing(errorCode)) throw failure
          if (!failure.retryable) throw noAnswer(step, transactionalId, failure)
          isAnswered = errorCode !== undefined
          current = undefined
          waitMs = backOffMs(attempt, Math.random)
        }
        if (Date.now() + waitMs > giveUpAtMs) {
          const { errorCode } = failure.details as { errorCode?: number }
          if (isAnswered && errorCode !== undefined) throw sessionEnd(step, transactionalId, errorCode)
          throw noAnswer(step, transactionalId, failure)
        }
        await sleep(waitMs, signal)
      }
    },
  }
}

function isPassing(errorCode: number): boolean {
  return movedCodes.has(errorCode) || laterCodes.has(errorCode) || errorCode === concurrentTransactions
}
