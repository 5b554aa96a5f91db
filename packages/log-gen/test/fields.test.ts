import { Readable } from 'node:stream'
import { column, defineTable, readRows } from '@pipe/core'
import { rowEncoder } from '@pipe/core/internal'
import {
  type AnomalyOptions,
  compareRows,
  counter,
  defineLog,
  emitTime,
  encodeLog,
  generate,
  groundTruth,
  ip,
  type LogFormat,
  measure,
  nested,
  own,
  readableRows,
  sequence,
  sometimesNull,
  tag,
  text,
} from '@pipe/log-gen'
import { describe, expect, it } from 'vitest'
import { hasZstd } from '../src/compression'
import { filesOf, makeFiles } from '../src/raw-file'

const flat = {
  at: column.timestamp(),
  device_name: column.string(),
  site: column.string(),
  seq: column.bigint(),
  bytes: column.bigint(),
  message: column.string(),
  address: column.string(),
  level: column.double().nullable(),
  price: column.decimal(10, 3),
  sent: column.timestamp(),
  battery: column.integer(),
}
const flatTable = defineTable('flat', { columns: flat, eventTime: 'at', allowedLateness: '2 minutes' })
const nestedTable = defineTable('nested', {
  columns: {
    at: column.timestamp(),
    device_name: column.string(),
    place: column.struct({ floor: column.integer(), host: column.string(), temperature: column.double().nullable() }),
  },
  eventTime: 'at',
})
const range = { from: '2026-11-24T15:00:00Z', to: '2026-11-24T15:03:00Z' }
const hour = { from: '2026-11-24T15:00:00Z', to: '2026-11-24T16:00:00Z' }
const hostile = ['ok', 'a,b', 'say "x"', 'tab\there', 'back\\slash', 'line\nbreak', '✓ ü', '\\N', '']

function flatLog(more: { format?: LogFormat; compression?: 'gzip' | 'zstd' | 'none'; anomalies?: AnomalyOptions } = {}) {
  return defineLog({
    table: flatTable,
    seed: 3,
    devices: ['a', 'quo"ted, name', 'c\td'],
    every: '1 second',
    ...more,
    fields: {
      site: tag(['north', 'south, "east"']),
      seq: sequence(),
      bytes: counter({ step: 1000 }),
      message: text({ words: [1, 5], from: hostile }),
      address: ip('10.1.0.0/16', { distinct: 300 }),
      level: sometimesNull(0.2, measure({ base: [-5, 5], noise: 2, drift: { amplitude: 1 } })),
      price: own('price-1', ({ draw }) => `${draw(100)}.${String(draw(1000)).padStart(3, '0')}`),
      sent: emitTime(),
      battery: own('battery-1', ({ tick, draw }) => 100 - (tick % 90) - draw(3)),
    },
    faults: { late: 0.05, duplicate: 0.05 },
  })
}

