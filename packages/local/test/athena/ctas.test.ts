import { readFileSync } from 'node:fs'
import { GetQueryResultsCommand } from '@aws-sdk/client-athena'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type AthenaServer, startAthena } from './athena-server'
import { createPlainEngine } from './plain-engine'

let athena: AthenaServer
let duckdb: DuckDBInstance
beforeAll(async () => {
  athena = await startAthena({ engine: createPlainEngine })
  duckdb = await DuckDBInstance.create(':memory:')
})
afterAll(async () => {
  duckdb.closeSync()
  await athena.close()
})

const objects = (prefix: string) => athena.files.list('lake', prefix)

test('one bucket: one file, a table with Hive types, a manifest, no result object', async () => {
  const execution = await athena.ok(
    `CREATE TABLE one WITH (format = 'parquet', parquet_compression = 'SNAPPY', external_location = 's3://lake/one', bucketed_by = ARRAY['Id'], bucket_count = 1)
     AS SELECT range AS id, 'x' || range AS "Name", CAST(range AS DOUBLE) AS score, TIMESTAMP '2026-11-24 00:00:00' AS at FROM range(1000)`,
  )
  const id = execution.QueryExecutionId as string
  expect(execution).toMatchObject({ StatementType: 'DDL', SubstatementType: 'CREATE_TABLE_AS_SELECT' })
  expect(execution.ResultConfiguration?.OutputLocation).toBe(`s3://results/out/${id}`)
  expect(execution.Statistics?.DataManifestLocation).toBe(`s3://results/out/${id}-manifest.csv`)
  const files = objects('one/')
  expect(files).toHaveLength(1)
  expect(files[0]?.key).toMatch(/^one\/\d{8}_\d{6}_.*_bucket-00000$/)
  expect(readFileSync(athena.files.head('results', `out/${id}-manifest.csv`)?.file as string, 'utf8')).toBe(
    `s3://lake/${files[0]?.key}\n`,
  )
  expect(athena.files.head('results', `out/${id}.metadata`)).toBeDefined()
  expect(athena.files.head('results', `out/${id}.csv`)).toBeUndefined()

  const results = await athena.client.send(new GetQueryResultsCommand({ QueryExecutionId: id }))
  expect(results.UpdateCount).toBe(1000)
  expect(results.ResultSet?.Rows).toEqual([])
  expect(results.ResultSet?.ResultSetMetadata?.ColumnInfo).toMatchObject([{ Name: 'rows', Type: 'bigint' }])
  const manifest = await athena.client.send(
    new GetQueryResultsCommand({ QueryExecutionId: id, QueryResultType: 'DATA_MANIFEST' }),
  )
  expect(manifest.ResultSet?.Rows).toEqual([{ Data: [{ VarCharValue: `s3://lake/${files[0]?.key}` }] }])

  const { GetTableMetadataCommand } = await import('@aws-sdk/client-athena')
  const { TableMetadata } = await athena.client.send(
    new GetTableMetadataCommand({ CatalogName: 'AwsDataCatalog', DatabaseName: 'default', TableName: 'one' }),
  )
  expect(TableMetadata?.Columns).toEqual([
    { Name: 'id', Type: 'bigint' },
    { Name: 'name', Type: 'string' },
    { Name: 'score', Type: 'double' },
    { Name: 'at', Type: 'timestamp' },
  ])
  expect(await codecs(files[0]?.file as string)).toEqual(['SNAPPY'])
  expect(await athena.rows('SELECT count(*) AS n, sum(id) AS s, max(name) AS m FROM one')).toEqual([['1000', '499500', 'x999']])
})

async function codecs(file: string): Promise<unknown[]> {
  const connection = await duckdb.connect()
  const read = await connection.runAndReadAll(`SELECT DISTINCT compression FROM parquet_metadata('${file}')`)
  connection.closeSync()
  return read.getRows().map(([codec]) => codec)
}

test.each([
  ["parquet_compression = 'GZIP'", 'GZIP'],
  ["write_compression = 'ZSTD'", 'ZSTD'],
  ["write_compression = 'NONE'", 'UNCOMPRESSED'],
  ["format = 'PARQUET'", 'GZIP'],
])('compression: %s', async (property, codec) => {
  const name = `c${codec}${property.length}`
  await athena.ok(`CREATE TABLE ${name} WITH (${property}, external_location = 's3://lake/${name}/') AS SELECT 1 AS a`)
  expect(await codecs(objects(`${name}/`)[0]?.file as string)).toEqual([codec])
})

test('several buckets: no more files than buckets, equal keys in one, none for an empty one', async () => {
  await athena.ok(
    "CREATE TABLE four WITH (bucketed_by = ARRAY['k'], bucket_count = 4, external_location = 's3://lake/four/') AS SELECT range % 3 AS k, range AS v FROM range(300)",
  )
  const files = objects('four/')
  expect(files.length).toBeGreaterThan(0)
  expect(files.length).toBeLessThanOrEqual(3)
  expect(await athena.rows('SELECT k, count(DISTINCT "$path") AS files, count(*) AS n FROM four GROUP BY k ORDER BY k')).toEqual([
    ['0', '1', '100'],
    ['1', '1', '100'],
    ['2', '1', '100'],
  ])
})

