import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { DuckDBInstance } from '@duckdb/node-api'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { decodeUtf8 } from '../../src/athena/utf8'
import { type AthenaServer, startAthena } from './athena-server'
import { createPlainEngine } from './plain-engine'

let athena: AthenaServer
let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'pipe-formats-'))
  athena = await startAthena({ engine: createPlainEngine })
})
afterAll(async () => {
  await athena.close()
  await rm(dir, { recursive: true, force: true })
})

let tables = 0
/** Makes a table over the given objects; returns its name. */
async function table(
  columns: string,
  format: string,
  objects: Readonly<Record<string, string | Uint8Array>>,
  tail = '',
): Promise<string> {
  const name = `t${tables++}`
  for (const [key, body] of Object.entries(objects)) await athena.files.put('lake', `${name}/${key}`, body)
  await athena.ok(`CREATE EXTERNAL TABLE ${name} (${columns}) ${format} LOCATION 's3://lake/${name}/' ${tail}`)
  return name
}

const rawLines = "ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe' WITH SERDEPROPERTIES ('input.regex'='(?s)(.*)')"
const json = "ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'"
const lenientJson = `${json} WITH SERDEPROPERTIES ('ignore.malformed.json'='true')`
const csv = "ROW FORMAT DELIMITED FIELDS TERMINATED BY ','"
const tsv = "ROW FORMAT DELIMITED FIELDS TERMINATED BY '\\t'"

