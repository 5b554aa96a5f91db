import { column, defineTable, readParquet, timeOfKey } from '@pipe/core'
import { stampOf } from '@pipe/core/internal'
import { describe, expect, test } from 'vitest'
import { createPartitionSink, type PartitionSinkSettings, type SinkCommit } from '../../src/sink/partition-sink'
import type { SinkEvent } from '../../src/sink/sink-event'
import { sinkFiles } from '../../src/sink/sink-file'
import { createSinkLedger } from '../../src/sink/sink-ledger'
import { createSinkMemory } from '../../src/sink/sink-memory'
import { defineTopic } from '../../src/topic'
import { logRecord, type MemoryLog, memoryLog } from './memory-log'
import { memoryStore, type Objects, type Turn } from './memory-objects'

const topic = defineTopic('orders', { value: { n: column.integer() }, partitions: 1, replicationFactor: 1 })
const table = defineTable('orders', { columns: { n: column.integer() } })
const never = new AbortController().signal
const at = (text: string) => Date.parse(`2026-11-24T${text}Z`)

function logOf(count: number, start = at('15:30:00')): MemoryLog {
  const records = Array.from({ length: count }, (_, n) => logRecord(BigInt(n), start + n * 1000, `{"n":${n}}`))
  return { records, start: 0n, end: BigInt(count), topicId: 'a' }
}

function setUp(log: MemoryLog, changes: Partial<PartitionSinkSettings> = {}, objects: Objects = new Map()) {
  const calls: string[] = []
  const turn: Turn = async (what, effect) => {
    calls.push(what)
    return effect()
  }
  const events: SinkEvent[] = []
  const commits: SinkCommit[] = []
  const store = memoryStore(objects, turn)
  const sink = createPartitionSink({
    topic: 'orders',
    partition: 0,
    table,
    format: 'ndjson',
    roll: { records: 10, bytes: 1_000_000, eventTime: '1 minute', maxWaitMs: undefined },
    outOfRange: 'fail',
    from: 'earliest',
    log: memoryLog(log, turn, () => 100),
    store,
    ledger: createSinkLedger(store, 'orders', 0),
    open: sinkFiles(topic, 0, table, (record) => (record as { value: unknown }).value),
    memory: createSinkMemory(1_000_000),
    onEvent: (event) => events.push(event),
    committed: async () => undefined,
    stored: (commit) => commits.push(commit),
    ...changes,
  })
  const data = () => [...objects.keys()].filter((key) => key.startsWith('dt=')).sort()
  return { sink, objects, events, commits, calls, data }
}

describe('the sink of a partition', () => {
  test('names files by roll window and offsets, as the compactor reads them', async () => {
    const { sink, data, commits } = setUp(logOf(25))
    await sink.step(never)
    await sink.flush(never)
    expect(data()).toEqual([
      'dt=2026-11-24/hour=15/orders-0-20261124T1530Z-0000000000000000000-0000000000000000009.ndjson',
      'dt=2026-11-24/hour=15/orders-0-20261124T1530Z-0000000000000000010-0000000000000000019.ndjson',
      'dt=2026-11-24/hour=15/orders-0-20261124T1530Z-0000000000000000020-0000000000000000024.ndjson',
    ])
    expect(timeOfKey(data()[0]!)).toEqual(new Date('2026-11-24T15:30:00Z'))
    expect(commits.at(-1)).toEqual({ offset: 25n, metadata: 'pipe-sink 0000000000000000020' })
  })

  test('ends a file before the first record of a later window; a late record stays, an old one is named by its own time', async () => {
    const times = ['15:30:59', '15:31:00', '15:30:58', '15:32:00']
    const log = logOf(0)
    log.records.push(...times.map((time, n) => logRecord(BigInt(n), at(time), `{"n":${n}}`)))
    log.records.push(logRecord(4n, -1, '{"n":4}'))
    log.end = 5n
    const roll = { records: 2, bytes: 1_000_000, eventTime: '1 minute', maxWaitMs: undefined } as const
    const { sink, data } = setUp(log, { roll })
    await sink.step(never)
    await sink.flush(never)
    expect(data().map((key) => /orders-0-(\w+)-0*(\d+?)-0*(\d+?)\./.exec(key)!.slice(1).join(' '))).toEqual([
      '20261124T1530Z 0 0',
      '20261124T1531Z 1 2',
      '20261124T1532Z 3 4',
    ])
  })

  test('does not write a range again that was compacted and deleted', async () => {
    const log = logOf(30)
    const first = setUp(log)
    await first.sink.step(never)
    const kept = new Map([...first.objects].filter(([key]) => key.startsWith('_sink/')))

    // The last claim, with what the group remembers of it.
    const known = setUp(log, { committed: async () => first.commits.at(-1) }, new Map(kept))
    await known.sink.step(never)
    expect([known.sink.position, known.data()]).toEqual([30n, []])

    // An offset that someone reset is no proof.
    const reset = setUp(log, { committed: async () => ({ offset: 30n, metadata: '' }) }, new Map(kept))
    await reset.sink.step(never)
    expect(reset.data()).toHaveLength(1)
  })

  test('a worker that comes late to a range finds that others went on, and leaves it alone', async () => {
    const log = logOf(9)
    const late = setUp(log)
    await late.sink.step(never)
    const other = setUp(log, {}, late.objects)
    log.records.push(...logOf(40).records.slice(9))
    log.end = 40n
    await other.sink.step(never)
    for (const key of other.data()) late.objects.delete(key)
    await late.sink.step(never)
    expect(late.data().filter((key) => key.includes('-0000000000000000000-'))).toEqual([])
    expect(late.events.find(({ kind }) => kind === 'file')).toMatchObject({ outcome: 'exists', first: 0n, last: 9n })
  })

  test('says loudly what retention took, and skips it only when told to', async () => {
    const log = logOf(30)
    const first = setUp(log)
    log.end = 10n
    await first.sink.step(never)
    log.start = 15n
    log.end = 30n
    await expect(first.sink.step(never)).rejects.toMatchObject({
      code: 'PIPE_KAFKA_OFFSET',
      message: expect.stringContaining('5 offsets were removed'),
    })

    const skipping = setUp(log, { outOfRange: 'skip' }, first.objects)
    for (let i = 0; i < 3; i++) await skipping.sink.step(never)
    await skipping.sink.flush(never)
    expect(skipping.events).toContainEqual({ kind: 'skipped', partition: 0, from: 10n, to: 15n })
    const rows = skipping.data().flatMap((key) => skipping.objects.get(key)!.toString().trimEnd().split('\n'))
    expect(rows).toHaveLength(10 + 15)
  })

  test('refuses a topic that was created again', async () => {
    const first = setUp(logOf(20))
    await first.sink.step(never)
    const again = setUp({ ...logOf(5), topicId: 'b' }, {}, first.objects)
    await expect(again.sink.step(never)).rejects.toMatchObject({ code: 'PIPE_KAFKA_TOPIC' })
    expect(again.data()).toEqual(first.data())
  })

  test('refuses a damaged claim and writes nothing', async () => {
    const first = setUp(logOf(10))
    await first.sink.step(never)
    const key = [...first.objects.keys()].find((name) => /_sink\/orders\/0\/\d+\.json/.test(name))!
    first.objects.set(key, Buffer.from('{"last":"9"'))
    const next = setUp(logOf(30), {}, first.objects)
    await expect(next.sink.step(never)).rejects.toMatchObject({
      code: 'PIPE_KAFKA_SINK_STATE',
      message: expect.stringContaining(key),
    })
  })

  test('finds the last of many claims in few listings', async () => {
    const objects: Objects = new Map()
    const claim = (first: number) =>
      JSON.stringify({
        last: String(first + 2),
        window: '2026-11-24T15:30:00.000Z',
        key: 'k',
        format: 'ndjson',
        rows: 1,
        quarantined: 0,
      })
    for (let n = 0; n < 30_000; n++) {
      objects.set(`_sink/orders/0/${String(n * 3).padStart(19, '0')}.json`, Buffer.from(claim(n * 3)))
    }
    objects.set('_sink/orders/0/start.json', Buffer.from('{"first":"0","topicId":"a"}'))
    let listings = 0
    const turn: Turn = async (what, effect) => {
      if (what.startsWith('list')) listings++
      return effect()
    }
    const ledger = createSinkLedger(memoryStore(objects, turn), 'orders', 0)
    expect(await ledger.latest(1_000_000n, never)).toMatchObject({ first: 89_997n, last: 89_999n })
    expect(listings).toBeLessThan(25)
    // The end that was known may be behind.
    expect((await ledger.latest(10n, never))?.first).toBe(89_997n)
  })
})

