import { daily, defineTable, parseUnreadableRows, rawKey } from '@pipe/core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type CommitRecord, createCompactor, inProcessEngine } from '../src/index'
import {
  deviceLogs,
  keyOf,
  type Lake,
  type LakeServer,
  line,
  putLines,
  readableRows,
  rowsInOrder,
  rowsOf,
  startLakes,
} from './lake'

let server: LakeServer
let lake: Lake
beforeAll(async () => {
  server = await startLakes()
})
afterAll(() => server.close())
beforeEach(async () => {
  lake = await server.lake()
})
afterEach(() => lake.close())

const at = new Date('2026-11-24T15:35:00Z')
const compactorOf = (options = {}) =>
  createCompactor({ compaction: lake.compaction(options), engine: inProcessEngine(), client: lake.client() })

/** All commits of the lake, in order. */
async function commits(): Promise<CommitRecord[]> {
  const records: CommitRecord[] = []
  for await (const { key } of lake.compacted.list({ prefix: '_pipe/device_logs/commit/' })) {
    records.push(JSON.parse(await (await lake.compacted.get(key))!.text()))
  }
  return records
}

/** What readers may see against what the sources hold. */
async function expectExactlyOnce(): Promise<void> {
  const all = await commits()
  const truth = await readableRows(lake.raw, deviceLogs)
  const seen = await rowsOf(
    lake.compacted,
    all.flatMap(({ outputs }) => outputs.map(({ key }) => key)),
  )
  expect(seen).toEqual(truth.rows)
  expect(all.reduce((sum, { quarantinedRows }) => sum + quarantinedRows, 0)).toBe(truth.unreadable)
}

async function putWindow(start: string, files = 5): Promise<void> {
  for (let minute = 0; minute < files; minute++) {
    const time = new Date(Date.parse(start) + minute * 60_000).toISOString().replace('.000', '')
    await putLines(lake.raw, keyOf(time), [line(time, 'd1', minute + 0.5), line(time, `d'"; DROP\n😀`, 0.1 + minute)])
  }
}

