import { column, deadlineIn } from '@pipe/core'
import { murmur2 } from '@pipe/kafka-wire'
import { type StubBrokers, type StubBrokersOptions, startStubBrokers } from '@pipe/testkit'
import { afterEach, describe, expect, expectTypeOf, it } from 'vitest'
import {
  type ConnectionSettings,
  createKafka,
  defineTopic,
  type HandedOver,
  type Kafka,
  type ProducerEvent,
  type Written,
} from '../../src/index'

let stub: StubBrokers | undefined
let kafka: Kafka | undefined

afterEach(async () => {
  await kafka?.close()
  await stub?.close()
  kafka = undefined
  stub = undefined
})

async function start(
  options: Partial<StubBrokersOptions> = {},
  settings: Partial<ConnectionSettings> = {},
): Promise<StubBrokers> {
  stub = await startStubBrokers({ topics: { t: 6 }, brokers: 2, ...options })
  kafka = createKafka({ brokers: stub.bootstrap, clientId: 'test', requestTimeout: '300 ms', ...settings })
  return stub
}

const failure = async (promise: Promise<unknown>) =>
  promise.then(
    () => expect.fail('it should have rejected'),
    (error) => error,
  )

describe('a producer', () => {
  it('puts keys where every other client puts them, and writes all of a message', async () => {
    const brokers = await start()
    const producer = kafka!.producer()
    const timestamp = new Date('2026-11-24T15:31:00.123Z')
    const result = await producer.send('t', {
      key: 'user-42',
      value: 'välue',
      headers: { a: 'x', b: ['1', Buffer.from([2])], c: null },
      timestamp,
    })
    expectTypeOf(result).toEqualTypeOf<Written>()
    expect(result).toEqual({ partition: (murmur2(Buffer.from('user-42')) & 0x7fffffff) % 6, offset: 0n, timestamp })
    expect(brokers.records('t', result.partition)).toMatchObject([
      {
        key: Buffer.from('user-42'),
        value: Buffer.from('välue'),
        timestampMs: timestamp.getTime(),
        headers: [
          { key: 'a', value: Buffer.from('x') },
          { key: 'b', value: Buffer.from('1') },
          { key: 'b', value: Buffer.from([2]) },
          { key: 'c', value: null },
        ],
      },
    ])
    // A Uint8Array is bytes, not the text of its numbers; an empty text is a key.
    const bytes = await producer.send('t', { key: new Uint8Array([0]), value: new Uint8Array([104, 105]) })
    expect(String(brokers.records('t', bytes.partition).at(-1)!.value)).toBe('hi')
    expect(bytes.partition).toBe(2)
    expect((await producer.send('t', { key: '', value: null })).partition).toBe(275646681 % 6)
    expect((await producer.send('t', { key: 'a', value: 'x', partition: 5 })).partition).toBe(5)
  })

  it('encodes by the contract of a topic', async () => {
    const brokers = await start({ topics: { orders: 1 } })
    const orders = defineTopic('orders', {
      key: column.string(),
      value: { id: column.integer(), total: column.double() },
      partitions: 1,
      replicationFactor: 1,
    })
    const producer = kafka!.producer()
    await producer.send(orders, { key: 'k', value: { id: 1, total: 1.5 } })
    await producer.sendMany(orders, [{ key: 'k', value: { id: 2, total: 2 } }])
    expect(brokers.values('orders')).toEqual(['{"id":1,"total":1.5}', '{"id":2,"total":2}'])
    const error = await failure(producer.send(orders, { key: 'k', value: { id: 'one', total: 1 } as never }))
    expect(error.message).toMatch(/PIPE_/)
    await expect(
      producer.sendMany(orders, [
        { key: 'k', value: { id: 3, total: 3 } },
        { key: 'k', value: {} as never },
      ]),
    ).rejects.toThrow()
    expect(brokers.values('orders')).toHaveLength(2)
    // @ts-expect-error the contract has no such value
    void (() => producer.send(orders, { key: 'k', value: 'text' }))
  })

  it('keeps the order of the calls while a record is validated later', async () => {
    const brokers = await start({ topics: { slow: 1 } })
    let calls = 0
    const slow = defineTopic('slow', {
      value: {
        '~standard': {
          version: 1 as const,
          vendor: 'test',
          validate: async (value: unknown) => {
            await new Promise((resolve) => setTimeout(resolve, 30 - 10 * calls++))
            return { value: value as string }
          },
        },
      },
      partitions: 1,
      replicationFactor: 1,
    })
    const producer = kafka!.producer()
    await Promise.all([
      producer.send(slow, { value: 'a' }),
      producer.send(slow, { value: 'b' }),
      producer.sendMany(slow, [{ value: 'c' }, { value: 'd' }]),
      producer.send('slow', { value: '"e"' }),
    ])
    expect(brokers.values('slow')).toEqual(['"a"', '"b"', '"c"', '"d"', '"e"'])
  })

  it('gathers what is sent together into few batches, of one partition where there is no key', async () => {
    const brokers = await start()
    const producer = kafka!.producer()
    const results = await Promise.all(Array.from({ length: 500 }, (_, i) => producer.send('t', { value: String(i) })))
    expect(brokers.batches.length).toBe(1)
    expect(new Set(results.map(({ partition }) => partition)).size).toBe(1)
    expect(results.map(({ offset }) => offset)).toEqual(results.map((_, i) => BigInt(i)))
    const partitions = new Set<number>()
    for (let i = 0; i < 40; i++) partitions.add((await producer.send('t', { value: 'x' })).partition)
    expect(partitions.size).toBeGreaterThan(3)
  })

  it.each(['gzip', 'snappy', 'lz4'] as const)('packs batches with %s', async (compression) => {
    const brokers = await start({ topics: { t: 1 } })
    const producer = kafka!.producer({ compression })
    const sent = Array.from({ length: 300 }, (_, i) => `{"device":"device-${i % 5}","metric":${i}}`)
    await producer.sendMany(
      't',
      sent.map((value) => ({ value })),
    )
    expect(brokers.values('t')).toEqual(sent)
  })

  it('knows what each durability promises', async () => {
    const brokers = await start()
    const leader = kafka!.producer({ durability: 'leader' })
    expect(await leader.send('t', { value: 'a', partition: 0 })).toMatchObject({ offset: 0n })
    const forget = kafka!.producer({ durability: 'fire-and-forget' })
    const result = await forget.send('t', { value: 'b', partition: 0 })
    expectTypeOf(result).toEqualTypeOf<HandedOver>()
    expect(result).toEqual({ partition: 0 })
    await expect.poll(() => brokers.values('t')).toEqual(['a', 'b'])
    expect(brokers.batches.map(({ acks, producerId }) => [acks, producerId])).toEqual([
      [1, -1n],
      [0, -1n],
    ])
    await kafka!.producer().send('t', { value: 'c', partition: 0 })
    expect(brokers.batches.at(-1)).toMatchObject({ acks: -1, producerId: 1000n, producerEpoch: 0, baseSequence: 0 })
    // @ts-expect-error no offset
    void result.offset
  })
})

