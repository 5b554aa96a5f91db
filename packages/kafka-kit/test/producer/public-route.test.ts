import { type StubBrokers, startStubBrokers } from '@pipe/testkit'
import fc from 'fast-check'
import kafkajs from 'kafkajs'
import { afterEach, describe, expect, it } from 'vitest'
import { createKafka, type Kafka, type ProducerEvent } from '../../src/index'

let stub: StubBrokers
let kafka: Kafka

/** A kafkajs as a later version might be: its inner function is gone. */
async function start(topics: Record<string, number> = { t: 6 }): Promise<void> {
  stub = await startStubBrokers({ brokers: 2, topics })
  const client = new kafkajs.Kafka({
    brokers: [...stub.bootstrap],
    clientId: 'public',
    logLevel: kafkajs.logLevel.NOTHING,
    requestTimeout: 300,
    retry: { initialRetryTime: 50, retries: 2 },
  })
  const symbol = Object.getOwnPropertySymbols(client).find(({ description }) => description === 'private:Kafka:createCluster')!
  const create = (client as unknown as Record<symbol, unknown>)[symbol]
  // kafkajs itself still needs it, under another name.
  Object.defineProperty(client, symbol, { value: create, enumerable: true })
  const hidden = new Proxy(client, {
    ownKeys: (target) => Reflect.ownKeys(target).filter((key) => key !== symbol),
    get: (target, key) => {
      const value = Reflect.get(target, key, target) as unknown
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  kafka = createKafka({ kafkajs: hidden as kafkajs.Kafka })
}

afterEach(async () => {
  await kafka.close()
  await stub.close()
})

it('both routes store the same records', async () => {
  const part = fc.option(fc.oneof(fc.string({ unit: 'grapheme', maxLength: 12 }), fc.uint8Array({ maxLength: 12 })))
  const message = fc.record({
    key: part,
    value: part,
    headers: fc.dictionary(
      fc.stringMatching(/^[a-z]{1,6}$/),
      fc.oneof(fc.string({ maxLength: 8 }), fc.array(fc.string({ maxLength: 4 }), { minLength: 2, maxLength: 3 })),
      { maxKeys: 3 },
    ),
    // Of equal length as text: kafkajs sorts timestamps as texts.
    timestamp: fc.integer({ min: 1_500_000_000_000, max: 1_900_000_000_000 }).map((ms) => new Date(ms)),
  })
  await start({})
  const own = createKafka({ brokers: stub.bootstrap, clientId: 'own' })
  let round = 0
  try {
    await fc.assert(
      fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 20 }), async (messages) => {
        round++
        const read: unknown[] = []
        for (const [name, client] of [
          [`own-${round}`, own],
          [`public-${round}`, kafka],
        ] as const) {
          stub.setPartitions(name, 3)
          const producer = client.producer()
          const placed = messages.map((one, i) => (one.key === null ? { ...one, partition: i % 3 } : one))
          await producer.sendMany(name, placed)
          await producer.close()
          read.push([0, 1, 2].map((partition) => stub.records(name, partition)))
        }
        expect(read[0]).toEqual(read[1])
      }),
      { numRuns: 30, endOnFailure: true },
    )
  } finally {
    await own.close()
  }
})

describe('with a kafkajs whose inner members are gone', () => {
  it('messages go through its public send, and the caller is told', async () => {
    await start()
    const events: ProducerEvent[] = []
    const producer = kafka.producer({ onEvent: (event) => events.push(event) })
    expect(events).toEqual([{ kind: 'public-route', missing: ['Kafka[private:Kafka:createCluster]'] }])
    const sent = Array.from({ length: 200 }, (_, i) => ({
      key: `k${i}`,
      value: new Uint8Array([118, 48 + (i % 10)]),
      headers: { h: 'x' },
    }))
    const results = await producer.sendMany('t', sent)
    results.forEach(({ partition, offset }, i) => {
      const record = stub.records('t', partition)[Number(offset)]!
      expect(String(record.key)).toBe(sent[i]!.key)
      expect(String(record.value)).toBe(`v${i % 10}`)
    })
  })

  it('D1 and D1b do not happen', async () => {
    await start()
    stub.script({ broker: 0, error: 6 })
    stub.script({ broker: 1, partition: 'first', error: 6 })
    const values = Array.from({ length: 101 }, (_, i) => String(i))
    await kafka.producer({ batchRecords: 9 }).sendMany(
      't',
      values.map((value) => ({ value })),
    )
    expect([...stub.values('t')].sort()).toEqual([...values].sort())
  })

  it('D2b does not happen: what follows an unknown outcome is stored', async () => {
    await start({ t: 1 })
    const producer = kafka.producer({ linger: '0 ms', deliveryTimeout: '1500 ms' })
    const rule = stub.script({ reply: 'none', times: Number.POSITIVE_INFINITY })
    await expect(producer.send('t', { value: 'A' })).rejects.toMatchObject({ code: 'PIPE_KAFKA_AMBIGUOUS' })
    rule.remove()
    await producer.send('t', { value: 'B' })
    await producer.send('t', { value: 'C' })
    expect(stub.values('t')).toEqual(['A', 'B', 'C'])
  })

  it('an unknown topic and a fatal answer are what they are on the other route', async () => {
    await start({ t: 1 })
    const producer = kafka.producer({ maxBlock: '300 ms' })
    await expect(producer.send('nowhere', { value: 'x' })).rejects.toMatchObject({
      code: 'PIPE_KAFKA_TOPIC',
      outcome: 'not-written',
    })
    stub.script({ error: 87 })
    await expect(producer.send('t', { value: 'x' })).rejects.toMatchObject({ outcome: 'not-written', details: { errorCode: 87 } })
    const forget = kafka.producer({ durability: 'fire-and-forget' })
    expect(await forget.send('t', { value: 'y' })).toEqual({ partition: 0 })
    await expect.poll(() => stub.values('t')).toEqual(['y'])
  })
})
