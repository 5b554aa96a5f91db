import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { SelectEngine } from '../../src/athena/query-engine'
import * as selectEngine from '../../src/athena/select-engine'
import { type AthenaServer, startAthena } from './athena-server'

vi.mock('../../src/athena/select-engine', async (original) => {
  const actual = await original<typeof selectEngine>()
  return { ...actual, createSelectEngine: vi.fn(actual.createSelectEngine) }
})

let athena: AthenaServer
let engine: SelectEngine
let outside: string
beforeAll(async () => {
  athena = await startAthena()
  outside = await mkdtemp(join(tmpdir(), 'pipe-outside-'))
  writeFileSync(join(outside, 'secret.csv'), 'a\n1\n')
  await athena.ok('SELECT 1')
  engine = (await vi.mocked(selectEngine.createSelectEngine).mock.results[0]?.value) as SelectEngine
})
afterAll(async () => {
  await athena.close()
  await rm(outside, { recursive: true })
})

test('tables, results and CTAS work inside the folders of the runtime', async () => {
  await athena.ok('CREATE DATABASE d')
  await athena.files.put('lake', 'in/a.json', '{"a":1}\n{"a":2}\n')
  await athena.ok(
    `CREATE EXTERNAL TABLE d.t (a int) ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' LOCATION 's3://lake/in/'`,
  )
  await athena.ok(`CREATE TABLE d.p WITH (format = 'PARQUET', external_location = 's3://lake/out/') AS SELECT a FROM d.t`)
  expect(await athena.rows('SELECT sum(a) FROM d.p')).toEqual([['3']])
})

test('nothing else of this machine is in the reach of DuckDB', async () => {
  const secret = join(outside, 'secret.csv')
  const statements = [
    `SELECT * FROM read_csv('${secret}')`,
    `SELECT * FROM '${secret}'`,
    `SELECT * FROM read_text('${athena.dir}/../${outside.split('/').pop()}/secret.csv')`,
    `SELECT * FROM read_text('${athena.dir}/athena/scratch/../../../${outside.split('/').pop()}/secret.csv')`,
    `SELECT * FROM glob('${outside}/*')`,
    `COPY (SELECT 1) TO '${join(outside, 'written.csv')}'`,
    `ATTACH '${join(outside, 'x.db')}'`,
    `SELECT * FROM read_text('${join(athena.dir, 'athena', 'catalog.json')}')`,
    `INSTALL httpfs`,
    `LOAD '${join(outside, 'x.duckdb_extension')}'`,
    `SET allowed_directories = ['/']`,
  ]
  for (const sql of statements) await expect(engine.execute(sql, {}), sql).rejects.toThrow()
})

test('a path in a statement is a name that does not exist, or a function that is refused', async () => {
  const secret = join(outside, 'secret.csv')
  expect(await athena.failure(`SELECT * FROM "${secret}"`)).toMatch(/^(SCHEMA|TABLE)_NOT_FOUND: /)
  expect(await athena.failure(`SELECT * FROM '${secret}'`)).toMatch(/line 1:15/)
  expect(await athena.failure(`SELECT * FROM read_text('${secret}')`)).not.toContain('1\\n')
  expect(await athena.failure(`SELECT read_text('${secret}')`)).toMatch(/^NOT_SUPPORTED_LOCALLY: function read_text\(\)/)
})
