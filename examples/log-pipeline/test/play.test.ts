import { AthenaClient } from '@aws-sdk/client-athena'
import { S3Client } from '@aws-sdk/client-s3'
import { createAthena } from '@pipe/athena-query'
import { startLocal, virtualClock } from '@pipe/local'
import { groundTruth } from '@pipe/log-gen'
import { describe, expect, it } from 'vitest'
import { dayLog } from '../src/day-log'
import { compareExactly } from '../src/day-report'
import { deploy } from '../src/deploy'
import { deviceLog } from '../src/log'
import { places } from '../src/places'
import { play } from '../src/play'
import { sabotages } from '../src/sabotage'

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

describe('the simulated day', () => {
  const until = new Date('2026-11-24T02:00:00Z')

  it('has exact counts, sums and quarantine although triggers are missing and doubled', { timeout: 240_000 }, async () => {
    const { report, broken } = await play({ ...hour, engine: 'in-process', fleet: 'day', until })
    expect(broken).toEqual([])
    // The first tick also writes the two files before midnight.
    const { shownRows, malformedRows } = groundTruth(dayLog, { from: '2026-11-23T23:58:00Z', to: until })
    expect(report).toMatchObject({ rawFiles: 122, windows: 25, compactedFiles: 25, queriedRows: shownRows })
    expect(report.quarantinedRows).toBe(malformedRows)
    expect(malformedRows).toBeGreaterThan(100)
  })

  it('names each device and each line that differs from the truth', { timeout: 240_000 }, async () => {
    // The second of two windows is not compacted yet.
    await using local = await startLocal({ clock: virtualClock('2026-11-24T00:00:00Z') })
    const s3 = new S3Client(local.aws)
    const client = new AthenaClient(local.aws)
    await using athena = createAthena({
      database: places.database,
      output: 's3://lake/results/',
      client,
      poll: ['5 ms', '100 ms'],
    })
    await deploy(local, { s3, athena }, { ...hour, engine: 'in-process', fleet: 'day' })
    await local.clock.advance('11 minutes')
    const truth = groundTruth(dayLog, { from: '2026-11-23T23:58:00Z', to: '2026-11-24T00:10:00Z' })
    const differences = await compareExactly({ s3, athena }, truth)
    expect(differences.filter((sentence) => sentence.startsWith('Athena has of device-'))).toHaveLength(100)
    expect(differences.at(-1)).toMatch(/^\d+ malformed lines are not in quarantine, for example s3:\/\/lake\/raw\/.* line \d+$/)
    client.destroy()
    s3.destroy()
  })
})

describe('a sabotaged hour', () => {
  const expected: Record<string, RegExp> = {
    'drop-one-object': /the raw file raw\/dt=2026-11-24\/hour=15\/device_logs-20261124T1517Z-.* is missing/,
    'lose-compacted-file': /the committed file compacted\/data\/.* is missing/,
    'publish-twice': /rows are there too often, for example \[/,
    'lose-stream-file': /Kafka: \d+ of \d+ messages are on S3/,
  }

  it.each(sabotages)('is found out: $name', { timeout: 240_000 }, async (sabotage) => {
    const { broken } = await play({ ...hour, engine: 'in-process', kafka: sabotage.name === 'lose-stream-file', sabotage })
    expect(broken.join('\n')).toMatch(expected[sabotage.name]!)
  })
})
