import { column } from '@pipe/core'
import { afterAll, describe, expect, expectTypeOf, test } from 'vitest'
import { createKafka, defineTopic, type TransformMessage, type TransformOutput } from '../../src/index'
import { createOutputEncoder, type Output } from '../../src/transaction/output'
import { createOutputBuffer } from '../../src/transaction/output-buffer'
import { transactionalIdOf } from '../../src/transaction/session'
import { checkTransform } from '../../src/transaction/transform-check'

const shape = { partitions: 3, replicationFactor: 3, minInSyncReplicas: 2 }
const orders = defineTopic('orders', { key: column.string(), value: { id: column.string(), total: column.double() }, ...shape })
const invoices = defineTopic('invoices', {
  key: column.string(),
  value: { order: column.string() },
  ...shape,
  maxMessageBytes: 1000,
})
const audits = defineTopic('audits', { value: column.string(), ...shape })

const kafka = createKafka({ brokers: ['127.0.0.1:1'], clientId: 'test' })
afterAll(() => kafka.close())

describe('the types of a transform', () => {
  const never = () => kafka.transform
  // Only compiled: nothing of it runs.
  const compiled = () => {
    const transform = never()
    const common = { group: 'g', from: orders } as const
    transform({ ...common, to: invoices, handle: ({ key, value }) => ({ key, value: { order: value.id } }) })
    transform({
      ...common,
      to: invoices,
      handle: async ({ key }) => [
        { key, value: { order: 'a' } },
        { key, value: { order: 'b' }, partition: 2 },
      ],
    })
    transform({ ...common, to: invoices, handle: () => undefined })
    transform({ ...common, to: invoices, handle: () => [] })
    transform({
      ...common,
      to: invoices,
      handle: ({ value }) => (value.total > 0 ? { key: 'k', value: { order: value.id } } : null),
    })
    transform({
      ...common,
      to: [invoices, audits],
      handle: ({ key, value }) => [
        { topic: invoices, key, value: { order: value.id } },
        { topic: audits, value: 'text' },
      ],
    })
    // @ts-expect-error the value is no invoice
    transform({ ...common, to: invoices, handle: ({ key, value }) => ({ key, value: { order: value.total } }) })
    // @ts-expect-error the key is missing
    transform({ ...common, to: invoices, handle: ({ value }) => ({ value: { order: value.id } }) })
    transform({
      ...common,
      to: invoices,
      handle: async ({ key }) => [
        { key, value: { order: 'a' } },
        // @ts-expect-error not one of several may be wrong
        { key, value: 5 },
      ],
    })
    // @ts-expect-error with several topics each message names its own
    transform({ ...common, to: [invoices, audits], handle: ({ key, value }) => ({ key, value: { order: value.id } }) })
    // @ts-expect-error the value is that of another topic
    transform({ ...common, to: [invoices, audits], handle: ({ key }) => ({ topic: invoices, key, value: 'text' }) })
    // @ts-expect-error what only the leader confirmed may be lost
    transform({ ...common, to: invoices, durability: 'leader', handle: () => undefined })
  }
  test('follow the contracts', () => {
    expect(compiled).toBeTypeOf('function')
    expectTypeOf<TransformMessage<typeof invoices>['value']>().toEqualTypeOf<{ order: string }>()
    expectTypeOf<undefined>().toExtend<TransformOutput<typeof invoices>>()
  })
})

describe('a transform is refused', () => {
  const start = (options: object) => () =>
    kafka.transform({ group: 'g', from: orders, to: invoices, handle: () => undefined, ...options } as never)

  test.each([
    ['durability of the leader alone', { durability: 'leader' }, /"leader" exactly once cannot be kept.*in-sync replicas/s],
    ['its own topic as target', { to: orders }, /orders is read and written.*for ever/s],
    ['its own topic for dead letters', { deadLetter: { topic: 'orders' } }, /orders is read and written/],
    ['a target twice', { to: [invoices, invoices] }, /invoices stands twice/],
    ['no target', { to: [] }, /to must be a topic/],
    ['a name for a topic', { to: 'invoices' }, /to must be a topic/],
    ['an unknown option', { acks: 1 }, /transform has no option "acks"/],
    ['an isolation of its own', { isolation: 'read-uncommitted' }, /transform has no option "isolation"/],
    ['room for nothing', { buffer: { outputBytes: 0 } }, /buffer.outputBytes/],
    ['a transaction that is too short', { timing: { transaction: '10 ms' } }, /timing.transaction/],
    ['an unknown time', { timing: { tick: '1 second' } }, /timing has no option "tick"/],
  ])('%s', (_, options, message) => {
    expect(start(options)).toThrow(message)
  })

  test('on the public functions of kafkajs', () => {
    const bare = createKafka({ kafkajs: { producer: () => undefined, consumer: () => undefined } as never })
    expect(() => bare.transform({ group: 'g', from: orders, to: invoices, handle: () => undefined })).toThrow(/PIPE_KAFKA_DRIVER/)
  })
})