describe('fields', () => {
  it('are written by the fast path as the plain writer writes them', () => {
    const log = flatLog()
    const encode = rowEncoder(flatTable)
    const plain = [...generate(log, range)].map((row) => encode(row)).join('')
    expect(Buffer.concat([...encodeLog(log, range)]).toString()).toBe(plain)
  })

  it('count on, with steps of the right size, and number the records', () => {
    const rows = [...generate(flatLog(), range)].filter(({ device_name }) => device_name === 'a')
    const unique = [...new Map(rows.map((row) => [row.seq, row])).values()].sort((a, b) => Number(a.seq - b.seq))
    for (let i = 1; i < unique.length; i++) {
      const [before, now] = [unique[i - 1], unique[i]] as [(typeof rows)[0], (typeof rows)[0]]
      const records = now.seq - before.seq
      expect(now.bytes).toBeGreaterThan(before.bytes)
      expect(Number(now.bytes - before.bytes - records * 1000n)).toBeLessThan(1000)
    }
  })

  it('draw addresses of the network, words of the list and values of a function of their own', () => {
    const rows = [...generate(flatLog(), range)]
    const addresses = new Set(rows.map(({ address }) => address))
    expect(addresses.size).toBeGreaterThan(100)
    expect(addresses.size).toBeLessThanOrEqual(300)
    expect([...addresses].every((address) => /^10\.1\.[01]\.\d{1,3}$/.test(address))).toBe(true)
    expect(rows.every(({ message }) => message === '' || hostile.some((word) => message.startsWith(word)))).toBe(true)
    expect(new Set(rows.map(({ battery }) => battery)).size).toBeGreaterThan(50)
    expect(new Set(rows.map(({ price }) => price)).size).toBeGreaterThan(300)
    // Pure: a second run gives the same.
    expect([...generate(flatLog(), range)]).toEqual(rows)
  })

  it('fill structs, in NDJSON and Parquet alike', async () => {
    const define = (format: LogFormat) =>
      defineLog({
        table: nestedTable,
        seed: 1,
        devices: 3,
        every: '1 second',
        format,
        fields: {
          place: nested({
            floor: measure({ base: [0, 5], scale: 0 }),
            host: ip('192.168.0.0/24'),
            temperature: sometimesNull(0.3, measure({ base: 20, noise: 3 })),
          }),
        },
      })
    const rows = [...generate(define('ndjson'), range)]
    expect(rows.some(({ place }) => place.temperature === null)).toBe(true)
    for (const format of ['ndjson', 'parquet'] as const) {
      const { lost, unknown } = await compareRows(nestedTable, rows, await readBack(define(format)))
      expect({ lost, unknown }).toEqual({ lost: 0, unknown: 0 })
    }
  })

  it('are refused where they do not fit', () => {
    const define = (fields: object, more: object = {}) =>
      defineLog({ table: flatTable, seed: 1, devices: 1, every: '1 second', fields, ...more } as never)
    expect(() => ip('10.0.0.0')).toThrow('is no IPv4 network')
    expect(() => ip('10.0.0.1/8')).toThrow('has bits set behind its prefix')
    expect(() => ip('10.0.0.0/24', { distinct: 300 })).toThrow('"distinct" must be a whole number from 1 to 256')
    expect(() => counter({ step: 0 })).toThrow('"step" must be a whole number from 1')
    expect(() => text({ words: [3, 2] })).toThrow('"words" must be two whole numbers')
    expect(() => own('', () => 1)).toThrow('the id is empty')
    expect(() => define({ ...fieldsOf(), level: nested({}) })).toThrow('nested() cannot fill a double column')
    expect(() => define({ ...fieldsOf(), battery: counter({ step: 1000 }) })).toThrow('does not fit 32 bits')
    expect(() => define(fieldsOf(), { format: 'xml' })).toThrow('the format "xml" is not known')
    expect(() => define(fieldsOf(), { compression: 12 })).toThrow('a level of compression is a whole number from 1 to 9')
    expect(() => define(fieldsOf(), { load: 'odd' })).toThrow(`"load" is 'even' or 'zipf'`)
    // A value of an own field is checked as it is written.
    const wrong = define({ ...fieldsOf(), battery: own('wrong', () => 'full') }) as ReturnType<typeof flatLog>
    expect(() => [...encodeLog(wrong, range)]).toThrow('PIPE_FORMAT_VALUE')
    const greedy = own('greedy', ({ draw }) => Array.from({ length: 1025 }, () => draw(2)).length)
    expect(() => [...encodeLog(define({ ...fieldsOf(), battery: greedy }), range)]).toThrow('no more than 1024 draws')
  })
})

function fieldsOf() {
  const measured = measure({ base: 1 })
  return {
    site: tag(['x']),
    seq: sequence(),
    bytes: counter(),
    message: text(),
    address: ip('10.0.0.0/8'),
    level: measured,
    price: own('p', () => '1.000'),
    sent: emitTime(),
    battery: own('b', () => 1),
  }
}

async function readBack(log: Parameters<typeof makeFiles>[0], span = range) {
  const rows: Record<string, unknown>[] = []
  for (const { window } of filesOf(log, span)) {
    for (const { key, body, rows: stamped } of makeFiles(log, window)) {
      const options = { source: Readable.from([body]), table: log.table, file: key, expectedRows: stamped }
      for await (const batch of readRows(options)) {
        expect(batch.unreadable).toEqual([])
        rows.push(...batch.rows)
      }
    }
  }
  return rows
}