describe('raw lines', () => {
  test('are exactly the lines, for any bytes', async () => {
    const name = await table('line string', rawLines, {})
    const part = fc.oneof(
      fc.constantFrom('\n', '\r', '\r\n', '"', '""', ',', '\0', '\\N', 'NULL', "'", '{"a":1}', '\ufeff', '😀'),
      fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 30 }), fc.boolean(), async (parts, gzip) => {
        const content = Buffer.concat(parts.map((text) => Buffer.from(text, text.length > 2 ? 'latin1' : 'utf8')))
        const key = `${name}/x${gzip ? '.gz' : ''}`
        await athena.files.put('lake', key, gzip ? gzipSync(content) : content)
        const body = content.subarray(0, 3).equals(Buffer.from('\ufeff')) ? content.subarray(3) : content
        const lines = body.toString('latin1').split(/\r\n|\n|\r/)
        if (lines[lines.length - 1] === '') lines.pop()
        const rows = await athena.rows(`SELECT line FROM ${name}`)
        await athena.files.delete('lake', key)
        expect(rows).toEqual(lines.map((line) => [decodeUtf8(Buffer.from(line, 'latin1'))]))
      }),
      { numRuns: 40 },
    )
  })

  test('only objects that are not hidden, and none of zero bytes or in the archive', async () => {
    const name = await table('line string', rawLines, {
      'a.json': 'a',
      _SUCCESS: 'x',
      '.hidden': 'x',
      'sub/_tmp/b': 'x',
      'sub/deep/c': 'c',
      empty: '',
      'sub/': '',
    })
    expect(await athena.rows(`SELECT line, "$path" FROM ${name}`)).toEqual([
      ['a', `s3://lake/${name}/a.json`],
      ['c', `s3://lake/${name}/sub/deep/c`],
    ])
  })

  test('an empty location, and objects without a line, give no rows', async () => {
    expect(await athena.rows(`SELECT line, "$path" FROM ${await table('line string', rawLines, {})}`)).toEqual([])
    expect(await athena.rows(`SELECT line FROM ${await table('line string', rawLines, { 'a.gz': gzipSync('') })}`)).toEqual([])
  })

  test('a hostile value arrives unchanged', async () => {
    const hostile = `'; DROP TABLE x; -- "\\" ${'é'.repeat(500_000)} 😀 \u2028`
    const name = await table('line string', rawLines, { a: `${hostile}\n` })
    expect(await athena.rows(`SELECT line FROM ${name}`)).toEqual([[hostile]])
  })

  test('a gzip that is named otherwise is read as text; a cut or false one fails by its s3 path', async () => {
    const gzip = gzipSync('line\n'.repeat(5000))
    const misnamed = await table('line string', rawLines, { 'x.json': gzip })
    expect((await athena.rows(`SELECT line FROM ${misnamed}`)).length).toBeGreaterThan(0)
    const cut = await table('line string', rawLines, { 'good.gz': gzip, 'cut.json.gz': gzip.subarray(0, 40) })
    expect(await athena.failure(`SELECT count(*) AS n FROM ${cut}`)).toBe(
      `HIVE_CURSOR_ERROR: Failed to read file at s3://lake/${cut}/cut.json.gz: Unexpected end of input stream`,
    )
    // Named in the path filter, the good one still answers.
    expect(await athena.rows(`SELECT count(*) AS n FROM ${cut} WHERE "$path" = 's3://lake/${cut}/good.gz'`)).toEqual([['5000']])
    const no = await table('line string', rawLines, { 'x.gz': '{"a":1}' })
    expect(await athena.failure(`SELECT line FROM ${no}`)).toMatch(
      new RegExp(`^HIVE_CURSOR_ERROR: .*s3://lake/${no}/x.gz: not in gzip format`),
    )
  })

  test('header lines are skipped in every object', async () => {
    const name = await table('line string', rawLines, { a: 'h\n1\n', b: 'h\n2' }, "TBLPROPERTIES ('skip.header.line.count'='1')")
    expect(await athena.rows(`SELECT line FROM ${name} ORDER BY 1`)).toEqual([['1'], ['2']])
  })

  test('a regular expression gives its groups; lines that it does not match as a whole are NULLs', async () => {
    await athena.files.put('lake', 'regex/a.log', 'GET /a 200\nnonsense\nGET  x\u00a0y 4\n')
    const serde = "ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe'"
    const regex = (text: string) => `${serde} WITH SERDEPROPERTIES ('input.regex'='${text}')`
    await athena.ok(
      `CREATE EXTERNAL TABLE regex (verb string, path string, status string, rest string) ${regex('^(\\\\w+)\\\\s+(\\\\S+) ([0-9]{1,3})$')} LOCATION 's3://lake/regex/'`,
    )
    expect(await athena.rows('SELECT verb, path, status, rest FROM regex')).toEqual([
      ['GET', '/a', '200', null],
      [null, null, null, null],
      // A no-break space is no white space in Java.
      ['GET', 'x\u00a0y', '4', null],
    ])
    for (const pattern of ['(?i)a', '(a)++', '[a&&b](c)', '\\\\p{L}', '(?<n>a)', 'a^b', '[[a]b]', '\\\\Ba', '(?=a)b']) {
      const failed = await athena.failure(`CREATE EXTERNAL TABLE r (a string) ${regex(pattern)} LOCATION 's3://lake/r/'`)
      expect(failed, pattern).toContain(`NOT_SUPPORTED_LOCALLY: the 'input.regex'`)
    }
  })
})

