import { kafkaAvailability } from '@pipe/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startRealCluster } from '../../real-cluster'
import { scenarios } from '../../scenarios'
import { runSuite } from '../../suite'
import type { FaultTarget } from '../../target'

const available = await kafkaAvailability()
const { signal } = new AbortController()

// One seed of what takes seconds; `npm run faults -- --seeds 20` is the whole.
describe.skipIf(!available.available)(`the fault suite on a real cluster${available.note}`, () => {
  let target: FaultTarget

  beforeAll(async () => {
    target = await startRealCluster(signal)
  }, 180_000)
  afterAll(() => target?.close())

  const chosen = (names: readonly string[]) => scenarios.filter(({ name }) => names.includes(name))

  it('keeps its promises where nothing but connections and processes break', async () => {
    const names = ['partitions-grown', 'response-dropped', 'poison', 'kafka-to-s3']
    const rows = await runSuite({ target, scenarios: chosen(names), seeds: [1], signal })
    expect(rows.filter(({ broken }) => broken.length > 0)).toEqual([])
    expect(new Set(rows.map(({ scenario }) => scenario))).toEqual(new Set(names))
  }, 400_000)

  it('fails when leader durability is judged as quorum, and only there', async () => {
    const rows = await runSuite({ target, scenarios: chosen(['leader-killed']), seeds: [1], sabotage: true, signal })
    const of = (guarantee: string) => rows.find((row) => row.guarantee === guarantee)!
    expect(of('quorum')).toMatchObject({ lost: 0, duplicated: 0, broken: [] })
    expect(of('leader').lost).toBeGreaterThan(0)
    expect(of('leader').broken).toContainEqual(expect.stringContaining('acknowledged and lost'))
  }, 400_000)
})
