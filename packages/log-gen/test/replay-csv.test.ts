import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { column, daily, defineTable } from '@pipe/core'
import { sharedData, sharedDataMissing } from '@pipe/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import {
  type DeviceTruth,
  encodeLog,
  generate,
  generateWindow,
  groundTruth,
  type LogSink,
  readableRows,
  replayCsv,
} from '../src/index'
import { deviceLogs } from './fleet'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

function folderOf(files: Record<string, string | Uint8Array>): string {
  const folder = mkdtempSync(join(tmpdir(), 'replay-'))
  folders.push(folder)
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

const options = { table: deviceLogs, timeColumn: 'timestamp', columns: { metric: 'value' }, file: '1 hour' } as const
const text = (chunks: Iterable<Uint8Array>) => Buffer.concat([...chunks]).toString()

describe('replayCsv', () => {
  it('merges the files by time, keeps repeated stamps in their order, and the text of numbers', () => {
    const dir = folderOf({
      'b.csv':
        '\uFEFFtimestamp,value\r\n2014-02-14 14:30:00,51.846000000000004\r\n2014-02-14 14:30:00,1e-7\r\n2014-02-14 14:59:59.999,2.50\r\n',
      'a "x".CSV': 'timestamp,value\n2014-02-14T14:30:00Z,"7"\n2014-02-14 15:00:00,007\n',
      'notes.txt': 'not a series',
    })
    const replay = replayCsv({ ...options, dir })
    expect(replay.span()).toEqual({ from: new Date('2014-02-14T14:00:00Z'), to: new Date('2014-02-14T16:00:00Z') })
    const range = { from: '2014-02-14T14:00:00Z', to: '2014-02-14T16:00:00Z' }
    expect(text(encodeLog(replay, range))).toBe(
      [
        '{"timestamp":"2014-02-14 14:30:00.000","device_name":"a \\"x\\"","metric":7}',
        '{"timestamp":"2014-02-14 14:30:00.000","device_name":"b","metric":51.846000000000004}',
        '{"timestamp":"2014-02-14 14:30:00.000","device_name":"b","metric":1e-7}',
        '{"timestamp":"2014-02-14 14:59:59.999","device_name":"b","metric":2.50}',
        '{"timestamp":"2014-02-14 15:00:00.000","device_name":"a \\"x\\"","metric":7}',
        '',
      ].join('\n'),
    )
    expect([...generate(replay, range)].map(({ metric }) => metric)).toEqual([7, 51.846000000000004, 1e-7, 2.5, 7])
    const { devices } = groundTruth(replay, range)
    expect(devices['b']?.measures['metric']).toEqual({
      scale: 15,
      count: 3,
      min: 100_000_000n,
      max: 51_846_000_000_000_004n,
      sum: 54_346_000_100_000_004n,
    })
  })

  it('writes no object for a tick without data', async () => {
    const dir = folderOf({ 'a.csv': 'timestamp,value\n2014-02-14 14:30:00,1\n' })
    const replay = replayCsv({ ...options, dir })
    const put: string[] = []
    const sink: LogSink = {
      put: async ({ key }) => {
        put.push(key)
        return { uri: key }
      },
      close: () => {},
    }
    expect(await generateWindow({ log: replay, sink, at: '2014-02-14T14:00:00Z' })).toMatchObject({ outcome: 'empty', rows: 0 })
    expect(await generateWindow({ log: replay, sink, at: '2014-02-14T15:00:00Z' })).toMatchObject({ outcome: 'written', rows: 1 })
    expect(put).toEqual([`dt=2014-02-14/hour=14/device_logs-20140214T1400Z-0of1-${replay.configHash}.ndjson.gz`])
    expect(groundTruth(replay, { from: '2014-02-14T00:00:00Z', to: '2014-02-15T00:00:00Z' }).files).toHaveLength(1)
  })

  it('gives other content another key', () => {
    const one = replayCsv({ ...options, dir: folderOf({ 'a.csv': 'timestamp,value\n2014-02-14 14:30:00,1\n' }) })
    const two = replayCsv({ ...options, dir: folderOf({ 'a.csv': 'timestamp,value\n2014-02-14 14:30:00,2\n' }) })
    expect(one.configHash).not.toBe(two.configHash)
  })

  it.each([
    [
      'a wrong number',
      'timestamp,value\n2014-02-14 14:30:00,1\n2014-02-14 14:35:00,n/a\n',
      /a\.csv line 3: "value" is "n\/a", not a double/,
    ],
    ['a wrong time', 'timestamp,value\n2014-02-30 14:30:00,1\n', /line 2: "timestamp" is "2014-02-30 14:30:00"/],
    ['a finer time', 'timestamp,value\n2014-02-14 14:30:00.0001,1\n', /line 2: "timestamp" has more digits/],
    ['a missing cell', 'timestamp,value\n2014-02-14 14:30:00\n', /line 2: 1 cells under 2 columns/],
    ['an empty cell', 'timestamp,value\n2014-02-14 14:30:00,\n', /line 2: "value" is "", not a double/],
    ['an open quote', 'timestamp,value\n2014-02-14 14:30:00,"1\n', /line 2: the quotes/],
    ['a blank line', 'timestamp,value\n\n2014-02-14 14:30:00,1\n', /line 2: 1 cells/],
    ['bytes that are no UTF-8', Buffer.from([0x74, 0xff]), /is not UTF-8/],
    ['a missing column', 'time,value\n2014-02-14 14:30:00,1\n', /has no column "timestamp"/],
    ['a surplus column', 'timestamp,value,unit\n2014-02-14 14:30:00,1,V\n', /the column "unit" of .* goes nowhere/],
    ['an empty file', '', /has no column "timestamp"/],
  ])('refuses %s with file and line', (_what, content, message) => {
    const replay = replayCsv({ ...options, dir: folderOf({ 'a.csv': content }) })
    expect(() => replay.span()).toThrow(message)
  })

  it('takes nullable columns and leaves out what it is told to', () => {
    const table = defineTable('t', {
      columns: { at: column.timestamp(), device_name: column.string(), n: column.integer().nullable(), ok: column.boolean() },
      eventTime: 'at',
    })
    const dir = folderOf({ 'a.csv': 'at,n,ok,unit\n2014-02-14 14:30:00,,TRUE,V\n2014-02-14 14:31:00,5,false,V\n' })
    const replay = replayCsv({ table, dir, timeColumn: 'at', ignore: ['unit'] })
    const range = replay.span() as { from: Date; to: Date }
    expect([...generate(replay, range)]).toEqual([
      { at: new Date('2014-02-14T14:30:00Z'), device_name: 'a', n: null, ok: true },
      { at: new Date('2014-02-14T14:31:00Z'), device_name: 'a', n: 5, ok: false },
    ])
    expect(groundTruth(replay, range).devices['a']).toEqual({
      rows: 2,
      measures: { n: { scale: 0, count: 1, min: 5n, max: 5n, sum: 5n } },
    })
  })

  it('names the folder that cannot be read, and the one without a series', () => {
    const dir = folderOf({ 'notes.txt': 'not a series' })
    expect(() => replayCsv({ ...options, dir: join(dir, 'none') }).span()).toThrow(
      /PIPE_CONFIG .*the folder .*none cannot be read \(ENOENT\)\. Name a folder/,
    )
    expect(() => replayCsv({ ...options, dir: join(dir, 'notes.txt') }).span()).toThrow(/cannot be read \(ENOTDIR\)/)
    expect(() => replayCsv({ ...options, dir }).span()).toThrow(/there is no CSV file in/)
  })

  it('refuses options that do not fit', () => {
    expect(() => replayCsv({ ...options })).toThrow('takes either "files" or "dir"')
    expect(() => replayCsv({ ...options, dir: 'x', seed: 1 } as never)).toThrow('replayCsv has no option "seed"')
    expect(() => replayCsv({ ...options, dir: 'x', columns: { metrik: 'value' } as never })).toThrow('has no option "metrik"')
    expect(() => replayCsv({ ...options, dir: folderOf({}) }).span()).toThrow('there is no CSV file in')
  })
})

const recorded = sharedData('nab-cloudwatch')
describe.skipIf(!recorded)(`replayCsv of recorded CloudWatch series ${recorded ? '' : sharedDataMissing}`, () => {
  it('gives all 67 740 rows of 17 devices, count, min, max and sum as in the files', () => {
    const dir = recorded as string
    const table = defineTable('device_logs', {
      columns: deviceLogs.columns,
      eventTime: 'timestamp',
      partitions: daily(),
    })
    const replay = replayCsv({ ...options, table, dir })
    const range = replay.span() as { from: Date; to: Date }
    const truth = groundTruth(replay, range)
    expect(truth.generatedRows).toBe(67_740)
    expect(truth.readableRows).toBe(67_740)
    const files = readdirSync(dir).filter((name) => name.endsWith('.csv'))
    expect(Object.keys(truth.devices)).toHaveLength(17)
    const back = new Map<string, string[]>()
    for (const row of readableRows(replay, range)) {
      const seen = back.get(row.device_name) ?? []
      seen.push(`${row.timestamp.toISOString().slice(0, 19).replace('T', ' ')},${row.metric}`)
      back.set(row.device_name, seen)
    }
    for (const file of files) {
      const lines = readFileSync(join(dir, file), 'utf8').trim().split('\n').slice(1)
      const values = lines.map((line) => Number(line.split(',')[1]))
      const { rows, measures } = truth.devices[file.slice(0, -4)] as DeviceTruth
      const { min, max, sum, scale } = measures['metric'] as { min: bigint; max: bigint; sum: bigint; scale: number }
      const double = (unscaled: bigint) => Number(`${unscaled}e-${scale}`)
      expect(rows).toBe(lines.length)
      expect(double(min)).toBe(Math.min(...values))
      expect(double(max)).toBe(Math.max(...values))
      const plain = values.reduce((total, value) => total + value, 0)
      expect(Math.abs(double(sum) - plain)).toBeLessThanOrEqual(Math.abs(plain) * 1e-12)
      expect(back.get(file.slice(0, -4))).toEqual(lines.map((line) => `${line.split(',')[0]},${Number(line.split(',')[1])}`))
    }
  })
})
