import { createHash } from 'node:crypto'
import { constants, gunzipSync } from 'node:zlib'
import { parseText } from '@pipe/core'
import { compareRows, createDigest, type FileTruth, groundTruth, type RawFile, readableRows } from '@pipe/log-gen'
import { describe, expect, it } from 'vitest'
import { fileWindows, makeFiles } from '../src/raw-file'
import { allFaults, deviceLogs, fleet, hour } from './fleet'

/** Reads a stored file as somebody would who knows nothing of the generator: gunzip, split, JSON.parse, types by hand. */
function readNaively(file: RawFile) {
  const bytes = gunzipSync(file.body, { finishFlush: constants.Z_SYNC_FLUSH })
  const texts: string[] = []
  let from = 0
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, from)) {
    const piece = bytes.subarray(from, at)
    texts.push(Buffer.compare(Buffer.from(piece.toString('utf8')), piece) === 0 ? piece.toString('utf8') : '<no UTF-8>')
    from = at + 1
  }
  expect(from).toBe(bytes.length)
  return texts.map((text) => {
    try {
      const json = JSON.parse(text) as Record<string, unknown>
      const at = parseText({ kind: 'timestamp', precision: 3, zone: false }, String(json['timestamp']))
      const isRow =
        Object.keys(json).join() === 'timestamp,device_name,metric' &&
        'value' in at &&
        typeof json['device_name'] === 'string' &&
        typeof json['metric'] === 'number'
      if (!isRow) return undefined
      return {
        timestamp: (at as { value: Date }).value,
        device_name: json['device_name'] as string,
        metric: json['metric'] as number,
      }
    } catch {
      return undefined
    }
  })
}

const log = fleet()
const truth = groundTruth(log, hour)
const files = Array.from(fileWindows(log, hour), (window) => makeFiles(log, window)[0] as RawFile)
const naive = files.map(readNaively)

