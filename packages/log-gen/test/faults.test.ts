import { Readable } from 'node:stream'
import { column, defineTable, readRows } from '@pipe/core'
import {
  type AnomalyOptions,
  compareRows,
  counter,
  createDigest,
  defineLog,
  type FaultOptions,
  type FileFaultKind,
  fileFaultKinds,
  type GroundTruth,
  generate,
  groundTruth,
  type InjectedFault,
  measure,
  readableRows,
  sequence,
  type TruthPolicy,
} from '@pipe/log-gen'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isSummer } from '../src/clock-fault'
import { filesOf, makeFiles } from '../src/raw-file'

const table = defineTable('readings', {
  columns: {
    at: column.timestamp(),
    device_name: column.string(),
    level: column.double(),
    seq: column.bigint(),
    total: column.bigint(),
  },
  eventTime: 'at',
  allowedLateness: '3 minutes',
  allowedSkew: '1 minute',
})

interface Choices {
  readonly faults?: FaultOptions
  readonly anomalies?: AnomalyOptions
  readonly load?: 'even' | 'zipf'
  readonly devices?: number
  readonly seed?: number
}

function logOf({ faults = {}, anomalies = {}, load = 'even', devices = 4, seed = 5 }: Choices) {
  return defineLog({
    table,
    seed,
    devices,
    every: '2 seconds',
    load,
    anomalies,
    faults,
    fields: { level: measure({ base: [-5, 5], noise: 2 }), seq: sequence(), total: counter({ step: 100 }) },
  })
}

const minute = (n: number) => new Date(Date.UTC(2026, 10, 24, 15, n))
const range = { from: minute(0), to: minute(20) }

/** Faults of all files, one list. */
function faultsOf(truth: GroundTruth, kind: InjectedFault['kind']): InjectedFault[] {
  return truth.files.flatMap(({ faults }) => faults.filter((fault) => fault.kind === kind && !fault.isCut))
}

/** Reads the stored files as a pipeline does: by name, with the stamped count. */
async function readStored(log: ReturnType<typeof logOf>, span = range) {
  const rows: Record<string, unknown>[] = []
  let unreadable = 0
  for (const { window, shard } of filesOf(log, span)) {
    for (const { key, body, rows: stamped } of makeFiles(log, window, shard)) {
      for await (const batch of readRows({ source: Readable.from([body]), table, file: key, expectedRows: stamped })) {
        rows.push(...batch.rows)
        for (const { rows: count } of batch.unreadable) unreadable += count
      }
    }
  }
  return { rows, unreadable }
}

