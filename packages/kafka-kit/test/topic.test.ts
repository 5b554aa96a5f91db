import { column, defineTable, PipeError } from '@pipe/core'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { defineTopic, type InputRecord, type OutputRecord, type StandardSchema } from '../src/index'

const bytes = (text: string) => Buffer.from(text)
const rawOf = (record: { key: unknown; value: unknown; headers: readonly { key: string; value: unknown }[] }) => {
  const part = (value: unknown) =>
    value === null ? null : typeof value === 'string' ? Buffer.from(value) : (value as Uint8Array)
  return {
    key: part(record.key),
    value: part(record.value),
    headers: record.headers.map(({ key, value }) => ({ key, value: part(value) })),
  }
}

const orders = defineTopic('orders', {
  key: column.string(),
  value: { orderId: column.bigint(), total: column.decimal(10, 2), at: column.timestamp(), note: column.string().nullable() },
  headers: { source: column.string(), attempt: column.integer().nullable() },
  partitions: 6,
  replicationFactor: 3,
  minInSyncReplicas: 2,
  retention: '7 days',
})

describe('a topic of columns', () => {
  const record = {
    key: 'a-1',
    value: { orderId: 9007199254740993n, total: '12.50', at: new Date('2026-11-24T15:31:00Z'), note: null },
    headers: { source: 'shop', attempt: 3 },
  }

  it('has the types of its columns', () => {
    expectTypeOf<InputRecord<typeof orders>['key']>().toEqualTypeOf<string>()
    expectTypeOf<OutputRecord<typeof orders>['value']>().toEqualTypeOf<{
      orderId: bigint
      total: string
      at: Date
      note: string | null
    }>()
  })

  it('keeps every digit through JSON', async () => {
    const encoded = await orders.encode(record)
    expect(encoded.value).toBe('{"orderId":9007199254740993,"total":12.50,"at":"2026-11-24 15:31:00.000","note":null}')
    expect(encoded.key).toBe('a-1')
    expect(await orders.decode(rawOf(encoded))).toEqual(record)
  })

  it('says what the cluster must be', () => {
    expect(orders.config).toEqual({ 'min.insync.replicas': '2', 'retention.ms': '604800000' })
    expect(
      defineTopic('a', { value: column.string(), partitions: 1, replicationFactor: 1, retention: 'forever' }).config,
    ).toEqual({
      'retention.ms': '-1',
    })
  })

  it.each([
    ['a wrong type', { ...record, value: { ...record.value, total: 'a lot' } }, /decimal/],
    ['an unknown column', { ...record, value: { ...record.value, color: 'red' } }, /"color"/],
    ['no key', { ...record, key: undefined }, /key.*undefined/],
    ['an unknown header', { ...record, headers: { source: 'a', trace: 'b' } }, /"trace"/],
    ['no value', { ...record, value: undefined }, /value/],
  ])('refuses %s', (_, bad, reason) => {
    expect(() => orders.encode(bad as never)).toThrow(reason)
  })

  it('says what it cannot decode, and leaves foreign headers alone', async () => {
    const good = rawOf(await orders.encode(record))
    expect(() => orders.decode({ ...good, value: bytes('{"orderId":"x"}') })).toThrow(/PIPE_KAFKA_DECODE .*orderId/)
    expect(() => orders.decode({ ...good, value: bytes('nonsense') })).toThrow(/not JSON/)
    expect(() => orders.decode({ ...good, value: null })).toThrow(/missing/)
    expect(() => orders.decode({ ...good, key: Buffer.from([0xff, 0xfe]) })).toThrow(/UTF-8/)
    const traced = { ...good, headers: [...good.headers, { key: 'traceparent', value: bytes('00-1') }] }
    expect(await orders.decode(traced)).toEqual(record)
  })
})