describe('JSON', () => {
  test('every type', async () => {
    const name = await table(
      'b boolean, t tinyint, i int, l bigint, f float, d double, c decimal(10,2), s string, v varchar(3), dt date, ts timestamp, bin binary',
      json,
      {
        a: `${JSON.stringify({ B: true, t: '-1', i: 7, F: 1.5, d: 'NaN', c: 1.005, s: 'x', v: 'abcdef', dt: '2026-11-24', ts: '2026-11-24T01:02:03.4567Z', bin: 'AQI=' }).replace('"F"', '"l":9007199254740993,"F"')}\n{}\n`,
      },
    )
    expect(await athena.rows(`SELECT b, t, i, l, f, d, c, s, v, dt, ts, hex(bin) AS bin FROM ${name}`)).toEqual([
      ['true', '-1', '7', '9007199254740993', '1.5', 'nan', '1.01', 'x', 'abc', '2026-11-24', '2026-11-24 01:02:03.457', '0102'],
      Array.from({ length: 12 }, () => null),
    ])
  })

  test('nested types', async () => {
    const name = await table(
      'tags map<string,int>, req struct<Path:string,at:timestamp,hs:array<struct<k:string,v:binary>>>, xs array<double>',
      json,
      {
        a: '{"tags":{"b":2,"10":3,"a":1},"req":{"PATH":"/x","at":1700000000,"hs":[{"k":"q","v":"AQI="},null]},"xs":[1,null,2.5]}\n{"xs":5,"req":"","tags":null}\n',
      },
    )
    expect(
      await athena.rows(
        `SELECT CAST(tags AS VARCHAR) AS tags, req.path AS path, CAST(req.at AS VARCHAR) AS "at", len(req.hs) AS n, hex(req.hs[1].v) AS v, CAST(xs AS VARCHAR) AS xs FROM ${name}`,
      ),
    ).toEqual([
      ['{b=2, 10=3, a=1}', '/x', '2023-11-14 22:13:20', '2', '0102', '[1.0, NULL, 2.5]'],
      [null, null, null, null, null, '[5.0]'],
    ])
  })

  test('scalars and documents in a string column', async () => {
    const name = await table('s string', json, {
      a: '{"s":1.50}\n{"s":TRUE}\n{"s":{"a": [1, "x"]}}\n{"s":"q\\"uote"}\n{"s":null}\n',
    })
    expect(await athena.rows(`SELECT s FROM ${name}`)).toEqual([['1.50'], ['true'], ['{"a":[1,"x"]}'], ['q"uote'], [null]])
  })

  test('a malformed line', async () => {
    const objects = { 'a.json': '{"n":1}\n{"n":\n\nplain\n{"n":2}' }
    const strict = await table('n int', json, objects)
    expect(await athena.failure(`SELECT n FROM ${strict}`)).toMatch(
      new RegExp(
        `^HIVE_CURSOR_ERROR: Row is not a valid JSON Object - JSONException: .* \\(s3://lake/${strict}/a.json, line 2\\)$`,
      ),
    )
    expect(await athena.rows(`SELECT n FROM ${await table('n int', lenientJson, objects)}`)).toEqual([
      ['1'],
      [null],
      [null],
      [null],
      ['2'],
    ])
  })

  test('a key that comes twice is malformed', async () => {
    const name = await table('n int', json, { a: '{"n":1,"N":2}' })
    expect(await athena.failure(`SELECT n FROM ${name}`)).toMatch(/Duplicate key/)
  })

  test.each([
    ['n int', '{"n":"abc"}', /column n \(int\): "abc" is not a integer/],
    ['n bigint', '{"n":1.5}', /column n \(bigint\)/],
    ['n double', '{"n":{"a":1}}', /a JSON object is not a double/],
    ['n boolean', '{"n":"yes"}', /"yes" is not a boolean/],
    ['n struct<a:int>', '{"n":5}', /a JSON scalar is not a struct/],
  ])('a value of the wrong type fails the query in spite of ignore.malformed.json: %s %s', async (columns, line, error) => {
    const name = await table(columns, lenientJson, { a: `{}\n${line}` })
    const reason = await athena.failure(`SELECT * FROM ${name}`)
    expect(reason).toMatch(/^HIVE_BAD_DATA: Error parsing field value/)
    expect(reason).toMatch(error)
    expect(reason).toContain(`(s3://lake/${name}/a, line 2)`)
  })

  test('mapping.<column>, and properties that are not modelled', async () => {
    const name = await table('ts string', `${json} WITH SERDEPROPERTIES ('mapping.ts'='Time Stamp')`, {
      a: '{"time stamp":"x","ts":"y"}',
    })
    expect(await athena.rows(`SELECT ts FROM ${name}`)).toEqual([['x']])
    expect(
      await athena.failure(
        `CREATE EXTERNAL TABLE x (a int) ${json} WITH SERDEPROPERTIES ('case.insensitive'='false') LOCATION 's3://lake/x/'`,
      ),
    ).toMatch(/NOT_SUPPORTED_LOCALLY: SerDe property 'case.insensitive'/)
  })
})