describe('records on their way', () => {
  it('arrive very late, up to the bound and beyond the allowed lateness', () => {
    const log = logOf({ faults: { veryLate: { rate: 0.05, upTo: '12 minutes' } } })
    const truth = groundTruth(log, range)
    const late = faultsOf(truth, 'very-late')
    expect(late.length).toBeGreaterThan(50)
    expect(late.length).toBe(truth.lateRows)
    for (const { minute: start, faults } of truth.files) {
      for (const { eventTime } of faults) {
        expect(+eventTime).toBeLessThan(+start + 60_000 - 180_000)
        expect(+eventTime).toBeGreaterThanOrEqual(+start - 720_000)
      }
    }
    const all = groundTruth(log, { from: minute(0), to: minute(32) })
    const happened = [...readableRows(log, { from: minute(0), to: minute(32) })].filter(
      ({ at }) => at >= minute(0) && at < minute(20),
    )
    // None is lost and none comes twice: each stands in exactly one file.
    expect(happened).toHaveLength(4 * 30 * 20)
    expect(all.lostRows).toBe(0)
    const policy: TruthPolicy = { allowedLateness: '3 minutes' }
    expect(groundTruth(log, { ...range, policy }).tooLateRows).toBeGreaterThan(late.length / 2)
  })

  it('stand out of order within their file, and in no other', () => {
    const log = logOf({ faults: { outOfOrder: { rate: 0.1, within: '10 seconds' } } })
    const truth = groundTruth(log, range)
    const named = new Set(faultsOf(truth, 'out-of-order').map(({ device, eventTime }) => `${device} ${+eventTime}`))
    expect(named.size).toBeGreaterThan(150)
    expect(truth.lateRows).toBe(0)
    const rows = [...generate(log, range)]
    expect(rows).toHaveLength(4 * 30 * 20)
    let latest = 0
    for (const { at, device_name } of rows) {
      // What stands behind a younger row is one that the truth names.
      if (+at < latest) expect(named.has(`${device_name} ${+at}`)).toBe(true)
      else latest = +at
    }
  })

  it('leave gaps that the truth places', () => {
    const log = logOf({ faults: { gap: 0.05 } })
    const truth = groundTruth(log, range)
    const gaps = faultsOf(truth, 'gap')
    expect(truth.lostRows).toBe(gaps.length)
    expect(truth.readableRows + gaps.length).toBe(4 * 30 * 20)
    const seen = new Map<string, bigint[]>()
    for (const { device_name, seq } of generate(log, range)) seen.set(device_name, [...(seen.get(device_name) ?? []), seq])
    let missing = 0
    for (const numbers of seen.values()) {
      numbers.forEach((seq, i) => {
        if (i > 0) missing += Number(seq - (numbers[i - 1] as bigint)) - 1
      })
    }
    // A gap at the very start or end of a device's numbers cannot be seen between two of them.
    expect(missing).toBeGreaterThan(gaps.length - 10)
    expect(missing).toBeLessThanOrEqual(gaps.length)
  })

  it('have changed payloads under the same device and time, which de-duplication by key removes', () => {
    const log = logOf({ faults: { duplicate: { rate: 0.1, kinds: ['changed'] } } })
    const truth = groundTruth(log, range)
    const copies = faultsOf(truth, 'duplicate')
    expect(copies.length).toBeGreaterThan(100)
    expect(copies.every(({ duplicate }) => duplicate === 'changed')).toBe(true)
    const byRow = groundTruth(log, { ...range, policy: { dedupe: 'row' } })
    const byKey = groundTruth(log, { ...range, policy: { dedupe: ['device_name', 'at'] } })
    // Another payload: no copy is equal to its row.
    expect(byRow.dedupedRows).toBe(0)
    const keys = new Set(Array.from(generate(log, range), ({ device_name, at }) => `${device_name} ${+at}`))
    expect(byKey.shownRows).toBe(keys.size)
    expect(byKey.shownRows + byKey.dedupedRows).toBe(truth.readableRows)
  })

  it('have wrong clocks of four kinds, each where it is said to be', () => {
    const log = logOf({ faults: { clock: 0.1 } })
    const truth = groundTruth(log, range)
    const clocks = faultsOf(truth, 'clock')
    expect(new Set(clocks.map(({ clock }) => clock))).toEqual(new Set(['future', 'epoch-zero', 'unit-slip', 'local-time']))
    for (const { clock, eventTime } of clocks) {
      if (clock === 'epoch-zero') expect(+eventTime).toBe(0)
      else if (clock === 'unit-slip') expect(eventTime.getUTCFullYear()).toBe(1970)
      else if (clock === 'local-time') expect(Math.abs(+eventTime - +minute(70))).toBeLessThanOrEqual(600_000)
      else expect(+eventTime).toBeGreaterThan(+minute(60))
    }
    const policy: TruthPolicy = { allowedLateness: '3 minutes', allowedSkew: '1 minute' }
    const { shownRows, tooLateRows, tooEarlyRows, readableRows: readable } = groundTruth(log, { ...range, policy })
    expect(tooLateRows + tooEarlyRows).toBe(clocks.length)
    expect(shownRows).toBe(readable - clocks.length)
  })

  it('follow the summer time of Europe', () => {
    expect(isSummer(Date.UTC(2026, 2, 29, 0, 59))).toBe(false)
    expect(isSummer(Date.UTC(2026, 2, 29, 1))).toBe(true)
    expect(isSummer(Date.UTC(2026, 9, 25, 0, 59))).toBe(true)
    expect(isSummer(Date.UTC(2026, 9, 25, 1))).toBe(false)
  })

  it('lose a column to another name from an instant on', async () => {
    const log = logOf({ faults: { schemaDrift: { at: minute(10), rename: 'level', to: 'value', share: 0.5 } }, devices: 8 })
    const truth = groundTruth(log, range)
    const renamed = faultsOf(truth, 'malformed')
    const devices = new Set(renamed.map(({ device }) => device))
    expect(devices.size).toBeGreaterThan(0)
    expect(devices.size).toBeLessThan(8)
    expect(renamed.every(({ malformed, eventTime }) => malformed === 'renamed-column' && eventTime >= minute(10))).toBe(true)
    expect(renamed).toHaveLength(devices.size * 30 * 10)
    expect((await readStored(log)).unreadable).toBe(renamed.length)
  })
})

describe('whole files', () => {
  it.each([...fileFaultKinds])('of kind %s are read as the ground truth says', async (kind: FileFaultKind) => {
    const log = logOf({ faults: { file: { rate: 0.5, kinds: [kind] }, late: 0.05, malformed: 0.02 } })
    const truth = groundTruth(log, range)
    const spoilt = truth.files.filter(({ fault }) => fault === kind)
    if (kind === 'missing') expect(truth.missing.length).toBeGreaterThan(3)
    else expect(spoilt.length).toBeGreaterThan(3)
    if (kind === 'missing' || kind === 'empty') expect(truth.lostRows).toBeGreaterThan(300)
    else expect(truth.lostRows).toBe(0)
    const stored = Array.from(filesOf(log, range), ({ window }) => makeFiles(log, window)).flat()
    expect(truth.files.map(({ key, rows, sha256, rawBytes }) => ({ key, rows, sha256, rawBytes }))).toEqual(
      stored.map(({ key, rows, sha256, rawBytes }) => ({ key, rows, sha256, rawBytes })),
    )
    const { rows, unreadable } = await readStored(log)
    expect(unreadable).toBe(truth.malformedRows + truth.cutRows)
    expect(rows).toHaveLength(truth.readableRows)
    const { lost, duplicated, unknown } = await compareRows(table, readableRows(log, range), rows)
    expect({ lost, duplicated, unknown }).toEqual({ lost: 0, duplicated: 0, unknown: 0 })
  })

  it('are refused where a format cannot have them', () => {
    const base = { table, seed: 1, devices: 1, every: '1 second' as const }
    const fields = { level: measure({ base: 1 }), seq: sequence(), total: counter() }
    const define = (format: 'parquet' | 'csv', kinds: FileFaultKind[]) =>
      defineLog({ ...base, fields, format, faults: { file: { rate: 0.1, kinds } } })
    expect(() => define('parquet', ['crlf'])).toThrow('"file" of the kind "crlf" is not possible')
    expect(() => define('csv', ['array'])).toThrow('"file" of the kind "array" is not possible')
    expect(() => defineLog({ ...base, fields, format: 'parquet', faults: { cutGzip: { rate: 0.1 } } })).toThrow('"cutGzip" needs')
    expect(() => defineLog({ ...base, fields, compression: 'none', faults: { cutGzip: { rate: 0.1 } } })).toThrow(
      '"cutGzip" needs',
    )
  })
})

