import { parseUnreadableRows } from '@pipe/core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createQuarantine } from '../src/quarantine'
import { type Lake, type LakeServer, startLakes } from './lake'

let server: LakeServer
let lake: Lake
beforeAll(async () => {
  server = await startLakes()
  lake = await server.lake()
})
afterAll(async () => {
  await lake.close()
  await server.close()
})

it('writes nothing when there is nothing', async () => {
  const quarantine = createQuarantine()
  expect(await quarantine.save(lake.compacted, 'none', undefined)).toBeUndefined()
  expect(await lake.compacted.head('none')).toBeUndefined()
  quarantine.dispose()
})

it.each([3, 40_000])('keeps %i entries, in memory or on disk', async (count) => {
  const quarantine = createQuarantine()
  for (let line = 1; line <= count; line++)
    quarantine.add({ file: 's3://lake/a', line, offset: 0, reason: 'noise', raw: 'x'.repeat(500), rows: 1 })
  quarantine.add({ file: 's3://lake/b', reason: 'cut', rows: 7 })
  expect(quarantine.rows).toBe(count + 7)
  expect(await quarantine.save(lake.compacted, `q-${count}`, undefined)).toEqual({ key: `q-${count}`, rows: count + 7 })
  const entries = parseUnreadableRows(await (await lake.compacted.get(`q-${count}`))!.text())
  expect(entries).toHaveLength(count + 1)
  expect(entries.map(({ line }) => line)).toEqual([...Array.from({ length: count }, (_, i) => i + 1), undefined])
  quarantine.dispose()
  quarantine.dispose()
})