describe('run', () => {
  it('turns a window into one Parquet file, once', async () => {
    await putWindow('2026-11-24T15:30:00Z')
    const compactor = compactorOf()
    const first = await compactor.run({ at })
    expect(first).toMatchObject({
      outcome: 'committed',
      window: '20261124T1530Z',
      seq: 0,
      files: 5,
      inputRows: 10,
      outputRows: 10,
      quarantinedRows: 0,
      published: false,
      engine: 'in-process',
      sweep: [],
      remaining: [],
      unplacedCount: 0,
    })
    expect(first.outputs).toHaveLength(1)
    await expectExactlyOnce()
    const again = await compactor.run({ at })
    expect(again).toMatchObject({ outcome: 'already-committed', seq: 0, inputRows: 10, outputRows: 10 })
    expect(await commits()).toHaveLength(1)
  })

  it('costs three requests when there is nothing to do', async () => {
    const compactor = compactorOf()
    expect(await compactor.run({ at })).toMatchObject({ outcome: 'empty', requests: 3, files: 0 })
    await putWindow('2026-11-24T15:30:00Z')
    await compactor.run({ at })
    expect(await compactor.run({ at })).toMatchObject({ outcome: 'already-committed', requests: expect.toSatisfy((n) => n <= 4) })
    // A cold process, a later tick: twelve windows of the sweep, one of them with a commit.
    expect(await compactorOf().run({ at: new Date('2026-11-24T15:50:00Z') })).toMatchObject({ outcome: 'empty', requests: 3 })
  })

  it('waits for the grace', async () => {
    await putWindow('2026-11-24T15:30:00Z')
    const compactor = compactorOf({ grace: '1 minute' })
    expect(await compactor.run({ at })).toMatchObject({ outcome: 'empty', window: '20261124T1525Z' })
    expect(await compactor.run({ at: new Date('2026-11-24T15:36:00Z') })).toMatchObject({
      outcome: 'committed',
      window: '20261124T1530Z',
    })
  })

  it('appends late objects and finds missed ticks in the sweep', async () => {
    await putWindow('2026-11-24T15:30:00Z')
    await putWindow('2026-11-24T15:25:00Z')
    const compactor = compactorOf()
    const first = await compactor.run({ at })
    expect(first.sweep).toMatchObject([{ outcome: 'committed', window: '20261124T1525Z', seq: 0 }])
    await putLines(lake.raw, keyOf('2026-11-24T15:31:00Z', 7), [line('2026-11-24T15:31:00Z', 'late', 1)])
    const preview = await compactor.plan({ at: new Date('2026-11-24T15:40:00Z') })
    expect(preview.windows).toMatchObject([{ window: '20261124T1530Z', seq: 1, late: true, files: 1 }])
    const second = await compactor.run({ at: new Date('2026-11-24T15:40:00Z') })
    expect(second).toMatchObject({
      outcome: 'empty',
      sweep: [{ outcome: 'committed', window: '20261124T1530Z', seq: 1, files: 1 }],
    })
    await expectExactlyOnce()
  })

  it('commits one of several concurrent invocations', async () => {
    await putWindow('2026-11-24T15:30:00Z')
    const outcomes = await Promise.all(
      [compactorOf(), compactorOf(), compactorOf()].map(async (one) => (await one.run({ at })).outcome),
    )
    expect(outcomes.sort()).toEqual(['already-committed', 'already-committed', 'committed'])
    expect(await compactorOf().run({ at })).toMatchObject({ outcome: 'already-committed', outputRows: 10 })
    await expectExactlyOnce()
  })

  it('quarantines what cannot be read, with file, line, offset and reason, and commits the window', async () => {
    const good = line('2026-11-24T15:30:00Z', 'd1', 1)
    await putLines(lake.raw, keyOf('2026-11-24T15:30:00Z'), [
      good,
      '{"timestamp":"2026-11-24 15:30:00.000","device_name":"d1","metric":"n/a"}',
      good,
    ])
    await putLines(lake.raw, keyOf('2026-11-24T15:31:00Z'), Array(50).fill(good), {
      bytes: (gz) => gz.subarray(0, gz.length - 20),
    })
    await putLines(lake.raw, keyOf('2026-11-24T15:32:00Z'), [good, `${good.slice(0, -1)},"extra":1}`, 'noise', ''], {
      rows: 'none',
    })
    await lake.raw.put(keyOf('2026-11-24T15:33:00Z'), '')
    const gz = await lake.raw.get(keyOf('2026-11-24T15:30:00Z'))
    await lake.raw.put(keyOf('2026-11-24T15:34:00Z', 0, 'json'), await gz!.bytes())
    const result = await compactorOf().run({ at })
    expect(result.outcome).toBe('committed')
    expect(result.inputRows).toBe(result.outputRows + result.quarantinedRows)
    await expectExactlyOnce()
    const [commit] = await commits()
    const entries = parseUnreadableRows(await (await lake.compacted.get(commit!.quarantine!.key))!.text())
    expect(entries.reduce((sum, { rows }) => sum + rows, 0)).toBe(result.quarantinedRows)
    expect(entries[0]).toMatchObject({
      file: lake.raw.uri(keyOf('2026-11-24T15:30:00Z')),
      line: 2,
      offset: good.length + 1,
      reason: '"metric" is "n/a", not a double',
    })
    expect(entries.map(({ reason }) => reason).join('\n')).toMatch(
      /cut|"extra" is not a column|not JSON|blank|does not end in \.gz/,
    )
  })

  it('reports objects that belong to no window', async () => {
    await putWindow('2026-11-24T15:30:00Z')
    await lake.raw.put('dt=2026-11-24/hour=15/readme.txt', 'x')
    await lake.raw.put('dt=2026-11-24/hour=15/a-20261124T1431Z-1.ndjson', 'x')
    await lake.raw.put('dt=2026-11-24/hour=15/_a-20261124T1531Z.ndjson', 'x')
    await lake.raw.put('dt=2026-11-24/hour=15/', '')
    const result = await compactorOf().run({ at })
    expect(result.unplacedCount).toBe(3)
    expect(result.unplaced.map(({ reason }) => reason).sort()).toEqual([
      'its key names a time of dt=2026-11-24/hour=14/, but it lies elsewhere',
      'its key names no time',
      'its name starts with "_" or ".", which Athena does not read',
    ])
    expect(result.files).toBe(5)
  })

  it('ends as partial at the deadline and goes on in the next run', async () => {
    await putWindow('2026-11-24T15:25:00Z')
    await putWindow('2026-11-24T15:30:00Z')
    const compactor = compactorOf()
    const late = await compactor.run({ at, deadline: { remainingMs: () => 0 } })
    expect(late).toMatchObject({ outcome: 'partial', remaining: ['20261124T1530Z', '20261124T1525Z'] })
    expect(await commits()).toHaveLength(0)
    expect(await compactor.run({ at })).toMatchObject({ outcome: 'committed', remaining: [] })
    await expectExactlyOnce()
  })

  it('stops with the reason of the signal', async () => {
    await putWindow('2026-11-24T15:30:00Z')
    const reason = new Error('enough')
    await expect(compactorOf().run({ at, signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    const controller = new AbortController()
    const onProgress = ({ phase }: { phase: string }) => phase === 'fetch' && controller.abort(reason)
    await expect(compactorOf().run({ at, signal: controller.signal, onProgress })).rejects.toBe(reason)
    expect(await compactorOf().run({ at })).toMatchObject({ outcome: 'committed' })
    await expectExactlyOnce()
  })

  it('puts the new content of overwritten sources aside, and says so', async () => {
    await putWindow('2026-11-24T15:30:00Z')
    const compactor = compactorOf()
    await compactor.run({ at })
    const key = keyOf('2026-11-24T15:30:00Z')
    await putLines(lake.raw, key, [line('2026-11-24T15:30:00Z', 'other', 1)])
    const result = await compactor.run({ at })
    expect(result).toMatchObject({ outcome: 'committed', seq: 1, outputRows: 0, quarantinedRows: 1, lateFiles: 1 })
    expect(result.overwritten).toMatchObject([{ key }])
    const entries = parseUnreadableRows(await (await lake.compacted.get((await commits())[1]!.quarantine!.key))!.text())
    expect(entries).toEqual([{ file: lake.raw.uri(key), reason: expect.stringContaining('overwritten'), rows: 1 }])
    expect(await compactor.run({ at })).toMatchObject({ outcome: 'already-committed', outputRows: 10, overwritten: [] })
  })

  it.each(['csv', 'tsv'] as const)('reads %s', async (format) => {
    const separator = format === 'csv' ? ',' : '\t'
    const rows = [
      ['2026-11-24 15:30:00.000', 'd1', '1.5'],
      ['2026-11-24 15:30:01.000', 'd2', 'n/a'],
    ].map((cells) => cells.join(separator))
    await putLines(
      lake.raw,
      keyOf('2026-11-24T15:30:00Z', 0, `${format}.gz`),
      [['timestamp', 'device_name', 'metric'].join(separator), ...rows],
      { rows: 2 },
    )
    const result = await compactorOf({ format, header: true }).run({ at })
    expect(result).toMatchObject({ outcome: 'committed', inputRows: 2, outputRows: 1, quarantinedRows: 1 })
  })

  it('orders rows by key, then line', async () => {
    const lines = (device: string) => Array.from({ length: 3 }, (_, i) => line('2026-11-24T15:30:00Z', device, i))
    await putLines(lake.raw, keyOf('2026-11-24T15:31:00Z'), lines('second'))
    await putLines(lake.raw, keyOf('2026-11-24T15:30:00Z'), lines('first'))
    await compactorOf().run({ at })
    const [commit] = await commits()
    const rows = await rowsInOrder(lake.compacted, commit!.outputs[0]!.key)
    expect(rows).toEqual(
      [...lines('first'), ...lines('second')].map((text) => Object.values(JSON.parse(text) as object).slice(1)),
    )
  })

  it('takes windows of a day, with hourly objects in daily partitions', async () => {
    const table = defineTable('device_logs', { columns: deviceLogs.columns, partitions: daily() })
    const key = (at: string) =>
      rawKey({ prefix: '', partitions: daily(), stream: 'a', at: new Date(at), configHash: '0badcafe', extension: 'ndjson' })
    for (const hour of ['00', '13', '23']) {
      await putLines(lake.raw, key(`2026-11-24T${hour}:00:00Z`), [line(`2026-11-24T${hour}:00:00Z`, 'd1', 1)])
    }
    await putLines(lake.raw, key('2026-11-25T00:00:00Z'), [line('2026-11-25T00:00:00Z', 'd1', 1)])
    const compactor = compactorOf({ table, window: '1 day' })
    expect(await compactor.run({ at: new Date('2026-11-24T23:59:00Z') })).toMatchObject({
      outcome: 'empty',
      window: '20261123T0000Z',
    })
    expect(await compactor.run({ at: new Date('2026-11-25T00:00:00Z') })).toMatchObject({
      outcome: 'committed',
      window: '20261124T0000Z',
      files: 3,
    })
    expect(await compactor.run({ at: new Date('2026-12-01T00:00:00Z') })).toMatchObject({
      outcome: 'empty',
      sweep: [{ outcome: 'committed', window: '20261125T0000Z', files: 1 }],
    })
  })
})
