import {
  CreateWorkGroupCommand,
  GetQueryResultsCommand,
  GetWorkGroupCommand,
  UpdateWorkGroupCommand,
} from '@aws-sdk/client-athena'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type AthenaServer, startAthena } from './athena-server'

let athena: AthenaServer
beforeAll(async () => {
  athena = await startAthena()
})
afterAll(() => athena.close())

const files = (folder: string) => athena.files.list('lake', folder).map(({ key }) => key)

describe('INSERT INTO', () => {
  test('adds objects and the partitions that are new; a partition keeps its own place', async () => {
    await athena.ok(
      "CREATE EXTERNAL TABLE parts (n int, s string) PARTITIONED BY (dt date, k int) STORED AS PARQUET LOCATION 's3://lake/parts/'",
    )
    await athena.ok("ALTER TABLE parts ADD PARTITION (dt='2026-01-01', k=1) LOCATION 's3://lake/elsewhere/'")
    const inserted = await athena.ok(
      "INSERT INTO parts VALUES (1, 'a', DATE '2026-01-01', 1), (2, 'b', DATE '2026-01-02', 2), (3, NULL, DATE '2026-01-02', NULL)",
    )
    const { UpdateCount, ResultSet } = await athena.client.send(
      new GetQueryResultsCommand({ QueryExecutionId: inserted.QueryExecutionId, QueryResultType: 'DATA_MANIFEST' }),
    )
    expect(UpdateCount).toBe(3)
    expect(ResultSet?.Rows).toHaveLength(3)
    expect(files('elsewhere/')).toHaveLength(1)
    expect(files('parts/').map((key) => key.slice(0, key.lastIndexOf('/')))).toEqual([
      'parts/dt=2026-01-02/k=2',
      'parts/dt=2026-01-02/k=__HIVE_DEFAULT_PARTITION__',
    ])
    expect(await athena.rows('SELECT n, s, dt, k FROM parts ORDER BY n')).toEqual([
      ['1', 'a', '2026-01-01', '1'],
      ['2', 'b', '2026-01-02', '2'],
      ['3', null, '2026-01-02', null],
    ])
    await athena.ok("INSERT INTO parts (k, dt, n) SELECT 9, DATE '2026-01-03', 4")
    expect(await athena.rows("SELECT n, s, k FROM parts WHERE dt = DATE '2026-01-03'")).toEqual([['4', null, '9']])
  })

  test('refuses what does not fit, as Athena does or by name', async () => {
    await athena.ok("CREATE EXTERNAL TABLE plain (a int, b string) STORED AS PARQUET LOCATION 's3://lake/plain/'")
    await athena.ok("CREATE EXTERNAL TABLE text (a int) LOCATION 's3://lake/text/'")
    expect(await athena.failure("INSERT INTO plain VALUES ('x', 'y')")).toContain(
      'Insert query has mismatched column types: Table: [integer, varchar], Query: [varchar(1), varchar(1)]',
    )
    expect(await athena.failure('INSERT INTO plain SELECT 1')).toContain('mismatched column types')
    expect(await athena.failure('INSERT INTO plain (a, zz) SELECT 1, 2')).toContain('does not exist in target table: zz')
    expect(await athena.failure('INSERT INTO plain (a, a) SELECT 1, 2')).toContain('specified more than once: a')
    expect(await athena.failure('INSERT INTO text VALUES (1)')).toMatch(
      /NOT_SUPPORTED_LOCALLY: INSERT INTO a table with the SerDe/,
    )
    await athena.ok("CREATE TABLE bucketed WITH (bucketed_by = ARRAY['a'], bucket_count = 2) AS SELECT 1 AS a")
    expect(await athena.failure('INSERT INTO bucketed VALUES (2)')).toContain('not supported on bucketed tables')
    expect(files('plain/')).toEqual([])
  })
})

describe('UNLOAD and CTAS', () => {
  test('write at most 100 partitions × buckets, and only to an empty folder', async () => {
    const many = (count: number) => `SELECT x, x AS p FROM UNNEST(sequence(1, ${count})) t(x)`
    await athena.ok(`UNLOAD (${many(100)}) TO 's3://lake/unload/' WITH (format = 'PARQUET', partitioned_by = ARRAY['p'])`)
    expect(files('unload/')).toHaveLength(100)
    const again = `UNLOAD (${many(1)}) TO 's3://lake/unload/' WITH (format = 'PARQUET')`
    expect(await athena.failure(again)).toMatch(/^HIVE_PATH_ALREADY_EXISTS: .*s3:\/\/lake\/unload\//)
    const toMany = (count: number) =>
      `CREATE TABLE many WITH (partitioned_by = ARRAY['p'], external_location = 's3://lake/many/') AS ${many(count)}`
    expect(await athena.failure(toMany(101))).toMatch(/^HIVE_TOO_MANY_OPEN_PARTITIONS/)
    expect(files('many/')).toEqual([])
    await athena.ok("UNLOAD (SELECT 1 AS a WHERE false) TO 's3://lake/nothing/' WITH (format = 'PARQUET')")
    expect(files('nothing/')).toEqual([])
    expect(await athena.failure("UNLOAD (SELECT 1 AS a) TO 's3://lake/x/' WITH (format = 'AVRO')")).toContain(
      'UNLOAD format AVRO',
    )
    expect(await athena.failure("UNLOAD (SELECT 1 AS a) TO 's3://lake/x/'")).toContain('UNLOAD needs the property format')
    expect(await athena.failure("UNLOAD (SELECT 1) TO 's3://lake/x/' WITH (format = 'PARQUET')")).toContain(
      'Column name not specified',
    )
  })
})

test('a query that would scan more than its workgroup allows is cancelled, and says how much', async () => {
  await athena.files.put('lake', 'big/a', Buffer.alloc(10_000_001, 'x'))
  await athena.ok("CREATE EXTERNAL TABLE big (s string) PARTITIONED BY (dt string) LOCATION 's3://lake/big/'")
  await athena.ok(
    "ALTER TABLE big ADD PARTITION (dt='1') LOCATION 's3://lake/big/' PARTITION (dt='2') LOCATION 's3://lake/none/'",
  )
  await athena.client.send(
    new CreateWorkGroupCommand({ Name: 'thrifty', Configuration: { BytesScannedCutoffPerQuery: 10_000_000 } }),
  )
  const { WorkGroup } = await athena.client.send(new GetWorkGroupCommand({ WorkGroup: 'thrifty' }))
  expect(WorkGroup?.Configuration?.BytesScannedCutoffPerQuery).toBe(10_000_000)
  const input = { WorkGroup: 'thrifty' }
  const cut = await athena.run('SELECT count(*) FROM big', input)
  expect(cut.Status).toMatchObject({ State: 'CANCELLED', StateChangeReason: 'Bytes scanned limit was exceeded' })
  expect(cut.Statistics?.DataScannedInBytes).toBe(10_000_001)
  expect(await athena.rows("SELECT count(*) FROM big WHERE dt = '2'", input)).toEqual([['0']])
  await athena.client.send(
    new UpdateWorkGroupCommand({ WorkGroup: 'thrifty', ConfigurationUpdates: { RemoveBytesScannedCutoffPerQuery: true } }),
  )
  expect(await athena.rows('SELECT count(*) FROM big', input)).toEqual([['1']])
  const tooLow = new UpdateWorkGroupCommand({ WorkGroup: 'thrifty', ConfigurationUpdates: { BytesScannedCutoffPerQuery: 1 } })
  await expect(athena.client.send(tooLow)).rejects.toMatchObject({ name: 'InvalidRequestException' })
})
