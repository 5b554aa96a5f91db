import { type Duration, durationMs, type PipeError } from '@pipe/core'
import { KafkaError } from '../errors'
import type { KafkaResources } from '../kafka-resources'
import { existingTopics } from '../leader-request'
import { type Assignment, revoked } from './assignment'
import type { AnyTopic } from './consumed-record'
import type { ConsumerOptions } from './consumer-options'
import { settingsOf } from './consumer-settings'
import { type Delivery, type DeliveryContext, offsetDelivery } from './delivery'
import { createDispatcher, type Dispatcher } from './dispatcher'
import type { HandleContext } from './handle-context'
import { createIngest, type Ingest } from './ingest'
import { createLoopWatch } from './loop-watch'
import { createMembership, type Membership } from './membership'
import { createAssignments } from './rebalance'
import { type Leftover, leftoverOf, type StopReport } from './stop-report'
import { type Life, type Supervisor, supervise } from './supervisor'

/** A running consumer. */
export interface Consumer extends AsyncDisposable {
  /**
   * Resolves when it was stopped. Rejects when it cannot go on: a poison record without a dead-letter topic, an offset that the log does not have, no
   * authorisation, or more restarts than allowed. Wait for it: a consumer that failed unnoticed is the worst one.
   */
  readonly done: Promise<void>
  /** What it holds just now. */
  status(): ConsumerStatus
  /**
   * Stops: nothing new begins, running handlers may end until the deadline and are aborted then, what is done is committed, the group is left.
   *
   * @param options `deadline`: default `'30 seconds'`.
   * @returns what is left. Calling again returns the same.
   */
  stop(options?: { readonly deadline?: Duration | undefined }): Promise<StopReport>
}

/** A look at a consumer. */
export interface ConsumerStatus {
  readonly state: 'starting' | 'running' | 'stopping' | 'stopped' | 'failed'
  /** Handlers that run now. */
  readonly running: number
  readonly bufferedBytes: number
  readonly memberId: string | undefined
  readonly partitions: readonly Leftover[]
}

const defaultDeadlineMs = 30_000

/**
 * Starts a consumer on a connection. See {@link Kafka.consumer}.
 *
 * @param deliver makes what becomes of the results; default: commits of offsets.
 * @throws {@link ConfigError} `PIPE_CONFIG` for options that cannot work.
 */
