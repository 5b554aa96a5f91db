import { addOffsetsToTxn, addPartitionsToTxn, endTxn, findCoordinator, initProducerId, txnOffsetCommit } from '@pipe/kafka-wire'
import { type RawClient, rawClient } from '../raw-client'
import type { KafkaTarget } from './target'

/** Raw requests of a transactional producer, at its coordinator. */
export interface TransactionClient {
  readonly raw: RawClient
  producerId: bigint
  producerEpoch: number
  /** Takes id and epoch over when it succeeds; tries again while others are being taken back. */
  init(options?: { timeoutMs?: number; version?: number }): Promise<number>
  /** One try. */
  initOnce(options?: { timeoutMs?: number; version?: number }): Promise<{ errorCode: number; producerEpoch: number }>
  add(topic: string, partition?: number, version?: number): Promise<number>
  addOffsets(group: string): Promise<number>
  commitOffset(group: string, topic: string, offset: bigint, coordinator: RawClient): Promise<number>
  end(isCommit: boolean, version?: number): Promise<number>
  /** Ends, again while the coordinator is busy. */
  ended(isCommit: boolean): Promise<number>
  close(): void
}

const concurrentTransactions = 51

async function again(request: () => Promise<number>): Promise<number> {
  for (let tries = 0; ; tries++) {
    const code = await request()
    // Busy, or a coordinator that is still being made.
    if (![concurrentTransactions, 14, 15, 16].includes(code) || tries > 500) return code
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Connects to the coordinator of a transactional id. */
export async function transactionClient(target: KafkaTarget, transactionalId: string): Promise<TransactionClient> {
  let coordinator = -1
  for (let tries = 0; coordinator < 0; tries++) {
    const any = await rawClient(target.address(1 + (tries % 3)))
    const answer = await any.ask(findCoordinator, 1, { key: transactionalId, keyType: 1 })
    any.close()
    if (answer.errorCode === 0) coordinator = answer.nodeId
    else if (tries > 300) throw new Error(`No coordinator for ${transactionalId}: error code ${answer.errorCode}.`)
    else await new Promise((resolve) => setTimeout(resolve, 100))
  }
  const raw = await rawClient(target.address(coordinator))
  const own = () => ({ transactionalId, producerId: client.producerId, producerEpoch: client.producerEpoch })
  const client: TransactionClient = {
    raw,
    producerId: -1n,
    producerEpoch: -1,
    async initOnce({ timeoutMs = 60_000, version = 1 } = {}) {
      const answer = await raw.ask(initProducerId, version, {
        transactionalId,
        transactionTimeoutMs: timeoutMs,
        producerId: -1n,
        producerEpoch: -1,
      })
      if (answer.errorCode === 0) Object.assign(client, { producerId: answer.producerId, producerEpoch: answer.producerEpoch })
      return answer
    },
    init: (options) => again(async () => (await client.initOnce(options)).errorCode),
    add: (topic, partition = 0, version = 1) =>
      again(async () => {
        const answer = await raw.ask(addPartitionsToTxn, version, {
          ...own(),
          topics: [{ name: topic, partitions: [partition] }],
        })
        return answer.topics[0]!.partitions[0]!.errorCode
      }),
    addOffsets: (group) => again(async () => (await raw.ask(addOffsetsToTxn, 1, { ...own(), group })).errorCode),
    async commitOffset(group, topic, offset, groupCoordinator) {
      const partitions = [{ partition: 0, offset, leaderEpoch: -1, metadata: null }]
      const member = { generationId: -1, memberId: '', groupInstanceId: null }
      const answer = await groupCoordinator.ask(txnOffsetCommit, 2, {
        ...own(),
        group,
        ...member,
        topics: [{ name: topic, partitions }],
      })
      return answer.topics[0]!.partitions[0]!.errorCode
    },
    end: async (isCommit, version = 1) => (await raw.ask(endTxn, version, { ...own(), isCommit })).errorCode,
    ended: (isCommit) => again(() => client.end(isCommit)),
    close: () => raw.close(),
  }
  return client
}
