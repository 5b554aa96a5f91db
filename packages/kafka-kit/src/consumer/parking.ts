import { ConfigError, durationMs, PipeError, sleep } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import type { BatchRecord } from '@pipe/kafka-wire'
import { KafkaError, protocolFailure } from '../errors'
import { committedOffsets } from '../group-state'
import type { Cluster } from '../internals'
import { existingTopics, partitionKey, type TopicPartition } from '../leader-request'
import { answerOf, logOffsets } from '../offsets'
import { readConfigs } from '../topic-state'
import { type Assignment, laneOf, type Order, revoked } from './assignment'
import type { CommitItem } from './committer'
import type { OutOfRangePolicy } from './ingest'
import type { Membership } from './membership'
import { createOwnedLog, type OwnedLog } from './owned-log'
import { createParkingLot, laneName, type Parked, type ParkingLot } from './parking-lot'
import { readPartition } from './partition-reader'
import { backoffAfter } from './retry-policy'
import { claimEntry, parkedEntry, type RetryOrigin, type RetryTopicOptions, readEntry, resolvedEntry } from './retry-topic'

/** The lots of a consumer: one for each partition that it has, on the partition of the same number of its retry topic. */
export interface Parking {
  readonly retryTopic: string
  /** Before a member joins: fails where the retry topic cannot serve. */
  check(signal: AbortSignal): Promise<void>
  /** Opens the lots of partitions that are new, closes those of partitions that are lost. */
  assigned(assignments: readonly Assignment[]): void
  /** Whether it is known what waits, so that records of the partition may be handled. */
  isOpen(assignment: Assignment): boolean
  standing(assignment: Assignment, lane: string | undefined, offset: bigint): ReturnType<ParkingLot['standing']>
  /** A record whose time has come. Once there is none, sees to it that there is a wake-up call for the next. */
  next(assignment: Assignment): Parked | undefined
  putBack(assignment: Assignment, parked: Parked): void
  /**
   * Writes a record of the source to the retry topic: behind others of its key (without an error), or because it failed.
   *
   * @returns when it is due, or `'full'`.
   */
  park(
    assignment: Assignment,
    record: BatchRecord,
    failure?: { readonly attempts: number; readonly error: unknown },
  ): Promise<number | 'full'>
  /** A parked record failed. @returns when it comes back, or `undefined` when its rounds are used up, with nothing written. */
  again(
    assignment: Assignment,
    parked: Parked,
    failure: { readonly attempts: number; readonly error: unknown },
  ): Promise<number | undefined>
  /** A parked record is done with. */
  resolve(assignment: Assignment, parked: Parked): Promise<void>
  /** What the group may commit on the retry topic. */
  due(): readonly CommitItem[]
  waiting(assignment: Assignment): number
  close(): Promise<void>
}

/** The options of a retry topic, checked and complete. */
export interface RetryTopicSettings {
  readonly topic: string
  readonly rounds: number
  readonly backoffMs: number
  readonly maxBackoffMs: number
  readonly maxRecords: number
  readonly maxBytes: number
}

/** Checks the options of a retry topic. @throws ConfigError `PIPE_CONFIG` */
export function retryTopicSettings(options: RetryTopicOptions): RetryTopicSettings {
  const where = 'consumer: retryTopic'
  checkOptions(where, options, { required: ['topic'], optional: ['rounds', 'backoff', 'maxBackoff', 'maxRecords', 'maxBytes'] })
  const { topic, rounds = 5, maxRecords = 10_000, maxBytes = 16 * 1024 * 1024 } = options
  for (const [name, value] of Object.entries({ rounds, maxRecords, maxBytes })) {
    if (!Number.isInteger(value) || value < 1) {
      throw new ConfigError(`${where}: ${name} must be a whole number of at least 1, not ${value}.`)
    }
  }
  const backoffMs = durationMs(options.backoff ?? '1 minute')
  return { topic, rounds, backoffMs, maxBackoffMs: durationMs(options.maxBackoff ?? '1 hour'), maxRecords, maxBytes }
}

/** How long the cluster may take over one step of opening a lot, or over one entry. */
const waitMs = 60_000

/** A lot, and what belongs to it. `lot` is there once it is open. */
interface OwnedLot {
  readonly origin: RetryOrigin
  readonly place: TopicPartition
  readonly log: OwnedLog
  readonly closing: AbortController
  lot: ParkingLot | undefined
  committed: bigint | undefined
  timer: NodeJS.Timeout | undefined
  timerAtMs: number
}

