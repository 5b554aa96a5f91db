import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { ConfigError, durationMs, sleep } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import {
  type Api,
  apiVersions,
  initProducerId,
  type MetadataResponse,
  metadata,
  noTopicId,
  type ProduceRequest,
  type ProduceResponse,
  produce,
  readBatchHeader,
} from '@pipe/kafka-wire'
import { type StubReply, type StubRequest, serveStubConnection } from './stub-connection'
import { createStubLog, type Keep, type StubLog, type StubRecord } from './stub-log'
import { type ActiveStubRule, createStubScript, hitsPartition, type ScriptedRequest, type StubRule } from './stub-script'

/** Options of {@link startStubBrokers}. */
export interface StubBrokersOptions {
  /** Number of partitions of each topic. */
  readonly topics: Readonly<Record<string, number>>
  /** How many brokers. Default 1. */
  readonly brokers?: number
  /** For measuring clients: `count` keeps no records, `batches` decodes them when they are asked for; both read only headers on arrival. Default `records`. */
  readonly keep?: Keep
}

/** One batch of a Produce request, in the order of arrival, whatever became of it. */
export interface ProducedBatch {
  readonly broker: number
  /** Counts the Produce requests of all brokers, from 0. */
  readonly request: number
  readonly acks: number
  readonly topic: string
  readonly partition: number
  readonly records: number
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly baseSequence: number
  /** The code that was, or would have been, answered. */
  readonly errorCode: number
}

/** Brokers of the wire only: no replication, no groups, no disk. Node ids count from 0. */
export interface StubBrokers {
  /** `127.0.0.1:port` of every broker. */
  readonly bootstrap: readonly string[]
  /** Scripts a fault. A request is taken by the first rule that matches and is not used up. */
  script(rule: StubRule): ActiveStubRule
  /** What a partition has stored. @throws ConfigError `PIPE_CONFIG` for an unknown one. */
  records(topic: string, partition: number): readonly StubRecord[]
  /** Values of all partitions of a topic as text, partition by partition. */
  values(topic: string): readonly string[]
  endOffset(topic: string, partition: number): bigint
  /** Batches that arrived, for tests of order, sequence numbers and retries. Only with `keep: 'records'`. */
  readonly batches: readonly ProducedBatch[]
  /** Requests that arrived, by API name. */
  requests(): Readonly<Record<string, number>>
  /** Makes another broker the leader; the old one answers NOT_LEADER_OR_FOLLOWER (6) from now on. */
  moveLeader(topic: string, partition: number, broker: number): void
  /** Adds a topic, or partitions to it. */
  setPartitions(topic: string, partitions: number): void
  /** Closes the open connections of one broker, or of all. */
  dropConnections(broker?: number): void
  /** Removes all rules. */
  clearScript(): void
  close(): Promise<void>
}

interface Partition {
  leader: number
  readonly log: StubLog
}

const unknownTopicOrPartition = 3
const notLeader = 6
const corruptMessage = 2
const served: readonly { readonly api: Api<object, object>; readonly max: number }[] = [
  { api: produce as unknown as Api<object, object>, max: 7 },
  { api: metadata as unknown as Api<object, object>, max: 6 },
  { api: apiVersions as unknown as Api<object, object>, max: 2 },
  { api: initProducerId as unknown as Api<object, object>, max: 1 },
]

/**
 * Starts brokers that serve what a producer needs: ApiVersions 0–2, Metadata 1–6, Produce 3–7, InitProducerId 0–1. Partition p is led
 * by broker p mod n, its only replica. Every batch is checked (format, checksum, idempotence) and stored.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG` for unknown options.
 */