describe('groundTruth against a naive reading of the files', () => {
  it('names each file with its rows, bytes and hash', () => {
    expect(files).toHaveLength(60)
    expect(truth.files.map(({ key }) => key)).toEqual(files.map(({ key }) => key))
    for (const [i, file] of files.entries()) {
      const { minute, rows, rawBytes, sha256, cutRows } = truth.files[i] as FileTruth
      expect({ minute, rows, rawBytes, sha256, cutRows }).toEqual({
        minute: file.window.start,
        rows: file.rows,
        rawBytes: file.rawBytes,
        sha256: file.sha256,
        cutRows: file.cutRows,
      })
      if (cutRows === 0) {
        const bytes = gunzipSync(file.body)
        expect(bytes.length).toBe(rawBytes)
        expect(createHash('sha256').update(bytes).digest('hex')).toBe(sha256)
      }
    }
  })

  it('counts rows, malformed, cut, late and doubled lines, and places each fault', () => {
    let readable = 0
    let malformed = 0
    let late = 0
    let outOfBounds = 0
    const seen = new Map<string, number>()
    const sums = new Map<string, { rows: number; sum: number; min: number; max: number }>()
    for (const [i, file] of files.entries()) {
      const rows = naive[i] as ReturnType<typeof readNaively>
      const { faults, cutRows, rows: lines } = truth.files[i] as FileTruth
      expect(rows.length).toBe(lines - cutRows)
      const visible = faults.filter(({ isCut }) => !isCut)
      const linesOf = (kind: string) => visible.filter((fault) => fault.kind === kind).map(({ line }) => line)
      expect(linesOf('malformed')).toEqual(rows.flatMap((row, index) => (row ? [] : [index + 1])))
      expect(linesOf('late')).toEqual(rows.flatMap((row, index) => (row && row.timestamp < file.window.start ? [index + 1] : [])))
      for (const row of rows) {
        if (!row) {
          malformed++
          continue
        }
        readable++
        // One check of the flag below, not two a row: a hundred thousand calls of expect take longer than all the rest.
        if (+row.timestamp < +file.window.start - 600_000 || row.timestamp >= file.window.end) outOfBounds++
        if (row.timestamp < file.window.start) late++
        const identity = `${row.device_name} ${row.timestamp.toISOString()}`
        seen.set(identity, (seen.get(identity) ?? 0) + 1)
        const device = sums.get(row.device_name) ?? {
          rows: 0,
          sum: 0,
          min: Number.POSITIVE_INFINITY,
          max: Number.NEGATIVE_INFINITY,
        }
        device.rows++
        device.sum += Math.round(row.metric * 100)
        device.min = Math.min(device.min, Math.round(row.metric * 100))
        device.max = Math.max(device.max, Math.round(row.metric * 100))
        sums.set(row.device_name, device)
      }
    }
    expect(outOfBounds).toBe(0)
    expect(truth.readableRows).toBe(readable)
    expect(truth.malformedRows).toBe(malformed)
    expect(truth.lateRows).toBe(late)
    expect(truth.generatedRows).toBe(readable + malformed + truth.cutRows)
    expect(truth.cutRows).toBe(files.reduce((sum, { cutRows }) => sum + cutRows, 0))
    // A second copy whose first copy was malformed, cut or in an earlier run is there only once.
    const doubled = Array.from(seen.values()).filter((count) => count > 1).length
    expect(doubled).toBeGreaterThan(700)
    expect(truth.duplicateRows).toBeGreaterThanOrEqual(doubled)
    expect(truth.duplicateRows - doubled).toBeLessThan(60)
    expect(Object.keys(truth.devices)).toHaveLength(50)
    for (const [name, device] of Object.entries(truth.devices)) {
      const { metric } = device.measures as { metric: { sum: bigint; min: bigint; max: bigint; count: number; scale: number } }
      expect({ rows: device.rows, sum: Number(metric.sum), min: Number(metric.min), max: Number(metric.max) }).toEqual(
        sums.get(name),
      )
      expect(metric.scale).toBe(2)
      expect(metric.count).toBe(device.rows)
    }
  })

  it('has faults at their rates, each malformed kind, and one cut file in the hour', () => {
    const share = (count: number) => count / truth.generatedRows
    expect(share(truth.lateRows)).toBeGreaterThan(0.01)
    expect(share(truth.lateRows)).toBeLessThan(0.0145)
    expect(share(truth.duplicateRows)).toBeCloseTo(0.005, 3)
    expect(share(truth.malformedRows)).toBeCloseTo(0.005, 3)
    expect(files.filter(({ cutRows }) => cutRows > 0)).toHaveLength(1)
    const kinds = new Set(truth.files.flatMap(({ faults }) => faults.map(({ malformed }) => malformed)))
    expect(kinds.size).toBe(10)
  })

  it('gives the digest and the rows that come back, in any order', async () => {
    const rows = naive.flat().filter((row) => row !== undefined)
    const digest = createDigest(deviceLogs)
    for (const row of rows.toReversed()) digest.add(row)
    expect(digest.value()).toBe(truth.digest)
    const same = await compareRows(deviceLogs, readableRows(log, hour), rows.toReversed())
    expect(same).toMatchObject({
      expectedRows: truth.readableRows,
      actualRows: truth.readableRows,
      lost: 0,
      duplicated: 0,
      unknown: 0,
    })

    const broken = rows.slice(2)
    broken.push(broken[5] as (typeof rows)[number], { ...(broken[7] as (typeof rows)[number]), metric: 1.5 })
    expect(await compareRows(deviceLogs, readableRows(log, hour), broken)).toMatchObject({ lost: 2, duplicated: 1, unknown: 1 })
  })
})

describe('a cut gzip', () => {
  const cut = files.find(({ cutRows }) => cutRows > 0) as RawFile

  it('stops at a row boundary: every row before it decodes, and the member has no end', () => {
    expect(() => gunzipSync(cut.body)).toThrow(/unexpected end of file/)
    const bytes = gunzipSync(cut.body, { finishFlush: constants.Z_SYNC_FLUSH })
    expect(bytes.at(-1)).toBe(10)
    expect(bytes.toString('latin1').split('\n').length - 1).toBe(cut.rows - cut.cutRows)
    expect(cut.cutRows).toBeGreaterThan(0)
    expect(cut.cutRows).toBeLessThan(cut.rows)
  })

  it('is one file of each clock hour, whatever the span', () => {
    const week = { from: '2026-11-23T00:00:00Z', to: '2026-11-24T00:00:00Z' }
    const small = fleet({ devices: 2, every: '5 seconds', faults: allFaults })
    const hours = groundTruth(small, week)
      .files.filter(({ cutRows }) => cutRows > 0)
      .map(({ minute }) => minute.getUTCHours())
    expect(hours).toEqual(Array.from({ length: 24 }, (_, i) => i))
  })
})
