import { readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type AthenaServer, startAthena } from './athena-server'
import { createPlainEngine } from './plain-engine'

let athena: AthenaServer
beforeAll(async () => {
  athena = await startAthena({ engine: createPlainEngine })
})
afterAll(() => athena.close())

const csv = (name: string, columns = 'a int', tail = '') =>
  `CREATE EXTERNAL TABLE ${name} (${columns}) ${tail} ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 's3://lake/${name}/'`

describe('databases', () => {
  test('create, show, drop', async () => {
    const created = await athena.ok('CREATE DATABASE d1')
    expect(created).toMatchObject({ StatementType: 'DDL', SubstatementType: 'CREATE_DATABASE' })
    expect(created.ResultConfiguration?.OutputLocation).toMatch(/\.txt$/)
    await athena.ok('CREATE SCHEMA IF NOT EXISTS D1')
    expect(await athena.failure('CREATE DATABASE d1')).toMatch(/^FAILED: .*Database d1 already exists$/)
    await athena.ok('CREATE DATABASE d2')
    expect(await athena.rows('SHOW DATABASES')).toEqual([['d1'], ['d2'], ['default']])
    expect(await athena.rows("SHOW SCHEMAS LIKE 'd*1|default'")).toEqual([['d1'], ['default']])
    await athena.ok(csv('t'), { QueryExecutionContext: { Database: 'd1' } })
    expect(await athena.failure('DROP DATABASE d1')).toMatch(/Database d1 is not empty/)
    await athena.ok('DROP DATABASE d1 CASCADE')
    await athena.ok('DROP DATABASE d2 RESTRICT')
    await athena.ok('DROP DATABASE IF EXISTS d1')
    expect(await athena.failure('DROP DATABASE d1')).toMatch(/Database does not exist: d1/)
    expect(await athena.rows('SHOW DATABASES')).toEqual([['default']])
  })

  test('twenty at once: one is created', async () => {
    const states = await Promise.all(Array.from({ length: 20 }, () => athena.run('CREATE DATABASE race')))
    expect(states.filter(({ Status }) => Status?.State === 'SUCCEEDED')).toHaveLength(1)
  })

  test('a hyphen: an error without backticks, a name with them', async () => {
    expect(await athena.failure('CREATE DATABASE my-db')).toBe("FAILED: ParseException line 1:18 missing EOF at '-' near 'my'")
    await athena.ok('CREATE DATABASE `my-db`')
    await athena.ok('DROP DATABASE `my-db`')
  })
})

describe('tables', () => {
  test('create, show, drop', async () => {
    await athena.ok('CREATE DATABASE tables')
    const context = { QueryExecutionContext: { Database: 'tables' } }
    await athena.ok(csv('Logs_A'), context)
    await athena.ok(csv('logs_b'), context)
    await athena.ok(csv('other'), context)
    expect(await athena.failure(csv('other'), context)).toMatch(/AlreadyExistsException\(message:Table other already exists\.\)/)
    await athena.ok(csv('other').replace('TABLE other', 'TABLE IF NOT EXISTS other'), context)
    const shown = await athena.ok("SHOW TABLES IN tables 'logs*'")
    expect(shown).toMatchObject({ StatementType: 'UTILITY', SubstatementType: 'SHOW_TABLES' })
    const object = athena.files.head('results', `out/${shown.QueryExecutionId}.txt`)
    expect(readFileSync(object?.file as string, 'utf8')).toBe('logs_a\nlogs_b\n')
    expect(await athena.rows('SHOW TABLES', context)).toEqual([['logs_a'], ['logs_b'], ['other']])
    await athena.ok('DROP TABLE tables.other')
    await athena.ok('DROP TABLE IF EXISTS tables.other')
    expect(await athena.failure('DROP TABLE tables.other')).toMatch(/Table not found other/)
    expect(await athena.failure('SHOW TABLES IN nowhere')).toMatch(/Database does not exist: nowhere/)
    expect(await athena.failure('CREATE EXTERNAL TABLE nowhere.t (a int) LOCATION "s3://lake/"')).toMatch(
      /Database does not exist: nowhere/,
    )
  })

  test.each([
    ['CREATE EXTERNAL TABLE x (a int, A string) LOCATION "s3://lake/x/"', /Duplicate column name: a/],
    ['CREATE EXTERNAL TABLE x (a int) PARTITIONED BY (a string) LOCATION "s3://lake/x/"', /Duplicate column name: a/],
    ['CREATE EXTERNAL TABLE x (a int) PARTITIONED BY (b array<int>) LOCATION "s3://lake/x/"', /primitive type/],
    ['CREATE EXTERNAL TABLE x (a int) LOCATION "http://lake/x/"', /not of the form s3:/],
    ['CREATE EXTERNAL TABLE x (a int) LOCATION "s3://lake/x/*.gz"', /wildcard/],
  ])('%s', async (sql, error) => {
    expect(await athena.failure(sql)).toMatch(error)
  })
})

