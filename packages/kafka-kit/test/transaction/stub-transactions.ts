import {
  type AddOffsetsToTxnRequest,
  type AddPartitionsToTxnRequest,
  type Api,
  decodeRecordBatch,
  type EndTxnRequest,
  type InitProducerIdRequest,
  type ListOffsetsRequest,
  type MetadataResponse,
  type OffsetFetchRequest,
  type ProduceRequest,
  readBatchHeader,
  type TxnOffsetCommitRequest,
} from '@pipe/kafka-wire'
import { KafkaError } from '../../src/errors'
import type { Cluster, DriverBroker } from '../../src/internals'

/** What goes wrong with the next request of an API that is not taken by an earlier fault. */
export interface StubFault {
  readonly api: string
  /** `lost`: it never arrives. `unanswered`: it is carried out, and the connection breaks. A number: refused with this code. */
  readonly what: 'lost' | 'unanswered' | number
  /** So many requests pass first. Default 0. */
  readonly skip?: number
  /** Default 1. */
  readonly times?: number
}

/** A broker that coordinates transactions and a group, and leads all partitions: the rules of TransactionCoordinator, without its logs. */
export interface StubTransactions {
  readonly cluster: Cluster
  fail(fault: StubFault): void
  /** API names in the order of arrival; with the fault that hit them. */
  readonly requests: readonly string[]
  /** Values that readers of committed records see. */
  committed(topic: string, partition: number): readonly string[]
  /** All values in the log. */
  appended(topic: string, partition: number): readonly string[]
  /** What the group has for the input. */
  offset(): bigint
  /** Lookups of the coordinator. */
  lookups(): number
  /** Whether a transaction is open. */
  isOpen(): boolean
  /** The only member of the group. */
  member: { memberId: string; generation: number }
}

interface Entry {
  readonly value: string
  readonly transaction: number
}

interface PartitionLog {
  readonly entries: Entry[]
  epoch: number
  nextSequence: number
  last: { readonly first: number; readonly count: number } | undefined
}

