import { type StubBrokers, startStubBrokers } from '@pipe/testkit'
import kafkajs from 'kafkajs'
import { afterEach, describe, expect, it } from 'vitest'
import { createKafka, type Kafka, PartialSendError, type Producer, type Written } from '../../src/index'

// The defects of bare kafkajs 2.2.4 that made this producer necessary, each shown on both. Where the bare client "fails" the test asserts its
// failure: the day it is repaired, the test says so.

let stub: StubBrokers
let kafka: Kafka | undefined
let bare: kafkajs.Producer | undefined

afterEach(async () => {
  await kafka?.close()
  await bare?.disconnect()
  await stub.close()
  kafka = undefined
  bare = undefined
})

function kit(requestTimeout: '300 ms' | '5 seconds' = '5 seconds'): Kafka {
  kafka = createKafka({ brokers: stub.bootstrap, clientId: 'kit', requestTimeout })
  return kafka
}

async function bareProducer(options: kafkajs.ProducerConfig = {}, requestTimeout = 5000): Promise<kafkajs.Producer> {
  const client = new kafkajs.Kafka({
    brokers: [...stub.bootstrap],
    clientId: 'bare',
    logLevel: kafkajs.logLevel.NOTHING,
    requestTimeout,
    retry: { initialRetryTime: 50, retries: 3 },
  })
  bare = client.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner, ...options })
  await bare.connect()
  return bare
}

const values = (count: number) => Array.from({ length: count }, (_, i) => `v${String(i).padStart(4, '0')}`)

/** How far what is stored differs from what was sent. */
function damage(topic: string, sent: readonly string[]): { lost: number; twice: number } {
  const counts = new Map<string, number>()
  for (const value of stub.values(topic)) counts.set(value, (counts.get(value) ?? 0) + 1)
  return {
    lost: sent.filter((value) => !counts.has(value)).length,
    twice: sent.reduce((sum, value) => sum + Math.max(0, (counts.get(value) ?? 0) - 1), 0),
  }
}

/** Every confirmed message is stored once, at the offset that was reported. */
function expectStoredOnce(topic: string, sent: readonly string[], results: readonly Written[]): void {
  expect(damage(topic, sent)).toEqual({ lost: 0, twice: 0 })
  results.forEach(({ partition, offset }, i) => {
    expect(String(stub.records(topic, partition)[Number(offset)]!.value)).toBe(sent[i])
  })
}

describe.each([2, 3])('D1, %i brokers: one leader has moved, the messages have no key', (brokers) => {
  const sent = values(101)
  const scripted = async () => {
    stub = await startStubBrokers({ brokers, topics: { t: 6 } })
    stub.script({ broker: 0, error: 6 })
  }

  it.each([false, true])('bare kafkajs loses and doubles (idempotent: %s)', async (idempotent) => {
    await scripted()
    const producer = await bareProducer({ idempotent })
    await producer.send({ topic: 't', messages: sent.map((value) => ({ value })) })
    const { lost, twice } = damage('t', sent)
    expect(lost).toBeGreaterThan(20)
    expect(twice).toBeGreaterThan(20)
  })

  it('the kit does not', async () => {
    await scripted()
    const producer = kit().producer()
    // Small batches, so that all partitions get some.
    const results = await producer.sendMany(
      't',
      sent.map((value) => ({ value })),
    )
    expectStoredOnce('t', sent, results)
  })

  it('nor when the messages are spread over all partitions', async () => {
    await scripted()
    const producer = kit().producer({ batchRecords: 7 })
    const results = await producer.sendMany(
      't',
      sent.map((value) => ({ value })),
    )
    expect(new Set(results.map(({ partition }) => partition)).size).toBeGreaterThan(2)
    expectStoredOnce('t', sent, results)
  })
})

describe('D1b: one partition of a broker errs, the others are stored, the messages have keys', () => {
  const sent = values(101)
  const scripted = async () => {
    stub = await startStubBrokers({ brokers: 2, topics: { t: 6 } })
    stub.script({ broker: 0, partition: 'first', error: 6 })
  }

  it('bare kafkajs doubles', async () => {
    await scripted()
    const producer = await bareProducer()
    await producer.send({ topic: 't', messages: sent.map((value) => ({ key: value, value })) })
    const { lost, twice } = damage('t', sent)
    expect(lost).toBe(0)
    expect(twice).toBeGreaterThan(10)
  })

  it.each([
    ['idempotent', (k: Kafka) => k.producer()],
    ['quorum', (k: Kafka) => k.producer({ idempotent: false })],
    ['leader', (k: Kafka) => k.producer({ durability: 'leader' })],
  ])('the kit does not (%s)', async (_, make) => {
    await scripted()
    const producer = make(kit()) as Producer
    const results = await producer.sendMany(
      't',
      sent.map((value) => ({ key: value, value })),
    )
    expectStoredOnce('t', sent, results)
  })
})