describe('delimited text', () => {
  test('CSV has no quotes; bad numbers and missing columns are NULL', async () => {
    const name = await table(
      'a int, s string, d double, dt date',
      csv,
      {
        'x.csv': 'a,s,d,dt\n1,"q,1.5,2026-11-24\r\nx,,y,z,surplus\n\\N,\\N\n\n2.9,é,1e3,2026-13-01',
      },
      "TBLPROPERTIES ('skip.header.line.count'='1')",
    )
    expect(await athena.rows(`SELECT a, s, d, dt FROM ${name}`)).toEqual([
      ['1', '"q', '1.5', '2026-11-24'],
      [null, '', null, null],
      [null, null, null, null],
      [null, null, null, null],
      ['2', 'é', '1000.0', '2027-01-01'],
    ])
  })

  test('TSV with an escape', async () => {
    const name = await table('a string, b string', `${tsv} ESCAPED BY '\\\\'`, { x: 'a\\\tb\tc\\nd\\\\\n' })
    expect(await athena.rows(`SELECT a, b FROM ${name}`)).toEqual([['a\tb', 'c\nd\\']])
  })

  test('bytes that are no UTF-8 become replacement characters', async () => {
    const name = await table('a string', csv, { x: Buffer.from([0x61, 0xff, 0x0a]) })
    expect(await athena.rows(`SELECT a FROM ${name}`)).toEqual([['a\ufffd']])
  })

  test('nested columns and other SerDes are refused by name', async () => {
    expect(await athena.failure(`CREATE EXTERNAL TABLE x (a array<int>) ${csv} LOCATION 's3://lake/x/'`)).toMatch(
      /column a of type array/,
    )
    expect(
      await athena.failure(
        "CREATE EXTERNAL TABLE x (a string) ROW FORMAT SERDE 'com.amazonaws.glue.serde.GrokSerDe' LOCATION 's3://lake/x/'",
      ),
    ).toMatch(/NOT_SUPPORTED_LOCALLY: SerDe .*GrokSerDe/)
    expect(
      await athena.failure(
        `CREATE EXTERNAL TABLE x (a string) ${csv} LOCATION 's3://lake/x/' TBLPROPERTIES ('skip.footer.line.count'='1')`,
      ),
    ).toMatch(/NOT_SUPPORTED_LOCALLY: table property 'skip.footer.line.count'/)
  })
})