test('without external_location the data lies below the result location', async () => {
  const { QueryExecutionId } = await athena.ok('CREATE TABLE inside AS SELECT 1 AS a')
  expect(athena.files.list('results', `out/tables/${QueryExecutionId}/`)).toHaveLength(1)
  expect(await athena.rows('SELECT a FROM inside')).toEqual([['1']])
})

test('no rows, or WITH NO DATA: a table without files', async () => {
  await athena.ok("CREATE TABLE nothing WITH (external_location = 's3://lake/nothing/') AS SELECT 1 AS a WHERE false")
  await athena.ok("CREATE TABLE no_data WITH (external_location = 's3://lake/nothing/') AS SELECT 1 AS a, 2 AS b WITH NO DATA")
  expect(objects('nothing/')).toEqual([])
  expect(await athena.rows('SELECT a FROM nothing')).toEqual([])
  expect(await athena.rows('SELECT a, b FROM no_data')).toEqual([])
})

test('a target that is not empty, and a table that exists', async () => {
  await athena.files.put('lake', 'full/_anything', 'x')
  expect(await athena.failure("CREATE TABLE full_one WITH (external_location = 's3://lake/full/') AS SELECT 1 AS a")).toMatch(
    /^HIVE_PATH_ALREADY_EXISTS: Target directory for table 'default.full_one' already exists: s3:\/\/lake\/full\//,
  )
  await athena.ok('CREATE TABLE twice AS SELECT 1 AS a')
  expect(await athena.failure('CREATE TABLE twice AS SELECT 2 AS a')).toMatch(
    /^TABLE_ALREADY_EXISTS: .*'awsdatacatalog.default.twice' already exists/,
  )
  const again = await athena.ok('CREATE TABLE IF NOT EXISTS twice AS SELECT 2 AS a')
  const results = await athena.client.send(new GetQueryResultsCommand({ QueryExecutionId: again.QueryExecutionId }))
  expect(results.UpdateCount).toBe(0)
  expect(await athena.rows('SELECT a FROM twice')).toEqual([['1']])
})

test('many at once: one table', async () => {
  const runs = await Promise.all(Array.from({ length: 8 }, () => athena.run('CREATE TABLE raced AS SELECT 1 AS a')))
  expect(runs.filter(({ Status }) => Status?.State === 'SUCCEEDED')).toHaveLength(1)
  for (const { Status } of runs)
    if (Status?.State !== 'SUCCEEDED') expect(Status?.StateChangeReason).toMatch(/^TABLE_ALREADY_EXISTS/)
  expect(await athena.rows('SELECT a FROM raced')).toEqual([['1']])
})

test('a query that fails leaves no table', async () => {
  expect(
    await athena.failure(
      "CREATE TABLE broken WITH (external_location = 's3://lake/broken/') AS SELECT CAST('x' AS INTEGER) AS a",
    ),
  ).not.toBe('')
  expect(await athena.failure('SELECT * FROM broken')).toMatch(/TABLE_NOT_FOUND/)
})

test.each([
  ['CREATE TABLE x AS SELECT 1 AS _col0', /^COLUMN_NAME_NOT_SPECIFIED: line 1:1: Column name not specified at position 1/],
  ['CREATE TABLE x AS SELECT 1 AS a, 2 AS "A"', /^DUPLICATE_COLUMN_NAME: .*'a'/],
  ["CREATE TABLE x AS SELECT TIME '01:00:00' AS a", /^NOT_SUPPORTED: Unsupported Hive type: time/],
  ["CREATE TABLE x WITH (format = 'ORC') AS SELECT 1 AS a", /^NOT_SUPPORTED_LOCALLY: CTAS format ORC/],
  [
    "CREATE TABLE x WITH (partitioned_by = ARRAY['a']) AS SELECT 1 AS a",
    /^INVALID_TABLE_PROPERTY: Table contains only partition/,
  ],
  ["CREATE TABLE x WITH (partitioned_by = ARRAY['a']) AS SELECT 1 AS a, 2 AS b", /^HIVE_COLUMN_ORDER_MISMATCH: .*\[a\]/],
  ["CREATE TABLE x WITH (parquet_compression = 'LZO') AS SELECT 1 AS a", /^NOT_SUPPORTED_LOCALLY: CTAS Parquet compression LZO/],
  ["CREATE TABLE x WITH (parquet_compression = 'GZIP', write_compression = 'GZIP') AS SELECT 1 AS a", /only one of/],
  ["CREATE TABLE x WITH (bucketed_by = ARRAY['b'], bucket_count = 2) AS SELECT 1 AS a", /Bucketing columns \[b\] not present/],
  ['CREATE TABLE x WITH (bucket_count = 2) AS SELECT 1 AS a', /must be given together/],
  ["CREATE TABLE x WITH (bucketed_by = ARRAY['a'], bucket_count = 101) AS SELECT 1 AS a", /^HIVE_TOO_MANY_OPEN_PARTITIONS/],
  ["CREATE TABLE x WITH (external_location = 's3://missing/') AS SELECT 1 AS a", /bucket does not exist: missing/],
  ['CREATE TABLE nowhere.x AS SELECT 1 AS a', /^SCHEMA_NOT_FOUND/],
])('%s', async (sql, error) => {
  expect(await athena.failure(sql)).toMatch(error)
  expect(await athena.rows("SHOW TABLES 'x'")).toEqual([])
})