describe('what a producer refuses', () => {
  it.each([
    ['an unknown option', { lingerMs: 5 }, /no option "lingerMs"/],
    ['an idempotent producer without quorum', { idempotent: true, durability: 'leader' }, /needs durability 'quorum'/],
    ['an unknown durability', { durability: 'all' }, /no durability "all"/],
    ['a batch of nothing', { batchBytes: 0 }, /batchBytes/],
    ['an unknown compression', { compression: 'brotli' }, /PIPE_KAFKA_CODEC/],
    ['an unknown partitioner', { partitioner: 'random' }, /partitioner/],
  ])('%s', async (_, options, reason) => {
    await start()
    expect(() => kafka!.producer(options as never)).toThrow(reason)
  })

  it('messages that cannot be', async () => {
    await start()
    const producer = kafka!.producer()
    expect((await failure(producer.send('t', { value: undefined as never }))).message).toMatch(
      /PIPE_KAFKA_VALUE .*value .*missing/,
    )
    expect((await failure(producer.send('t', { value: 5 as never }))).message).toMatch(/is a number/)
    expect((await failure(producer.send('t', { value: 'x', key: {} as never }))).message).toMatch(/key .* is a object/)
    expect((await failure(producer.send('t', { value: 'x', timestamp: new Date('x') }))).message).toMatch(/timestamp/)
    expect((await failure(producer.send('a b', { value: 'x' }))).code).toBe('PIPE_KAFKA_TOPIC')
    expect(await failure(producer.send('t', { value: 'x', partition: 6 }))).toMatchObject({
      code: 'PIPE_KAFKA_TOPIC',
      outcome: 'not-written',
    })
    const large = await failure(producer.send('t', { value: Buffer.alloc(1_048_588) }))
    expect(large).toMatchObject({ code: 'PIPE_KAFKA_TOO_LARGE', outcome: 'not-written' })
    expect(producer.buffered).toEqual({ messages: 0, bytes: 0 })
  })

  it('an unknown topic, after it was looked for', async () => {
    await start()
    const producer = kafka!.producer({ maxBlock: '200 ms' })
    const error = await failure(producer.send('nowhere', { value: 'x' }))
    expect(error).toMatchObject({ code: 'PIPE_KAFKA_TOPIC', outcome: 'not-written', details: { topic: 'nowhere', errorCode: 3 } })
    expect(error.hint).toMatch(/planTopics/)
    expect(producer.buffered.messages).toBe(0)
  })

  it('a message without any broker', async () => {
    await start()
    await stub!.close()
    const producer = kafka!.producer({ maxBlock: '300 ms' })
    const error = await failure(producer.send('t', { value: 'x' }))
    expect(error).toMatchObject({ code: 'PIPE_KAFKA_NOT_WRITTEN', retryable: true })
  })
})

