import { type PipeError, sleep } from '@pipe/core'
import { type Codec, recordBytesAtMost } from '@pipe/kafka-wire'
import { type Assignment, newAbort, openAt, revoked } from '../consumer/assignment'
import type { Committer } from '../consumer/committer'
import type { Poison } from '../consumer/consumed-record'
import { withOrigin } from '../consumer/dead-letter'
import type { Delivery, DeliveryContext } from '../consumer/delivery'
import type { HandleContext } from '../consumer/handle-context'
import { partitionFor } from '../consumer/raw-write'
import { backoffAfter } from '../consumer/retry-policy'
import { fromKafkajs } from '../errors'
import { committedOffsets } from '../group-state'
import type { Cluster } from '../internals'
import { partitionKey } from '../leader-request'
import { answerOf, logOffsets } from '../offsets'
import type { OutputEncoder } from './output'
import { createOutputBuffer, type OutputBuffer } from './output-buffer'
import type { OutputTopics } from './output-topics'
import { openSession, type SessionSettings, type TransactionSession, transactionalIdOf } from './session'
import type { TransformEvent } from './transform-event'

/** Exactly once: outputs, dead letters and offsets go into transactions, by input partition. */
export interface TransactionDelivery extends Delivery {
  /** Calls the handler for a record, and keeps its outputs. */
  handle(
    record: { readonly topic: string; readonly partition: number; readonly offset: bigint },
    context: HandleContext,
  ): Promise<void>
}

/** Settings of {@link createTransactionDelivery}. */
export interface TransactionDeliverySettings {
  readonly cluster: Cluster
  readonly topics: OutputTopics
  readonly encoder: OutputEncoder
  readonly codec: Codec | undefined
  readonly transactionMs: number
  readonly outputBytes: number
  readonly handle: (record: never, context: HandleContext) => unknown
  readonly check: (signal: AbortSignal) => Promise<void>
  readonly onEvent: (event: TransformEvent) => void
}

/** What one assignment has of its own. Dies with it: a partition that is lost, or whose session is over, comes back as another assignment. */
interface Work {
  readonly outputs: OutputBuffer
  session: TransactionSession | undefined
  running: Promise<boolean> | undefined
}