/** Makes the parking of one consumer. */
export function createParking(settings: {
  readonly cluster: Cluster
  readonly group: string
  readonly source: string
  readonly order: Order
  readonly outOfRange: OutOfRangePolicy
  readonly options: RetryTopicSettings
  readonly membership: () => Membership
  readonly wake: () => void
  readonly fenced: (reason: string) => void
  /** The member must begin anew, or (when the error is not retryable) cannot go on. */
  readonly broken: (error: PipeError) => void
}): Parking {
  const { cluster, group, source, options } = settings
  const { topic } = options
  const lots = new Map<Assignment, OwnedLot>()

  function openLot(assignment: Assignment): void {
    const { partition } = assignment
    const place = { topic, partition }
    const closing = new AbortController()
    // Who owns the partition of the group owns the one of the retry topic.
    const transactionalId = `pipe-retry.${group}.${topic}.${partition}`
    const log = createOwnedLog({ cluster, partition: place, transactionalId, waitMs, signal: closing.signal })
    const origin = { group, topic: source, partition }
    const own: OwnedLot = { origin, place, log, closing, lot: undefined, committed: undefined, timer: undefined, timerAtMs: 0 }
    lots.set(assignment, own)
    recover(own).then(settings.wake, (error: unknown) => {
      if (closing.signal.aborted) return
      settings.broken(
        PipeError.isInstance(error)
          ? error
          : new KafkaError('PIPE_KAFKA_RETRY_TOPIC', `${partitionKey(place)} cannot be used: ${String(error)}.`, {
              cause: error,
            }),
      )
    })
  }

  /** Ends the writing of whoever had it before, reads what waits, and makes sure that the group agrees that it is ours. */
  async function recover(own: OwnedLot): Promise<void> {
    const { signal } = own.closing
    const to = await own.log.claim(claimEntry(own.origin, Date.now()))
    const from = await startOf(own, signal)
    const lot = createParkingLot({ start: from, laneOf: (record) => laneOf(record, settings.order) })
    for await (const { records } of readPartition(cluster, own.place, { from, to }, { waitMs, signal })) {
      for (const record of records) lot.take(readEntry(own.origin, record), record.offset)
    }
    if (from < to) lot.take(undefined, to - 1n)
    await confirm(own, lot.committable)
    own.lot = lot
  }

  async function startOf({ place }: OwnedLot, signal: AbortSignal): Promise<bigint> {
    const key = partitionKey(place)
    const committed = (await committedOffsets(cluster, group, [place], { requireStable: false, signal })).get(key)?.offset
    const { start } = answerOf(await logOffsets(cluster, [place], { waitMs, signal }), place)
    if (committed === undefined || committed >= start || settings.outOfRange !== 'fail') {
      return committed !== undefined && committed > start ? committed : start
    }
    throw new KafkaError(
      'PIPE_KAFKA_OFFSET',
      `${key} begins at ${start}: retention took up to ${start - committed} entries of records that were still waiting (group ${group}, from ${committed}).`,
      {
        hint: "Give the retry topic a longer retention. Set offsets.outOfRange to 'earliest' to go on with what is left.",
        details: { ...place, group, errorCode: 1 },
      },
    )
  }

  /** A member that the group has put out, and that claimed late, is told so by the answer to its commit. */
  async function confirm(own: OwnedLot, offset: bigint): Promise<void> {
    const { place, closing } = own
    const giveUpAt = Date.now() + waitMs
    for (let failures = 1; ; failures++) {
      let failure: KafkaError
      try {
        const partitions = [{ partition: place.partition, offset, leaderEpoch: -1, metadata: null }]
        const [result] = await settings.membership().commit([{ name: topic, partitions }])
        const errorCode = result?.errorCode ?? -1
        if (errorCode === 0) {
          own.committed = offset
          return
        }
        failure = protocolFailure(`Commit of group ${group}`, errorCode, { ...place, group })
        // ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID.
        if ([22, 25, 82].includes(errorCode)) {
          closing.abort(failure)
          settings.fenced(failure.message)
          throw failure
        }
      } catch (error) {
        if (closing.signal.aborted || !(error instanceof KafkaError)) throw error
        failure = error
      }
      if (!failure.retryable || Date.now() > giveUpAt) throw failure
      await sleep(backoffAfter(failures, 100, 1000, Math.random), closing.signal)
    }
  }

  function openOf(assignment: Assignment): OwnedLot & { readonly lot: ParkingLot } {
    const own = lots.get(assignment)
    if (!assignment.isOwned || !own?.lot) throw revoked(`${source}[${assignment.partition}] is no longer ours.`)
    return own as OwnedLot & { readonly lot: ParkingLot }
  }

  async function write(
    assignment: Assignment,
    state: { readonly record: BatchRecord; readonly round: number; readonly attempts: number },
    error: unknown,
  ): Promise<number> {
    const own = openOf(assignment)
    const delayMs = state.round === 0 ? 0 : backoffAfter(state.round, options.backoffMs, options.maxBackoffMs, Math.random)
    const now = Date.now()
    const parked = { ...state, dueAtMs: now + delayMs }
    const at = await own.log.append(parkedEntry(own.origin, parked, error, now))
    own.lot.take({ kind: 'parked', state: parked }, at)
    return parked.dueAtMs
  }

  function callAt(own: OwnedLot, atMs: number): void {
    if (own.timer && own.timerAtMs <= atMs) return
    clearTimeout(own.timer)
    own.timerAtMs = atMs
    own.timer = setTimeout(
      () => {
        own.timer = undefined
        settings.wake()
      },
      Math.min(Math.max(0, atMs - Date.now()), 2 ** 31 - 1),
    )
  }

  function closeLot(assignment: Assignment, own: OwnedLot): void {
    clearTimeout(own.timer)
    own.closing.abort(revoked(`${source}[${assignment.partition}] is no longer ours.`))
    lots.delete(assignment)
  }

  return {
    retryTopic: topic,
    async check(signal) {
      const topics = await existingTopics(cluster, [source, topic], signal)
      const [needed, there] = [source, topic].map((name) => topics.get(name)!.partitions.length) as [number, number]
      if (there < needed) {
        throw new ConfigError(`The retry topic ${topic} has ${there} partitions, ${source} has ${needed}.`, {
          code: 'PIPE_KAFKA_RETRY_TOPIC',
          hint: `Each partition has one of its own: let ${topic} grow to ${needed} (planTopics, applyTopics).`,
        })
      }
      const config = await readConfigs(cluster, [{ name: topic, configNames: [] }], signal).catch((error: unknown) => {
        // Not everyone may read configs; the README says what they must be.
        if (error instanceof KafkaError && error.details.errorCode === 29) return undefined
        throw error
      })
      if (config?.get(topic)?.['cleanup.policy']?.includes('compact')) {
        throw new ConfigError(`The retry topic ${topic} is compacted: of two waiting records of a key one would be lost.`, {
          code: 'PIPE_KAFKA_RETRY_TOPIC',
          hint: "Make it with cleanup: 'delete'.",
        })
      }
    },
    assigned(assignments) {
      for (const [assignment, own] of lots) if (!assignment.isOwned) closeLot(assignment, own)
      for (const assignment of assignments) if (!lots.has(assignment)) openLot(assignment)
    },
    isOpen: (assignment) => lots.get(assignment)?.lot !== undefined,
    standing: (assignment, lane, offset) => openOf(assignment).lot.standing(laneName(lane, offset), offset),
    next(assignment) {
      const own = lots.get(assignment)
      if (!own?.lot) return undefined
      const parked = own.lot.next(Date.now())
      if (!parked && own.lot.nextDueAtMs !== undefined) callAt(own, own.lot.nextDueAtMs)
      return parked
    },
    putBack: (assignment, parked) => lots.get(assignment)?.lot?.putBack(parked),
    async park(assignment, record, failure) {
      const { lot } = openOf(assignment)
      if (lot.records >= options.maxRecords || lot.bytes >= options.maxBytes) return 'full'
      const attempts = failure?.attempts ?? 0
      return write(assignment, { record, round: failure ? 1 : 0, attempts }, failure?.error)
    },
    async again(assignment, { record, round }, { attempts, error }) {
      return round >= options.rounds ? undefined : write(assignment, { record, round: round + 1, attempts }, error)
    },
    async resolve(assignment, { record }) {
      const own = openOf(assignment)
      const at = await own.log.append(resolvedEntry(own.origin, record.offset, record.key, Date.now()))
      own.lot.take({ kind: 'resolved', offset: record.offset }, at)
    },
    due() {
      return [...lots].flatMap(([assignment, own]) => {
        const offset = own.lot?.committable
        if (!assignment.isOwned || offset === undefined || offset === own.committed) return []
        const settle = () => {
          own.committed = offset
        }
        return [{ ...own.place, offset, settle }]
      })
    },
    waiting: (assignment) => lots.get(assignment)?.lot?.records ?? 0,
    async close() {
      for (const [assignment, own] of lots) closeLot(assignment, own)
      await cluster.close()
    },
  }
}
