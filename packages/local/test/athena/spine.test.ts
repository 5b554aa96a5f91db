import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type AthenaServer, startAthena } from './athena-server'

let athena: AthenaServer
beforeAll(async () => {
  athena = await startAthena()
})
afterAll(() => athena.close())

test('raw lines, JSON, CTAS', async () => {
  await athena.ok('CREATE DATABASE IF NOT EXISTS logs')
  await athena.files.put(
    'lake',
    'raw/dt=a/1.json.gz',
    gzipSync('{"Device":"d1","metric":1.5,"n":12}\n\n{"device":"d\\"2","metric":2}\r\nlast'),
  )
  await athena.ok(`CREATE EXTERNAL TABLE logs.lines (line string) PARTITIONED BY (dt string)
    ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe' WITH SERDEPROPERTIES ('input.regex'='(?s)(.*)') LOCATION 's3://lake/raw/'`)
  await athena.ok("ALTER TABLE logs.lines ADD IF NOT EXISTS PARTITION (dt='a')")
  expect(await athena.rows('SELECT line, dt, "$path" FROM logs.lines')).toEqual([
    ['{"Device":"d1","metric":1.5,"n":12}', 'a', 's3://lake/raw/dt=a/1.json.gz'],
    ['', 'a', 's3://lake/raw/dt=a/1.json.gz'],
    ['{"device":"d\\"2","metric":2}', 'a', 's3://lake/raw/dt=a/1.json.gz'],
    ['last', 'a', 's3://lake/raw/dt=a/1.json.gz'],
  ])
  await athena.ok(`CREATE EXTERNAL TABLE logs.raw (device string, metric double, n bigint) PARTITIONED BY (dt string)
    ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' WITH SERDEPROPERTIES ('ignore.malformed.json'='true') LOCATION 's3://lake/raw/'`)
  await athena.ok("ALTER TABLE logs.raw ADD PARTITION (dt='a')")
  expect(await athena.rows('SELECT device, metric, n FROM logs.raw')).toEqual([
    ['d1', '1.5', '12'],
    [null, null, null],
    ['d"2', '2.0', null],
    [null, null, null],
  ])
  const ctas = await athena.ok(
    `CREATE TABLE logs.compacted WITH (format='PARQUET', parquet_compression='SNAPPY', external_location='s3://lake/compacted/', bucketed_by=ARRAY['device'], bucket_count=1) AS SELECT device, metric FROM logs.raw WHERE device IS NOT NULL`,
  )
  expect(ctas.SubstatementType).toBe('CREATE_TABLE_AS_SELECT')
  expect(athena.files.list('lake', 'compacted/')).toHaveLength(1)
  expect(await athena.rows('SELECT device, metric FROM logs.compacted ORDER BY device')).toEqual([
    ['d"2', '2.0'],
    ['d1', '1.5'],
  ])
  await athena.ok('DROP TABLE logs.compacted')
})