/** Makes the delivery of one transform. */
export function createTransactionDelivery(context: DeliveryContext, settings: TransactionDeliverySettings): TransactionDelivery {
  const { group, deadLetter, missing, timing } = context.settings
  const { cluster, topics, encoder, transactionMs, outputBytes, onEvent } = settings
  const closed = newAbort()
  const works = new WeakMap<Assignment, Work>()
  /** Those whose outputs should not wait for the timer. */
  const full = new Set<Assignment>()
  let timer: NodeJS.Timeout | undefined

  const sessions: SessionSettings = {
    cluster,
    group,
    topics,
    codec: settings.codec,
    timeoutMs: transactionMs,
    // Also before the group goes on without a member that waits for its last transaction.
    giveUpMs: Math.min(transactionMs * 0.6, timing.rebalanceTimeoutMs / 2),
  }

  const placeOf = ({ topic, partition }: Assignment) => ({ topic: topic.name, partition })
  const isAlive = (assignment: Assignment) => assignment.isOwned && !closed.signal.aborted

  /** Where the partition goes on. Asked only once its session is open: nothing that is not known yet can be committed any more. */
  async function startOf(assignment: Assignment): Promise<bigint> {
    const place = placeOf(assignment)
    const signal = closed.signal
    const found = await committedOffsets(cluster, group, [place], { requireStable: true, signal })
    const committed = found.get(partitionKey(place))?.offset
    assignment.committed = committed
    if (committed !== undefined) return committed
    const { start, stable } = answerOf(await logOffsets(cluster, [place], { waitMs: 15_000, signal }), place)
    return missing === 'earliest' ? start : stable
  }

  async function begin(assignment: Assignment, work: Work): Promise<void> {
    const place = placeOf(assignment)
    for (let failures = 1; isAlive(assignment); failures++) {
      try {
        const session = await openSession(sessions, transactionalIdOf(group, place), closed.signal)
        // An offset that the log does not have was replaced by one that it has: that one counts.
        const position = assignment.position ?? (await startOf(assignment))
        if (!isAlive(assignment)) return
        if (!assignment.log) openAt(assignment, position, context.settings.maxUnpackedBytes)
        work.session = session
        const { transactionalId, producer } = session
        onEvent({
          kind: 'session-opened',
          ...place,
          transactionalId,
          producerId: producer.id,
          producerEpoch: producer.epoch,
          position,
        })
        context.wake()
        committer.schedule()
        return
      } catch (error) {
        if (!isAlive(assignment)) return
        const failure = fromKafkajs(`The session for ${partitionKey(place)}`, error, { group, ...place })
        if (isHopeless(failure)) return context.fail(failure)
        const inMs = backoffAfter(failures, 200, 5000, Math.random)
        onEvent({ kind: 'session-failed', ...place, error: failure, inMs })
        await sleep(inMs, closed.signal).catch(() => undefined)
      }
    }
  }

  function workOf(assignment: Assignment): Work {
    let work = works.get(assignment)
    if (!work) {
      work = { outputs: createOutputBuffer(), session: undefined, running: undefined }
      works.set(assignment, work)
    }
    return work
  }

  /** The session is over: the partition begins anew, with another one, at what is committed. */
  async function endSession(assignment: Assignment, work: Work, error: unknown): Promise<void> {
    work.session = undefined
    const place = placeOf(assignment)
    const failure = fromKafkajs(`The transaction of ${partitionKey(place)}`, error, { group, ...place })
    onEvent({ kind: 'session-ended', ...place, error: failure })
    if (!isAlive(assignment)) return
    if (isHopeless(failure)) return context.fail(failure)
    const fresh = context.assignments().replace(assignment)
    const next = workOf(fresh)
    // Another member may have it by right, and ours be the one that was put out of the group unnoticed. Its heartbeat tells.
    if (failure.code === 'PIPE_KAFKA_FENCED') await sleep(timing.heartbeatMs * 2, closed.signal).catch(() => undefined)
    await begin(fresh, next)
  }

  async function transact(assignment: Assignment, work: Work): Promise<boolean> {
    const to = assignment.log?.tracker.committable
    if (!assignment.isOwned || to === undefined || to === assignment.committed) return true
    const member = context.membership().identity
    const { session } = work
    if (!session || !member) return false
    const place = placeOf(assignment)
    const startedMs = Date.now()
    const outputs = work.outputs.take(to)
    if (hasRoom(assignment)) full.delete(assignment)
    try {
      await session.commit({ outputs, input: { ...place, offset: to }, member, isOwned: () => assignment.isOwned }, closed.signal)
    } catch (error) {
      void endSession(assignment, work, error)
      return false
    }
    onEvent({
      kind: 'transaction-committed',
      ...place,
      from: assignment.committed,
      to,
      outputs: outputs.length,
      elapsedMs: Date.now() - startedMs,
    })
    assignment.committed = to
    context.wake()
    return true
  }

  /** One transaction of a partition at a time. Never rejects. */
  function run(assignment: Assignment): Promise<boolean> {
    if (!assignment.isOwned) full.delete(assignment)
    const work = workOf(assignment)
    work.running ??= transact(assignment, work).finally(() => {
      work.running = undefined
    })
    return work.running
  }

  /** What is under way may have been gathered before the newest record was done. */
  async function flushOne(assignment: Assignment): Promise<boolean> {
    await workOf(assignment).running
    return run(assignment)
  }

  const committer: Committer = {
    async flush() {
      clearTimeout(timer)
      timer = undefined
      const all = await Promise.all(context.assignments().list.map(flushOne))
      return all.every((isComplete) => isComplete)
    },
    schedule() {
      if (closed.signal.aborted) return
      for (const assignment of full) void run(assignment)
      timer ??= setTimeout(() => {
        timer = undefined
        void Promise.all(context.assignments().list.map(run)).then((all) => {
          if (all.includes(false)) committer.schedule()
        })
      }, timing.commitEveryMs)
    },
    close() {
      closed.abort(revoked('The transform has stopped.'))
      clearTimeout(timer)
    },
  }

  function hasRoom(assignment: Assignment): boolean {
    return workOf(assignment).outputs.bytes < outputBytes
  }

  async function bury({ record, error, attempts }: Poison, signal: AbortSignal): Promise<string> {
    const { topic } = deadLetter!
    const { key, value } = record
    const now = Date.now()
    const letter = { key, value, headers: withOrigin({ record, error, attempts }, group, now), timestampMs: now }
    const partition = partitionFor(key, record.partition, topics.partitions(topic))
    keep(record, signal, [{ topic, partition, record: letter, bytes: recordBytesAtMost(letter) }])
    return topic
  }

  /** @throws the reason when the partition was lost, or the handler interrupted: its record is handled again, here or elsewhere. */
  function keep(
    { topic, partition, offset }: { readonly topic: string; readonly partition: number; readonly offset: bigint },
    signal: AbortSignal,
    outputs: Parameters<OutputBuffer['put']>[1],
  ): void {
    signal.throwIfAborted()
    // Of the same life as the signal: a lost partition aborts it before it can come back.
    const assignment = context.assignments().find(topic, partition)!
    workOf(assignment).outputs.put(offset, outputs)
    if (!hasRoom(assignment)) full.add(assignment)
  }

  return {
    committer,
    bury: deadLetter && bury,
    check: settings.check,
    assigned() {
      for (const assignment of context.assignments().list) {
        if (works.has(assignment)) continue
        void begin(assignment, workOf(assignment))
      }
    },
    isReady: (assignment) => works.get(assignment)?.session !== undefined,
    hasRoom,
    async close() {
      committer.close()
      await cluster.close()
    },
    async handle(record, handling) {
      handling.signal.throwIfAborted()
      const returned = await settings.handle(record as never, handling)
      keep(record, handling.signal, await encoder.encode(returned, record.partition))
    },
  }
}

/** Whether the next session would end the same way. A writer that was fenced begins anew, if the partition is still its own. */
function isHopeless(error: PipeError): boolean {
  return !error.retryable && error.code !== 'PIPE_KAFKA_FENCED'
}
