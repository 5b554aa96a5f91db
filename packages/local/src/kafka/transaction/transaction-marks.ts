import { encodeRecordBatch, readBatchHeader } from '@pipe/kafka-wire'
import type { Broker } from '../broker-node'
import { offsetsTopic } from '../cluster-image'
import { appendCommitted } from '../commit-state'
import { errorCode } from '../error-code'
import { type KeptTransaction, placeOf } from './kept-transaction'

/** How long to wait before a mark is tried again at a partition that has no leader, or too few replicas. */
const retryMs = 20

/** The control batch that ends a transaction in one partition. */
function markOf(transaction: KeptTransaction, isCommit: boolean, now: number): Buffer {
  const key = Buffer.from([0, 0, 0, isCommit ? 1 : 0])
  // Version and epoch of the coordinator.
  const value = Buffer.alloc(6)
  const { producerId, producerEpoch } = transaction
  return encodeRecordBatch([{ key, value, headers: [], timestampMs: now }], {
    producerId,
    producerEpoch,
    baseSequence: -1,
    isTransactional: true,
    isControl: true,
  })
}

/**
 * Writes the marks of a transaction's end to all its partitions, each until it is committed there. Resolves when all are, or with false when this broker is
 * not in charge any more.
 */
export async function writeMarks(
  broker: Broker,
  transaction: KeptTransaction,
  isCommit: boolean,
  isInCharge: () => boolean,
): Promise<boolean> {
  const done = await Promise.all(
    transaction.partitions.map(async (place) => {
      while (isInCharge()) {
        if (await writeMark(broker, transaction, place, isCommit)) return true
        await new Promise<void>((resolve) => broker.timers.after(retryMs, resolve))
      }
      return false
    }),
  )
  return done.every(Boolean)
}

/** Whether it is done: written, or there is nothing to write to. */
async function writeMark(broker: Broker, transaction: KeptTransaction, place: string, isCommit: boolean): Promise<boolean> {
  const { topic, partition } = placeOf(place)
  const { host, id } = broker
  const state = broker.partitionState(topic, partition)
  // Deleted meanwhile.
  if (!state) return true
  const leader = host.broker(state.leader)
  if (!leader?.isUp() || !host.links.isOpen(id, leader.id)) return false
  const replica = leader.replica(topic, partition)
  if (replica?.role.kind !== 'leader') return false
  const batch = markOf(transaction, isCommit, host.now())
  const code = await appendCommitted(replica, batch, readBatchHeader(batch))
  if (code !== errorCode.none) return false
  if (topic === offsetsTopic) leader.groups.settle(partition, transaction.producerId, isCommit)
  return true
}