describe('formats', () => {
  it.each([
    ['ndjson', 'gzip'],
    ['ndjson', 'none'],
    ['csv', 'gzip'],
    ['tsv', 'gzip'],
    ['parquet', 'gzip'],
    ['parquet', 'none'],
  ] as const)('%s with compression %s holds the same records, read by the readers of the table', async (format, compression) => {
    const log = flatLog({ format, compression })
    const expected = [...readableRows(flatLog(), range)]
    const { lost, duplicated, unknown } = await compareRows(flatTable, expected, await readBack(log))
    expect({ lost, duplicated, unknown }).toEqual({ lost: 0, duplicated: 0, unknown: 0 })
    const truth = groundTruth(log, range)
    const other = groundTruth(flatLog(), range)
    expect({ digest: truth.digest, devices: truth.devices }).toEqual({ digest: other.digest, devices: other.devices })
    const [file] = truth.files
    expect(file?.key).toMatch(
      format === 'parquet' || compression === 'none' ? new RegExp(`\\.${format}$`) : /\.(ndjson|csv|tsv)\.gz$/,
    )
    expect(log.configHash === flatLog().configHash).toBe(format === 'ndjson' && compression === 'gzip')
    // The same file again has the same bytes.
    const again = () => Array.from(filesOf(log, range), ({ window }) => makeFiles(log, window)[0]?.body.toString('base64'))
    expect(again()).toEqual(again())
  })

  it(hasZstd ? 'zstd is written by Node' : 'zstd is refused where Node has none', () => {
    if (hasZstd) {
      const log = flatLog({ compression: 'zstd' })
      const [at] = filesOf(log, range)
      const [file] = makeFiles(log, at!.window)
      expect(file?.key).toMatch(/\.ndjson\.zst$/)
      expect(file?.body.readUInt32LE(0)).toBe(0xfd2fb528)
    } else expect(() => flatLog({ compression: 'zstd' })).toThrow(`Node ${process.versions.node} has no zstd`)
  })
})

describe('devices', () => {
  const span = { from: new Date(hour.from).getTime(), to: new Date(hour.to).getTime() }
  const lengthOf = ({ from, to }: { from: Date; to: Date }) => +to - +from

  it('drop out for the episodes that the truth lists, and only then', () => {
    const log = flatLog({ anomalies: { dropOut: { rate: 0.6, every: '20 minutes', lasts: '3 minutes' } } })
    const { episodes } = groundTruth(log, hour)
    expect(episodes.length).toBeGreaterThan(2)
    expect(episodes.every((episode) => episode.kind === 'drop-out' && lengthOf(episode) === 180_000)).toBe(true)
    const isSilent = (name: string, at: number) =>
      episodes.some(({ device, from, to }) => device === name && at >= +from && at < +to)
    const rows = [...generate(log, hour)].filter(({ at }) => +at >= span.from && +at < span.to - 120_000)
    expect(rows.some(({ device_name, at }) => isSilent(device_name, +at))).toBe(false)
    const seconds = new Set(rows.map(({ device_name, seq }) => `${device_name} ${seq}`)).size
    const silent = episodes.reduce((sum, { from, to }) => {
      return sum + Math.max(0, Math.min(+to, span.to - 120_000) - Math.max(+from, span.from)) / 1000
    }, 0)
    expect(Math.abs(3 * 58 * 60 - silent - seconds)).toBeLessThanOrEqual(2 * episodes.length + 3)
  })

  it('reboot once in each span: sequence and counter begin at 0 again', () => {
    const log = flatLog({ anomalies: { reboot: { every: '20 minutes' } } })
    const { episodes } = groundTruth(log, hour)
    expect(episodes.filter(({ kind }) => kind === 'reboot')).toHaveLength(9)
    for (const device of log.devices) {
      const rows = [...generate(log, hour)]
        .filter(({ device_name, at, sent }) => device_name === device && +at === +sent)
        .sort((a, b) => +a.at - +b.at)
      const reboots = episodes.filter((episode) => episode.device === device).map(({ from }) => +from)
      for (let i = 1; i < rows.length; i++) {
        const [before, now] = [rows[i - 1], rows[i]] as [(typeof rows)[0], (typeof rows)[0]]
        const isRebooted = reboots.some((at) => at > +before.at && at <= +now.at)
        expect(now.seq < before.seq || now.bytes < before.bytes).toBe(isRebooted && before.seq > 0n)
        expect(now.seq).toBeGreaterThanOrEqual(0n)
      }
    }
  })

  it('are hot for an episode', () => {
    const log = flatLog({ anomalies: { hot: { rate: 0.7, every: '20 minutes', lasts: '1 minute', times: 5 } } })
    const { episodes } = groundTruth(log, hour)
    const hot = episodes.filter(({ kind }) => kind === 'hot')
    expect(hot.length).toBeGreaterThan(2)
    const rows = [...generate(log, hour)]
    for (const { device, from, to } of hot.filter(({ from, to }) => +from >= span.from && +to < span.to - 180_000)) {
      const times = new Set(
        rows.filter((row) => row.device_name === device && row.at >= from && row.at < to).map(({ at }) => +at),
      )
      expect(times.size).toBeGreaterThanOrEqual(299)
      expect(times.size).toBeLessThanOrEqual(301)
    }
  })

  it('have clocks that are wrong by a constant', () => {
    const log = flatLog({ anomalies: { clockSkew: { share: 1, upTo: '30 seconds' } } })
    const skews = new Map<string, number>()
    for (const { device_name, at, sent } of generate(log, range)) {
      const skew = +at - +sent
      // Late rows are sent later than they happened.
      if (Math.abs(skew) > 30_000) continue
      expect(skew).toBe(skews.get(device_name) ?? skew)
      skews.set(device_name, skew)
    }
    expect(new Set(skews.values()).size).toBe(3)
    expect(groundTruth(log, range).episodes.map(({ kind }) => kind)).toEqual(['clock-skew', 'clock-skew', 'clock-skew'])
  })

  it('share the load by rank: the r-th sends each r-th time', () => {
    const log = defineLog({
      table: flatTable,
      seed: 2,
      devices: 10,
      every: '1 second',
      load: 'zipf',
      fields: fieldsOf() as never,
    })
    const counts = new Map<string, number>()
    const sequences = new Map<string, bigint>()
    for (const { device_name, seq } of generate(log, hour)) {
      counts.set(device_name, (counts.get(device_name) ?? 0) + 1)
      const before = sequences.get(device_name)
      if (before !== undefined) expect(seq).toBe(before + 1n)
      sequences.set(device_name, seq)
    }
    log.devices.forEach((device, rank) => {
      expect(Math.abs((counts.get(device) ?? 0) - 3600 / (rank + 1))).toBeLessThanOrEqual(1)
    })
  })
})

