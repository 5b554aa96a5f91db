import { connect } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { CompressionTypes, Kafka, logLevel } from 'kafkajs'
import { afterEach, describe, expect, test } from 'vitest'
import { type StubBrokers, type StubBrokersOptions, startStubBrokers } from '../../src/index'

let stub: StubBrokers
afterEach(() => stub?.close())

async function start(options: StubBrokersOptions) {
  stub = await startStubBrokers(options)
  return new Kafka({
    brokers: [...stub.bootstrap],
    logLevel: logLevel.NOTHING,
    requestTimeout: 300,
    retry: { initialRetryTime: 20, maxRetryTime: 50 },
  })
}

const messages = (count: number, keyed = false) => {
  return Array.from({ length: count }, (_, i) => ({ value: `m${i}`, ...(keyed && { key: `k${i}` }) }))
}
const times = (values: readonly string[]) => {
  const counts = new Map<string, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return counts
}
/** How many of m0 … were never stored, and how many twice. */
function outcome(count: number) {
  const counts = times(stub.values('orders'))
  const lost = messages(count).filter(({ value }) => !counts.has(value)).length
  return { lost, doubled: [...counts.values()].filter((n) => n > 1).length }
}

describe('without faults', () => {
  test.each([1, 2, 3])('%i brokers: every record is stored once, at the offset that was answered', async (brokers) => {
    const kafka = await start({ brokers, topics: { orders: 6 } })
    const producer = kafka.producer()
    await producer.connect()
    for (const compression of [CompressionTypes.None, CompressionTypes.GZIP]) {
      const results = await producer.send({ topic: 'orders', compression, messages: messages(101, true) })
      for (const { partition, baseOffset } of results) {
        const stored = stub.records('orders', partition)
        expect(stored.map(({ offset }) => Number(offset))).toEqual(stored.map((_, i) => i))
        expect(Number(baseOffset)).toBe(compression === CompressionTypes.None ? 0 : stored.length / 2)
      }
    }
    await producer.disconnect()
    expect(new Set(times(stub.values('orders')).values())).toEqual(new Set([2]))
    expect(stub.requests()['Produce']).toBe(2 * brokers)
    expect(stub.batches.every(({ partition, broker }) => partition % brokers === broker)).toBe(true)
  })

  test('acks 0 is stored and not answered; keys, headers and times arrive', async () => {
    const kafka = await start({ topics: { orders: 1 } })
    const producer = kafka.producer()
    await producer.connect()
    await producer.send({
      topic: 'orders',
      acks: 0,
      messages: [{ key: 'k', value: 'v', headers: { h: 'x' }, timestamp: '1700000000000' }],
    })
    await expect.poll(() => stub.values('orders')).toEqual(['v'])
    const [record] = stub.records('orders', 0)
    expect(record).toMatchObject({ offset: 0n, timestampMs: 1700000000000, headers: [{ key: 'h', value: Buffer.from('x') }] })
    await producer.disconnect()
  })

  test('an unknown topic is named so; a moved leader answers so until the client asks again; partitions grow', async () => {
    const kafka = await start({ brokers: 2, topics: { orders: 1 } })
    const admin = kafka.admin()
    await expect(admin.fetchTopicMetadata({ topics: ['nowhere'] })).rejects.toThrow('does not host this topic-partition')
    const producer = kafka.producer()
    await producer.connect()
    const send = (value: string) => producer.send({ topic: 'orders', messages: [{ value, partition: 0 }] })
    await send('one')
    stub.moveLeader('orders', 0, 1)
    await send('two')
    expect(stub.values('orders')).toEqual(['one', 'two'])
    expect(stub.batches.map(({ broker, errorCode }) => [broker, errorCode])).toEqual([
      [0, 0],
      [0, 6],
      [1, 0],
    ])
    stub.setPartitions('orders', 3)
    const { topics } = await admin.fetchTopicMetadata({ topics: ['orders'] })
    expect(topics[0]?.partitions).toHaveLength(3)
    await Promise.all([admin.disconnect(), producer.disconnect()])
  })

  test('only counting', async () => {
    const kafka = await start({ topics: { orders: 1 }, keep: 'count' })
    const producer = kafka.producer({ idempotent: true })
    await producer.connect()
    for (let i = 0; i < 3; i++) await producer.send({ topic: 'orders', messages: messages(10) })
    await producer.disconnect()
    expect(stub.endOffset('orders', 0)).toBe(30n)
    expect(stub.records('orders', 0)).toEqual([])
  })
})