describe('when brokers fail', () => {
  it('a message that never reached a broker is certainly not written', async () => {
    const brokers = await start({ brokers: 1, topics: { t: 1 } })
    const producer = kafka!.producer({ deliveryTimeout: '400 ms' })
    await producer.send('t', { value: 'a' })
    await brokers.close()
    // A turn of the event loop, in which the client hears of it: before that, the bytes would go to the socket, and nobody could know.
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
    const error = await failure(producer.send('t', { value: 'b' }))
    expect(error).toMatchObject({ code: 'PIPE_KAFKA_NOT_WRITTEN', outcome: 'not-written', details: { topic: 't', partition: 0 } })
    stub = undefined
  })

  it('a leader that moved is found', async () => {
    const brokers = await start({ topics: { t: 1 } })
    const producer = kafka!.producer()
    await producer.send('t', { value: 'a' })
    brokers.moveLeader('t', 0, 1)
    await producer.send('t', { value: 'b' })
    expect(brokers.values('t')).toEqual(['a', 'b'])
  })

  it('a connection that was closed after the batch was stored makes no duplicate', async () => {
    const brokers = await start({ topics: { t: 1 } })
    const producer = kafka!.producer()
    brokers.script({ reply: 'close', times: 3 })
    expect(await producer.send('t', { value: 'a' })).toMatchObject({ offset: 0n })
    expect(brokers.values('t')).toEqual(['a'])
    expect(brokers.batches).toHaveLength(4)
  })

  it('without idempotence the caller chooses between a duplicate and not knowing', async () => {
    const brokers = await start({ topics: { t: 1 } })
    brokers.script({ reply: 'close' })
    await kafka!.producer({ durability: 'leader' }).send('t', { value: 'a' })
    expect(brokers.values('t')).toEqual(['a', 'a'])
    brokers.script({ reply: 'close' })
    const careful = kafka!.producer({ durability: 'leader', resendAmbiguous: false })
    expect(await failure(careful.send('t', { value: 'b' }))).toMatchObject({
      code: 'PIPE_KAFKA_AMBIGUOUS',
      details: { attempts: 1 },
    })
    expect(brokers.values('t')).toEqual(['a', 'a', 'b'])
  })

  it.each([
    [3, 'retried'],
    [5, 'retried'],
    [6, 'retried'],
    [7, 'retried'],
    [13, 'retried'],
    [19, 'retried'],
    [20, 'retried'],
    [46, 'retried'],
    [56, 'retried'],
    [74, 'retried'],
    [75, 'retried'],
    [45, 'retried'],
    [47, 'retried'],
    [59, 'retried'],
    [17, 'not-written'],
    [29, 'not-written'],
    [42, 'not-written'],
    [53, 'not-written'],
    [76, 'not-written'],
    [87, 'not-written'],
    [-1, 'unknown'],
    [999, 'unknown'],
  ])('error %i: %s', async (error, expected) => {
    const brokers = await start({ topics: { t: 1 }, brokers: 1 })
    // 7, 20 and 46 are told of a batch that stands in the log.
    brokers.script({ error, append: [7, 20, 46].includes(error) })
    const outcome = await kafka!
      .producer({ linger: '0 ms' })
      .send('t', { value: 'a' })
      .then(
        () => 'retried',
        (reason) => reason.outcome,
      )
    expect(outcome).toBe(expected)
    expect(brokers.values('t')).toEqual(expected === 'retried' ? ['a'] : [])
  })

  it('after a refusal the next batch uses the same sequence number', async () => {
    const brokers = await start({ topics: { t: 1 } })
    const producer = kafka!.producer({ linger: '0 ms' })
    await producer.send('t', { value: 'a' })
    brokers.script({ error: 87 })
    await failure(producer.send('t', { value: 'b' }))
    await producer.send('t', { value: 'c' })
    expect(brokers.values('t')).toEqual(['a', 'c'])
    expect(brokers.batches.map(({ baseSequence }) => baseSequence)).toEqual([0, 1, 1])
  })

  it('a sequence that the broker does not expect makes a new producer id; the order stays', async () => {
    const brokers = await start({ topics: { t: 2 }, brokers: 1 })
    const events: ProducerEvent[] = []
    const producer = kafka!.producer({ linger: '0 ms', onEvent: (event) => events.push(event) })
    await producer.send('t', { value: 'a', partition: 0 })
    await producer.send('t', { value: 'b', partition: 1 })
    brokers.script({ error: 45, partition: 0 })
    await Promise.all(['c', 'd', 'e'].map((value) => producer.send('t', { value, partition: 0 })))
    await producer.send('t', { value: 'f', partition: 1 })
    expect(brokers.values('t')).toEqual(['a', 'c', 'd', 'e', 'b', 'f'])
    expect(events.map(({ kind }) => kind)).toEqual(['producer-id-renewed'])
    expect(brokers.batches.map(({ partition, producerId, baseSequence }) => [partition, producerId, baseSequence])).toEqual([
      [0, 1000n, 0],
      [1, 1000n, 0],
      [0, 1000n, 1],
      [0, 1001n, 0],
      [1, 1001n, 0],
    ])
  })

  it('a batch that is too large as a whole goes in halves', async () => {
    const brokers = await start({ topics: { t: 1 } })
    const producer = kafka!.producer()
    brokers.script({ error: 10, times: 3 })
    const sent = Array.from({ length: 8 }, (_, i) => ({ value: String(i) }))
    const results = await producer.sendMany('t', sent)
    expect(brokers.values('t')).toEqual(sent.map(({ value }) => value))
    expect(results.map(({ offset }) => Number(offset))).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    brokers.script({ error: 10 })
    expect(await failure(producer.send('t', { value: 'x' }))).toMatchObject({
      code: 'PIPE_KAFKA_TOO_LARGE',
      outcome: 'not-written',
    })
  })

  it('one partition that errs holds nobody else up', async () => {
    const brokers = await start({ topics: { t: 2 }, brokers: 1 })
    const producer = kafka!.producer()
    brokers.script({ error: 19, partition: 0, times: Number.POSITIVE_INFINITY })
    let isStuck = true
    const stuck = producer.send('t', { value: 'a', partition: 0 }).finally(() => {
      isStuck = false
    })
    for (let i = 0; i < 20; i++) await producer.send('t', { value: String(i), partition: 1 })
    expect(isStuck).toBe(true)
    brokers.clearScript()
    expect(await stuck).toMatchObject({ partition: 0, offset: 0n })
  })

  it('a message that the brokers refuse until its time is up is certainly not written', async () => {
    const brokers = await start({ topics: { t: 1 }, brokers: 1 })
    const producer = kafka!.producer({ deliveryTimeout: '300 ms' })
    brokers.script({ error: 19, times: Number.POSITIVE_INFINITY })
    const error = await failure(producer.send('t', { value: 'a' }))
    expect(error).toMatchObject({ code: 'PIPE_KAFKA_NOT_WRITTEN', details: { attempts: expect.any(Number) } })
    expect(error.message).toMatch(/NOT_ENOUGH_REPLICAS/)
  })

  it('sequence numbers wrap at 2^31', async () => {
    const { sequenceAfter } = await import('../../src/producer/partition-queue')
    expect(sequenceAfter(2 ** 31 - 1, 1)).toBe(0)
    expect(sequenceAfter(2 ** 31 - 2, 5)).toBe(3)
    expect(sequenceAfter(0, 2 ** 31 - 1)).toBe(2 ** 31 - 1)
  })
})