describe('measures', () => {
  it('spike, shift and stick where the truth says so', () => {
    const options = { base: 20, noise: 1, scale: 2 }
    const anomalies = {
      spike: { rate: 0.8, every: '10 minutes', by: 1000 },
      shift: { rate: 0.5, every: '20 minutes', lasts: '4 minutes', by: 100 },
      stuck: { rate: 0.5, every: '30 minutes', lasts: '5 minutes' },
    } as const
    const define = (more: object) =>
      defineLog({
        table: flatTable,
        seed: 2,
        devices: 3,
        every: '1 second',
        fields: { ...fieldsOf(), level: measure({ ...options, ...more }) } as never,
      })
    const log = define(anomalies)
    const plain = [...generate(define({}), hour)]
    const { episodes } = groundTruth(log, hour)
    expect(new Set(episodes.map(({ kind }) => kind))).toEqual(new Set(['spike', 'shift', 'stuck']))
    expect(episodes.every(({ column: name }) => name === 'level')).toBe(true)
    // A slot begins at a whole second; the record of the slot has its phase behind it.
    const within = (kind: string, device: string, at: number) =>
      episodes.some((own) => own.kind === kind && own.device === device && at >= +own.from && at < +own.to)
    let spikes = 0
    const stuck = new Map<string, Set<number>>()
    ;[...generate(log, hour)].forEach(({ device_name, at, level }, i) => {
      const slot = Math.floor(+at / 1000) * 1000
      const expected = plain[i]?.level as number
      const isSpike = within('spike', device_name, slot)
      if (isSpike) spikes++
      const added = (isSpike ? 1000 : 0) + (within('shift', device_name, slot) ? 100 : 0)
      if (!within('stuck', device_name, slot)) expect(level).toBeCloseTo(expected + added, 6)
      else {
        const values = stuck.get(device_name) ?? new Set()
        stuck.set(device_name, values.add(Math.round(((level as number) - added) * 100)))
      }
    })
    expect(spikes).toBe(episodes.filter(({ kind, to }) => kind === 'spike' && +to <= +new Date(hour.to)).length)
    const stucks = episodes.filter(({ kind }) => kind === 'stuck')
    expect([...stuck.values()].reduce((sum, { size }) => sum + size, 0)).toBeLessThanOrEqual(stucks.length)
  })
})
