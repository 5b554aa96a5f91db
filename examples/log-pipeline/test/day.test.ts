import { AthenaClient } from '@aws-sdk/client-athena'
import { S3Client } from '@aws-sdk/client-s3'
import { createAthena } from '@pipe/athena-query'
import { startLocal, virtualClock } from '@pipe/local'
import { groundTruth } from '@pipe/log-gen'
import { describe, expect, it } from 'vitest'
import { dayLog } from '../src/day-log'
import { compareExactly } from '../src/day-report'
import { deploy } from '../src/deploy'
import { places } from '../src/places'
import { play } from '../src/play'

const silent = { update: () => {}, end: () => {} }
const hour = { tick: '1 minute', window: '5 minutes', progress: silent } as const

describe('the simulated day', () => {
  const until = new Date('2026-11-24T01:00:00Z')

  it('has exact counts, sums and quarantine although triggers are missing and doubled', { timeout: 240_000 }, async () => {
    const { report, broken } = await play({ ...hour, engine: 'in-process', fleet: 'day', until })
    expect(broken).toEqual([])
    // The first tick also writes the two files before midnight.
    const { shownRows, malformedRows } = groundTruth(dayLog, { from: '2026-11-23T23:58:00Z', to: until })
    expect(report).toMatchObject({ rawFiles: 62, windows: 13, compactedFiles: 13, queriedRows: shownRows })
    expect(report.quarantinedRows).toBe(malformedRows)
    expect(malformedRows).toBeGreaterThan(50)
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