describe('partitions that are added', () => {
  it('are told, and used from then on', async () => {
    const brokers = await start({ topics: { t: 2 } })
    const events: ProducerEvent[] = []
    const producer = kafka!.producer({ onEvent: (event) => events.push(event) })
    await producer.send('t', { key: 'user-42', value: 'a' })
    brokers.setPartitions('t', 6)
    // Something makes it ask again: here, a leader that moved.
    brokers.moveLeader('t', 0, 1)
    await producer.send('t', { value: 'b', partition: 0 })
    await expect.poll(() => events).toEqual([{ kind: 'partitions-changed', topic: 't', from: 2, to: 6 }])
    expect((await producer.send('t', { key: 'user-42', value: 'c' })).partition).toBe(4)
  })
})

describe('back-pressure', () => {
  it('waits for room in the order of the calls, and says when there was none', async () => {
    const brokers = await start({ topics: { t: 1 } })
    const rule = brokers.script({ error: 19, times: Number.POSITIVE_INFINITY })
    const producer = kafka!.producer({ maxBufferedMessages: 2, maxBlock: '1 second', linger: '0 ms' })
    const first = [producer.send('t', { value: 'a' }), producer.send('t', { value: 'b' })]
    expect(producer.trySend('t', { value: 'no' })).toBe(false)
    const error = await failure(producer.send('t', { value: 'c' }))
    expect(error).toMatchObject({ code: 'PIPE_KAFKA_BUFFER_FULL', outcome: 'not-written', retryable: true })
    rule.remove()
    await Promise.all(first)
    const many = await producer.sendMany(
      't',
      Array.from({ length: 50 }, (_, i) => ({ value: String(i) })),
    )
    expect(many).toHaveLength(50)
    const tried = producer.trySend('t', { value: 'z' })
    expect(await tried).toMatchObject({ offset: 52n })
    expect(brokers.values('t').slice(0, 3)).toEqual(['a', 'b', '0'])
    expect(producer.buffered).toEqual({ messages: 0, bytes: 0 })
  })
})

