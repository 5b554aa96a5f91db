import { once } from 'node:events'
import { createServer } from 'node:net'
import { describeLogDirs, initProducerId, produce } from '@pipe/kafka-wire'
import { type StubBrokers, startStubBrokers } from '@pipe/testkit'
import kafkajs from 'kafkajs'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type ConnectionSettings, createKafka, type Kafka } from '../src/index'
import { addressOf, captureClusters, missingMembers, openDriver } from '../src/internals'
import { resourcesOf } from '../src/kafka-resources'

let stub: StubBrokers
let kafka: Kafka

beforeEach(async () => {
  stub = await startStubBrokers({ brokers: 3, topics: { t: 6 } })
  kafka = connect()
})
afterEach(async () => {
  await kafka.close()
  await stub.close()
})

function connect(settings: Partial<ConnectionSettings> = {}): Kafka {
  return createKafka({ brokers: stub.bootstrap, clientId: 'test', requestTimeout: '300 ms', ...settings })
}

const client = () => new kafkajs.Kafka({ brokers: [...stub.bootstrap], logLevel: kafkajs.logLevel.NOTHING })

const freePort = () =>
  new Promise<number>((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })

describe('createKafka', () => {
  it.each([
    ['no broker', { brokers: [] }, /at least one broker/],
    ['a broker without a port', { brokers: ['localhost'] }, /"localhost" is not a broker/],
    ['an unknown option', { retries: 3 }, /no option "retries"/],
    ['an unknown mechanism', { auth: { mechanism: 'kerberos' } }, /mechanism "kerberos"/],
    ['a duration that is none', { requestTimeout: '5s' }, /not a duration/],
  ])('refuses %s', (_, settings, reason) => {
    expect(() => connect(settings as never)).toThrow(reason)
  })

  it('takes a kafkajs instance, and nothing beside it', async () => {
    await using own = createKafka({ kafkajs: client() })
    expect(await own.producer().send('t', { value: 'x', partition: 0 })).toMatchObject({ offset: 0n })
    expect(() => createKafka({ kafkajs: client(), clientId: 'x' } as never)).toThrow(/no option "clientId"/)
    expect(() => createKafka({ kafkajs: {} as never })).toThrow(/instance/)
  })

  it('gives the log of kafkajs to whoever wants it', async () => {
    const port = await freePort()
    const lines: string[] = []
    await using own = connect({
      brokers: [`127.0.0.1:${port}`],
      onLog: ({ level, namespace }) => lines.push(`${level} ${namespace}`),
    })
    await expect(resourcesOf(own).cluster().anyBroker()).rejects.toMatchObject({ code: 'PIPE_KAFKA_CONNECTION', retryable: true })
    expect(lines).toContain('error Connection')
  })

  it('closes once, and refuses after that', async () => {
    const { cluster } = resourcesOf(kafka)
    await cluster().anyBroker()
    await Promise.all([kafka.close(), kafka.close()])
    expect(() => cluster()).toThrow(/PIPE_KAFKA_CLOSED/)
  })

  it('gives kafkajs the codecs that it lacks, and keeps those of the application', async () => {
    const registry = kafkajs.CompressionCodecs as unknown as Record<
      number,
      () => { decompress(bytes: Buffer): Promise<Buffer>; compress(encoder: { buffer: Buffer }): Promise<Buffer> }
    >
    for (const id of [1, 2, 3]) {
      const codec = registry[id]!()
      const text = Buffer.from('abcabcabcabc'.repeat(50))
      expect(await codec.decompress(await codec.compress({ buffer: text }))).toEqual(text)
    }
    const mine = () => ({ compress: async () => Buffer.alloc(0), decompress: async () => Buffer.alloc(0) })
    const ours = registry[2]!
    registry[2] = mine
    await connect().close()
    expect(registry[2]).toBe(mine)
    registry[2] = ours
  })
})

