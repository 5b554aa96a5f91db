import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type AthenaServer, startAthena } from './athena-server'

let athena: AthenaServer
beforeAll(async () => {
  athena = await startAthena()
  await athena.files.put('lake', 'csv/dt=a/x.csv', '1,one\n2,two\n')
  await athena.files.put('lake', 'csv/dt=b/y.csv', '3,three\n')
  await athena.ok(
    "CREATE EXTERNAL TABLE numbers (n int, name string) PARTITIONED BY (dt string) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 's3://lake/csv/'",
  )
  await athena.ok('MSCK REPAIR TABLE numbers')
})
afterAll(() => athena.close())

describe('a view', () => {
  test('is its query, read in its own database, with the columns it had when it was made', async () => {
    await athena.ok('CREATE DATABASE other')
    await athena.ok('CREATE VIEW big AS SELECT n, upper(name) AS "Name", dt FROM numbers WHERE n > 1')
    const other = { QueryExecutionContext: { Database: 'other' } }
    expect(await athena.rows('SELECT * FROM default.big ORDER BY n', other)).toEqual([
      ['2', 'TWO', 'a'],
      ['3', 'THREE', 'b'],
    ])
    expect(await athena.rows('SELECT b.name, count(*) FROM big AS b JOIN numbers USING (n) GROUP BY 1 ORDER BY 1')).toEqual([
      ['THREE', '1'],
      ['TWO', '1'],
    ])
    expect(await athena.failure('CREATE VIEW big AS SELECT 1 AS n')).toContain(
      "View already exists: 'awsdatacatalog.default.big'",
    )
    expect(await athena.failure('CREATE OR REPLACE VIEW numbers AS SELECT 1 AS n')).toContain('Table already exists')
    expect(await athena.failure('CREATE VIEW v AS SELECT n + 1 FROM numbers')).toContain(
      'Column name not specified at position 1',
    )
    expect(await athena.failure('CREATE VIEW v AS SELECT n, n FROM numbers')).toContain("'n' specified more than once")
    expect(await athena.failure('CREATE VIEW v AS SELECT missing FROM numbers')).toContain('COLUMN_NOT_FOUND')
    expect(await athena.failure('CREATE VIEW v AS SELECT current_timestamp AS t')).toContain('Unsupported Hive type')
  })

  test('is listed apart from tables, replaced in one step, and dropped', async () => {
    await athena.ok('CREATE OR REPLACE VIEW small AS SELECT n FROM numbers WHERE n = 1')
    await athena.ok('CREATE OR REPLACE VIEW small AS SELECT n FROM numbers WHERE n = 3')
    expect(await athena.rows('SELECT n FROM small')).toEqual([['3']])
    expect(await athena.rows("SHOW VIEWS IN default LIKE 'sm*'")).toEqual([['small']])
    expect(await athena.rows("SHOW TABLES 'small|numbers'")).toEqual([['numbers'], ['small']])
    expect(await athena.failure('DROP TABLE small')).toContain('Cannot drop a view with DROP TABLE')
    expect(await athena.failure('DROP VIEW numbers')).toContain('does not exist, but a table with that name exists')
    await athena.ok('DROP VIEW small')
    await athena.ok('DROP VIEW IF EXISTS small')
    expect(await athena.failure('SELECT * FROM small')).toContain('TABLE_NOT_FOUND')
  })

  test('over views prunes partitions as its own query says, and counts what is read once', async () => {
    await athena.ok("CREATE VIEW only_b AS SELECT n, dt FROM numbers WHERE dt = 'b'")
    await athena.ok('CREATE VIEW twice AS SELECT n FROM only_b UNION ALL SELECT n FROM only_b')
    const execution = await athena.ok('SELECT sum(n) FROM twice')
    expect(execution.Statistics?.DataScannedInBytes).toBe(2 * '3,three\n'.length)
    expect(await athena.rows('SELECT sum(n) FROM twice')).toEqual([['6']])
  })

  test('that no longer fits what it reads fails, and says which view', async () => {
    await athena.ok("CREATE EXTERNAL TABLE changing (n int) LOCATION 's3://lake/none/'")
    await athena.ok('CREATE VIEW over_it AS SELECT * FROM changing')
    await athena.ok('DROP TABLE changing')
    expect(await athena.failure('SELECT * FROM over_it')).toMatch(
      /INVALID_VIEW: .*'awsdatacatalog.default.over_it'.*does not exist/,
    )
    await athena.ok("CREATE EXTERNAL TABLE changing (n string) LOCATION 's3://lake/none/'")
    expect(await athena.failure('SELECT * FROM over_it')).toMatch(
      /VIEW_IS_STALE: line 1:15: View 'awsdatacatalog.default.over_it' is stale.*varchar.*integer/,
    )
    await athena.ok('CREATE VIEW a AS SELECT n FROM numbers')
    await athena.ok('CREATE VIEW b AS SELECT n FROM a')
    await athena.ok('CREATE OR REPLACE VIEW a AS SELECT n FROM b')
    expect(await athena.failure('SELECT * FROM a')).toContain('VIEW_IS_RECURSIVE')
  })
})
