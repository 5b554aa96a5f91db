/* biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${column} is Athena's own placeholder */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { projectedPartitions } from '../../src/athena/partition-projection'
import type { CatalogTable } from '../../src/catalog/catalog-entry'
import { type AthenaServer, startAthena } from './athena-server'

const now = Date.parse('2026-03-31T12:00:00Z')
const keys = (...names: string[]) => names.map((name) => ({ name, type: 'string' }))
function table(partitionKeys: CatalogTable['partitionKeys'], properties: Record<string, string>): CatalogTable {
  const projection = Object.fromEntries(
    Object.entries(properties).map(([name, value]) => [name.replace('p.', 'projection.'), value]),
  )
  return {
    database: 'd',
    name: 't',
    columns: [],
    partitionKeys,
    location: 's3://lake/t/',
    serde: '',
    serdeProperties: {},
    inputFormat: '',
    outputFormat: '',
    properties: { 'projection.enabled': 'true', ...projection },
    createdAt: 0,
  }
}
const values = (properties: Record<string, string>) =>
  [...projectedPartitions(table(keys('k'), properties), now)].map((partition) => partition.values[0])

// Athena User Guide, "Supported types for partition projection": the examples of each row.
test('integers: range, interval, digits', () => {
  expect(values({ 'p.k.type': 'integer', 'p.k.range': '1,3' })).toEqual(['1', '2', '3'])
  expect(values({ 'p.k.type': ' Integer ', 'p.k.range': ' 1 , 3 ', 'p.k.interval': '2' })).toEqual(['1', '3'])
  expect(values({ 'p.k.type': 'integer', 'p.k.range': '1,3', 'p.k.digits': '2' })).toEqual(['01', '02', '03'])
  expect(values({ 'p.k.type': 'integer', 'p.k.range': '-1,1' })).toEqual(['-1', '0', '1'])
  expect(values({ 'p.k.type': 'integer', 'p.k.range': '9223372036854775806,9223372036854775807' })).toHaveLength(2)
})

test('enums keep their white space', () => {
  expect(values({ 'p.k.type': 'enum', 'p.k.values': 'A, B,C' })).toEqual(['A', ' B', 'C'])
})

test('dates: formats, steps and NOW, in UTC', () => {
  const date = (range: string, format: string, interval?: string, unit?: string) =>
    values({
      'p.k.type': 'date',
      'p.k.range': range,
      'p.k.format': format,
      ...(interval === undefined ? {} : { 'p.k.interval': interval }),
      ...(unit === undefined ? {} : { 'p.k.interval.unit': unit }),
    })
  expect(date('2017-01,2017-05', 'yyyy-MM', '2', 'MONTHS')).toEqual(['2017-01', '2017-03', '2017-05'])
  expect(date('201711,201802', 'yyyyMM')).toEqual(['201711', '201712', '201801', '201802'])
  expect(date('30-12-2018,02-01-2019', 'dd-MM-yyyy')).toEqual(['30-12-2018', '31-12-2018', '01-01-2019', '02-01-2019'])
  expect(date('NOW-2DAYS,NOW', 'yyyy/MM/dd')).toEqual(['2026/03/29', '2026/03/30', '2026/03/31'])
  expect(date('NOW-1MONTH,NOW', 'yyyy-MM', '1', 'MONTHS')).toEqual(['2026-02', '2026-03'])
  expect(date('2026-03-31T10,NOW+1HOURS', "yyyy-MM-dd'T'HH", '1', 'hours')).toEqual([
    '2026-03-31T10',
    '2026-03-31T11',
    '2026-03-31T12',
    '2026-03-31T13',
  ])
  expect(() => date('2026-03-31-10,NOW', 'yyyy-MM-dd-HH')).toThrow(/HIVE_METASTORE_ERROR.*interval/)
  expect(() => date('2026-3-31,NOW', 'yyyy-MM-dd')).toThrow(/the date 2026-3-31 is not of the format/)
  expect(() => date('2026,NOW', 'uuuu')).toThrow(/NOT_SUPPORTED_LOCALLY: "uuuu" in a date format/)
})

test('a column without a rule, or a template without a column, fails as on Athena', () => {
  const all = (properties: Record<string, string>) => [...projectedPartitions(table(keys('dt', 'hour'), properties), now)]
  expect(() => all({ 'p.dt.type': 'enum', 'p.dt.values': 'a' })).toThrow(
    /^HIVE_METASTORE_ERROR: Table d\.t is configured for partition projection, but .* missing projection configuration: \[hour\]/,
  )
  const both = { 'p.dt.type': 'enum', 'p.dt.values': 'a', 'p.hour.type': 'integer', 'p.hour.range': '1,2', 'p.hour.digits': '2' }
  expect(() => all({ ...both, 'storage.location.template': 's3://lake/x/${dt}/' })).toThrow(
    /does not name the partition column hour/,
  )
  expect(all({ ...both, 'storage.location.template': 's3://lake/x/${dt}/${hour}/' }).map(({ location }) => location)).toEqual([
    's3://lake/x/a/01/',
    's3://lake/x/a/02/',
  ])
  expect(all(both).map(({ location }) => location)).toEqual(['s3://lake/t/dt=a/hour=01/', 's3://lake/t/dt=a/hour=02/'])
  expect(() => values({ 'p.k.type': 'injected' })).toThrow(/NOT_SUPPORTED_LOCALLY: partition projection of the type injected/)
})

let athena: AthenaServer
beforeAll(async () => {
  athena = await startAthena()
})
afterAll(() => athena.close())

test('a query reads the projected folders that its filter leaves, whatever the catalogue holds', async () => {
  await athena.files.put('lake', 'logs/2026-01-01/07/a.csv', 'one\n')
  await athena.files.put('lake', 'logs/2026-01-02/08/b.csv', 'two\n')
  await athena.ok(
    `CREATE EXTERNAL TABLE logs (s string) PARTITIONED BY (dt string, hour int) LOCATION 's3://lake/logs/' TBLPROPERTIES (
      'projection.enabled'='true', 'projection.dt.type'='date', 'projection.dt.range'='2026-01-01,2026-01-31', 'projection.dt.format'='yyyy-MM-dd',
      'projection.hour.type'='integer', 'projection.hour.range'='0,23', 'projection.hour.digits'='2',
      'storage.location.template'='s3://lake/logs/\${dt}/\${hour}')`,
  )
  expect(await athena.rows('SELECT s, dt, hour, "$partition" FROM logs ORDER BY s')).toEqual([
    ['one', '2026-01-01', '7', 'dt=2026-01-01/hour=7'],
    ['two', '2026-01-02', '8', 'dt=2026-01-02/hour=8'],
  ])
  const pruned = await athena.ok("SELECT * FROM logs WHERE dt = '2026-01-02' AND hour > 7")
  expect(pruned.Statistics?.DataScannedInBytes).toBe('two\n'.length)
  expect(await athena.rows("SELECT * FROM logs WHERE dt = '2027-01-01'")).toEqual([])
  expect(await athena.rows('SHOW PARTITIONS logs')).toEqual([])
  expect(await athena.failure('SELECT * FROM "logs$partitions"')).toContain('NOT_SUPPORTED_LOCALLY')
})
