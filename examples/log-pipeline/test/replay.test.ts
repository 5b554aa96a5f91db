import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sharedData, sharedDataMissing } from '@pipe/testkit'
import { describe, expect, it } from 'vitest'
import { play } from '../src/play'
import type { DeviceSummary } from '../src/report'

const folder = sharedData('nab-cloudwatch')

/** Reads the series with nothing of ours: split at newlines and commas. */
function summaries(dir: string): Record<string, DeviceSummary> {
  const files = readdirSync(dir).filter((file) => file.endsWith('.csv'))
  return Object.fromEntries(
    files.map((file) => {
      const values = readFileSync(join(dir, file), 'utf8')
        .trim()
        .split('\n')
        .slice(1)
        .map((line) => Number(line.split(',')[1]))
      const sum = values.reduce((total, value) => total + value, 0)
      return [file.slice(0, -'.csv'.length), { count: values.length, min: Math.min(...values), max: Math.max(...values), sum }]
    }),
  )
}

describe.skipIf(!folder)(`recorded CloudWatch series ${folder ? '' : sharedDataMissing}`, () => {
  it('come back whole: 67 740 rows of 17 devices', { timeout: 400_000 }, async () => {
    const { report, broken } = await play({
      engine: 'in-process',
      // `npm start -- --input` with a tick of one hour asks the same six times as often.
      tick: '6 hours',
      window: '1 day',
      input: folder,
      progress: { update: () => {}, end: () => {} },
    })
    expect(broken).toEqual([])
    expect(report.queriedRows).toBe(67_740)
    const expected = summaries(folder!)
    expect(Object.keys(report.devices).sort()).toEqual(Object.keys(expected).sort())
    expect(Object.keys(expected)).toHaveLength(17)
    for (const [name, { count, min, max, sum }] of Object.entries(expected)) {
      const device = report.devices[name]!
      expect(device).toMatchObject({ count, min, max })
      expect(Math.abs(device.sum - sum)).toBeLessThanOrEqual(1e-12 * Math.abs(sum))
    }
  })
})
