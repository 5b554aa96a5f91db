import { column, daily, defineTable } from '@pipe/core'
import { describe, expect, it } from 'vitest'
import { defineCompaction } from '../../src/index'
import { breakableSteps, simulateCrashes } from '../../src/testing'

const sound = { lost: 0, doubled: 0, orphans: 0, failures: [] }

describe('the crash simulator', () => {
  it('finds nothing in any of its scenarios', async () => {
    const seen: number[] = []
    const report = await simulateCrashes({ schedules: 40, seed: 11, onProgress: ({ done }) => seen.push(done) })
    expect(report).toMatchObject(sound)
    expect(report.scenarios).toHaveLength(12)
    expect(report.points).toBeGreaterThan(2000)
    // It has been where it hurts.
    for (const times of Object.values(report.faults)) expect(times).toBeGreaterThan(5)
    expect(seen).toEqual(Array.from({ length: 40 }, (_, i) => i + 1))
  }, 120_000)

  it('plays the same schedules for the same seed', async () => {
    const { requests, faults, rows } = await simulateCrashes({ schedules: 6, seed: 5 })
    expect(await simulateCrashes({ schedules: 6, seed: 5 })).toMatchObject({ requests, faults, rows })
    expect((await simulateCrashes({ schedules: 6, seed: 6 })).requests).not.toBe(requests)
  }, 120_000)

  it.each(breakableSteps)(
    'sees that the step "%s" is broken',
    async (breakStep) => {
      // As soon as a few schedules see it, more of them prove nothing more.
      let report = await simulateCrashes({ schedules: 6, seed: 3, breakStep })
      for (let seed = 4; report.failures.length === 0 && seed < 10; seed++) {
        report = await simulateCrashes({ schedules: 6, seed, breakStep })
      }
      expect(report.lost + report.doubled + report.orphans).toBeGreaterThan(0)
      expect(report.failures[0]!.faults.length).toBeGreaterThan(0)
    },
    120_000,
  )

  it("tries the user's own configuration", async () => {
    const table = defineTable('orders', {
      columns: { id: column.bigint(), at: column.timestamp(), total: column.decimal(12, 2), note: column.string().nullable() },
      partitions: daily(),
    })
    const compaction = defineCompaction({
      table,
      source: 's3://shop/in/',
      target: 's3://shop/out/',
      window: '1 hour',
      grace: '10 minutes',
      publish: 'manifest',
      keyTime: (key) => new Date(`${/\/(\d{4}-\d\d-\d\dT\d\d)_/.exec(key)?.[1]}:00:00Z`),
    })
    const report = await simulateCrashes({
      compaction,
      schedules: 12,
      rollsUp: true,
      lease: '5 minutes',
      keyOf: (at, index) => `dt=${at.toISOString().slice(0, 10)}/${at.toISOString().slice(0, 13)}_${index}.json`,
    })
    expect(report).toMatchObject(sound)
    expect(report.scenarios).toEqual(['in-process', 'athena, path filter', 'athena, symlink'])
  }, 120_000)

  it('refuses what it cannot judge', async () => {
    const table = defineTable('t', { columns: { a: column.string() } })
    const places = { source: 's3://lake/raw/', target: 's3://lake/out/', window: '5 minutes' } as const
    const compaction = defineCompaction({ table, ...places, dedupe: { by: ['a'] } })
    await expect(simulateCrashes({ compaction, schedules: 1 })).rejects.toThrow(/dedupe/)
    await expect(simulateCrashes({ schedules: 0 })).rejects.toThrow(/at least 1/)
    await expect(simulateCrashes({ schedules: 1, lease: '1 minute' })).rejects.toThrow(/compaction of your own/)
    await expect(simulateCrashes({ schedules: 1, seeds: 2 } as never)).rejects.toThrow(/Did you mean "seed"/)
    const flags = defineCompaction({ table: defineTable('t', { columns: { a: column.boolean() } }), ...places })
    await expect(simulateCrashes({ compaction: flags, schedules: 1 })).rejects.toThrow(/told apart/)
  })
})
