import { groundTruth } from '@pipe/log-gen'
import { describe, expect, it } from 'vitest'
import { deviceLog } from '../src/log'
import { play } from '../src/play'

const silent = { update: () => {}, end: () => {} }
const hour = { tick: '1 minute', window: '5 minutes', progress: silent } as const
const truth = groundTruth(deviceLog, { from: '2026-11-24T15:00:00Z', to: '2026-11-24T16:00:00Z' })

describe.each(['athena', 'in-process'] as const)('one hour with the %s engine', (engine) => {
  it('loses nothing, counts nothing twice and quarantines exactly the spoilt rows', { timeout: 240_000 }, async () => {
    const { report, broken } = await play({ ...hour, engine, kafka: engine === 'athena' })
    expect(broken).toEqual([])
    expect(report).toMatchObject({
      generatedRows: truth.generatedRows,
      quarantinedRows: truth.malformedRows + truth.cutRows,
      queriedRows: truth.readableRows,
      compactedRows: truth.readableRows,
      rawFiles: 60,
      windows: 12,
      compactedFiles: 12,
      lost: 0,
      duplicated: 0,
    })
    expect(report.quarantinedRows).toBeGreaterThan(0)
    const produced = truth.generatedRows
    expect(report.kafka).toEqual(engine === 'athena' ? { produced, consumed: produced, sunk: produced, lag: 0 } : undefined)
    // The truth's sums are exact integers; the report adds doubles.
    for (const [name, { rows, measures }] of Object.entries(truth.devices)) {
      const { min, max, sum, scale } = measures['metric']!
      const device = report.devices[name]!
      expect(device.count).toBe(rows)
      expect(device.min).toBe(Number(min) / 10 ** scale)
      expect(device.max).toBe(Number(max) / 10 ** scale)
      expect(device.sum).toBeCloseTo(Number(sum) / 10 ** scale, 6)
    }
  })
})
