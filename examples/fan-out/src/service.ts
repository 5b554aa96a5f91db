import { createObjectStore, readEnv } from '@pipe/core'
import { createIdempotency } from '@pipe/events'
import type { Order } from './contracts'

const { BUCKET } = readEnv(['BUCKET'])

/**
 * What a service does with an order: its work, once for each order, however often the order arrives. Here the work is an object with a new name for
 * each run, so that the story can count runs.
 */
export function serviceOf(name: string) {
  const store = createObjectStore({ location: `s3://${BUCKET}/${name}/` })
  const { once } = createIdempotency({ store: createObjectStore({ location: `s3://${BUCKET}/keys/${name}/` }) })
  return {
    async handle(
      order: Order,
      { signal, run, remainingMs }: { signal: AbortSignal; run: string; remainingMs: number },
    ): Promise<void> {
      await once(
        order.id,
        async () => {
          await store.put(`${order.id}/${run}.json`, JSON.stringify(order), { signal })
        },
        { signal, remainingMs },
      )
    },
    /** Puts an event that breaks the contract where somebody can look at it. */
    async quarantine(key: string, text: string, reason: string): Promise<void> {
      const quarantine = createObjectStore({ location: `s3://${BUCKET}/quarantine/${name}/` })
      await quarantine.put(`${key}.json`, JSON.stringify({ reason, text }))
    },
  }
}
