import type { Api, MetadataResponse } from '@pipe/kafka-wire'
import type { Kafka as KafkajsClient } from 'kafkajs'
import { calm, type DriverPool, type DriverRequest, type RawRequest } from './driver-connection'
import { KafkaError } from './errors'

// With `driver-connection`, the only file that touches what kafkajs keeps to itself.
//
// What kafkajs gives us. A `Kafka` instance carries a function under the symbol described "private:Kafka:createCluster". The cluster that it
// returns knows how to build connections (`connectionPoolBuilder.build`) and brokers on them (`brokerPool.createBroker`); a broker connects,
// negotiates versions, authenticates and re-authenticates, and its `connectionPool.send` takes any request that has an api key, a version
// and an `encode`. That is all we use: addresses, leaders and coordinators we ask for ourselves, because kafkajs throws the whole metadata
// away when one partition of one topic has no leader. kafkajs has not been released since February 2023 and the peer range ends before 2.3;
// `missingMembers` names every member that is not there, and the kit then falls back to the public API where it can, with a warning.
//
// How the other files use it:
//
//   const cluster = resourcesOf(kafka).cluster()          // shared: for questions (topics, lag, replay)
//   const own = resourcesOf(kafka).openCluster()          // sockets of your own: a broker answers one request of a connection at a time, so
//                                                         // whatever waits (produce with acks all, fetch) must not share. close() it.
//   const controller = await cluster.controller()         // also broker(nodeId), anyBroker(), coordinator(group), transactionCoordinator(id)
//   const answer = await cluster.call(controller, incrementalAlterConfigs, { resources, validateOnly: true }, { signal })
//                                                         // version chosen by what the broker serves; answer is the decoded response,
//                                                         // its error codes are yours to read (protocolFailure makes the error)
//   await cluster.send(broker, { apiKey, apiName, apiVersion, body, parse })      // the same with bytes of your own
//   const answer = await cluster.metadata(['orders'])     // brokers, leaders, ISR, per-partition error codes; never throws for one topic
//   cluster.drop(broker)                                  // closes its sockets: what is under way on them fails, the next use reconnects
//
// Consumers of kafkajs have a cluster of their own, made inside `kafkajs.consumer()`. To wrap one of its functions (findGroupCoordinator to
// hold a rejoin back, findBroker to watch fetches), catch it:
//
//   const { made: consumer, clusters: [captured] } = captureClusters(kafkajs, () => kafkajs.consumer({ groupId }))
//
// A captured cluster is a `DriverCluster`: its members are kafkajs's own functions, typed structurally.

/** A broker of kafkajs: what we use of it. */
export interface DriverBroker {
  nodeId: number | null
  /** Served versions by api key; `null` before it connected. */
  readonly versions: Readonly<Record<number, { readonly minVersion: number; readonly maxVersion: number }>> | null
  readonly connectionPool: DriverPool
  isConnected(): boolean
  connect(): Promise<void>
  disconnect(): Promise<void>
  lookupRequest(apiKey: number, definition: unknown): (request: object) => DriverRequest
}

/** The cluster of kafkajs: what we use of it, and what consumers wrap. */
export interface DriverCluster {
  readonly rootLogger: unknown
  readonly connectionPoolBuilder: {
    build(address?: { readonly host: string; readonly port: number; readonly rack?: string | null }): Promise<unknown>
  }
  readonly brokerPool: {
    createBroker(options: {
      readonly connectionPool: unknown
      readonly logger: unknown
      readonly nodeId?: number
      readonly versions?: null
    }): DriverBroker
  }
  connect(): Promise<void>
  disconnect(): Promise<void>
  refreshMetadata(): Promise<void>
  addMultipleTargetTopics(topics: string[]): Promise<void>
  findBroker(options: { nodeId: number | string }): Promise<DriverBroker>
  findControllerBroker(): Promise<DriverBroker>
  findGroupCoordinator(options: { groupId: string; coordinatorType?: number }): Promise<DriverBroker>
  findTopicPartitionMetadata(topic: string): { partitionId: number; leader: number; replicas: number[]; isr: number[] }[]
  findLeaderForPartitions(topic: string, partitions: (number | string)[]): Record<string, number[]>
  removeBroker(address: { host: string; port: number }): void
}

type CreateCluster = (options: Record<string, unknown>) => DriverCluster

const clusterMembers = [
  'connect',
  'disconnect',
  'refreshMetadata',
  'addMultipleTargetTopics',
  'findBroker',
  'findControllerBroker',
  'findGroupCoordinator',
  'findTopicPartitionMetadata',
  'findLeaderForPartitions',
  'removeBroker',
] as const

function createClusterSymbol(instance: object): symbol | undefined {
  return Object.getOwnPropertySymbols(instance).find((symbol) => symbol.description === 'private:Kafka:createCluster')
}

function createClusterOf(instance: KafkajsClient): CreateCluster | undefined {
  const symbol = createClusterSymbol(instance)
  const create = symbol && (instance as unknown as Record<symbol, unknown>)[symbol]
  return typeof create === 'function' ? (create as CreateCluster) : undefined
}

/**
 * The members that the kit needs of this kafkajs and that are not there, by name; empty when all is well. Opens no connection.
 */
export function missingMembers(instance: KafkajsClient): readonly string[] {
  const create = createClusterOf(instance)
  if (!create) return ['Kafka[private:Kafka:createCluster]']
  const cluster = create({ allowAutoTopicCreation: false }) as unknown as Record<string, unknown>
  const missing: string[] = clusterMembers.filter((name) => typeof cluster[name] !== 'function').map((name) => `Cluster.${name}`)
  const has = (owner: string, name: string, kind: string) => {
    const value = (cluster[owner] as Record<string, unknown> | undefined)?.[name]
    if (typeof value !== kind) missing.push(`Cluster.${owner}.${name}`)
  }
  has('connectionPoolBuilder', 'build', 'function')
  has('brokerPool', 'createBroker', 'function')
  if (cluster['rootLogger'] === undefined) missing.push('Cluster.rootLogger')
  return missing
}

