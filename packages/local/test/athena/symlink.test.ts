import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type AthenaServer, startAthena } from './athena-server'

let athena: AthenaServer
beforeAll(async () => {
  athena = await startAthena()
})
afterAll(() => athena.close())

const symlinks = `STORED AS INPUTFORMAT 'org.apache.hadoop.hive.ql.io.SymlinkTextInputFormat'
OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'`
const rawLines = "ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe' WITH SERDEPROPERTIES ('input.regex'='(?s)(.*)')"
const parquet = "ROW FORMAT SERDE 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe'"
const put = (key: string, body: string | Uint8Array) => athena.files.put('lake', key, body)

describe('a table of lists of objects (SymlinkTextInputFormat)', () => {
  test('reads the lines of exactly the objects that its lists name', async () => {
    await put('raw/a.ndjson', 'a1\na2\n')
    await put('raw/b.ndjson.gz', gzipSync('b1\n'))
    await put('raw/c.ndjson', 'c1\n')
    await put('lists/one', 's3://lake/raw/a.ndjson\n')
    await put('lists/two', 's3://lake/raw/b.ndjson.gz\r\n\n')
    await put('lists/_hidden', 's3://lake/raw/c.ndjson\n')
    await athena.ok(`CREATE EXTERNAL TABLE lines (line string) ${rawLines} ${symlinks} LOCATION 's3://lake/lists/'`)
    expect(await athena.rows('SELECT line, "$path" FROM lines ORDER BY line')).toEqual([
      ['a1', 's3://lake/raw/a.ndjson'],
      ['a2', 's3://lake/raw/a.ndjson'],
      ['b1', 's3://lake/raw/b.ndjson.gz'],
    ])
    const filtered = `SELECT count(*) FROM lines WHERE "$path" IN ('s3://lake/raw/b.ndjson.gz')`
    expect(await athena.rows(filtered)).toEqual([['1']])
  })

  test('reads Parquet by partition, and changes over with one object', async () => {
    for (const [name, value] of [
      ['x', 1],
      ['y', 2],
      ['z', 3],
    ] as const) {
      await athena.ok(
        `CREATE TABLE ${name} WITH (format = 'PARQUET', external_location = 's3://lake/files/${name}/') AS SELECT ${value} AS n`,
      )
    }
    const fileOf = (name: string) => `s3://lake/${athena.files.list('lake', `files/${name}/`)[0]!.key}\n`
    await put('manifest/dt=1/files', fileOf('x') + fileOf('y'))
    await athena.ok(
      `CREATE EXTERNAL TABLE numbers (n int) PARTITIONED BY (dt string) ${parquet} ${symlinks} LOCATION 's3://lake/manifest/'`,
    )
    await athena.ok(`ALTER TABLE numbers ADD PARTITION (dt = '1') LOCATION 's3://lake/manifest/dt=1/'`)
    expect(await athena.rows('SELECT n, dt FROM numbers ORDER BY 1')).toEqual([
      ['1', '1'],
      ['2', '1'],
    ])
    await put('manifest/dt=1/files', fileOf('z'))
    expect(await athena.rows('SELECT n FROM numbers')).toEqual([['3']])
    await put('manifest/dt=1/files', '')
    expect(await athena.rows('SELECT n FROM numbers')).toEqual([])
  })

  test('fails on a list that names what is not there, or is no list', async () => {
    await put('broken/list', 's3://lake/raw/missing\n')
    await athena.ok(`CREATE EXTERNAL TABLE broken (line string) ${rawLines} ${symlinks} LOCATION 's3://lake/broken/'`)
    expect(await athena.failure('SELECT * FROM broken')).toMatch(/HIVE_FILE_NOT_FOUND.*s3:\/\/lake\/raw\/missing/)
    await put('broken/list', 'nonsense\n')
    expect(await athena.failure('SELECT * FROM broken')).toContain('HIVE_BAD_DATA: Error parsing symlinks')
  })

  test('is refused with a JSON SerDe, of which it is not known how Athena reads it', async () => {
    const json = "ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'"
    const failed = await athena.failure(`CREATE EXTERNAL TABLE j (a int) ${json} ${symlinks} LOCATION 's3://lake/lists/'`)
    expect(failed).toContain('NOT_SUPPORTED_LOCALLY: SymlinkTextInputFormat with a JSON SerDe')
  })
})
