import { PipeError, sleep } from '@pipe/core'
import { backOffMs } from './retry-table'
import type { ProducerId } from './transport'

/** The producer id of an engine. One at a time; each renewal starts all sequences anew. */
export interface ProducerIds {
  /** The id to use, when there is one. */
  readonly current: ProducerId | undefined
  /** Sees to it that there will be one. */
  acquire(): void
  /** Sees to it that `stale` is never used for a new batch. */
  renew(stale: ProducerId | undefined, reason: string): void
  close(): void
}

/**
 * Makes the ids of one engine.
 *
 * @param options `fetch` asks a broker; `onReady` is called when there is a new id, `onFailed` when there can be none.
 */
export function createProducerIds(options: {
  readonly fetch: () => Promise<ProducerId>
  readonly onReady: () => void
  readonly onFailed: (error: PipeError) => void
  readonly onRenewed: (id: ProducerId, reason: string) => void
}): ProducerIds {
  const stop = new AbortController()
  let current: ProducerId | undefined
  let isAsking = false
  let reason: string | undefined

  async function ask(): Promise<void> {
    for (let attempt = 1; !stop.signal.aborted; attempt++) {
      try {
        const id = await options.fetch()
        if (stop.signal.aborted) return
        current = id
        isAsking = false
        if (reason !== undefined) options.onRenewed(id, reason)
        reason = undefined
        options.onReady()
        return
      } catch (error) {
        if (stop.signal.aborted) return
        if (!PipeError.isInstance(error) || !error.retryable) {
          isAsking = false
          options.onFailed(
            PipeError.isInstance(error)
              ? error
              : new PipeError('PIPE_KAFKA_CONNECTION', `A producer id: ${error}.`, { cause: error }),
          )
          return
        }
        // The deadlines of the messages end it; until then there is nothing better to do than to ask again.
        await sleep(backOffMs(attempt, Math.random), stop.signal).catch(() => undefined)
      }
    }
  }

  function acquire(): void {
    if (isAsking || current || stop.signal.aborted) return
    isAsking = true
    void ask()
  }

  return {
    get current() {
      return current
    },
    acquire,
    renew(stale, why) {
      if (current !== stale) return
      current = undefined
      reason = why
      acquire()
    },
    close: () => stop.abort(),
  }
}
