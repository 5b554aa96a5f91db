import {
  addOffsetsToTxn,
  addPartitionsToTxn,
  encodeRecordBatch,
  endTxn,
  initProducerId,
  offsetFetch,
  produce,
  txnOffsetCommit,
} from '@pipe/kafka-wire'
import type { Cluster } from '../../src/internals'

/** The requests of one transactional id one by one, each with the error code that it was answered with. Nothing is tried again. */
export interface RawTransaction {
  readonly producerId: bigint
  readonly epoch: number
  add(topic: string): Promise<number>
  write(topic: string, value: string): Promise<number>
  addOffsets(): Promise<number>
  /** Without a member: as before KIP-447. */
  commitOffset(
    topic: string,
    offset: bigint,
    member?: { readonly memberId: string; readonly generation: number },
  ): Promise<number>
  end(isCommit: boolean): Promise<number>
}

const passing = [14, 15, 16, 51]

/** Runs a step until it is answered with something that does not pass by itself. @returns the code, and how often it was CONCURRENT_TRANSACTIONS. */
async function settled(ask: () => Promise<number>): Promise<{ readonly code: number; readonly waits: number }> {
  for (let waits = 0; ; ) {
    const code = await ask()
    if (!passing.includes(code)) return { code, waits }
    if (code === 51) waits++
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Opens an epoch of an id, by InitProducerId alone. `waits`: how often it was told to wait. */
export async function openRaw(
  cluster: Cluster,
  group: string,
  transactionalId: string,
  transactionTimeoutMs = 60_000,
): Promise<RawTransaction & { readonly waits: number }> {
  let id = { producerId: -1n, producerEpoch: -1 }
  const coordinator = async () => cluster.transactionCoordinator(transactionalId).catch(() => cluster.anyBroker())
  const { code, waits } = await settled(async () => {
    const answer = await cluster.call(await coordinator(), initProducerId, {
      transactionalId,
      transactionTimeoutMs,
      producerId: -1n,
      producerEpoch: -1,
    })
    id = answer
    return answer.errorCode
  })
  if (code !== 0) throw new Error(`InitProducerId: ${code}`)
  const { producerId, producerEpoch } = id
  const identity = { transactionalId, producerId, producerEpoch }
  const sequences = new Map<string, number>()
  const step = async (ask: () => Promise<number>) => (await settled(ask)).code
  return {
    producerId,
    epoch: producerEpoch,
    waits,
    add: (topic) =>
      step(async () => {
        const request = { ...identity, topics: [{ name: topic, partitions: [0] }] }
        return (await cluster.call(await coordinator(), addPartitionsToTxn, request)).topics[0]!.partitions[0]!.errorCode
      }),
    async write(topic, value) {
      const { topics } = await cluster.metadata([topic])
      const baseSequence = sequences.get(topic) ?? 0
      const records = encodeRecordBatch([{ key: null, value, headers: [], timestampMs: Date.now() }], {
        producerId,
        producerEpoch,
        baseSequence,
        isTransactional: true,
      })
      const request = {
        transactionalId,
        acks: -1,
        timeoutMs: 5000,
        topics: [{ name: topic, partitions: [{ partition: 0, records }] }],
      }
      const answer = await cluster.call(await cluster.broker(topics[0]!.partitions[0]!.leader), produce, request, {
        maxVersion: 8,
      })
      const { errorCode } = answer.topics[0]!.partitions[0]!
      if (errorCode === 0) sequences.set(topic, baseSequence + 1)
      return errorCode
    },
    addOffsets: () =>
      step(async () => (await cluster.call(await coordinator(), addOffsetsToTxn, { ...identity, group })).errorCode),
    commitOffset: (topic, offset, member) =>
      step(async () => {
        const request = {
          ...identity,
          group,
          generationId: member?.generation ?? -1,
          memberId: member?.memberId ?? '',
          groupInstanceId: null,
          topics: [{ name: topic, partitions: [{ partition: 0, offset, leaderEpoch: -1, metadata: null }] }],
        }
        return (await cluster.call(await cluster.coordinator(group), txnOffsetCommit, request)).topics[0]!.partitions[0]!
          .errorCode
      }),
    end: (isCommit) => step(async () => (await cluster.call(await coordinator(), endTxn, { ...identity, isCommit })).errorCode),
  }
}

/** What the group has for partition 0: the offset, −1 for none, or the error code as text. */
export async function committedOf(
  cluster: Cluster,
  group: string,
  topic: string,
  requireStable: boolean,
): Promise<bigint | string> {
  const answer = await cluster.call(await cluster.coordinator(group), offsetFetch, {
    group,
    topics: [{ name: topic, partitions: [0] }],
    requireStable,
  })
  const { errorCode, offset } = answer.topics[0]!.partitions[0]!
  return errorCode === 0 ? offset : `error ${errorCode}`
}