describe('a topic of a Standard Schema', () => {
  const trimmed: StandardSchema<{ name: string }, { name: string; length: number }> = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value) => {
        const name = (value as { name?: unknown } | null)?.name
        return typeof name === 'string'
          ? { value: { name, length: name.length } }
          : { issues: [{ message: 'expected a string', path: ['name'] }] }
      },
    },
  }
  const people = defineTopic('people', { value: trimmed, partitions: 1, replicationFactor: 1 })

  it('writes what was given and transforms at the reader', async () => {
    expectTypeOf<InputRecord<typeof people>['value']>().toEqualTypeOf<{ name: string }>()
    expectTypeOf<OutputRecord<typeof people>['value']>().toEqualTypeOf<{ name: string; length: number }>()
    const encoded = await people.encode({ value: { name: 'Ada' } })
    expect(encoded).toEqual({ key: null, value: '{"name":"Ada"}', headers: [] })
    expect(await people.decode(rawOf(encoded))).toEqual({ key: null, value: { name: 'Ada', length: 3 }, headers: [] })
  })

  it('names the path of an issue', () => {
    expect(() => people.encode({ value: { name: 3 } as never })).toThrow(/PIPE_KAFKA_VALUE .*name: expected a string/)
    expect(() => people.decode({ key: null, value: bytes('{}'), headers: [] })).toThrow(/PIPE_KAFKA_DECODE .*name/)
  })

  it('waits for a schema that validates later', async () => {
    const later: StandardSchema<string, string> = {
      '~standard': { version: 1, vendor: 'test', validate: async (value) => ({ value: String(value) }) },
    }
    const topic = defineTopic('later', { value: later, partitions: 1, replicationFactor: 1 })
    expect(await topic.encode({ value: 'x' })).toEqual({ key: null, value: '"x"', headers: [] })
  })
})

describe('defineTopic', () => {
  const base = { value: column.string(), partitions: 1, replicationFactor: 1 }

  it('takes tables, binary values and tombstones', async () => {
    const logs = defineTable('logs', { columns: { device: column.string(), metric: column.double() } })
    const table = defineTopic('logs', { value: logs, partitions: 1, replicationFactor: 1 })
    expect((await table.encode({ value: { device: 'd', metric: 1.5 } })).value).toBe('{"device":"d","metric":1.5}')
    const blobs = defineTopic('blobs', { value: column.binary(), partitions: 1, replicationFactor: 1 })
    expect((await blobs.encode({ key: 'k', value: Buffer.from([1]), headers: { a: ['x', 'y'] } })).headers).toEqual([
      { key: 'a', value: 'x' },
      { key: 'a', value: 'y' },
    ])
    const state = defineTopic('state', { ...base, key: column.string(), cleanup: 'compact' })
    expectTypeOf<InputRecord<typeof state>['value']>().toEqualTypeOf<string | null>()
    expect((await state.encode({ key: 'k', value: null })).value).toBeNull()
    expect(await state.decode({ key: bytes('k'), value: null, headers: [] })).toMatchObject({ value: null })
    const keyless = defineTopic('keyless', { ...base, cleanup: 'compact' })
    expect(() => keyless.encode({ value: 'v' })).toThrow(/compacted/)
  })

  it.each([
    ['a bad name', () => defineTopic('a b', base), 'PIPE_KAFKA_TOPIC'],
    ['a long name', () => defineTopic('a'.repeat(250), base), 'PIPE_KAFKA_TOPIC'],
    ['no partitions', () => defineTopic('a', { ...base, partitions: 0 }), 'PIPE_CONFIG'],
    ['more in sync than replicas', () => defineTopic('a', { ...base, minInSyncReplicas: 2 }), 'PIPE_CONFIG'],
    ['an unknown option', () => defineTopic('a', { ...base, partition: 3 } as never), 'PIPE_CONFIG'],
    ['a config that is an option', () => defineTopic('a', { ...base, config: { 'retention.ms': '1' } }), 'PIPE_CONFIG'],
    ['a value of no kind', () => defineTopic('a', { ...base, value: {} as never }), 'PIPE_CONFIG'],
    ['a nested key', () => defineTopic('a', { ...base, key: column.array(column.string()) }), 'PIPE_CONFIG'],
  ])('refuses %s', (_, define, code) => {
    let thrown: unknown
    try {
      define()
    } catch (error) {
      thrown = error
    }
    expect(PipeError.isInstance(thrown) && thrown.code).toBe(code)
  })
})
