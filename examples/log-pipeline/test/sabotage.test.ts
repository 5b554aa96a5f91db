import { describe, expect, it } from 'vitest'
import { play } from '../src/play'
import { sabotages } from '../src/sabotage'

const silent = { update: () => {}, end: () => {} }
const hour = { tick: '1 minute', window: '5 minutes', progress: silent } as const
/** Four windows: enough for each of them. */
const until = new Date('2026-11-24T15:20:00Z')

describe('a sabotaged hour', () => {
  const expected: Record<string, RegExp> = {
    'drop-one-object': /the raw file raw\/dt=2026-11-24\/hour=15\/device_logs-20261124T1507Z-.* is missing/,
    'lose-compacted-file': /the committed file compacted\/data\/.* is missing/,
    'publish-twice': /rows are there too often, for example \[/,
    'lose-stream-file': /Kafka: \d+ of \d+ messages are on S3/,
  }

  it.each(sabotages)('is found out: $name', { timeout: 240_000 }, async (sabotage) => {
    const { broken } = await play({ ...hour, until, engine: 'in-process', kafka: sabotage.name === 'lose-stream-file', sabotage })
    expect(broken.join('\n')).toMatch(expected[sabotage.name]!)
  })
})