const everything: FaultOptions = {
  late: 0.05,
  veryLate: { rate: 0.02, upTo: '5 minutes' },
  outOfOrder: 0.05,
  duplicate: { rate: 0.05, kinds: ['in-file', 'later-file', 'changed'] },
  gap: 0.02,
  clock: 0.02,
  malformed: { rate: 0.05, kinds: ['truncated', 'split-line', 'nul-byte', 'wrong-type'] },
  schemaDrift: { at: minute(8), rename: 'level', to: 'value', share: 0.3 },
}
const all: Choices = {
  faults: { ...everything, file: 0.2, cutGzip: { rate: 0.2 } },
  anomalies: {
    dropOut: { rate: 0.5, every: '10 minutes', lasts: '2 minutes' },
    hot: { rate: 0.5, every: '10 minutes', lasts: '1 minute', times: 4 },
    reboot: { every: '5 minutes' },
    clockSkew: { share: 0.5, upTo: '10 seconds', drift: '5 minutes' },
  },
  load: 'zipf',
  devices: 6,
}

describe('everything at once', () => {
  it('is read from the stored files exactly as the ground truth says, under any policy', async () => {
    const log = logOf(all)
    const { rows, unreadable } = await readStored(log)
    const truth = groundTruth(log, range)
    expect(unreadable).toBe(truth.quarantinedRows)
    expect(rows).toHaveLength(truth.readableRows)
    expect(truth.generatedRows).toBe(truth.readableRows + truth.malformedRows + truth.cutRows)
    const digest = createDigest(table)
    for (const row of rows) digest.add(row)
    expect(digest.value()).toBe(truth.digest)
    const policies: TruthPolicy[] = [
      { dedupe: 'row' },
      { dedupe: ['device_name', 'at'], dropMalformed: true },
      { allowedLateness: '1 minute', allowedSkew: '0 seconds', dedupe: ['seq'] },
    ]
    for (const policy of policies) {
      const expected = groundTruth(log, { ...range, policy })
      const shown = [...readableRows(log, { ...range, policy })]
      expect(shown).toHaveLength(expected.shownRows)
      expect(expected.shownRows + expected.tooLateRows + expected.tooEarlyRows + expected.dedupedRows).toBe(truth.readableRows)
      expect(expected.quarantinedRows).toBe(policy.dropMalformed ? 0 : truth.quarantinedRows)
      const sum = shown.reduce((total, { seq }) => total + seq, 0n)
      expect(Object.values(expected.devices).reduce((total, { measures }) => total + (measures['seq']?.sum ?? 0n), 0n)).toBe(sum)
    }
  })

  it('gives window(a, c) as window(a, b) and window(b, c), and live as backfill', () => {
    const log = logOf(all)
    const bytesOf = (from: number, to: number) =>
      Array.from(filesOf(log, { from: minute(from), to: minute(to) }), ({ window }) => makeFiles(log, window))
        .flat()
        .map(({ key, body }) => `${key} ${body.toString('base64')}`)
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -10, max: 10 }), { minLength: 3, maxLength: 3 }), (ends) => {
        const [a, b, c] = ends.sort((x, y) => x - y) as [number, number, number]
        const second = bytesOf(b, c)
        expect([...bytesOf(a, b), ...second]).toEqual(bytesOf(a, c))
      }),
      { numRuns: 8 },
    )
  })

  it('gives the same lines in n shards as in one', () => {
    // File faults are of files, and shards are other files.
    const log = logOf({ ...all, faults: everything, devices: 9 })
    const short = { from: minute(0), to: minute(6) }
    const whole = groundTruth(log, short)
    const { readableRows: readable, malformedRows, lostRows, lateRows, duplicateRows, digest, devices } = whole
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 12 }), (shards) => {
        expect(groundTruth(log, { ...short, shards })).toMatchObject({
          readableRows: readable,
          malformedRows,
          lostRows,
          lateRows,
          duplicateRows,
          digest,
          devices,
        })
      }),
      { numRuns: 4 },
    )
  })
})