export function createConsumer<const Topics extends readonly AnyTopic[]>(
  resources: KafkaResources,
  options: ConsumerOptions<Topics>,
  deliver: (context: DeliveryContext) => Delivery = offsetDelivery,
): Consumer {
  const settings = settingsOf(options)
  const { group, onEvent, timing } = settings
  const cluster = resources.openCluster()
  const stopping = new AbortController()
  let state: ConsumerStatus['state'] = 'starting'
  let membership: Membership | undefined
  let ingest: Ingest | undefined
  let stopped: Promise<StopReport> | undefined
  let crashLife: (error: unknown) => void = () => {}

  const delivery = deliver({
    resources,
    settings,
    membership: () => membership!,
    assignments: () => assignments,
    fenced,
    fail,
    restart: (error) => crashLife(error),
    wake() {
      dispatcher.wake()
      ingest?.wake()
    },
  })
  const { committer } = delivery
  const dispatcher: Dispatcher = createDispatcher({
    concurrency: settings.concurrency,
    window: {
      order: settings.order,
      maxWaiting: Math.max(64, settings.concurrency * 8),
      maxSpan: 10_000,
      hasRoom: delivery.hasRoom,
    },
    retry: settings.retry,
    handle: options.handle as (record: never, context: HandleContext) => unknown,
    bury: delivery.bury,
    parking: delivery.parking,
    assignments: () => assignments.list,
    onEvent,
    onDone(assignment) {
      committer.schedule()
      ingest?.noticeRoom(assignment)
    },
    onFatal: fail,
    onBroken: (error) => crashLife(error),
  })
  const assignments = createAssignments({
    topics: new Map(options.topics.map((topic) => [topic.name, topic])),
    dispatcher: () => dispatcher,
    drainMs: timing.drainMs,
    commit: committer.flush,
    onEvent,
  })
  const watch = createLoopWatch(timing.sessionTimeoutMs, onEvent)

  function fenced(reason: string): void {
    if (assignments.list.length === 0) return
    assignments.dropAll(revoked(`The group went on without this member: ${reason}`))
    onEvent({ kind: 'fenced', reason })
  }

  const leftover = (assignment: Assignment) => leftoverOf(assignment, delivery.parking?.waiting(assignment) ?? 0)

  function fail(error: PipeError): void {
    dispatcher.freeze()
    supervisor.fail(error)
  }

  function begin(): Life {
    const crashed = new Promise<unknown>((resolve) => {
      crashLife = resolve
    })
    const crash = crashLife
    const own = createMembership({
      resources,
      cluster,
      group,
      instanceId: settings.instanceId,
      topics: options.topics.map(({ name }) => name),
      fromBeginning: settings.missing === 'earliest',
      isolation: settings.isolation,
      timing,
      hooks: {
        beforeJoin: assignments.drain,
        joined(identity, assigned) {
          if (state === 'starting') state = 'running'
          assignments.joined(identity, assigned)
          delivery.assigned()
        },
        fenced,
        fetch: (broker, request) => ownIngest.fetch(broker, request),
        fetchFailed: (error) => onEvent({ kind: 'fetch-failed', error }),
        crashed: crash,
      },
    })
    const ownIngest = createIngest({
      group,
      cluster,
      bufferBytes: settings.bufferBytes,
      maxUnpackedBytes: settings.maxUnpackedBytes,
      outOfRange: settings.outOfRange,
      find(topic, partition) {
        const assignment = assignments.find(topic, partition)
        return assignment && delivery.isReady(assignment) ? assignment : undefined
      },
      assigned: () => assignments.list.length,
      replace(old) {
        const fresh = assignments.replace(old)
        delivery.assigned()
        return fresh
      },
      refreshLeaders: own.refreshLeaders,
      onRecords() {
        // Also without records: the place to begin at is committed, and offsets that hold none.
        dispatcher.wake()
        committer.schedule()
      },
      onEvent,
      onFatal: fail,
    })
    membership = own
    ingest = ownIngest
    return {
      async start() {
        await existingTopics(
          cluster,
          options.topics.map(({ name }) => name),
          stopping.signal,
        )
        await delivery.check(stopping.signal)
        await own.start()
      },
      crashed,
      async end() {
        dispatcher.freeze()
        assignments.dropAll(revoked('The connection to the group was lost.'))
        ownIngest.close()
        await own.leave(3000)
      },
    }
  }

  const supervisor: Supervisor = supervise({
    group,
    maxRestarts: timing.maxRestarts,
    firstMs: 500,
    maxMs: 30_000,
    begin,
    onEvent,
  })

  async function shutDown(deadlineMs: number): Promise<StopReport> {
    const startedMs = Date.now()
    const left = () => Math.max(0, startedMs + deadlineMs - Date.now())
    if (state !== 'failed') state = 'stopping'
    stopping.abort(new KafkaError('PIPE_KAFKA_CLOSED', 'The consumer stops.'))
    supervisor.stop()
    watch.close()
    dispatcher.hold()
    ingest?.close()
    let aborted = 0
    // What is kept for the commit and for leaving the group.
    const reserveMs = Math.min(2000, deadlineMs / 4)
    if (!(await dispatcher.settled(Math.max(0, left() - reserveMs)))) {
      aborted = dispatcher.running
      dispatcher.interrupt(assignments.list, revoked('The consumer stops, and its deadline is up.'))
      await dispatcher.settled(Math.min(graceMs, left()))
    }
    const isCommitted = membership?.identity
      ? await withLimit(committer.flush(), Math.max(500, left()), false)
      : assignments.list.length === 0
    committer.close()
    const partitions = assignments.list.map(leftover)
    const stillRunning = dispatcher.running
    const hasLeft = membership ? await membership.leave(Math.max(1000, left())) : true
    assignments.dropAll(revoked('The consumer has stopped.'))
    await delivery.close()
    await cluster.close()
    if (state !== 'failed') state = 'stopped'
    return {
      elapsedMs: Date.now() - startedMs,
      isClean: aborted === 0 && isCommitted && (hasLeft || settings.instanceId !== undefined),
      isCommitted,
      hasLeftGroup: hasLeft,
      abortedHandlers: aborted,
      runningHandlers: stillRunning,
      partitions,
    }
  }

  function stop(deadlineMs: number): Promise<StopReport> {
    stopped ??= shutDown(deadlineMs).finally(release)
    return stopped
  }

  const onAbort = () => void stop(defaultDeadlineMs)
  const release = resources.own(async () => {
    await stop(defaultDeadlineMs)
  })

  async function finish(): Promise<void> {
    try {
      await supervisor.ended
    } catch (error) {
      state = 'failed'
      await stop(defaultDeadlineMs)
      throw error
    } finally {
      options.signal?.removeEventListener('abort', onAbort)
    }
    await stopped
  }

  const done = finish()
  if (options.signal?.aborted) onAbort()
  else options.signal?.addEventListener('abort', onAbort, { once: true })

  return {
    done,
    status: () => ({
      state,
      running: dispatcher.running,
      bufferedBytes: assignments.list.reduce((sum, { log }) => sum + (log?.queue.bytes ?? 0), 0),
      memberId: membership?.identity?.memberId,
      partitions: assignments.list.map(leftover),
    }),
    stop: ({ deadline } = {}) => stop(deadline === undefined ? defaultDeadlineMs : durationMs(deadline)),
    [Symbol.asyncDispose]: async () => {
      await stop(defaultDeadlineMs)
    },
  }
}

/** Interrupted handlers get so long to end. */
const graceMs = 500

function withLimit<T>(work: Promise<T>, ms: number, otherwise: T): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(otherwise), ms)
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