describe('a file', () => {
  const open = sinkFiles(topic, 0, table, (record) => (record as { value: unknown }).value)

  test('keeps what is no row with its bytes, place and reason', async () => {
    const file = open(0n, new Date(0))
    const bad = [
      logRecord(0n, 5, null),
      logRecord(1n, 6, '{"n":"x"}'),
      { ...logRecord(2n, 7, '\xff{'), key: Buffer.from([255]), headers: [{ key: 'h', value: Buffer.from([0]) }] },
    ]
    for (const record of bad) await file.add(record)
    await file.add(logRecord(3n, 8, '{"n":1}'))
    expect([file.rows, file.quarantined, file.last]).toEqual([1, 3, 3n])
    const entries = file
      .encodeQuarantine()!
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(entries.map(({ offset, timestamp }) => [offset, timestamp])).toEqual([
      ['0', 5],
      ['1', 6],
      ['2', 7],
    ])
    expect(entries[1].reason).toContain('"n"')
    expect(entries[2]).toMatchObject({ topic: 'orders', partition: 0, key: '/w==', headers: [{ key: 'h', value: 'AA==' }] })
    expect(Buffer.from(entries[2].value, 'base64')).toEqual(bad[2]!.value)
  })

  test('refuses rows with more than the table has', async () => {
    const mapped = sinkFiles(topic, 0, table, () => ({ n: 1, extra: 2 }))(0n, new Date(0))
    await mapped.add(logRecord(0n, 0, '{"n":1}'))
    expect(mapped.encodeQuarantine()!.toString()).toContain('\\"extra\\" is not a column of orders')
  })

  test('is stamped for the compactor; Parquet holds the same rows', async () => {
    const file = open(0n, new Date(0))
    for (let n = 0; n < 5000; n++) await file.add(logRecord(BigInt(n), n, `{"n":${n}}`))
    const [plain, packed, parquet] = [
      await file.encode('ndjson', never),
      await file.encode('ndjson.gz', never),
      await file.encode('parquet', never),
    ]
    expect(stampOf(plain!.metadata)).toMatchObject({ rows: 5000, rawBytes: plain!.body.byteLength })
    expect(packed!.metadata).toEqual(plain!.metadata)
    expect(stampOf(parquet!.metadata)?.rows).toBe(5000)
    const rows: unknown[] = []
    async function* source() {
      yield parquet!.body
    }
    for await (const batch of readParquet(source(), { table, file: 'x' })) rows.push(...batch.rows)
    expect(rows).toEqual(Array.from({ length: 5000 }, (_, n) => ({ n })))
  })
})
