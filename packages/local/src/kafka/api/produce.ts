import { type ProducePartition, type ProducePartitionResult, type ProduceRequest, produce } from '@pipe/kafka-wire'
import { commitState } from '../commit-state'
import { errorCode } from '../error-code'
import { checkBatch } from '../log/check-batch'
import type { Replica } from '../replica'
import { verifyTransaction } from '../transaction/transaction-coordinator'
import { waitForChange } from '../wait-for-change'
import { type RequestContext, type ServedApi, serve } from '../wire/served-api'
import { leaderReplica } from './leader-replica'

/** A batch that was appended and waits for the in-sync replicas. */
interface Appended {
  readonly topic: string
  readonly partition: number
  readonly replica: Replica | undefined
  readonly leaderEpoch: number
  readonly baseOffset: number
  readonly endOffset: number
  readonly appendTime: number
  errorCode: number
  message: string | null
}

/** Produce: appends, and with `acks=all` answers when every in-sync replica has it, or says which promise did not hold. */
export const produceApi: ServedApi = serve(produce, async (request, context) => {
  const { broker } = context
  const all = request.topics.flatMap(({ name, partitions }) => partitions.map((one) => append(request, name, one, context)))
  if (request.acks === -1) await replicated(all, request.timeoutMs, context)
  for (const { topic, partition, baseOffset, errorCode: code } of all) {
    const place = { broker: broker.id, topic, partition }
    broker.host.timeline.record({
      kind: 'acknowledge',
      ...place,
      acks: request.acks,
      from: code === 0 ? baseOffset : -1,
      errorCode: code,
    })
  }
  if (request.acks === 0) {
    // The only way to tell a client that asked for no answer: it reads the metadata anew.
    if (all.some((one) => one.errorCode !== errorCode.none)) throw new ProduceFailedSilently()
    return undefined
  }
  const results = new Map<string, ProducePartitionResult[]>()
  for (const one of all) results.set(one.topic, [...(results.get(one.topic) ?? []), resultOf(one)])
  return { topics: [...results].map(([name, partitions]) => ({ name, partitions })), throttleTimeMs: 0 }
})

/** Ends the connection of a producer with acks 0 whose write failed, as Kafka does. */
export class ProduceFailedSilently extends Error {
  readonly code: 'ECONNRESET' = 'ECONNRESET'
}

function append(
  request: ProduceRequest,
  topic: string,
  { partition, records }: ProducePartition,
  context: RequestContext,
): Appended {
  const { broker, version } = context
  const none = { topic, partition, replica: undefined, leaderEpoch: -1, baseOffset: -1, endOffset: -1, appendTime: -1 }
  const refuse = (code: number, message: string | null = null): Appended => ({ ...none, errorCode: code, message })
  const refusal = context.refusal({ topic, partition })
  if (refusal !== 0) return refuse(refusal)
  if (![-1, 0, 1].includes(request.acks)) return refuse(errorCode.invalidRequiredAcks)
  const found = leaderReplica(broker, topic, partition)
  if (found.replica === undefined) return refuse(found.errorCode)
  const { replica } = found
  const settings = broker.topicSettings(topic)
  // Clients stamp with real time, also where the clock of the runtime is virtual: neither is "ahead".
  const now = Math.max(broker.host.now(), Date.now())
  const verdict = checkBatch(records, { settings, now, produceVersion: version })
  if (verdict.header === undefined) return refuse(verdict.errorCode, verdict.message)
  const { header } = verdict
  if (replica.role.kind !== 'leader') return refuse(errorCode.notLeaderOrFollower)
  const { leaderEpoch, inSync } = replica.role
  if (request.acks === -1 && inSync.length < replica.minInSync()) {
    return refuse(errorCode.notEnoughReplicas, `${inSync.length} of ${replica.minInSync()} replicas are in sync.`)
  }
  if (header.isTransactional && !replica.producers.isOpen(header.producerId)) {
    // The first batch of a transaction in this partition: its coordinator must know that the partition takes part (KIP-890).
    const producer = { ...header, transactionalId: request.transactionalId ?? '' }
    const unverified = verifyTransaction(broker, producer, topic, partition)
    if (unverified !== 0) return refuse(unverified)
  }
  const sequence = header.producerId >= 0n ? replica.producers.judge(header) : { kind: 'append' as const }
  if (sequence.kind === 'refuse') return refuse(sequence.errorCode)
  const appendTime = settings.text('message.timestamp.type') === 'LogAppendTime' ? broker.host.now() : undefined
  const baseOffset =
    sequence.kind === 'duplicate' ? sequence.baseOffset : replica.append(records as Uint8Array, header, appendTime).baseOffset
  return {
    topic,
    partition,
    replica,
    leaderEpoch,
    baseOffset,
    endOffset: baseOffset + header.lastOffsetDelta + 1,
    appendTime: appendTime ?? -1,
    errorCode: 0,
    message: null,
  }
}

/** Waits for the in-sync replicas, at most `timeoutMs`. */
async function replicated(all: readonly Appended[], timeoutMs: number, { signal }: RequestContext): Promise<void> {
  const waiting = new Set(all.filter(({ replica }) => replica !== undefined))
  const isDone = () => {
    for (const one of waiting) {
      const code = one.replica ? commitState(one.replica, one.leaderEpoch, one.endOffset) : one.errorCode
      if (code === undefined) continue
      one.errorCode = code
      waiting.delete(one)
    }
    return waiting.size === 0
  }
  const replicas = [...waiting].map(({ replica }) => replica as Replica)
  if (await waitForChange(replicas, isDone, { maxMs: timeoutMs, signal })) return
  for (const one of waiting) one.errorCode = errorCode.requestTimedOut
}

function resultOf({ partition, replica, baseOffset, appendTime, errorCode: code, message }: Appended): ProducePartitionResult {
  return {
    partition,
    errorCode: code,
    baseOffset: code === 0 ? BigInt(baseOffset) : -1n,
    logAppendTimeMs: BigInt(appendTime),
    logStartOffset: code === 0 ? BigInt(replica?.log.startOffset ?? 0) : -1n,
    recordErrors: [],
    errorMessage: message,
  }
}