describe('the check of the cluster', () => {
  const versions = (txnOffsetCommit: number) =>
    Object.fromEntries(
      [9, 22, 24, 25, 26, 28].map((key) => [key, { minVersion: 0, maxVersion: key === 28 ? txnOffsetCommit : 9 }]),
    )
  const cluster = (options: { version?: number; minInSync?: string; replicas?: number; exists?: boolean }) => {
    const { version = 5, minInSync = '2', replicas = 3, exists = true } = options
    const broker = { versions: versions(version), connectionPool: { host: 'stub', port: 1 } }
    const partitions = [{ partition: 0, leader: 1, replicas: Array.from({ length: replicas }, (_, i) => i) }]
    return {
      anyBroker: async () => broker,
      metadata: async (names: string[]) => ({
        brokers: [],
        topics: names.map((name) => ({ name, errorCode: exists ? 0 : 3, topicId: '', isInternal: false, partitions })),
      }),
      call: async (_: unknown, __: unknown, { resources }: { resources: { resourceName: string }[] }) => ({
        results: resources.map(({ resourceName }) => ({
          errorCode: 0,
          errorMessage: null,
          resourceName,
          configs: [{ name: 'min.insync.replicas', value: minInSync }],
        })),
      }),
    } as never
  }
  const check = (options: Parameters<typeof cluster>[0]) =>
    checkTransform(cluster(options), ['invoices'], new AbortController().signal)

  test('takes three replicas of which two must confirm, and the single one of a development broker', async () => {
    await check({})
    await check({ replicas: 1, minInSync: '1' })
  })
  test('refuses brokers that do not know who commits', async () => {
    await expect(check({ version: 2 })).rejects.toMatchObject({
      code: 'PIPE_KAFKA_VERSION',
      message: expect.stringContaining('TxnOffsetCommit 3'),
    })
  })
  test('refuses a topic whose leader alone may confirm', async () => {
    await expect(check({ minInSync: '1' })).rejects.toMatchObject({
      code: 'PIPE_KAFKA_DURABILITY',
      details: { topic: 'invoices' },
    })
  })
  test('refuses a topic that is not there', async () => {
    await expect(check({ exists: false })).rejects.toMatchObject({ code: 'PIPE_KAFKA_TOPIC' })
  })
})

describe('outputs', () => {
  const topics = { partitions: () => 3, leader: () => 1, refresh: async () => undefined, refreshIfOld: async () => undefined }
  const partitioner = () => 2
  const one = createOutputEncoder({ to: invoices, topics, partitioner })
  const several = createOutputEncoder({ to: [invoices, audits], topics, partitioner })

  test('are none, one or several; a key chooses the partition, else the input does', async () => {
    expect(await one.encode(undefined, 0)).toEqual([])
    expect(await one.encode(null, 0)).toEqual([])
    const [first, second] = await one.encode(
      [
        { key: 'k', value: { order: 'a' } },
        { key: 'k', value: { order: 'b' }, partition: 1 },
      ],
      0,
    )
    expect([first!.topic, first!.partition, second!.partition]).toEqual(['invoices', 2, 1])
    expect(first!.record).toMatchObject({ key: 'k', value: '{"order":"a"}' })
    expect((await several.encode({ topic: audits, value: 'x' }, 7))[0]).toMatchObject({ topic: 'audits', partition: 1 })
  })

  test.each([
    ['no message', one, 5, 'PIPE_KAFKA_VALUE'],
    ['nothing in a list', one, [null], 'PIPE_KAFKA_VALUE'],
    ['a value that is none of the contract', one, { key: 'k', value: { order: 5 } }, /^PIPE_/],
    ['no topic, with several', several, { value: 'x' }, 'PIPE_KAFKA_VALUE'],
    ['a topic that is no target', several, { topic: orders, value: 'x' }, 'PIPE_KAFKA_VALUE'],
    ['a partition that is not there', one, { key: 'k', value: { order: 'a' }, partition: 3 }, 'PIPE_KAFKA_TOPIC'],
    ['more than the contract allows', one, { key: 'k', value: { order: 'a'.repeat(1000) } }, 'PIPE_KAFKA_TOO_LARGE'],
  ] as const)('with %s fail, so that the record is a failed one', async (_, encoder, returned, code) => {
    const error = await encoder.encode(returned, 0).catch((reason) => reason)
    expect(error.code).toMatch(code)
  })

  test('are taken in the order of their inputs, whatever the order in which handlers ended', () => {
    const buffer = createOutputBuffer()
    const output = (topic: string): Output => ({ topic, partition: 0, record: {} as never, bytes: 10 })
    buffer.put(12n, [output('c')])
    buffer.put(10n, [output('a'), output('b')])
    buffer.put(11n, [])
    buffer.put(13n, [output('d')])
    expect(buffer.bytes).toBe(40)
    expect(buffer.take(13n).map(({ topic }) => topic)).toEqual(['a', 'b', 'c'])
    expect(buffer.bytes).toBe(10)
    expect(buffer.take(13n)).toEqual([])
  })

  test('no two partitions share an id, whatever the names', () => {
    expect(transactionalIdOf('a/b', { topic: 'c', partition: 0 })).toBe('a/b/c/0')
    const ids = [
      ['a', 'b.c'],
      ['a.b', 'c'],
      ['a/b', 'c'],
      ['a', 'b-c'],
    ].map(([group, topic]) => transactionalIdOf(group!, { topic: topic!, partition: 1 }))
    expect(new Set(ids).size).toBe(4)
  })
})