describe('partitions', () => {
  beforeAll(() => athena.ok(csv('parts', 'a int', 'PARTITIONED BY (dt string, hour int)')))

  test('add, show, drop', async () => {
    await athena.ok(
      "ALTER TABLE parts ADD PARTITION (dt='a:b', hour=1) PARTITION (dt='a', hour='02') LOCATION 's3://lake/elsewhere'",
    )
    expect(await athena.failure("ALTER TABLE parts ADD PARTITION (hour=1, dt='a:b')")).toMatch(
      /Partition already exists: dt=a%3Ab\/hour=1/,
    )
    expect(await athena.failure("ALTER TABLE parts ADD PARTITION (dt='n', hour=3) PARTITION (dt='n', hour=3)")).toMatch(
      /already exists/,
    )
    await athena.ok("ALTER TABLE parts ADD IF NOT EXISTS PARTITION (dt='a:b', hour=1) PARTITION (dt='a', hour=10)")
    const shown = await athena.ok('SHOW PARTITIONS parts')
    expect(shown).toMatchObject({ StatementType: 'UTILITY', SubstatementType: 'SHOW_PARTITIONS' })
    expect(await athena.rows('SHOW PARTITIONS parts')).toEqual([['dt=a/hour=10'], ['dt=a/hour=2'], ['dt=a%3Ab/hour=1']])
    await athena.files.put('lake', 'parts/dt=a%3Ab/hour=1/x', '7\n')
    await athena.files.put('lake', 'elsewhere/x', '8\n')
    expect(await athena.rows('SELECT a, dt, hour FROM parts ORDER BY 1')).toEqual([
      ['7', 'a:b', '1'],
      ['8', 'a', '2'],
    ])
    // A spec that names only some keys drops all that fit.
    await athena.ok("ALTER TABLE parts DROP PARTITION (dt='a')")
    expect(await athena.rows('SHOW PARTITIONS parts')).toEqual([['dt=a%3Ab/hour=1']])
    expect(await athena.failure("ALTER TABLE parts DROP PARTITION (dt='a')")).toMatch(/Partition not found \(dt=a\)/)
    await athena.ok("ALTER TABLE parts DROP IF EXISTS PARTITION (dt='a'), PARTITION (dt='a:b', hour=1)")
    expect(await athena.rows('SHOW PARTITIONS parts')).toEqual([])
  })

  test.each([
    ["ALTER TABLE parts ADD PARTITION (dt='a')", /does not name every partition column/],
    ["ALTER TABLE parts ADD PARTITION (dt='a', hour='x')", /'x' is not a int, the type of partition column hour/],
    ["ALTER TABLE parts ADD PARTITION (dt='a', hour=1, a=2)", /Non-Partition column appears in the partition specification: a/],
    ["ALTER TABLE parts ADD PARTITION (dt='a', dt='b', hour=1)", /given twice/],
    ["ALTER TABLE nowhere ADD PARTITION (dt='a')", /TABLE_NOT_FOUND: Table 'awsdatacatalog.default.nowhere' does not exist/],
  ])('%s', async (sql, error) => {
    expect(await athena.failure(sql)).toMatch(error)
  })

  test('a table without partitions', async () => {
    await athena.ok(csv('flat'))
    expect(await athena.failure('SHOW PARTITIONS flat')).toMatch(/is not a partitioned table/)
  })

  test('many additions at once are all there', async () => {
    await athena.ok(csv('busy', 'a int', 'PARTITIONED BY (n int)'))
    await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        athena.ok(`ALTER TABLE busy ADD IF NOT EXISTS PARTITION (n=${i}) PARTITION (n=${i + 1})`),
      ),
    )
    expect(await athena.rows('SHOW PARTITIONS busy')).toHaveLength(21)
  })
})

test('a restart on the same directory finds the catalogue again', async () => {
  const athena = await startAthena({ engine: createPlainEngine })
  await athena.ok('CREATE DATABASE kept')
  await athena.ok(
    "CREATE EXTERNAL TABLE kept.t (a int) PARTITIONED BY (dt string) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 's3://lake/kept/'",
  )
  await athena.ok("ALTER TABLE kept.t ADD PARTITION (dt='x')")
  await athena.files.put('lake', 'kept/dt=x/1', '5\n')
  await athena.closeKeepingFiles()
  const { dir } = athena
  const again = await startAthena({ dir, engine: createPlainEngine })
  try {
    expect(await again.rows('SELECT a, dt FROM kept.t')).toEqual([['5', 'x']])
  } finally {
    await again.close()
    await rm(dir, { recursive: true, force: true })
  }
})
