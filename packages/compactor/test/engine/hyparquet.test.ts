import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { convertFiles } from '../../src/engine/convert'
import { openWriter } from '../../src/engine/open-writer'
import { deviceLogs } from '../lake'
import { parquetRows } from './exact-rows'
import { flatTable, hostileLines } from './hostile-lines'

let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'pipe-hyparquet-'))
})
afterAll(() => rm(dir, { recursive: true, force: true }))

it('writes what DuckDB writes, row by row', async () => {
  let run = 0
  await fc.assert(
    fc.asyncProperty(fc.array(hostileLines(flatTable, { maxLength: 12 }), { minLength: 1, maxLength: 4 }), async (files) => {
      const id = run++
      const paths: string[] = []
      for (const [i, lines] of files.entries()) {
        paths.push(join(dir, `${id}-${i}.ndjson`))
        await writeFile(paths[i]!, lines.map((text) => `${text}\n`).join(''))
      }
      const results: unknown[] = []
      for (const writer of ['duckdb', 'hyparquet'] as const) {
        const output = join(dir, `${id}-${writer}.parquet`)
        const { rows, unreadableRows } = await convertFiles({ table: flatTable, files: paths, output, writer })
        results.push({ rows, unreadableRows, content: rows > 0 ? await parquetRows(output, flatTable) : [] })
      }
      expect(results[1]).toEqual(results[0])
    }),
    { numRuns: 15 },
  )
}, 120_000)

it('cannot de-duplicate, and says so', async () => {
  const options = {
    table: deviceLogs,
    dedupeBy: ['device_name'],
    limits: { threads: 1, memoryLimitMb: 128 },
    tempDir: dir,
    signal: undefined,
  }
  await expect(openWriter('hyparquet', options)).rejects.toThrow(/PIPE_COMPACT_DUCKDB.*athenaEngine/)
})
