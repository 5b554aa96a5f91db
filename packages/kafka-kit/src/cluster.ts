import {
  type Api,
  coordinatorKind,
  createByteCursor,
  findCoordinator,
  type MetadataResponse,
  metadata,
  noTopicId,
} from '@pipe/kafka-wire'
import type { Kafka as KafkajsClient } from 'kafkajs'
import { closeSockets, drained, type RawRequest, sendOn } from './driver-connection'
import { fromKafkajs, KafkaError, protocolFailure } from './errors'
import { addressOf, type BrokerAddress, type CallOptions, type Cluster, type DriverBroker, openDriver } from './internals'

/** The version of an API to use with a broker. */
export function versionFor(
  broker: DriverBroker,
  api: Api<never, never> | Api<object, object>,
  maxVersion: number = api.maxVersion,
): number {
  const served = broker.versions?.[api.key]
  const version = Math.min(maxVersion, served?.maxVersion ?? -1)
  if (!served || version < Math.max(api.minVersion, served.minVersion)) {
    const theirs = served ? `${served.minVersion} to ${served.maxVersion}` : 'none'
    throw new KafkaError(
      'PIPE_KAFKA_VERSION',
      `${addressOf(broker)} serves ${theirs} of ${api.name}, this client ${api.minVersion} to ${maxVersion}.`,
      { hint: 'Kafka 2.1 to 4.x is supported.', details: { broker: addressOf(broker) } },
    )
  }
  return version
}