export async function startStubBrokers(options: StubBrokersOptions): Promise<StubBrokers> {
  checkOptions('startStubBrokers', options, { required: ['topics'], optional: ['brokers', 'keep'] })
  const count = options.brokers ?? 1
  const keep = options.keep ?? 'records'
  const topics = new Map<string, Partition[]>()
  const script = createStubScript()
  const batches: ProducedBatch[] = []
  const requests: Record<string, number> = {}
  const sockets: Set<Socket>[] = Array.from({ length: count }, () => new Set())
  const servers: Server[] = []
  const ports: number[] = []
  let nextProducerId = 1000n

  const setPartitions = (topic: string, partitions: number) => {
    const own = topics.get(topic) ?? []
    if (partitions < own.length) throw new ConfigError(`${topic} has ${own.length} partitions; partitions only grow.`)
    while (own.length < partitions) own.push({ leader: own.length % count, log: createStubLog({ keep }) })
    topics.set(topic, own)
  }
  for (const [topic, partitions] of Object.entries(options.topics)) setPartitions(topic, partitions)
  const partitionOf = (topic: string, partition: number) => {
    const found = topics.get(topic)?.[partition]
    if (found === undefined) throw new ConfigError(`The stub has no partition ${topic}[${partition}].`)
    return found
  }

  const append = (broker: number, topic: string, partition: number, bytes: Uint8Array | null, rule: StubRule | undefined) => {
    const target = topics.get(topic)?.[partition]
    if (target === undefined) return { errorCode: unknownTopicOrPartition, baseOffset: -1n }
    if (rule?.append === false || (rule?.error !== undefined && rule.append !== true)) {
      return { errorCode: rule.error ?? 0, baseOffset: -1n }
    }
    if (target.leader !== broker) return { errorCode: notLeader, baseOffset: -1n }
    try {
      const appended = target.log.append(bytes ?? Buffer.alloc(0))
      return rule?.error === undefined ? appended : { errorCode: rule.error, baseOffset: -1n }
    } catch {
      return { errorCode: corruptMessage, baseOffset: -1n }
    }
  }

  const produceTo = (
    broker: number,
    request: ProduceRequest,
    scripted: ScriptedRequest,
    rule: StubRule | undefined,
  ): ProduceResponse => {
    const number = requests['Produce']! - 1
    return {
      throttleTimeMs: 0,
      topics: request.topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partition, records }) => {
          const hit = rule !== undefined && hitsPartition(rule, scripted, name, partition)
          const { errorCode, baseOffset } = append(broker, name, partition, records, hit ? rule : undefined)
          if (keep === 'records') batches.push(batchOf(broker, number, request.acks, name, partition, records, errorCode))
          return {
            partition,
            errorCode,
            baseOffset,
            logAppendTimeMs: -1n,
            logStartOffset: 0n,
            recordErrors: [],
            errorMessage: null,
          }
        }),
      })),
    }
  }

  const describe = (names: readonly string[] | null, errorCode: number): MetadataResponse => ({
    throttleTimeMs: 0,
    brokers: ports.map((port, nodeId) => ({ nodeId, host: '127.0.0.1', port, rack: null })),
    clusterId: 'stub',
    controllerId: 0,
    clusterAuthorizedOperations: 0,
    topics: (names ?? [...topics.keys()]).map((name) => {
      const own = topics.get(name)
      return {
        errorCode: errorCode || (own === undefined ? unknownTopicOrPartition : 0),
        name,
        topicId: noTopicId,
        isInternal: false,
        authorizedOperations: 0,
        partitions: (errorCode === 0 ? (own ?? []) : []).map(({ leader }, partition) => {
          return { errorCode: 0, partition, leader, leaderEpoch: 0, replicas: [leader], isr: [leader], offlineReplicas: [] }
        }),
      }
    }),
  })

  const handle = async (broker: number, request: StubRequest): Promise<StubReply> => {
    const entry = served.find(({ api }) => api.key === request.apiKey)
    // As brokers do: a request that is not served ends the connection, except ApiVersions, whose answer tells what is.
    if (entry === undefined) return 'close'
    const { api, max } = entry
    requests[api.name] = (requests[api.name] ?? 0) + 1
    const isServed = request.apiVersion >= api.minVersion && request.apiVersion <= max
    if (!isServed && api.key !== apiVersions.key) return 'close'
    const decoded = isServed ? api.decodeRequest(request.body, request.apiVersion) : {}
    const scripted: ScriptedRequest = { api: api.name, broker, topics: topicsOf(api.name, decoded) }
    const taken = script.take(scripted)
    const error = taken?.rule.error ?? 0
    let answer: object
    if (api.key === produce.key) answer = produceTo(broker, decoded as ProduceRequest, scripted, taken?.rule)
    else if (api.key === metadata.key) answer = describe(namesOf(decoded), error)
    else if (api.key === apiVersions.key) answer = versionsAnswer(isServed ? error : unsupportedVersion)
    else
      answer = {
        throttleTimeMs: 0,
        errorCode: error,
        producerId: error === 0 ? nextProducerId++ : -1n,
        producerEpoch: error === 0 ? 0 : -1,
      }
    taken?.done()
    const reply = taken?.rule.reply
    if (reply === 'close' || reply === 'none') return reply
    if (reply !== undefined) await sleep(durationMs(reply.after))
    if (api.key === produce.key && (decoded as ProduceRequest).acks === 0) return 'none'
    return api.encodeResponse(answer, isServed ? request.apiVersion : 0)
  }

  for (let broker = 0; broker < count; broker++) {
    const own = sockets[broker]!
    const server = createServer({ noDelay: true }, (socket) => {
      own.add(socket)
      socket.once('close', () => own.delete(socket))
      // A frame that cannot be read, or a client that is gone: the connection ends.
      serveStubConnection(socket, (request) => handle(broker, request)).then(
        () => socket.end(),
        () => socket.destroy(),
      )
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    servers.push(server)
    ports.push((server.address() as { port: number }).port)
  }
  const dropConnections = (broker?: number) => {
    for (const [own, set] of sockets.entries()) {
      if (broker === undefined || broker === own) for (const socket of set) socket.destroy()
    }
  }
  return {
    bootstrap: ports.map((port) => `127.0.0.1:${port}`),
    script: script.add,
    clearScript: script.clear,
    records: (topic, partition) => partitionOf(topic, partition).log.records(),
    endOffset: (topic, partition) => partitionOf(topic, partition).log.endOffset(),
    values: (topic) => (topics.get(topic) ?? []).flatMap(({ log }) => log.records().map(({ value }) => String(value))),
    batches,
    requests: () => ({ ...requests }),
    moveLeader(topic, partition, broker) {
      if (!(broker in ports)) throw new ConfigError(`The stub has no broker ${broker}.`)
      partitionOf(topic, partition).leader = broker
    },
    setPartitions,
    dropConnections,
    async close() {
      dropConnections()
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
    },
  }
}

const unsupportedVersion = 35

function versionsAnswer(errorCode: number): object {
  const apiKeys = served.map(({ api, max }) => ({ apiKey: api.key, minVersion: api.minVersion, maxVersion: max }))
  return { errorCode, apiKeys, throttleTimeMs: 0 }
}

function topicsOf(api: string, request: object): ScriptedRequest['topics'] {
  if (api === 'Produce') {
    return (request as ProduceRequest).topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map((one) => one.partition),
    }))
  }
  return api === 'Metadata' ? (namesOf(request) ?? []).map((name) => ({ name, partitions: [] })) : []
}

function namesOf(request: object): readonly string[] | null {
  const { topics } = request as { topics: readonly { name: string | null }[] | null }
  return topics?.map(({ name }) => name ?? '') ?? null
}

function batchOf(
  broker: number,
  request: number,
  acks: number,
  topic: string,
  partition: number,
  bytes: Uint8Array | null,
  errorCode: number,
): ProducedBatch {
  const none = { recordCount: 0, producerId: -1n, producerEpoch: -1, baseSequence: -1 }
  const { recordCount, producerId, producerEpoch, baseSequence } =
    bytes === null || errorCode === corruptMessage ? none : readBatchHeader(bytes)
  return { broker, request, acks, topic, partition, records: recordCount, producerId, producerEpoch, baseSequence, errorCode }
}
