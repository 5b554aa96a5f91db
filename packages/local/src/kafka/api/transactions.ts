import {
  addOffsetsToTxn,
  addPartitionsToTxn,
  endTxn,
  initProducerId,
  type TransactionPartitionResult,
  txnOffsetCommit,
} from '@pipe/kafka-wire'
import { offsetsTopic } from '../cluster-image'
import { errorCode } from '../error-code'
import { verifyTransaction } from '../transaction/transaction-coordinator'
import { type ServedApi, serve } from '../wire/served-api'
import { checkedCommits, commitResults } from './group-offsets'

/** PRODUCER_FENCED is newer than the first versions of these requests: those know INVALID_PRODUCER_EPOCH. */
function fencedFor(code: number, version: number, since: number): number {
  return code === errorCode.producerFenced && version < since ? errorCode.invalidProducerEpoch : code
}

/** InitProducerId: a new id for an idempotent producer; for a transactional one its id and the next epoch. */
export const initProducerIdApi: ServedApi = serve(initProducerId, async (request, { broker, refusal, version }) => {
  const { transactionalId, transactionTimeoutMs, producerId, producerEpoch } = request
  const fail = (code: number) => ({ throttleTimeMs: 0, producerId: -1n, producerEpoch: -1, errorCode: code })
  const refused = refusal()
  if (refused !== 0) return fail(refused)
  if (transactionalId === null) {
    return { throttleTimeMs: 0, errorCode: errorCode.none, producerId: broker.host.nextProducerId(), producerEpoch: 0 }
  }
  if (transactionalId === '') return fail(errorCode.invalidRequest)
  if (transactionTimeoutMs <= 0 || transactionTimeoutMs > broker.host.settings.number('transaction.max.timeout.ms')) {
    return fail(errorCode.invalidTransactionTimeout)
  }
  const answer = await broker.transactions.init(transactionalId, transactionTimeoutMs, { producerId, producerEpoch })
  return { throttleTimeMs: 0, ...answer, errorCode: fencedFor(answer.errorCode, version, 4) }
})

/** AddPartitionsToTxn: all or none. */
export const addPartitionsApi: ServedApi = serve(addPartitionsToTxn, async (request, { broker, refusal, version }) => {
  const places = request.topics.flatMap(({ name, partitions }) => partitions.map((partition) => ({ topic: name, partition })))
  const problems = places.map((place) => {
    return (
      refusal(place) || (broker.partitionState(place.topic, place.partition) ? errorCode.none : errorCode.unknownTopicOrPartition)
    )
  })
  const isWhole = problems.every((code) => code === errorCode.none)
  const added = isWhole
    ? await broker.transactions.add(
        request,
        places.map(({ topic, partition }) => `${topic}/${partition}`),
      )
    : errorCode.operationNotAttempted
  const codeOf = (index: number) => problems[index] || fencedFor(added, version, 2)
  const topics = new Map<string, TransactionPartitionResult[]>()
  for (const [index, { topic, partition }] of places.entries()) {
    topics.set(topic, [...(topics.get(topic) ?? []), { partition, errorCode: codeOf(index) }])
  }
  return { throttleTimeMs: 0, topics: [...topics].map(([name, partitions]) => ({ name, partitions })) }
})

/** AddOffsetsToTxn: the partition of `__consumer_offsets` that holds the group. */
export const addOffsetsApi: ServedApi = serve(addOffsetsToTxn, async (request, { broker, refusal, version }) => {
  const code =
    refusal() || (await broker.transactions.add(request, [`${offsetsTopic}/${broker.groups.partitionOf(request.group)}`]))
  return { throttleTimeMs: 0, errorCode: fencedFor(code, version, 2) }
})

/** EndTxn: answered when the decision is written; the marks follow. */
export const endTxnApi: ServedApi = serve(endTxn, async (request, { broker, refusal, version }) => {
  const code = refusal() || (await broker.transactions.end(request, request.isCommit))
  return { throttleTimeMs: 0, errorCode: fencedFor(code, version, 2) }
})

/** TxnOffsetCommit: offsets that count when the transaction does. */
export const txnOffsetCommitApi: ServedApi = serve(txnOffsetCommit, async (request, context) => {
  const { broker } = context
  const commits = checkedCommits(request.topics, context)
  const code = await stage()
  if (code !== 0) for (const one of commits) if (one.entry) one.errorCode = code
  return { throttleTimeMs: 0, topics: commitResults(commits) }

  async function stage(): Promise<number> {
    const { group, errorCode: missing } = broker.groups.find(request.group, { create: true })
    if (!group) return missing
    const problem = group.mayCommit(request, true)
    if (problem !== 0) return problem
    const unverified = verifyTransaction(broker, request, offsetsTopic, broker.groups.partitionOf(request.group))
    if (unverified !== 0) return unverified === errorCode.notEnoughReplicas ? errorCode.coordinatorNotAvailable : unverified
    const entries = commits.flatMap(({ entry }) => entry ?? [])
    const kept = await broker.groups.keep(
      group.id,
      entries.map((entry) => ({ kind: 'offset', group: group.id, ...entry })),
      request,
    )
    if (kept === errorCode.notLeaderOrFollower) return errorCode.notCoordinator
    if (kept !== 0) return errorCode.coordinatorNotAvailable
    for (const entry of entries) group.offsets.stage(request.producerId, entry)
    return errorCode.none
  }
})