// The losses of bare kafkajs, which the stub must be able to show (and which kafka-kit's producer must not have).
describe('what bare kafkajs 2.2.4 does', () => {
  test.each([2, 3])('D1, %i brokers: one refused request of keyless messages: about as many lost as doubled', async (brokers) => {
    const kafka = await start({ brokers, topics: { orders: 6 } })
    const rule = stub.script({ broker: 0, error: 6 })
    const producer = kafka.producer()
    await producer.connect()
    await producer.send({ topic: 'orders', messages: messages(101) })
    await producer.disconnect()
    expect(rule.hits()).toBe(1)
    const { lost, doubled } = outcome(101)
    const share = Math.floor(101 / brokers)
    expect([share, share + 1]).toContain(lost)
    expect([share, share + 1]).toContain(doubled)
  })

  test('D1b: one refused partition of a request of keyed messages: its others are stored twice', async () => {
    const kafka = await start({ brokers: 2, topics: { orders: 6 } })
    stub.script({ broker: 0, partition: 'first', error: 6 })
    const producer = kafka.producer()
    await producer.connect()
    await producer.send({ topic: 'orders', messages: messages(101, true) })
    await producer.disconnect()
    const { lost, doubled } = outcome(101)
    expect(lost).toBe(0)
    expect(doubled).toBeGreaterThan(0)
  })

  test('D1b idempotent: the stub knows the repeated batches', async () => {
    const kafka = await start({ brokers: 2, topics: { orders: 6 } })
    stub.script({ broker: 0, partition: 'first', error: 6 })
    const producer = kafka.producer({ idempotent: true })
    await producer.connect()
    await producer.send({ topic: 'orders', messages: messages(101, true) })
    await producer.disconnect()
    expect(outcome(101)).toEqual({ lost: 0, doubled: 0 })
  })

  test('D2: two idempotent sends at once, the first stored and never answered: one is acknowledged and lost', async () => {
    const kafka = await start({ topics: { orders: 1 } })
    stub.script({ reply: 'none' })
    const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 5 })
    await producer.connect()
    const send = (value: string) => producer.send({ topic: 'orders', messages: [{ value }] })
    await Promise.all([send('A'), send('B')])
    await producer.disconnect()
    const stored = stub.values('orders')
    expect(stored).toHaveLength(2)
    expect(new Set(stored).size).toBe(1)
  })

  test('D2b: a send that failed though stored makes the next one acknowledged and lost', async () => {
    const kafka = await start({ topics: { orders: 1 } })
    stub.script({ reply: 'none', times: 2 })
    const producer = kafka.producer({ idempotent: true, retry: { retries: 1, initialRetryTime: 20 } })
    await producer.connect()
    const send = (value: string) => producer.send({ topic: 'orders', messages: [{ value }] })
    await expect(send('A')).rejects.toThrow()
    await send('B')
    await send('C')
    await producer.disconnect()
    expect(stub.values('orders')).toEqual(['A', 'C'])
  })
})

describe('scripted faults', () => {
  test('stored but answered with an error; closed after storing; delayed; counted by skip and times', async () => {
    const kafka = await start({ topics: { orders: 1 } })
    const producer = kafka.producer({ retry: { retries: 0 } })
    await producer.connect()
    const send = (value: string) => producer.send({ topic: 'orders', messages: [{ value }] })
    stub.script({ skip: 1, error: 20, append: true })
    stub.script({ skip: 2, reply: 'close' })
    stub.script({ skip: 3, reply: { after: '100 ms' } })
    await send('plain')
    await expect(send('told 20')).rejects.toThrow(/in-sync replicas/)
    await expect(send('closed')).rejects.toThrow(/[Cc]losed|Connection/)
    const started = performance.now()
    await send('delayed')
    expect(performance.now() - started).toBeGreaterThan(95)
    await producer.disconnect()
    expect(stub.values('orders')).toEqual(['plain', 'told 20', 'closed', 'delayed'])
  })

  test('Metadata and InitProducerId fail when told to', async () => {
    const kafka = await start({ topics: { orders: 1 } })
    const metadata = stub.script({ api: 'Metadata', topic: 'orders', error: 5 })
    const ids = stub.script({ api: 'InitProducerId', error: 53, times: Number.POSITIVE_INFINITY })
    const admin = kafka.admin()
    await admin.fetchTopicMetadata({ topics: ['orders'] })
    expect(metadata.hits()).toBe(1)
    const producer = kafka.producer({ idempotent: true })
    await expect(producer.connect()).rejects.toThrow(/[Tt]ransactional/)
    ids.remove()
    const other = kafka.producer({ idempotent: true })
    await other.connect()
    await Promise.all([producer.disconnect(), other.disconnect(), admin.disconnect()])
  })

  test('connections can be dropped; clearScript removes what is left', async () => {
    const kafka = await start({ topics: { orders: 1 } })
    const rule = stub.script({ reply: 'none', times: Number.POSITIVE_INFINITY })
    const producer = kafka.producer()
    await producer.connect()
    const sent = producer.send({ topic: 'orders', messages: [{ value: 'v' }] })
    await rule.happened
    stub.clearScript()
    stub.dropConnections()
    await sent
    await producer.disconnect()
    expect(stub.values('orders')).toEqual(['v', 'v'])
  })
})

describe('bad input', () => {
  test('a frame that is none, and an API that is not served, end the connection', async () => {
    await start({ topics: {} })
    for (const bytes of [Buffer.alloc(20, 0xff), Buffer.from([0, 0, 0, 10, 0, 60, 0, 0, 0, 0, 0, 1, 0xff, 0xff])]) {
      const socket = connect(Number(stub.bootstrap[0]!.split(':')[1]), '127.0.0.1')
      socket.on('error', () => {})
      socket.write(bytes)
      socket.resume()
      await Promise.race([
        new Promise((resolve) => socket.once('close', resolve)),
        wait(2000).then(() => Promise.reject(new Error('still open'))),
      ])
    }
  })

  test.each([
    [{}, 'does nothing'],
    [{ errror: 6 }, 'Did you mean "error"?'],
    [{ append: false }, 'must give an "error"'],
    [{ api: 'Fetch', error: 1 }, 'no API "Fetch"'],
    [{ api: 'Metadata', append: true }, 'concern Produce only'],
    [{ reply: { after: 'soon' } }, 'not a duration'],
  ])('rule %o is refused', async (rule, text) => {
    await start({ topics: {} })
    expect(() => stub.script(rule as never)).toThrow(text)
  })

  test('unknown partitions, brokers and shrinking are refused', async () => {
    await start({ topics: { orders: 2 } })
    expect(() => stub.records('orders', 2)).toThrow('no partition orders[2]')
    expect(() => stub.moveLeader('orders', 0, 1)).toThrow('no broker 1')
    expect(() => stub.setPartitions('orders', 1)).toThrow('only grow')
  })
})