describe('D2: the answer to a batch is lost, another send follows at once, idempotent', () => {
  const scripted = async () => {
    stub = await startStubBrokers({ topics: { t: 1 } })
  }

  it('bare kafkajs loses an acknowledged message and doubles another', async () => {
    await scripted()
    const producer = await bareProducer({ idempotent: true, maxInFlightRequests: 5 }, 300)
    stub.script({ reply: 'none' })
    const outcomes = await Promise.allSettled([
      producer.send({ topic: 't', messages: [{ value: 'A' }] }),
      producer.send({ topic: 't', messages: [{ value: 'B' }] }),
    ])
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled'])
    expect(damage('t', ['A', 'B'])).toEqual({ lost: 1, twice: 1 })
  })

  it('the kit does not', async () => {
    await scripted()
    const producer = kit('300 ms').producer({ linger: '0 ms' })
    const rule = stub.script({ reply: 'none' })
    const first = producer.send('t', { value: 'A' })
    // In a request of its own: in one batch there would be nothing to confuse.
    await rule.happened
    const second = producer.send('t', { value: 'B' })
    expectStoredOnce('t', ['A', 'B'], await Promise.all([first, second]))
    expect(stub.values('t')).toEqual(['A', 'B'])
    expect(stub.batches.map(({ baseSequence }) => baseSequence)).toEqual([0, 0, 1])
  })
})

describe('D2, batches of unequal size', () => {
  it('bare kafkajs rejects a send that nothing was wrong with', async () => {
    stub = await startStubBrokers({ topics: { t: 1 } })
    const producer = await bareProducer({ idempotent: true, maxInFlightRequests: 5 }, 300)
    stub.script({ reply: 'none' })
    const outcomes = await Promise.allSettled([
      producer.send({ topic: 't', messages: values(3).map((value) => ({ value })) }),
      producer.send({ topic: 't', messages: [{ value: 'B' }] }),
    ])
    const { lost, twice } = damage('t', [...values(3), 'B'])
    expect(outcomes.some(({ status }) => status === 'rejected') || lost + twice > 0).toBe(true)
  })

  it('the kit stores both', async () => {
    stub = await startStubBrokers({ topics: { t: 1 } })
    const producer = kit('300 ms').producer({ linger: '0 ms' })
    const rule = stub.script({ reply: 'none' })
    const first = producer.sendMany(
      't',
      values(3).map((value) => ({ value })),
    )
    await rule.happened
    const second = producer.send('t', { value: 'B' })
    expectStoredOnce('t', [...values(3), 'B'], [...(await first), await second])
  })
})

describe('D2b: a send was given up without an answer, others follow, idempotent', () => {
  it('bare kafkajs reuses its sequence number: the next one is acknowledged and never stored', async () => {
    stub = await startStubBrokers({ topics: { t: 1 } })
    const producer = await bareProducer({ idempotent: true, retry: { retries: 1, initialRetryTime: 50 } }, 300)
    stub.script({ reply: 'none', times: 2 })
    await expect(producer.send({ topic: 't', messages: [{ value: 'A' }] })).rejects.toThrow()
    await producer.send({ topic: 't', messages: [{ value: 'B' }] })
    await producer.send({ topic: 't', messages: [{ value: 'C' }] })
    expect(stub.values('t')).toEqual(['A', 'C'])
  })

  it('the kit says that it does not know, takes a new producer id, and stores what follows', async () => {
    stub = await startStubBrokers({ topics: { t: 1 } })
    const events: unknown[] = []
    const producer = kit('300 ms').producer({
      linger: '0 ms',
      deliveryTimeout: '900 ms',
      onEvent: (event) => events.push(event),
    })
    const rule = stub.script({ reply: 'none', times: Number.POSITIVE_INFINITY })
    const lost = producer.send('t', { value: 'A' })
    await expect(lost).rejects.toMatchObject({
      code: 'PIPE_KAFKA_AMBIGUOUS',
      outcome: 'unknown',
      details: { topic: 't', partition: 0 },
    })
    rule.remove()
    const results = [await producer.send('t', { value: 'B' }), await producer.send('t', { value: 'C' })]
    expect(stub.values('t')).toEqual(['A', 'B', 'C'])
    expect(results.map(({ offset }) => offset)).toEqual([1n, 2n])
    expect(events).toMatchObject([{ kind: 'producer-id-renewed' }])
  })

  it('a batch larger than the one after it does not wedge the producer', async () => {
    stub = await startStubBrokers({ topics: { t: 1 } })
    const producer = kit('300 ms').producer({ linger: '0 ms', deliveryTimeout: '900 ms' })
    const rule = stub.script({ reply: 'none', times: Number.POSITIVE_INFINITY })
    const error = await producer.sendMany('t', [{ value: 'A1' }, { value: 'A2' }]).catch((reason) => reason)
    expect(error).toBeInstanceOf(PartialSendError)
    expect(error.outcomes.map(({ outcome }: { outcome: string }) => outcome)).toEqual(['unknown', 'unknown'])
    rule.remove()
    await producer.send('t', { value: 'B' })
    await producer.send('t', { value: 'C' })
    expect(stub.values('t')).toEqual(['A1', 'A2', 'B', 'C'])
  })
})
