import { afterAll, beforeAll, expect, test } from 'vitest'
import { type AthenaServer, startAthena } from './athena-server'

let athena: AthenaServer
const chunks: Record<string, number> = {}
let fileBytes = 0
beforeAll(async () => {
  athena = await startAthena()
  await athena.ok('CREATE DATABASE d')
  await athena.ok(
    `CREATE TABLE d.t WITH (format = 'PARQUET', external_location = 's3://lake/t/') AS
     SELECT n AS small, lpad('', 50, 'x') || CAST(n * 7919 AS varchar) AS wide, MAP(ARRAY['k'], ARRAY[n]) AS pairs
     FROM UNNEST(sequence(1, 5000)) AS s(n)`,
  )
  const { DuckDBInstance } = await import('@duckdb/node-api')
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const [object] = athena.files.list('lake', 't/')
  fileBytes = object?.size as number
  const rows = await connection.runAndReadAll(
    `SELECT split_part(path_in_schema, ',', 1), sum(total_compressed_size)::DOUBLE FROM parquet_metadata('${object?.file}') GROUP BY 1`,
  )
  for (const [name, bytes] of rows.getRows()) chunks[name as string] = bytes as number
  connection.closeSync()
  instance.closeSync()
})
afterAll(() => athena.close())

const scanned = async (sql: string) => (await athena.ok(sql)).Statistics?.DataScannedInBytes

test('only the chunks of the columns that a query names are scanned', async () => {
  const { small, wide, pairs } = chunks as { small: number; wide: number; pairs: number }
  expect(small + wide + pairs).toBeLessThan(fileBytes)
  expect(Math.min(small, wide, pairs)).toBeGreaterThan(0)
  expect(await scanned('SELECT sum(small) FROM d.t')).toBe(small)
  expect(await scanned('SELECT max(wide) FROM d.t')).toBe(wide)
  expect(await scanned(`SELECT max(pairs['k']) FROM d.t`)).toBe(pairs)
  expect(await scanned('SELECT small FROM d.t WHERE length(wide) > 3')).toBe(small + wide)
  expect(await scanned('SELECT * FROM d.t LIMIT 1')).toBe(small + wide + pairs)
  expect(await scanned('SELECT SMALL AS "wide" FROM d.t ORDER BY 1')).toBe(small)
  expect(await scanned(`SELECT 'r0.c1', small AS "r1.c1" FROM d.t`)).toBe(small)
  expect(await scanned('SELECT count(*) FROM d.t a JOIN d.t b USING (small)')).toBe(2 * small)
  expect(await scanned('SELECT a.small, b.wide FROM d.t a JOIN d.t b ON a.small = b.small')).toBe(2 * small + wide)
  expect(
    await scanned('WITH x AS (SELECT small FROM d.t) SELECT count(small) FROM x WHERE small IN (SELECT small FROM d.t)'),
  ).toBe(2 * small)
})

test('rows are counted and objects are named without reading a column', async () => {
  expect(await scanned('SELECT count(*) FROM d.t')).toBe(0)
  expect(await scanned('SELECT DISTINCT "$path" FROM d.t')).toBe(0)
})

test('a CTAS scans what its query does', async () => {
  const execution = await athena.ok(`CREATE TABLE d.copy WITH (format = 'PARQUET') AS SELECT wide FROM d.t`)
  expect(execution.Statistics?.DataScannedInBytes).toBe(chunks['wide'])
})