describe('a stream of messages', () => {
  it('waits for room as it goes, and for all answers at its end', async () => {
    const brokers = await start({ topics: { t: 1 } })
    const producer = kafka!.producer({ maxBufferedMessages: 10 })
    let mostBuffered = 0
    const values = Array.from({ length: 300 }, (_, i) => String(i))
    const source = new ReadableStream({
      start(controller) {
        for (const value of values) controller.enqueue({ value })
        controller.close()
      },
    }).pipeThrough(
      new TransformStream({
        transform(message, controller) {
          mostBuffered = Math.max(mostBuffered, producer.buffered.messages)
          controller.enqueue(message)
        },
      }),
    )
    await source.pipeTo(producer.writable('t'))
    expect(brokers.values('t')).toEqual(values)
    expect(mostBuffered).toBeLessThanOrEqual(10)
  })

  it('errs with the first message that fails', async () => {
    const brokers = await start({ topics: { t: 1 } })
    brokers.script({ error: 87 })
    const writer = kafka!.producer({ linger: '0 ms' }).writable('t').getWriter()
    await writer.write({ value: 'a' })
    expect(await failure(writer.close())).toMatchObject({ outcome: 'not-written', details: { errorCode: 87 } })
  })
})

describe('an abort', () => {
  it('takes back what is not on the wire, and only that', async () => {
    const brokers = await start({ topics: { t: 1 } })
    const producer = kafka!.producer({ linger: '100 ms' })
    const abort = new AbortController()
    const reason = new Error('never mind')
    const sent = [
      producer.send('t', { value: 'a' }),
      producer.send('t', { value: 'b' }, { signal: abort.signal }),
      producer.send('t', { value: 'c' }),
    ]
    abort.abort(reason)
    expect(await failure(sent[1]!)).toBe(reason)
    await Promise.all([sent[0], sent[2]])
    expect(brokers.values('t')).toEqual(['a', 'c'])
    expect(await failure(producer.send('t', { value: 'd' }, { signal: abort.signal }))).toBe(reason)
    expect(producer.buffered.messages).toBe(0)
  })

  it('ends waiting for room', async () => {
    const brokers = await start({ topics: { t: 1 } })
    brokers.script({ error: 19, times: 3 })
    const producer = kafka!.producer({ maxBufferedMessages: 1, linger: '0 ms' })
    const first = producer.send('t', { value: 'a' })
    const abort = new AbortController()
    const second = producer.send('t', { value: 'b' }, { signal: abort.signal })
    const third = producer.send('t', { value: 'c' })
    abort.abort(new Error('stop'))
    expect((await failure(second)).message).toBe('stop')
    await Promise.all([first, third])
    expect(brokers.values('t')).toEqual(['a', 'c'])
  })
})

