import { PipeError, sleep } from '@pipe/core'
import { fromKafkajs } from '../errors'
import type { ConsumerEvent } from './consumer-event'
import { backoffAfter } from './retry-policy'

/** One life of a member: from its start to its crash. */
export interface Life {
  /** Rejects when it cannot begin, else resolves once it has joined. */
  start(): Promise<void>
  /** Resolves with the error when it crashes. */
  readonly crashed: Promise<unknown>
  /** Lets go of everything that it holds. Never rejects. */
  end(): Promise<void>
}

/** Keeps a member alive. */
export interface Supervisor {
  /** Resolves when `stop` was called, rejects when there is no use in going on. */
  readonly ended: Promise<void>
  /** No further life begins. The current one is not touched. */
  stop(): void
  /** Ends it with an error. */
  fail(error: PipeError): void
}

/** A life that lasted so long makes up for the failures before it. */
const steadyMs = 60_000

const hopelessCodes: ReadonlySet<string> = new Set([
  'PIPE_CONFIG',
  'PIPE_KAFKA_AUTH',
  'PIPE_KAFKA_DRIVER',
  'PIPE_KAFKA_RETRY_TOPIC',
  'PIPE_KAFKA_DURABILITY',
  'PIPE_KAFKA_TOPIC',
  'PIPE_KAFKA_VERSION',
])

/** Crashes that another life would meet again. */
function isHopeless(error: PipeError): boolean {
  // Credentials that could not be fetched just now are no reason to give up.
  if (hopelessCodes.has(error.code) && !error.retryable) return true
  const { errorCode } = error.details as { errorCode?: number }
  // Not authorised for topic, group or cluster; invalid group or session timeout; inconsistent protocol; another member has the instance id.
  return errorCode !== undefined && [23, 24, 26, 29, 30, 31, 82].includes(errorCode)
}

/**
 * Runs life after life, with a growing pause between them, until it is stopped or `maxRestarts` lives in a row have ended within a minute.
 *
 * @param settings `firstMs`, `maxMs`: the pauses, in milliseconds.
 */
export function supervise(settings: {
  readonly group: string
  readonly maxRestarts: number
  readonly firstMs: number
  readonly maxMs: number
  readonly begin: () => Life
  readonly onEvent: (event: ConsumerEvent) => void
}): Supervisor {
  const stopped = new AbortController()
  let failure: PipeError | undefined

  const stop = () => stopped.abort(new Error('stopped'))
  const whenStopped = new Promise<undefined>((resolve) => {
    stopped.signal.addEventListener('abort', () => resolve(undefined), { once: true })
  })

  async function live(): Promise<unknown> {
    const life = settings.begin()
    try {
      // A start that hangs must not outlive a stop.
      await Promise.race([life.start(), life.crashed.then((error) => Promise.reject(error)), whenStopped])
      return await Promise.race([life.crashed, whenStopped])
    } catch (error) {
      return error
    } finally {
      if (!stopped.signal.aborted) await life.end()
    }
  }

  async function run(): Promise<void> {
    for (let restart = 0; ; ) {
      const startedMs = Date.now()
      const cause = await live()
      if (failure) throw failure
      if (stopped.signal.aborted) return
      const error = fromKafkajs(`Consumer of group ${settings.group}`, rootOf(cause), { group: settings.group })
      if (isHopeless(error)) throw error
      restart = Date.now() - startedMs > steadyMs ? 1 : restart + 1
      if (restart > settings.maxRestarts) {
        throw new PipeError(
          'PIPE_KAFKA_GAVE_UP',
          `The consumer of group ${settings.group} failed ${restart} times in a row, at last: ${error.message}`,
          { cause: error, details: { group: settings.group } },
        )
      }
      const inMs = backoffAfter(restart, settings.firstMs, settings.maxMs, Math.random)
      settings.onEvent({ kind: 'restarting', error, restart, inMs })
      // A stop in between is seen by the check below.
      await sleep(inMs, stopped.signal).catch(() => undefined)
      if (failure) throw failure
      if (stopped.signal.aborted) return
    }
  }

  const ended = run()
  return {
    ended,
    stop,
    fail(error) {
      failure ??= error
      stop()
    },
  }
}

/** kafkajs wraps what happened into "number of retries exceeded". */
function rootOf(error: unknown): unknown {
  const { name, cause } = (error ?? {}) as { name?: string; cause?: unknown }
  return name === 'KafkaJSNumberOfRetriesExceeded' && cause ? rootOf(cause) : error
}
