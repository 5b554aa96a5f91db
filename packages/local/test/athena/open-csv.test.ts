import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { csvFields } from '../../src/athena/scan-open-csv'
import { type AthenaServer, startAthena } from './athena-server'

const serde = "ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde'"
const standard = { separator: ',', quote: '"', escape: '\\' }
const fields = (line: string) => csvFields(line, standard, 10)

// The cases follow Trino's CsvDeserializer, which is "bug for bug compatible with OpenCSVSerde".
test.each([
  ['a,b', ['a', 'b']],
  ['"a,b",c', ['a,b', 'c']],
  ['"say ""hi""",x', ['say "hi"', 'x']],
  ['"a\\"b",c', ['a"b', 'c']],
  ['a\\\\b,c', ['a\\b', 'c']],
  ['\\a,c', ['a', 'c']],
  ['a,,c,', ['a', '', 'c', '']],
  ['ab,cd"ef,gh', ['ab']],
  ['abc"d"ef,g', ['abc"d"ef', 'g']],
  ['abc,  "d",e', ['abc', 'd', 'e']],
  ['"open,b', []],
  ['""', ['']],
  ['', []],
])('the fields of %j', (line, expected) => {
  expect(fields(line)).toEqual(expected)
})

describe('an OpenCSVSerde table', () => {
  let athena: AthenaServer
  beforeAll(async () => {
    athena = await startAthena()
  })
  afterAll(() => athena.close())

  test('reads numbers, days and milliseconds; missing fields are NULL, surplus ones dropped', async () => {
    const header = 'd,t,n,b,f,s\n'
    await athena.files.put(
      'lake',
      'typed/a.csv',
      `${header}"18276","1579059880000","7","TRUE","1.5","x, y"\n1,-1,2,false,2\n\n3,0,1,true,0,z,more\n`,
    )
    await athena.ok(
      `CREATE EXTERNAL TABLE typed (d date, t timestamp, n bigint, b boolean, f double, s string) ${serde} LOCATION 's3://lake/typed/' TBLPROPERTIES ('skip.header.line.count'='1')`,
    )
    expect(await athena.rows('SELECT * FROM typed ORDER BY n')).toEqual([
      ['1970-01-04', '1970-01-01 00:00:00.000', '1', 'true', '0.0', 'z'],
      ['1970-01-02', '1969-12-31 23:59:59.999', '2', 'false', '2.0', null],
      ['2020-01-15', '2020-01-15 03:44:40.000', '7', 'true', '1.5', 'x, y'],
      [null, null, null, null, null, null],
    ])
  })

  test('fails on an empty number, naming object, line and field', async () => {
    await athena.files.put('lake', 'empty/a.csv', '1,a\n,b\n')
    await athena.ok(`CREATE EXTERNAL TABLE empties (n int, s string) ${serde} LOCATION 's3://lake/empty/'`)
    expect(await athena.failure('SELECT * FROM empties')).toMatch(
      /^HIVE_BAD_DATA: Error parsing field value '' for field 0: For input string: "" .*s3:\/\/lake\/empty\/a\.csv, line 2/,
    )
  })

  test('takes its own characters, and refuses types and properties that it does not know', async () => {
    await athena.files.put('lake', 'own/a.csv', "a;'b;c';~;d\n")
    const properties = `WITH SERDEPROPERTIES ('separatorChar'=';','quoteChar'='\\'','escapeChar'='~')`
    await athena.ok(`CREATE EXTERNAL TABLE own (a string, b string, c string) ${serde} ${properties} LOCATION 's3://lake/own/'`)
    expect(await athena.rows('SELECT * FROM own')).toEqual([['a', 'b;c', '']])
    const refused = (columns: string, given = '') =>
      athena.failure(`CREATE EXTERNAL TABLE x (${columns}) ${serde} ${given} LOCATION 's3://lake/own/'`)
    expect(await refused('a decimal(5,2)')).toContain('NOT_SUPPORTED_LOCALLY: column a of its type')
    expect(await refused('a string', "WITH SERDEPROPERTIES ('separatorChar'=',','quoteChar'=',')")).toContain('CSV not supported')
    expect(await refused('a string', "WITH SERDEPROPERTIES ('other'='x')")).toContain("SerDe property 'other'")
  })
})