/** Makes the stub. `batchLimit`: records of a batch beyond which it is MESSAGE_TOO_LARGE. */
export function stubTransactions(
  topics: Readonly<Record<string, number>>,
  batchLimit = Number.POSITIVE_INFINITY,
): StubTransactions {
  const logs = new Map<string, PartitionLog>()
  const requests: string[] = []
  const faults: { fault: StubFault; seen: number; hits: number }[] = []
  const outcomes = new Map<number, boolean>()
  const member = { memberId: 'member', generation: 3 }
  let epoch = -1
  /** Number of the present transaction; partitions that belong to it. */
  let current = 0
  let partitions = new Set<string>()
  let hasGroup = false
  let pending: bigint | undefined
  let offset = -1n
  let lookups = 0
  let lastEnd: { readonly epoch: number; readonly isCommit: boolean } | undefined

  const isOpen = () => partitions.size > 0 || hasGroup
  const end = (isCommit: boolean) => {
    outcomes.set(current, isCommit)
    for (const key of partitions) logOf(key).epoch = epoch
    if (isCommit && pending !== undefined) offset = pending
    pending = undefined
    partitions = new Set()
    hasGroup = false
    current++
  }
  const logOf = (key: string) => {
    let log = logs.get(key)
    if (!log) {
      log = { entries: [], epoch: -1, nextSequence: 0, last: undefined }
      logs.set(key, log)
    }
    return log
  }
  const stale = (producerEpoch: number) => (producerEpoch === epoch ? 0 : 90)

  function append(key: string, bytes: Uint8Array): number {
    const header = readBatchHeader(bytes)
    const log = logOf(key)
    if (!header.isTransactional || header.producerEpoch < Math.max(log.epoch, epoch)) return 47
    if (!partitions.has(key)) return 48
    if (header.recordCount > batchLimit) return 10
    if (header.producerEpoch > log.epoch) {
      log.epoch = header.producerEpoch
      log.nextSequence = 0
      log.last = undefined
    }
    if (log.last?.first === header.baseSequence && log.last.count === header.recordCount) return 0
    if (header.baseSequence !== log.nextSequence) return 45
    log.last = { first: header.baseSequence, count: header.recordCount }
    log.nextSequence += header.recordCount
    for (const { value } of decodeRecordBatch(bytes).records) log.entries.push({ value: String(value), transaction: current })
    return 0
  }

  const answers: Record<string, (request: never) => object> = {
    InitProducerId(_: InitProducerIdRequest) {
      if (isOpen()) {
        // The epoch is bumped at once, the abort takes its time.
        epoch++
        end(false)
        return { throttleTimeMs: 0, errorCode: 51, producerId: -1n, producerEpoch: -1 }
      }
      epoch++
      lastEnd = undefined
      return { throttleTimeMs: 0, errorCode: 0, producerId: 77n, producerEpoch: epoch }
    },
    AddPartitionsToTxn({ producerEpoch, topics: added }: AddPartitionsToTxnRequest) {
      const errorCode = stale(producerEpoch)
      if (errorCode === 0) for (const { name, partitions: own } of added) for (const one of own) partitions.add(`${name}[${one}]`)
      return {
        throttleTimeMs: 0,
        topics: added.map(({ name, partitions: own }) => ({
          name,
          partitions: own.map((partition) => ({ partition, errorCode })),
        })),
      }
    },
    AddOffsetsToTxn({ producerEpoch }: AddOffsetsToTxnRequest) {
      const errorCode = stale(producerEpoch)
      if (errorCode === 0) hasGroup = true
      return { throttleTimeMs: 0, errorCode }
    },
    TxnOffsetCommit({ producerEpoch, memberId, generationId, topics: own }: TxnOffsetCommitRequest) {
      const errorCode =
        stale(producerEpoch) || (memberId !== member.memberId ? 25 : generationId !== member.generation ? 22 : hasGroup ? 0 : 48)
      if (errorCode === 0) pending = own[0]!.partitions[0]!.offset
      return {
        throttleTimeMs: 0,
        topics: own.map(({ name, partitions: all }) => ({
          name,
          partitions: all.map(({ partition }) => ({ partition, errorCode })),
        })),
      }
    },
    EndTxn({ producerEpoch, isCommit }: EndTxnRequest) {
      let errorCode = stale(producerEpoch)
      if (errorCode === 0 && isOpen()) {
        end(isCommit)
        lastEnd = { epoch, isCommit }
      } else if (errorCode === 0 && lastEnd?.isCommit !== isCommit) errorCode = 48
      return { throttleTimeMs: 0, errorCode }
    },
    OffsetFetch({ topics: own, requireStable }: OffsetFetchRequest) {
      const errorCode = requireStable && pending !== undefined ? 88 : 0
      const result = (partition: number) => ({ partition, offset, leaderEpoch: -1, metadata: null, errorCode })
      return {
        throttleTimeMs: 0,
        errorCode: 0,
        topics: own!.map(({ name, partitions: all }) => ({ name, partitions: all.map(result) })),
      }
    },
    ListOffsets({ topics: own }: ListOffsetsRequest) {
      const result = (partition: number) => ({ partition, errorCode: 0, timestamp: -1n, offset: 0n, leaderEpoch: 0 })
      return {
        throttleTimeMs: 0,
        topics: own.map(({ name, partitions: all }) => ({ name, partitions: all.map(({ partition }) => result(partition)) })),
      }
    },
    Produce({ topics: own }: ProduceRequest) {
      return {
        throttleTimeMs: 0,
        topics: own.map(({ name, partitions: all }) => ({
          name,
          partitions: all.map(({ partition, records }) => ({
            partition,
            errorCode: append(`${name}[${partition}]`, records!),
            baseOffset: 0n,
            logAppendTimeMs: -1n,
            logStartOffset: 0n,
            recordErrors: [],
            errorMessage: null,
          })),
        })),
      }
    },
  }

  /** The same answer, with every error code replaced. */
  function refusedWith(code: number, answer: object): object {
    return JSON.parse(
      JSON.stringify(answer, (key, value) => (key === 'errorCode' ? code : typeof value === 'bigint' ? `${value}n` : value)),
      (_, value) => (typeof value === 'string' && /^-?\d+n$/.test(value) ? BigInt(value.slice(0, -1)) : value),
    )
  }

  const empty: Record<string, (request: never) => object> = {
    InitProducerId: () => ({ throttleTimeMs: 0, errorCode: 0, producerId: -1n, producerEpoch: -1 }),
    AddOffsetsToTxn: () => ({ throttleTimeMs: 0, errorCode: 0 }),
    EndTxn: () => ({ throttleTimeMs: 0, errorCode: 0 }),
  }

  const broken = (api: string) => new KafkaError('PIPE_KAFKA_CONNECTION', `${api}: the connection broke.`, { retryable: true })
  const broker = { nodeId: 1 } as unknown as DriverBroker

  async function call<Request extends object, Response extends object>(
    _: DriverBroker,
    api: Api<Request, Response>,
    request: Request,
  ) {
    await undefined
    // Over the wire and back: what is not in the tables is not there.
    const version = api.name === 'Produce' ? 8 : api.maxVersion
    const read = api.decodeRequest(api.encodeRequest(request, version), version)
    // All of them count the request, also those behind the one that takes it.
    const [hit] = faults.filter(
      (one) => one.fault.api === api.name && ++one.seen > (one.fault.skip ?? 0) && one.hits < (one.fault.times ?? 1),
    )
    if (hit) hit.hits++
    const what = hit?.fault.what
    requests.push(what === undefined ? api.name : `${api.name} ${what}`)
    if (what === 'lost') throw broken(api.name)
    if (typeof what === 'number') {
      const shape = empty[api.name] ?? shapeOf[api.name]!
      return api.decodeResponse(api.encodeResponse(refusedWith(what, shape(read as never)) as Response, version), version)
    }
    const answer = answers[api.name]!(read as never) as Response
    if (what === 'unanswered') throw broken(api.name)
    return api.decodeResponse(api.encodeResponse(answer, version), version)
  }

  const metadata = (): MetadataResponse => ({
    throttleTimeMs: 0,
    brokers: [{ nodeId: 1, host: 'stub', port: 1, rack: null }],
    clusterId: 'stub',
    controllerId: 1,
    clusterAuthorizedOperations: 0,
    topics: Object.entries(topics).map(([name, count]) => ({
      errorCode: 0,
      name,
      topicId: '',
      isInternal: false,
      authorizedOperations: 0,
      partitions: Array.from({ length: count }, (__, partition) => ({
        errorCode: 0,
        partition,
        leader: 1,
        leaderEpoch: 0,
        replicas: [1],
        isr: [1],
        offlineReplicas: [],
      })),
    })),
  })

  const found = async () => {
    lookups++
    return broker
  }
  return {
    cluster: {
      call,
      broker: async () => broker,
      anyBroker: async () => broker,
      transactionCoordinator: found,
      coordinator: async () => broker,
      metadata: async () => metadata(),
      drop: () => undefined,
      close: async () => undefined,
    } as unknown as Cluster,
    fail: (fault) => void faults.push({ fault, seen: 0, hits: 0 }),
    requests,
    committed: (topic, partition) =>
      logOf(`${topic}[${partition}]`)
        .entries.filter(({ transaction }) => outcomes.get(transaction) === true)
        .map(({ value }) => value),
    appended: (topic, partition) => logOf(`${topic}[${partition}]`).entries.map(({ value }) => value),
    offset: () => offset,
    lookups: () => lookups,
    isOpen,
    member,
  }
}

/** Answers that name the partitions of their request. */
const shapeOf: Record<string, (request: never) => object> = {
  AddPartitionsToTxn: ({ topics }: AddPartitionsToTxnRequest) => ({
    throttleTimeMs: 0,
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map((partition) => ({ partition, errorCode: 0 })),
    })),
  }),
  TxnOffsetCommit: ({ topics }: TxnOffsetCommitRequest) => ({
    throttleTimeMs: 0,
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partition }) => ({ partition, errorCode: 0 })),
    })),
  }),
  Produce: ({ topics }: ProduceRequest) => ({
    throttleTimeMs: 0,
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partition }) => ({
        partition,
        errorCode: 0,
        baseOffset: -1n,
        logAppendTimeMs: -1n,
        logStartOffset: 0n,
        recordErrors: [],
        errorMessage: null,
      })),
    })),
  }),
}
