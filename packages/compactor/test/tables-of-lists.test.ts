import { sql } from '@pipe/athena-query'
import { column } from '@pipe/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { athenaEngine, type Compaction, type CompactionOptions, createCompactor, inProcessEngine } from '../src/index'
import { collectGarbage, repair } from '../src/maintenance'
import { keyOf, type Lake, type LakeServer, line, putLines, startLakes } from './lake'

let server: LakeServer
beforeAll(async () => {
  server = await startLakes()
})
afterAll(() => server.close())

const at = new Date('2026-11-24T15:35:00Z')

async function start(engine: 'athena' | 'in-process', options: Partial<CompactionOptions>, inputList?: 'symlink') {
  const lake: Lake = await server.lake()
  const compaction: Compaction = lake.compaction(options)
  const athena = await lake.athena(compaction)
  const client = lake.client()
  const made = engine === 'athena' ? athenaEngine({ athena, ...(inputList && { inputList }) }) : inProcessEngine()
  const compactor = createCompactor({ compaction, engine: made, athena, client })
  const metrics = async () => {
    const query = athena.query(sql`SELECT metric FROM ${compaction.compacted} ORDER BY 1`, {
      returns: { metric: column.double() },
    })
    return (await query.rows()).map(({ metric }) => metric)
  }
  const tables = async () => (await athena.query(sql`SHOW TABLES`, { returns: { tab_name: column.string() } }).rows()).length
  return { lake, compaction, athena, client, compactor, metrics, tables }
}

const put = (lake: Lake, minute: string, index: number, ...metrics: number[]) =>
  putLines(
    lake.raw,
    keyOf(minute, index),
    metrics.map((metric) => line(minute, 'd1', metric)),
  )

describe('on the local Athena', () => {
  it('reads a list of objects, with objects that it cannot be trusted with', async () => {
    const { lake, compactor, metrics, tables } = await start('athena', {}, 'symlink')
    await put(lake, '2026-11-24T15:30:00Z', 0, 1, 2)
    await put(lake, '2026-11-24T15:31:00Z', 0, 3)
    await putLines(lake.raw, keyOf('2026-11-24T15:32:00Z'), ['noise', line('2026-11-24T15:32:00Z', 'd1', 4)])
    await putLines(lake.raw, keyOf('2026-11-24T15:33:00Z'), Array(50).fill(line('2026-11-24T15:33:00Z', 'd1', 5)), {
      bytes: (gz) => gz.subarray(0, gz.length - 20),
    })
    const result = await compactor.run({ at })
    expect(result).toMatchObject({ outcome: 'committed', inputRows: 55 })
    expect(result.outputRows + result.quarantinedRows).toBe(55)
    expect((await metrics()).filter((metric) => metric < 5)).toEqual([1, 2, 3, 4])
    expect(await tables()).toBe(2)
    await lake.close()
  }, 240_000)

  it.each(['athena', 'in-process'] as const)(
    'shows each row once while an hour is recompacted and rolled up (%s)',
    async (engine) => {
      const { lake, compaction, athena, client, compactor, metrics, tables } = await start(engine, { publish: 'manifest' })
      await put(lake, '2026-11-24T15:25:00Z', 0, 1)
      await put(lake, '2026-11-24T15:30:00Z', 0, 2, 3)
      await compactor.run({ at })
      expect(await metrics()).toEqual([1, 2, 3])
      const hour = new Date('2026-11-24T16:00:00Z')
      expect(await compactor.rollUp({ at: hour })).toMatchObject({ outcome: 'committed', filesBefore: 2, filesAfter: 1, rows: 3 })
      expect(await metrics()).toEqual([1, 2, 3])
      await put(lake, '2026-11-24T15:31:00Z', 3, 4)
      expect(await compactor.run({ at })).toMatchObject({ outcome: 'committed', seq: 1 })
      expect(await metrics()).toEqual([1, 2, 3, 4])
      expect(await compactor.rollUp({ at: hour })).toMatchObject({ outcome: 'committed', filesBefore: 2, rows: 4 })
      expect(await metrics()).toEqual([1, 2, 3, 4])
      expect(await tables()).toBe(2)
      await athena.execute(`ALTER TABLE ${compaction.compacted.name} DROP PARTITION (dt = '2026-11-24', hour = '15')`)
      expect(await metrics()).toEqual([])
      expect(await repair({ compaction, athena, client, apply: true })).toMatchObject({ added: ['2026-11-24/15'], lists: 1 })
      expect(await metrics()).toEqual([1, 2, 3, 4])
      expect(await collectGarbage({ compaction, athena, client })).toMatchObject({ objects: 0, tables: [] })
      await lake.close()
    },
    240_000,
  )

  it.each(['athena', 'in-process'] as const)(
    'keeps one of the rows that are equal by key, the same with each engine (%s)',
    async (engine) => {
      const { lake, compactor, metrics } = await start(engine, { dedupe: { by: ['device_name', 'timestamp'] } })
      await put(lake, '2026-11-24T15:30:00Z', 0, 7, 5, 5)
      await put(lake, '2026-11-24T15:31:00Z', 0, 6)
      await putLines(lake.raw, keyOf('2026-11-24T15:32:00Z'), ['noise', line('2026-11-24T15:30:00Z', 'd1', 9)])
      const result = await compactor.run({ at })
      expect(result).toMatchObject({ inputRows: 6, outputRows: 2, duplicateRows: 3, quarantinedRows: 1 })
      expect(await metrics()).toEqual([5, 6])
      expect(await compactor.verify('20261124T1530Z')).toMatchObject({ ok: true, duplicateRows: 3 })
      await lake.close()
    },
    240_000,
  )
})