describe('a cluster', () => {
  it('finds a broker though the first of the list are gone', async () => {
    const gone = await freePort()
    await using own = connect({ brokers: [`127.0.0.1:${gone}`, stub.bootstrap[1]!] })
    const cluster = resourcesOf(own).openCluster()
    expect(addressOf(await cluster.anyBroker())).toBe(stub.bootstrap[1])
    expect(addressOf(await cluster.broker(2))).toBe(stub.bootstrap[2])
    expect(addressOf(await cluster.controller())).toBe(stub.bootstrap[0])
    await expect(cluster.broker(9)).rejects.toMatchObject({ code: 'PIPE_KAFKA_CONNECTION' })
  })

  it('asks many at once over one connection', async () => {
    const cluster = resourcesOf(kafka).cluster()
    const answers = await Promise.all(Array.from({ length: 20 }, () => cluster.metadata(['t', 'nowhere'])))
    for (const { topics } of answers)
      expect(topics.map(({ name, errorCode }) => [name, errorCode])).toEqual([
        ['t', 0],
        ['nowhere', 3],
      ])
    expect(stub.requests()['ApiVersions']).toBe(1)
  })

  it('chooses a version that both know, and says so when there is none', async () => {
    const cluster = resourcesOf(kafka).cluster()
    const broker = await cluster.anyBroker()
    const answer = await cluster.call(broker, initProducerId, {
      transactionalId: null,
      transactionTimeoutMs: 1,
      producerId: -1n,
      producerEpoch: -1,
    })
    expect(answer).toMatchObject({ errorCode: 0, producerId: 1000n })
    await expect(cluster.call(broker, describeLogDirs, { topics: null })).rejects.toMatchObject({ code: 'PIPE_KAFKA_VERSION' })
    await expect(
      cluster.call(broker, produce, { transactionalId: null, acks: 1, timeoutMs: 1, topics: [] }, { maxVersion: 2 }),
    ).rejects.toThrow(/serves 3 to 7 of Produce, this client 3 to 2/)
  })

  it('ends a call with the reason of its signal, and the connection goes on', async () => {
    const cluster = resourcesOf(kafka).cluster()
    const broker = await cluster.anyBroker()
    stub.script({ api: 'InitProducerId', reply: { after: '200 ms' } })
    const reason = new Error('enough')
    const request = { transactionalId: null, transactionTimeoutMs: 1, producerId: -1n, producerEpoch: -1 }
    await expect(cluster.call(broker, initProducerId, request, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    const abort = new AbortController()
    const call = cluster.call(broker, initProducerId, request, { signal: abort.signal })
    setTimeout(() => abort.abort(reason), 20)
    await expect(call).rejects.toBe(reason)
    expect(await cluster.call(broker, initProducerId, request)).toMatchObject({ errorCode: 0 })
  })

  it('times out, drops, and connects again', async () => {
    const cluster = resourcesOf(kafka).cluster()
    const request = { transactionalId: null, transactionTimeoutMs: 1, producerId: -1n, producerEpoch: -1 }
    stub.script({ api: 'InitProducerId', reply: 'none' })
    const broker = await cluster.broker(1)
    await expect(cluster.call(broker, initProducerId, request)).rejects.toMatchObject({
      code: 'PIPE_KAFKA_CONNECTION',
      retryable: true,
    })
    stub.script({ api: 'InitProducerId', reply: { after: '200 ms' } })
    const waiting = cluster.call(broker, initProducerId, request)
    await new Promise((resolve) => setTimeout(resolve, 50))
    cluster.drop(broker)
    await expect(waiting).rejects.toMatchObject({ code: 'PIPE_KAFKA_CONNECTION' })
    expect(await cluster.call(await cluster.broker(1), initProducerId, request)).toMatchObject({ errorCode: 0 })
    stub.dropConnections()
    await expect.poll(async () => (await cluster.metadata([])).brokers.length).toBe(3)
  })

  it('closes at once, even when a broker never answers', async () => {
    const cluster = resourcesOf(kafka).openCluster()
    const request = { transactionalId: null, transactionTimeoutMs: 1, producerId: -1n, producerEpoch: -1 }
    const broker = await cluster.anyBroker()
    const rule = stub.script({ api: 'InitProducerId', reply: 'none' })
    const waiting = cluster.call(broker, initProducerId, request, { timeoutMs: 20_000 }).catch((error) => error)
    await rule.happened
    const startedAt = Date.now()
    await cluster.close()
    expect(await waiting).toMatchObject({ code: 'PIPE_KAFKA_CONNECTION' })
    expect(Date.now() - startedAt).toBeLessThan(1000)
    await expect(cluster.anyBroker()).rejects.toMatchObject({ code: 'PIPE_KAFKA_CLOSED' })
  })
})

describe('the inner members of kafkajs', () => {
  it('are all there in the version that we pin', () => {
    expect(missingMembers(client())).toEqual([])
  })

  it('are named when they are not', () => {
    const other = client() as unknown as Record<symbol, (options: object) => Record<string, unknown>>
    const symbol = Object.getOwnPropertySymbols(other).find(({ description }) => description === 'private:Kafka:createCluster')!
    const create = other[symbol]!
    other[symbol] = (options) => {
      const cluster = create(options)
      cluster['findBroker'] = undefined
      cluster['brokerPool'] = {}
      return cluster
    }
    expect(missingMembers(other as never)).toEqual(['Cluster.findBroker', 'Cluster.brokerPool.createBroker'])
  })

  it('are caught while a consumer is made, and only then', () => {
    const instance = client()
    const { clusters } = captureClusters(instance, () => instance.consumer({ groupId: 'g' }))
    expect(clusters).toHaveLength(1)
    expect(typeof clusters[0]!.findGroupCoordinator).toBe('function')
    instance.consumer({ groupId: 'h' })
    expect(clusters).toHaveLength(1)
  })

  it('open one socket for all requests that wait for it, and clean up once when it cannot be had', async () => {
    const many = async (port: number) => {
      const { connectionPool } = await openDriver(kafka.kafkajs).build({ host: '127.0.0.1', port, rack: null })
      const connection = connectionPool.pool[0]!
      const outcomes = await Promise.allSettled(Array.from({ length: 30 }, () => connection.connect!()))
      return { connection, outcomes: new Set(outcomes.map(({ status }) => status)) }
    }
    const warnings: string[] = []
    const onWarning = ({ name }: Error) => void warnings.push(name)
    process.on('warning', onWarning)
    let sockets = 0
    const server = createServer(() => sockets++).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { connection, outcomes } = await many((server.address() as { port: number }).port)
    expect({ outcomes, sockets }).toEqual({ outcomes: new Set(['fulfilled']), sockets: 1 })
    connection.socket!.destroy()
    server.close()
    const refused = await many(await freePort())
    expect(refused.outcomes).toEqual(new Set(['rejected']))
    // Not for ever: the next request tries again.
    await expect(refused.connection.connect!()).rejects.toThrow(/ECONNREFUSED/)
    await new Promise((resolve) => setImmediate(resolve))
    process.off('warning', onWarning)
    expect(warnings).toEqual([])
  })

  it('do not idle: an open connection sets no timers', async () => {
    await kafka.producer().send('t', { value: 'x' })
    await new Promise((resolve) => setTimeout(resolve, 50))
    const timers = vi.spyOn(globalThis, 'setTimeout')
    const bare = client().producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
    await new Promise((resolve) => setTimeout(resolve, 150))
    const ofKit = timers.mock.calls.length
    await bare.connect()
    await bare.send({ topic: 't', messages: [{ value: 'x' }] })
    timers.mockClear()
    await new Promise((resolve) => setTimeout(resolve, 150))
    const ofBare = timers.mock.calls.length
    timers.mockRestore()
    await bare.disconnect()
    expect(ofKit).toBeLessThan(5)
    // The day that kafkajs stops doing so, `calmed` can go.
    expect(ofBare).toBeGreaterThan(30)
  })
})