describe('flush and close', () => {
  it('flush sends what lingers and reports nothing left', async () => {
    const brokers = await start({ topics: { t: 1 } })
    const producer = kafka!.producer({ linger: '30 seconds' })
    const sent = producer.send('t', { value: 'a' })
    expect(await producer.flush()).toEqual({ left: [], leftMessages: 0 })
    expect(await sent).toMatchObject({ offset: 0n })
    expect(brokers.values('t')).toEqual(['a'])
  })

  it('flush reports at its deadline what is left, by partition', async () => {
    const brokers = await start({ topics: { t: 2 }, brokers: 1 })
    brokers.script({ error: 19, partition: 1, times: Number.POSITIVE_INFINITY })
    const producer = kafka!.producer()
    const refused = ['b', 'c'].map((value) => failure(producer.send('t', { value, partition: 1 })))
    await producer.send('t', { value: 'a', partition: 0 })
    const report = await producer.flush({ deadline: deadlineIn(150) })
    expect(report).toMatchObject({ left: [{ topic: 't', partition: 1, messages: 2 }], leftMessages: 2 })
    await producer.close({ deadline: deadlineIn(10) })
    expect((await Promise.all(refused)).map(({ outcome }) => outcome)).not.toContain(undefined)
  })

  it('close gives up what is left, and says of each whether it may be stored', async () => {
    const brokers = await start({ topics: { t: 2 }, brokers: 1 }, { requestTimeout: '10 seconds' })
    brokers.script({ error: 19, partition: 1, times: Number.POSITIVE_INFINITY })
    const producer = kafka!.producer({ linger: '0 ms' })
    const refused = failure(producer.send('t', { value: 'b', partition: 1 }))
    await expect.poll(() => brokers.batches.length).toBeGreaterThan(0)
    brokers.script({ reply: 'none', partition: 0, times: Number.POSITIVE_INFINITY })
    const unanswered = failure(producer.send('t', { value: 'a', partition: 0 }))
    await expect.poll(() => brokers.batches.some(({ partition }) => partition === 0)).toBe(true)
    const report = await producer.close({ deadline: deadlineIn(100) })
    expect(report.leftMessages).toBe(2)
    expect(await unanswered).toMatchObject({ code: 'PIPE_KAFKA_AMBIGUOUS' })
    expect((await refused).outcome).toMatch(/not-written|unknown/)
    expect(await failure(producer.send('t', { value: 'c' }))).toMatchObject({ code: 'PIPE_KAFKA_CLOSED', outcome: 'not-written' })
    expect(await producer.close()).toEqual(report)
  })

  it('closing the Kafka flushes its producers', async () => {
    const brokers = await start({ topics: { t: 1 } })
    const sent = kafka!.producer({ linger: '30 seconds' }).send('t', { value: 'a' })
    await kafka!.close()
    expect(await sent).toMatchObject({ offset: 0n })
    expect(brokers.values('t')).toEqual(['a'])
    expect(() => kafka!.producer()).toThrow(/PIPE_KAFKA_CLOSED/)
  })
})
