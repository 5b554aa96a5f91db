import type { Broker } from '../broker-node'
import { transactionsTopic } from '../cluster-image'
import { coordinatorPartition, ensureCoordinatorTopic, keepRecords, keptRecords } from '../coordinator-log'
import { errorCode } from '../error-code'
import type { Replica } from '../replica'
import { type KeptTransaction, readTransaction, transactionRecord } from './kept-transaction'
import { writeMarks } from './transaction-marks'
import type { TransactionalProducer, TransactionCoordinator } from './transactional-producer'

const lastEpoch = 32_767
const noProducer = { producerId: -1n, producerEpoch: -1 }

interface Entry {
  kept: KeptTransaction
  /** A change is being written: others must wait (CONCURRENT_TRANSACTIONS). */
  isChanging: boolean
  cancelTimeout: () => void
}

/** Makes the topic of the transaction coordinators when it is not there. */
export function ensureTransactionsTopic(broker: Broker): void {
  ensureCoordinatorTopic(broker, transactionsTopic, broker.host.settings.number('transaction.state.log.num.partitions'))
}

/** The coordinator of one broker. */
export function createTransactionCoordinator(broker: Broker): TransactionCoordinator {
  const { host, timers } = broker
  const shards = new Map<number, { readonly replica: Replica; readonly entries: Map<string, Entry> }>()
  const shardOf = (id: string) =>
    shards.get(coordinatorPartition(id, host.settings.number('transaction.state.log.num.partitions')))

  /** Writes the next state; takes it over only when it is committed. */
  async function change(entry: Entry, next: Partial<KeptTransaction>): Promise<number> {
    const shard = shardOf(entry.kept.transactionalId)
    if (!shard) return errorCode.notCoordinator
    const kept: KeptTransaction = { ...entry.kept, ...next, changedAt: host.now() }
    entry.isChanging = true
    const code = await keepRecords(shard.replica, [transactionRecord(kept)], host.now())
    entry.isChanging = false
    if (code === errorCode.notLeaderOrFollower) return errorCode.notCoordinator
    if (code !== 0) return errorCode.coordinatorNotAvailable
    entry.kept = kept
    const { transactionalId, state, producerId, producerEpoch } = kept
    host.timeline.record({ kind: 'transaction', broker: broker.id, transactionalId, state, producerId, producerEpoch })
    return errorCode.none
  }

  function find(producer: TransactionalProducer): { entry: Entry; errorCode: 0 } | { entry: undefined; errorCode: number } {
    const fail = (code: number) => ({ entry: undefined, errorCode: code })
    const shard = shardOf(producer.transactionalId)
    if (!shard) return fail(errorCode.notCoordinator)
    const entry = shard.entries.get(producer.transactionalId)
    if (!entry || entry.kept.producerId !== producer.producerId) return fail(errorCode.invalidProducerIdMapping)
    if (entry.kept.producerEpoch !== producer.producerEpoch) return fail(errorCode.producerFenced)
    return { entry, errorCode: 0 }
  }

  /** Writes the marks of a decided transaction, then closes it. Runs behind the answer: until it is done, the producer must wait. */
  async function complete(entry: Entry): Promise<void> {
    const { transactionalId, state } = entry.kept
    const isCommit = state === 'PrepareCommit'
    const isInCharge = () => broker.isUp() && shardOf(transactionalId)?.entries.get(transactionalId) === entry
    if (!(await writeMarks(broker, entry.kept, isCommit, isInCharge))) return
    const next = { state: isCommit ? ('CompleteCommit' as const) : ('CompleteAbort' as const), partitions: [] }
    while (isInCharge() && (await change(entry, next)) !== errorCode.none) {
      await new Promise<void>((resolve) => timers.after(20, resolve))
    }
  }

  async function decide(entry: Entry, isCommit: boolean, producerEpoch = entry.kept.producerEpoch): Promise<number> {
    entry.cancelTimeout()
    const code = await change(entry, { state: isCommit ? 'PrepareCommit' : 'PrepareAbort', producerEpoch })
    if (code === errorCode.none) void complete(entry)
    return code
  }

  /** Takes a transaction back that is open for longer than its producer allowed, and fences it. */
  function watch(entry: Entry): void {
    entry.cancelTimeout()
    entry.cancelTimeout = timers.after(entry.kept.timeoutMs, () => {
      if (entry.kept.state === 'Ongoing' && !entry.isChanging) void decide(entry, false, entry.kept.producerEpoch + 1)
    })
  }

  function load(replica: Replica): void {
    const entries = new Map<string, Entry>()
    for (const { record } of keptRecords(replica)) {
      const kept = readTransaction(record)
      if (kept) entries.set(kept.transactionalId, { kept, isChanging: false, cancelTimeout: () => {} })
    }
    shards.set(replica.partition, { replica, entries })
    for (const entry of entries.values()) {
      const { state } = entry.kept
      if (state === 'Ongoing') watch(entry)
      else if (state === 'PrepareCommit' || state === 'PrepareAbort') void complete(entry)
    }
  }

  broker.onLeadership((topic, partition, replica) => {
    if (topic !== transactionsTopic) return
    for (const entry of shards.get(partition)?.entries.values() ?? []) entry.cancelTimeout()
    shards.delete(partition)
    if (replica) load(replica)
  })

  const isEnding = ({ kept: { state } }: Entry) => state === 'PrepareCommit' || state === 'PrepareAbort'

  return {
    async init(transactionalId, timeoutMs, known) {
      const fail = (code: number) => ({ ...noProducer, errorCode: code })
      const shard = shardOf(transactionalId)
      if (!shard) return fail(errorCode.notCoordinator)
      let entry = shard.entries.get(transactionalId)
      if (!entry) {
        const kept: KeptTransaction = {
          transactionalId,
          producerId: host.nextProducerId(),
          producerEpoch: -1,
          timeoutMs,
          state: 'Empty',
          partitions: [],
          startedAt: -1,
          changedAt: host.now(),
        }
        entry = { kept, isChanging: false, cancelTimeout: () => {} }
        shard.entries.set(transactionalId, entry)
      } else if (entry.isChanging || isEnding(entry)) return fail(errorCode.concurrentTransactions)
      const { kept } = entry
      if (known.producerId >= 0n && (known.producerId !== kept.producerId || known.producerEpoch !== kept.producerEpoch)) {
        return fail(errorCode.producerFenced)
      }
      if (kept.state === 'Ongoing') {
        // The former self may still be writing: a higher epoch fences it before its work is taken back.
        const code = await decide(entry, false, kept.producerEpoch + 1)
        return fail(code === errorCode.none ? errorCode.concurrentTransactions : code)
      }
      const isWornOut = kept.producerEpoch >= lastEpoch - 1
      const next = isWornOut
        ? { producerId: host.nextProducerId(), producerEpoch: 0 }
        : { producerId: kept.producerId, producerEpoch: kept.producerEpoch + 1 }
      const code = await change(entry, { ...next, timeoutMs, state: 'Empty', partitions: [], startedAt: -1 })
      return code === errorCode.none ? { ...next, errorCode: code } : fail(code)
    },
    async add(producer, partitions) {
      const { entry, errorCode: code } = find(producer)
      if (!entry) return code
      if (entry.isChanging || isEnding(entry)) return errorCode.concurrentTransactions
      const { kept } = entry
      const isOngoing = kept.state === 'Ongoing'
      const all = new Set([...(isOngoing ? kept.partitions : []), ...partitions])
      if (isOngoing && all.size === kept.partitions.length) return errorCode.none
      const changed = await change(entry, {
        state: 'Ongoing',
        partitions: [...all],
        startedAt: isOngoing ? kept.startedAt : host.now(),
      })
      if (changed === errorCode.none && !isOngoing) watch(entry)
      return changed
    },
    async end(producer, isCommit) {
      const { entry, errorCode: code } = find(producer)
      if (!entry) return code
      if (entry.isChanging) return errorCode.concurrentTransactions
      switch (entry.kept.state) {
        case 'Ongoing':
          return decide(entry, isCommit)
        // Asked again, because the answer was lost.
        case 'CompleteCommit':
          return isCommit ? errorCode.none : errorCode.invalidTxnState
        case 'CompleteAbort':
          return isCommit ? errorCode.invalidTxnState : errorCode.none
        case 'PrepareCommit':
          return isCommit ? errorCode.concurrentTransactions : errorCode.invalidTxnState
        case 'PrepareAbort':
          return isCommit ? errorCode.invalidTxnState : errorCode.concurrentTransactions
        default:
          return errorCode.invalidTxnState
      }
    },
    verify(producer, place) {
      const { entry, errorCode: code } = find(producer)
      if (!entry) return code === errorCode.producerFenced ? errorCode.invalidProducerEpoch : code
      return entry.kept.state === 'Ongoing' && entry.kept.partitions.includes(place) ? errorCode.none : errorCode.invalidTxnState
    },
  }
}

/** Whether a producer may write to a partition, asked at the coordinator of its transactional id (KIP-890). An error code. */
export function verifyTransaction(broker: Broker, producer: TransactionalProducer, topic: string, partition: number): number {
  const { host } = broker
  const count = host.settings.number('transaction.state.log.num.partitions')
  const leader = broker.partitionState(transactionsTopic, coordinatorPartition(producer.transactionalId, count))?.leader ?? -1
  const coordinator = host.broker(leader)
  // Retriable for the producer, as every batch that cannot be taken yet.
  if (!coordinator?.isUp() || !host.links.isOpen(broker.id, leader)) return errorCode.notEnoughReplicas
  return coordinator.transactions.verify(producer, `${topic}/${partition}`)
}
