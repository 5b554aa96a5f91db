import { type FetchPartition, type FetchPartitionResult, type FetchRequest, fetchRecords } from '@pipe/kafka-wire'
import { errorCode } from '../error-code'
import type { Replica } from '../replica'
import { waitForChange } from '../wait-for-change'
import { type RequestContext, type ServedApi, serve } from '../wire/served-api'
import { leaderReplica } from './leader-replica'

interface Wanted {
  readonly topic: string
  readonly asked: FetchPartition
  readonly replica: Replica | undefined
  readonly errorCode: number
}

/** Largest answer, whatever the client asks for (fetch.max.bytes of brokers). */
const largestAnswer = 57_671_680
const readCommitted = 1

/** Fetch, without sessions: waits until there is enough, or the time is over. Consumers read up to the high watermark, or to the last stable offset. */
export const fetchApi: ServedApi = serve(fetchRecords, async (request, context) => {
  const nothing = { throttleTimeMs: 0, sessionId: 0, topics: [] }
  const refusal = request.topics.length === 0 ? context.refusal() : 0
  if (refusal !== 0) return { ...nothing, errorCode: refusal }
  // No session is ever given out, so a client can only go on with one of another broker's life.
  if (request.sessionId !== 0) return { ...nothing, errorCode: errorCode.fetchSessionIdNotFound }
  const wanted = request.topics.flatMap(({ name, partitions }) => partitions.map((asked) => lookUp(name, asked, context)))
  const replicas = wanted.flatMap(({ replica }) => replica ?? [])
  await waitForChange(replicas, () => isEnough(wanted, request), { maxMs: request.maxWaitMs, signal: context.signal })
  let budget = Math.min(request.maxBytes, largestAnswer)
  const results = new Map<string, FetchPartitionResult[]>()
  for (const one of wanted) {
    const result = resultOf(one, request, budget)
    budget -= result.records?.length ?? 0
    results.set(one.topic, [...(results.get(one.topic) ?? []), result])
  }
  return { ...nothing, errorCode: errorCode.none, topics: [...results].map(([name, partitions]) => ({ name, partitions })) }
})

function lookUp(topic: string, asked: FetchPartition, { broker, refusal }: RequestContext): Wanted {
  const { partition, currentLeaderEpoch } = asked
  const refused = refusal({ topic, partition })
  if (refused !== 0) return { topic, asked, replica: undefined, errorCode: refused }
  const found = leaderReplica(broker, topic, partition, currentLeaderEpoch)
  return { topic, asked, replica: found.replica, errorCode: found.errorCode }
}

function readableEnd(replica: Replica, isolationLevel: number): number {
  return isolationLevel === readCommitted ? replica.producers.lastStableOffset(replica.highWatermark) : replica.highWatermark
}

function problemOf({ replica, errorCode: code, asked }: Wanted): number {
  if (replica === undefined) return code
  if (replica.role.kind !== 'leader') return errorCode.notLeaderOrFollower
  const offset = Number(asked.fetchOffset)
  if (offset < replica.log.startOffset || offset > replica.log.endOffset) return errorCode.offsetOutOfRange
  return errorCode.none
}

function isEnough(wanted: readonly Wanted[], { minBytes, isolationLevel }: FetchRequest): boolean {
  let found = 0
  for (const one of wanted) {
    // An error is answered at once.
    if (problemOf(one) !== 0) return true
    const { replica, asked } = one
    if (!replica || found >= minBytes) continue
    found += replica.log.available(Number(asked.fetchOffset), minBytes - found, readableEnd(replica, isolationLevel))
  }
  return found >= minBytes
}

function resultOf(wanted: Wanted, request: FetchRequest, budget: number): FetchPartitionResult {
  const { replica, asked } = wanted
  const { partition } = asked
  const code = problemOf(wanted)
  const base = { partition, errorCode: code, preferredReadReplica: -1, abortedTransactions: null, records: Buffer.alloc(0) }
  if (replica === undefined || code === errorCode.notLeaderOrFollower) {
    return { ...base, highWatermark: -1n, lastStableOffset: -1n, logStartOffset: -1n }
  }
  const end = readableEnd(replica, request.isolationLevel)
  const lastStable = replica.producers.lastStableOffset(replica.highWatermark)
  const known = {
    ...base,
    highWatermark: BigInt(replica.highWatermark),
    lastStableOffset: BigInt(lastStable),
    logStartOffset: BigInt(replica.log.startOffset),
  }
  if (code !== 0) return known
  const offset = Number(asked.fetchOffset)
  const batches = budget > 0 ? replica.log.read(offset, Math.min(asked.maxBytes, budget), end) : []
  const records = Buffer.concat(batches.map(({ bytes }) => bytes))
  if (request.isolationLevel !== readCommitted) return { ...known, records }
  const before = batches.length > 0 ? batches[batches.length - 1]!.lastOffset + 1 : offset
  return { ...known, records, abortedTransactions: replica.producers.aborted(offset, before) }
}
