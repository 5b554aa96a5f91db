import { sql, unsafeRaw } from '@pipe/athena-query'
import { column, defineTable } from '@pipe/core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import {
  type CompactionOptions,
  createCompactor,
  defineCompaction,
  inProcessEngine,
  liveViewDdl,
  liveViewSql,
  refreshLiveView,
} from '../src/index'
import { keyOf, type LakeServer, line, putLines, startLakes } from './lake'

let server: LakeServer
beforeAll(async () => {
  server = await startLakes()
})
afterAll(() => server.close())

async function start(options: Partial<CompactionOptions>) {
  const lake = await server.lake()
  const compaction = lake.compaction(options)
  const athena = await lake.athena(compaction)
  for (const statement of liveViewDdl(compaction)) await athena.execute(statement)
  const client = lake.client()
  const compactor = createCompactor({ compaction, engine: inProcessEngine(), athena, client })
  const metricsOf = async (table: string) => {
    const query = athena.query(sql`SELECT metric FROM ${unsafeRaw(table)} ORDER BY 1`, { returns: { metric: column.double() } })
    return (await query.rows()).map(({ metric }) => metric)
  }
  return {
    lake,
    put: (minute: string, index: number, ...metrics: number[]) =>
      putLines(
        lake.raw,
        keyOf(minute, index),
        metrics.map((metric) => line(minute, 'd1', metric)),
      ),
    run: (at: string) => compactor.run({ at: new Date(at) }),
    refresh: async (at: string) =>
      (await refreshLiveView({ compaction, athena, at: new Date(at), client })).openFrom.toISOString().slice(11, 16),
    live: () => metricsOf('device_logs_live'),
    compacted: () => metricsOf('device_logs_compacted'),
  }
}

it('shows every row once, at every step between its object and its commit; compacted-only readers wait', async () => {
  const { lake, put, run, refresh, live, compacted } = await start({})
  await put('2026-11-24T15:58:00Z', 0, 1, 2)
  await put('2026-11-24T16:01:00Z', 0, 3)
  expect(await refresh('2026-11-24T16:00:00Z')).toBe('15:55')
  expect(await live()).toEqual([1, 2, 3])
  expect(await compacted()).toEqual([])

  // Committed and published, and the view has not moved yet.
  await run('2026-11-24T16:00:00Z')
  expect(await live()).toEqual([1, 2, 3])
  expect(await compacted()).toEqual([1, 2])
  expect(await refresh('2026-11-24T16:00:00Z')).toBe('16:00')
  expect(await live()).toEqual([1, 2, 3])

  // An object of an open window is seen at once; a late one when it is compacted, and then once.
  await put('2026-11-24T16:06:00Z', 0, 4)
  await put('2026-11-24T15:57:00Z', 1, 5)
  expect(await live()).toEqual([1, 2, 3, 4])
  await run('2026-11-24T16:05:00Z')
  expect(await live()).toEqual([1, 2, 3, 4, 5])
  expect(await compacted()).toEqual([1, 2, 3, 5])
  expect(await refresh('2026-11-24T16:05:00Z')).toBe('16:05')
  expect(await live()).toEqual([1, 2, 3, 4, 5])

  // Retired sources are not missed, windows without objects do not hold the view up, and it never moves back.
  for (const key of [keyOf('2026-11-24T15:58:00Z'), keyOf('2026-11-24T16:01:00Z')]) await lake.raw.delete(key)
  await run('2026-11-24T16:10:00Z')
  expect(await refresh('2026-11-24T18:00:00Z')).toBe('18:00')
  expect(await refresh('2026-11-24T16:10:00Z')).toBe('18:00')
  expect(await live()).toEqual([1, 2, 3, 4, 5])
  await lake.close()
}, 240_000)

it('stops before a gap, and shows of open windows the rows that SQL reads with certainty', async () => {
  const { lake, put, run, refresh, live, compacted } = await start({ sweep: 0 })
  await put('2026-11-24T15:30:00Z', 0, 1)
  await putLines(lake.raw, keyOf('2026-11-24T15:36:00Z'), ['noise', line('2026-11-24T15:36:00Z', 'd1', 2)])
  await run('2026-11-24T15:40:00Z')
  expect(await compacted()).toEqual([2])
  expect(await refresh('2026-11-24T15:40:00Z')).toBe('15:30')
  expect(await live()).toEqual([1, 2])
  await run('2026-11-24T15:35:00Z')
  expect(await refresh('2026-11-24T15:40:00Z')).toBe('15:40')
  expect(await live()).toEqual([1, 2])
  await lake.close()
}, 240_000)

it('with lists of files is cut between partitions', async () => {
  const { lake, put, run, refresh, live } = await start({ publish: 'manifest' })
  await put('2026-11-24T15:58:00Z', 0, 1)
  await put('2026-11-24T16:01:00Z', 0, 2)
  await put('2026-11-24T16:06:00Z', 0, 3)
  await run('2026-11-24T16:05:00Z')
  expect(await refresh('2026-11-24T16:05:00Z')).toBe('16:00')
  expect(await live()).toEqual([1, 2, 3])
  await lake.close()
}, 240_000)

it('is refused for rows that SQL cannot read from lines', () => {
  const nested = defineTable('t', { columns: { at: column.timestamp(), tags: column.array(column.string()) }, eventTime: 'at' })
  const places = { source: 's3://lake/raw/', target: 's3://lake/compacted/', window: '5 minutes' } as const
  const at = new Date('2026-11-24T15:30:00Z')
  expect(() => liveViewSql(defineCompaction({ table: nested, ...places }), at)).toThrow(/columns that SQL cannot read from lines/)
  const flat = defineTable('t', { columns: { at: column.timestamp(), name: column.string() }, eventTime: 'at' })
  expect(() => liveViewDdl(defineCompaction({ table: flat, ...places, format: 'csv' }))).toThrow(/is written as CSV/)
})