/** Opens a cluster of our own on the settings of a kafkajs instance. Connects with the first use. */
export function openCluster(instance: KafkajsClient): Cluster {
  const driver = openDriver(instance)
  const brokers = new Map<number, DriverBroker>()
  const addresses = new Map<number, BrokerAddress>()
  /** Whatever has a connection, also a broker that was dropped and used again by someone who still held it. */
  const alive = new Set<DriverBroker>()
  /** The broker of the bootstrap list that answered last. */
  let seed: DriverBroker | undefined
  let bootstrapping: Promise<DriverBroker> | undefined
  let isClosed = false

  function checkOpen(): void {
    if (isClosed) throw new KafkaError('PIPE_KAFKA_CLOSED', 'The connection to Kafka is closed.')
  }

  async function connected(broker: DriverBroker): Promise<DriverBroker> {
    if (isReady(broker)) return broker
    alive.add(broker)
    try {
      await broker.connect()
    } catch (error) {
      // A pool whose authentication broke off cannot recover: the next use builds a new one.
      drop(broker)
      throw fromKafkajs(`Connecting to ${addressOf(broker)}`, error, { broker: addressOf(broker) })
    }
    if (isClosed) {
      drop(broker)
      checkOpen()
    }
    if (!isReady(broker)) {
      // Its socket stands, but it never said what it serves: kafkajs would not ask again.
      drop(broker)
      throw new KafkaError(
        'PIPE_KAFKA_CONNECTION',
        `${addressOf(broker)} accepted the connection and did not say what it serves.`,
        {
          retryable: true,
          details: { broker: addressOf(broker) },
        },
      )
    }
    return broker
  }

  function forget(broker: DriverBroker): void {
    for (const [nodeId, known] of brokers) if (known === broker) brokers.delete(nodeId)
    if (seed === broker) seed = undefined
  }

  function drop(broker: DriverBroker): void {
    forget(broker)
    alive.delete(broker)
    closeSockets(broker.connectionPool)
  }

  /** Goes through the list that the client was given; the builder takes the next address with each call. */
  async function bootstrap(): Promise<DriverBroker> {
    let lastError: unknown
    const tried = new Set<string>()
    for (;;) {
      const broker = await driver.build()
      const address = addressOf(broker)
      if (tried.has(address)) throw lastError
      tried.add(address)
      try {
        seed = await connected(broker)
        return seed
      } catch (error) {
        lastError = error
      }
    }
  }

  async function anyBroker(): Promise<DriverBroker> {
    checkOpen()
    for (const broker of brokers.values()) if (isReady(broker)) return broker
    if (seed && isReady(seed)) return seed
    for (const nodeId of addresses.keys()) {
      try {
        return await knownBroker(nodeId)
      } catch (error) {
        // The next one, and at last the bootstrap list; a driver that is not ours to use ends it.
        if (error instanceof KafkaError && error.code === 'PIPE_KAFKA_DRIVER') throw error
      }
    }
    bootstrapping ??= bootstrap().finally(() => {
      bootstrapping = undefined
    })
    return bootstrapping
  }

  async function knownBroker(nodeId: number): Promise<DriverBroker> {
    const address = addresses.get(nodeId)
    if (!address) throw new KafkaError('PIPE_KAFKA_CONNECTION', `No broker ${nodeId} is known.`, { retryable: true })
    let broker = brokers.get(nodeId)
    if (broker && (broker.connectionPool.host !== address.host || broker.connectionPool.port !== address.port)) {
      drop(broker)
      broker = undefined
    }
    if (!broker) {
      const built = await driver.build(address, nodeId)
      // Someone else may have built it meanwhile.
      broker = brokers.get(nodeId) ?? built
      brokers.set(nodeId, broker)
    }
    return connected(broker)
  }

  async function broker(nodeId: number): Promise<DriverBroker> {
    checkOpen()
    if (!addresses.has(nodeId)) await askMetadata([])
    return knownBroker(nodeId)
  }

  async function send<T>(target: DriverBroker, request: RawRequest<T>): Promise<T> {
    const { signal } = request
    signal?.throwIfAborted()
    await connected(target)
    const sent = sendOn(target.connectionPool, request)
    return signal ? abortable(sent, signal) : sent
  }

  async function call<Request extends object, Response extends object>(
    target: DriverBroker,
    api: Api<Request, Response>,
    request: Request,
    options: CallOptions & { readonly maxVersion?: number } = {},
  ): Promise<Response> {
    await connected(target)
    const version = versionFor(target, api as unknown as Api<object, object>, options.maxVersion)
    const isFlexible = version >= api.flexibleFrom
    const body = api.encodeRequest(request, version)
    try {
      return await send(target, {
        apiKey: api.key,
        apiName: api.name,
        apiVersion: version,
        body: isFlexible ? Buffer.concat([noTaggedFields, body]) : body,
        parse: (payload) => api.decodeResponse(isFlexible ? afterTaggedFields(payload) : payload, version),
        timeoutMs: options.timeoutMs,
        signal: options.signal,
      })
    } catch (error) {
      if (options.signal?.aborted) throw options.signal.reason
      throw fromKafkajs(`${api.name} to ${addressOf(target)}`, error, { broker: addressOf(target) })
    }
  }

  async function askMetadata(topics: readonly string[] | null, options: CallOptions = {}): Promise<MetadataResponse> {
    const request = {
      topics: topics?.map((name) => ({ topicId: noTopicId, name })) ?? null,
      allowAutoTopicCreation: false,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    }
    const answer = await call(await anyBroker(), metadata, request, options)
    const current = new Set(answer.brokers.map(({ nodeId }) => nodeId))
    for (const { nodeId, host, port, rack } of answer.brokers) addresses.set(nodeId, { host, port, rack })
    for (const nodeId of addresses.keys()) if (!current.has(nodeId)) addresses.delete(nodeId)
    return answer
  }

  async function findCoordinatorOf(key: string, keyType: number, what: string): Promise<DriverBroker> {
    const answer = await call(await anyBroker(), findCoordinator, { key, keyType })
    if (answer.errorCode !== 0) throw protocolFailure(`The coordinator of ${what}`, answer.errorCode, {}, answer.errorMessage)
    addresses.set(answer.nodeId, { host: answer.host, port: answer.port, rack: addresses.get(answer.nodeId)?.rack ?? null })
    return knownBroker(answer.nodeId)
  }

  return {
    broker,
    anyBroker,
    async controller() {
      const { controllerId } = await askMetadata([])
      return controllerId < 0 ? anyBroker() : knownBroker(controllerId)
    },
    coordinator: (group) => findCoordinatorOf(group, coordinatorKind.group, `group ${group}`),
    transactionCoordinator: (id) => findCoordinatorOf(id, coordinatorKind.transaction, `transactional id ${id}`),
    metadata: askMetadata,
    call,
    send,
    drained: (broker) => drained(broker.connectionPool),
    drop,
    async close() {
      isClosed = true
      for (const broker of alive) drop(broker)
    },
  }
}

/** kafkajs calls a broker connected as soon as its socket stands: before it knows which versions it serves. */
function isReady(broker: DriverBroker): boolean {
  return broker.versions !== null && broker.isConnected()
}

const noTaggedFields = Buffer.from([0])

/** Skips the tagged fields of a flexible response header. */
function afterTaggedFields(payload: Buffer): Buffer {
  const cursor = createByteCursor(payload, 'A response header')
  for (let count = cursor.unsignedVarint(); count > 0; count--) {
    cursor.unsignedVarint()
    cursor.skip(cursor.unsignedVarint())
  }
  return payload.subarray(cursor.position)
}

/** Waits for a promise no longer than a signal allows. */
function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
