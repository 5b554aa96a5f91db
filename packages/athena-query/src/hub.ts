import { AthenaClient } from '@aws-sdk/client-athena'
import { type Clock, systemClock } from '@pipe/core'
import { createPoller, type Poller } from './poller'
import { createScheduler, type Scheduler } from './scheduler'

/** What all Athena clients of this process share that use the same client of the SDK. */
export interface Hub {
  readonly client: AthenaClient
  readonly scheduler: Scheduler
  readonly poller: Poller
}

/** A hub in use. */
export interface HeldHub extends Hub {
  /** Destroys the client of the SDK when it was made here and nobody else uses it. Idempotent. */
  close(): void
}

const hubs = new WeakMap<AthenaClient, Hub>()
const shared = new Map<string, { readonly client: AthenaClient; users: number }>()

// What a client of the SDK takes from the environment and from nowhere else.
const environment = ['AWS_ENDPOINT_URL', 'AWS_ENDPOINT_URL_ATHENA', 'AWS_REGION', 'AWS_PROFILE', 'AWS_ACCESS_KEY_ID']

/**
 * The hub of a client of the SDK; without one, of the client that this process makes from the standard environment, one for all.
 *
 * @param clock of the scheduler and the poller; counts for the first that opens the hub.
 */
export function openHub(given: AthenaClient | undefined, clock: Clock = systemClock): HeldHub {
  if (given) return { ...hubOf(given, clock), close: () => undefined }
  const key = JSON.stringify(environment.map((name) => process.env[name] ?? null))
  // One policy of retries (attempts.ts), not two: the SDK's own takes full slots for a rate limit and gives up within seconds.
  const entry = shared.get(key) ?? { client: new AthenaClient({ maxAttempts: 1 }), users: 0 }
  shared.set(key, entry)
  entry.users++
  let open = true
  return {
    ...hubOf(entry.client, clock),
    close() {
      if (!open) return
      open = false
      entry.users--
      if (entry.users > 0) return
      shared.delete(key)
      entry.client.destroy()
    },
  }
}

function hubOf(client: AthenaClient, clock: Clock): Hub {
  const hub = hubs.get(client) ?? { client, scheduler: createScheduler(clock), poller: createPoller(client, clock) }
  hubs.set(client, hub)
  return hub
}