function checkBroker(broker: DriverBroker): void {
  const missing = (['isConnected', 'connect', 'disconnect'] as const)
    .filter((name) => typeof broker[name] !== 'function')
    .map((name) => `Broker.${name}`)
  if (typeof broker.connectionPool?.send !== 'function') missing.push('Broker.connectionPool.send')
  if (!Array.isArray(broker.connectionPool?.pool)) missing.push('Broker.connectionPool.pool')
  if (missing.length > 0) throw driverError(missing)
}

/** The error for a kafkajs whose inner members are not the ones that we know. */
export function driverError(missing: readonly string[]): KafkaError {
  return new KafkaError('PIPE_KAFKA_DRIVER', `This kafkajs has no ${missing.join(', ')}.`, {
    hint: 'Install kafkajs 2.2.4 (the peer range is >=2.2.4 <2.3.0).',
  })
}

/**
 * Runs `make` and returns the clusters that kafkajs creates meanwhile: `kafkajs.consumer()`, `producer()` and `admin()` create one each.
 *
 * @throws {@link KafkaError} `PIPE_KAFKA_DRIVER` when this kafkajs keeps no such function.
 */
export function captureClusters<Made>(
  instance: KafkajsClient,
  make: () => Made,
): { readonly made: Made; readonly clusters: readonly DriverCluster[] } {
  const create = createClusterOf(instance)
  if (!create) throw driverError(['Kafka[private:Kafka:createCluster]'])
  const symbol = createClusterSymbol(instance)!
  const holder = instance as unknown as Record<symbol, CreateCluster>
  const clusters: DriverCluster[] = []
  holder[symbol] = (options) => {
    const cluster = calmed(create(options))
    clusters.push(cluster)
    return cluster
  }
  try {
    return { made: make(), clusters }
  } finally {
    holder[symbol] = create
  }
}

/** How {@link Cluster.call} goes about it. */
export interface CallOptions {
  readonly timeoutMs?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** Connections to the brokers of one cluster, made with the settings of a kafkajs instance. */
export interface Cluster {
  /** The broker with this node id, connected. Asks for metadata first when it is not known. */
  broker(nodeId: number): Promise<DriverBroker>
  /** Some broker, connected: one that is connected already, else the first that answers. */
  anyBroker(): Promise<DriverBroker>
  /** The controller, or in KRaft a broker that passes the request on to it. */
  controller(): Promise<DriverBroker>
  /** The coordinator of a group. Throws COORDINATOR_NOT_AVAILABLE and its like as a retryable {@link KafkaError}. */
  coordinator(group: string): Promise<DriverBroker>
  transactionCoordinator(transactionalId: string): Promise<DriverBroker>
  /** Asks for brokers and topics (`null` = all, `[]` = none) and remembers the addresses. Per-topic errors are in the answer. */
  metadata(topics: readonly string[] | null, options?: CallOptions): Promise<MetadataResponse>
  /** Sends a request of the tables of kafka-wire, in the newest version that both sides know. */
  call<Request extends object, Response extends object>(
    broker: DriverBroker,
    api: Api<Request, Response>,
    request: Request,
    options?: CallOptions & { readonly maxVersion?: number },
  ): Promise<Response>
  send<T>(broker: DriverBroker, request: RawRequest<T>): Promise<T>
  /** Resolves when the sockets of a broker take bytes again: kafkajs itself writes without looking. */
  drained(broker: DriverBroker): Promise<void>
  /** Closes the sockets of a broker at once. What is under way on them fails as a closed connection. */
  drop(broker: DriverBroker): void
  close(): Promise<void>
}

/** Connections of a cluster of kafkajs do not idle. */
function calmed(cluster: DriverCluster): DriverCluster {
  const builder = cluster.connectionPoolBuilder
  const build = builder.build.bind(builder)
  builder.build = async (address) => {
    const connections = (await build(address)) as Partial<DriverPool>
    for (const connection of connections.pool ?? []) calm(connection)
    return connections
  }
  return cluster
}

/** Makes brokers with the settings of a kafkajs instance. */
export interface Driver {
  /** A broker that is not connected yet. Without an address: the next one of the list that kafkajs was given. */
  build(address?: BrokerAddress, nodeId?: number): Promise<DriverBroker>
}

/** Where a broker is. */
export interface BrokerAddress {
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

/**
 * Opens the driver of a kafkajs instance.
 *
 * @throws {@link KafkaError} `PIPE_KAFKA_DRIVER`
 */
export function openDriver(instance: KafkajsClient): Driver {
  const create = createClusterOf(instance)
  if (!create) throw driverError(['Kafka[private:Kafka:createCluster]'])
  const cluster = calmed(create({ allowAutoTopicCreation: false }))
  return {
    async build(address, nodeId) {
      const connectionPool = await cluster.connectionPoolBuilder.build(address)
      const broker = cluster.brokerPool.createBroker({
        connectionPool,
        logger: cluster.rootLogger,
        // Each broker is asked by itself: in a rolling upgrade they differ.
        versions: null,
        ...(nodeId === undefined ? {} : { nodeId }),
      })
      checkBroker(broker)
      return broker
    },
  }
}

/** `host:port` of a broker. */
export function addressOf(broker: DriverBroker): string {
  return `${broker.connectionPool.host}:${broker.connectionPool.port}`
}