describe('Parquet', () => {
  let duckdb: DuckDBInstance
  beforeAll(async () => {
    duckdb = await DuckDBInstance.create(':memory:')
  })
  afterAll(() => duckdb.closeSync())

  async function parquet(select: string): Promise<Buffer> {
    const file = join(dir, `${Math.random()}.parquet`)
    const connection = await duckdb.connect()
    await connection.run(`COPY (${select}) TO '${file}' (FORMAT parquet)`)
    connection.closeSync()
    return readFile(file)
  }

  test('columns by name, missing ones NULL, narrower integers widened', async () => {
    const name = await table('Id bigint, name string, score double', 'STORED AS PARQUET', {
      a: await parquet('SELECT \'x\' AS name, 1::BIGINT AS "ID", 0.5::DOUBLE AS score, 9 AS surplus'),
      b: await parquet('SELECT 2::INTEGER AS id, 1.5::FLOAT AS score'),
    })
    expect(await athena.rows(`SELECT id, name, score, "$path" FROM ${name} ORDER BY id`)).toEqual([
      ['1', 'x', '0.5', `s3://lake/${name}/a`],
      ['2', null, '1.5', `s3://lake/${name}/b`],
    ])
  })

  test('timestamps of any unit, rounded to milliseconds', async () => {
    const name = await table('t timestamp, z timestamp', 'STORED AS PARQUET', {
      a: await parquet("SELECT TIMESTAMP '2026-11-24 01:02:03.4567' AS t, TIMESTAMPTZ '2026-11-24 01:02:03+01' AS z"),
      b: await parquet("SELECT TIMESTAMP_NS '1969-12-31 23:59:59.9995' AS t, NULL::TIMESTAMP AS z"),
    })
    expect(await athena.rows(`SELECT t, z FROM ${name} ORDER BY t`)).toEqual([
      ['1970-01-01 00:00:00', null],
      ['2026-11-24 01:02:03.457', '2026-11-24 00:02:03'],
    ])
  })

  test('nested columns of the same shape; others are refused by name', async () => {
    const objects = { a: await parquet("SELECT {'k': 1, 'V': ['a']} AS s, MAP {'x': 1.5::DOUBLE} AS m") }
    const name = await table('s struct<k:int,v:array<string>>, m map<string,double>', 'STORED AS PARQUET', objects)
    expect(await athena.rows(`SELECT s.k AS k, s.v[1] AS v, m['x'] AS x FROM ${name}`)).toEqual([['1', 'a', '1.5']])
    const other = await table('s struct<k:bigint>', 'STORED AS PARQUET', objects)
    expect(await athena.failure(`SELECT s FROM ${other}`)).toMatch(/NOT_SUPPORTED_LOCALLY: column s: reading STRUCT/)
  })

  test('a wrong type names object and column', async () => {
    const name = await table('metric double', 'STORED AS PARQUET', { 'a.parquet': await parquet("SELECT 'x' AS metric") })
    expect(await athena.failure(`SELECT metric FROM ${name}`)).toBe(
      `HIVE_BAD_DATA: Field metric's type VARCHAR in parquet file s3://lake/${name}/a.parquet is incompatible with type double defined in table schema`,
    )
  })

  test('what is not Parquet fails by its s3 path', async () => {
    const whole = await parquet('SELECT 1 AS a')
    const broken = Buffer.from(whole)
    broken.fill(0xff, broken.length - 40, broken.length - 8)
    for (const body of ['short', '{"a":1}'.repeat(100), broken]) {
      const name = await table('a int', 'STORED AS PARQUET', { good: whole, bad: body })
      const reason = await athena.failure(`SELECT a FROM ${name}`)
      expect(reason).toMatch(/^HIVE_BAD_DATA: /)
      expect(reason).toContain(`s3://lake/${name}/bad`)
      expect(reason).not.toContain(athena.dir)
    }
  })
})

test('partition columns are typed and come from the catalogue, not from the key', async () => {
  const name = await table('line string', `PARTITIONED BY (dt date, hour int) ${rawLines}`, { 'x/1': 'one', 'y/2': 'two' })
  await athena.ok(
    `ALTER TABLE ${name} ADD PARTITION (dt='2026-11-24', hour='07') LOCATION 's3://lake/${name}/x' PARTITION (dt='2026-11-25', hour=8) LOCATION 's3://lake/${name}/y/'`,
  )
  expect(await athena.rows(`SELECT line, dt + 1 AS dt, hour + 1 AS h FROM ${name} ORDER BY 1`)).toEqual([
    ['one', '2026-11-25', '8'],
    ['two', '2026-11-26', '9'],
  ])
  expect(await athena.rows(`SHOW PARTITIONS ${name}`)).toEqual([['dt=2026-11-24/hour=7'], ['dt=2026-11-25/hour=8']])
})

test('scanned bytes are the bytes of the objects read', async () => {
  const name = await table('line string', rawLines, { a: 'x'.repeat(1000), b: 'y'.repeat(500) })
  const all = await athena.ok(`SELECT count(*) AS n FROM ${name}`)
  expect(all.Statistics?.DataScannedInBytes).toBe(1500)
  const one = await athena.ok(`SELECT count(*) AS n FROM ${name} WHERE "$path" = 's3://lake/${name}/b'`)
  expect(one.Statistics?.DataScannedInBytes).toBe(500)
})

test('thousands of objects', async () => {
  const name = await table('n int', json, {})
  await Promise.all(
    Array.from({ length: 3000 }, (_, i) => athena.files.put('lake', `${name}/${i}.json.gz`, gzipSync(`{"n":${i}}\n`))),
  )
  expect(await athena.rows(`SELECT count(*) AS c, sum(n) AS s, count(DISTINCT "$path") AS p FROM ${name}`)).toEqual([
    ['3000', '4498500', '3000'],
  ])
})
