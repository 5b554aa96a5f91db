import { type PipeError, sleep } from '@pipe/core'
import { fromKafkajs } from '../errors'
import { type DriverBroker, driverError } from '../internals'
import { backoffAfter } from './retry-policy'

/** A fetch as kafkajs wants to send it. */
export interface DriverFetch {
  readonly maxWaitTime: number
  readonly isolationLevel: number
  readonly topics: readonly {
    readonly topic: string
    readonly partitions: readonly { readonly partition: number; readonly fetchOffset: string }[]
  }[]
}

/** A broker of kafkajs: what its consumer asks of it beside {@link DriverBroker}. */
export interface GroupBroker extends DriverBroker {
  joinGroup(request: object): Promise<{ readonly generationId: number; readonly memberId: string }>
  syncGroup(request: object): Promise<unknown>
  heartbeat(request: HeartbeatRequest): Promise<unknown>
  leaveGroup(request: object): Promise<unknown>
  offsetFetch(request: object): Promise<unknown>
  fetch(request: DriverFetch): Promise<unknown>
}

/** The functions that a broker of kafkajs must have. */
export const groupMembers: readonly (keyof GroupBroker)[] = [
  'joinGroup',
  'syncGroup',
  'heartbeat',
  'leaveGroup',
  'offsetFetch',
  'fetch',
]

/** Settings of the group protocol, in milliseconds. */
export interface GroupTiming {
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  readonly heartbeatMs: number
  readonly maxWaitMs: number
}

/** The coordinator of a group, wherever it is. */
export interface Coordinator {
  /** What kafkajs gets in place of a broker. */
  readonly facade: CoordinatorFacade
  /** Asks the present coordinator, and the next one when it moved, for `waitMs`; an answer may take `timeoutMs`. */
  ask<T>(use: (broker: GroupBroker) => Promise<T>, timeoutMs?: number, waitMs?: number): Promise<T>
  close(): void
}

/** The functions of a broker that the consumer of kafkajs calls on its coordinator. */
export interface CoordinatorFacade
  extends Pick<GroupBroker, 'heartbeat' | 'joinGroup' | 'syncGroup' | 'offsetFetch' | 'leaveGroup'> {
  readonly nodeId: null
  isConnected(): boolean
  offsetCommit(request: object): Promise<unknown>
}

/** COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR. */
export const movedCodes: ReadonlySet<number> = new Set([14, 15, 16])

const connectionErrors: ReadonlySet<string> = new Set([
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSRequestTimeoutError',
  'KafkaJSBrokerNotFound',
  'KafkaJSLockTimeout',
  'KafkaJSNumberOfRetriesExceeded',
])

/** Whether another broker, or the same one later, may answer. */
function isMoved(error: unknown): boolean {
  const { code, name } = (error ?? {}) as { code?: unknown; name?: string }
  if (typeof code === 'number') return movedCodes.has(code)
  return connectionErrors.has(name ?? '') || code === 'PIPE_KAFKA_CONNECTION' || code === 'ECONNREFUSED' || code === 'ECONNRESET'
}

/** Who sends a heartbeat. */
export interface HeartbeatRequest {
  readonly memberId: string
  readonly groupGenerationId: number
}

/** How long a coordinator that moved is looked for before kafkajs hears of it. */
const coordinatorWaitMs = 60_000

/** The coordinator as kafkajs sees it: always there. When it moves, its requests go to the new one, without a rebalance. */
export function createCoordinator(options: {
  readonly group: string
  readonly instanceId: string | undefined
  readonly timing: GroupTiming
  readonly find: (options: { groupId: string }) => Promise<GroupBroker>
  readonly drop: (broker: DriverBroker) => void
  readonly isLeaving: () => boolean
  readonly onJoined: (response: { readonly generationId: number; readonly memberId: string }) => void
  readonly onFenced: (who: HeartbeatRequest, reason: string) => void
  readonly onLeft: () => void
  /** Another member has taken the place of this static one. */
  readonly onReplaced: (error: PipeError) => void
}): Coordinator {
  const { group, instanceId, timing } = options
  const closed = new AbortController()
  let current: GroupBroker | undefined
  let joining: Promise<{ readonly generationId: number; readonly memberId: string }> | undefined
  // A coordinator that is stopped, not dead, never answers: heartbeats must notice well within the session.
  const answerMs = Math.max(1000, timing.sessionTimeoutMs / 3)

  async function ask<T>(
    use: (broker: GroupBroker) => Promise<T>,
    timeoutMs: number = answerMs,
    waitMs: number = coordinatorWaitMs,
  ): Promise<T> {
    const giveUpAt = Date.now() + waitMs
    for (let failures = 1; ; failures++) {
      let broker: GroupBroker | undefined
      try {
        broker = current ?? (await options.find({ groupId: group }))
        current = broker
        const asked = broker
        return await within(use(asked), timeoutMs, () => options.drop(asked))
      } catch (error) {
        if (current === broker) current = undefined
        if (!isMoved(error) || options.isLeaving() || Date.now() >= giveUpAt) throw error
        await sleep(backoffAfter(failures, 100, 1000, Math.random), closed.signal)
      }
    }
  }

  async function heartbeat(request: HeartbeatRequest): Promise<unknown> {
    try {
      return await ask((broker) => broker.heartbeat(request))
    } catch (error) {
      const { code } = error as { code?: unknown }
      if (code === 22 || code === 25 || code === 82) {
        const failure = fromKafkajs(`Group ${group}`, error, { group })
        options.onFenced(request, failure.message)
        // kafkajs would go on asking.
        if (code === 82) options.onReplaced(failure)
      }
      throw error
    }
  }

  /** Two joins at once, as kafkajs may start them, would leave one of them without an answer. */
  function joinGroup(request: object): Promise<{ readonly generationId: number; readonly memberId: string }> {
    joining ??= ask((broker) => broker.joinGroup(request), timing.rebalanceTimeoutMs + timing.sessionTimeoutMs + 10_000)
      .then((response) => {
        options.onJoined(response)
        return response
      })
      .finally(() => {
        joining = undefined
      })
    return joining
  }

  const facade: CoordinatorFacade = {
    nodeId: null,
    isConnected: () => true,
    heartbeat,
    joinGroup,
    // The leader of the group may still be joining: the answer waits for it.
    syncGroup: (request: object) => ask((broker) => broker.syncGroup(request), timing.rebalanceTimeoutMs + 10_000),
    offsetFetch: (request: object) => ask((broker) => broker.offsetFetch(request)),
    async leaveGroup(request: object) {
      // The place of a static member is kept for it until its session ends.
      if (instanceId !== undefined) return undefined
      const answer = await ask((broker) => broker.leaveGroup(request), 3000)
      options.onLeft()
      return answer
    },
    // kafkajs commits −1 when it resets an offset by itself. It has no reason to here; should it find one, it fails loudly.
    offsetCommit: () => Promise.reject(driverError(['reason to commit by itself'])),
  }
  return { facade, ask, close: () => closed.abort(new Error('closed')) }
}

/** Waits no longer than `ms`; then calls `onLate` and fails as a request that timed out. */
async function within<T>(work: Promise<T>, ms: number, onLate: () => void): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      onLate()
      reject(Object.assign(new Error(`no answer within ${Math.round(ms)} ms`), { name: 'KafkaJSRequestTimeoutError' }))
    }, ms)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
