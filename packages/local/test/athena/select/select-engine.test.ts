import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { AthenaFailure, type ScanFilter, type SelectEngine, type TableResolver } from '../../../src/athena/query-engine'
import { createSelectEngine } from '../../../src/athena/select-engine'
import { queryRows } from './starter-cases'

let engine: SelectEngine
beforeAll(async () => {
  engine = await createSelectEngine()
})
afterAll(() => engine.close())

const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`

test('a varchar literal reads back equal, whatever is in it', async () => {
  const hostile = [
    "'",
    "''",
    '\\',
    '\\n',
    '\n',
    '\r\n',
    '\t',
    '\0',
    'a\0b',
    '"',
    '`',
    '--',
    '/*',
    '*/',
    ';',
    '$$',
    '$' + '{x}',
    '[[athena:x:athena]]',
    '😀',
    'é',
    '\u2028',
    '%',
    '_',
    "'; DROP TABLE t; --",
    'scan',
    '?',
  ]
  const text = fc.oneof(
    fc.array(fc.constantFrom(...hostile), { maxLength: 6 }).map((parts) => parts.join('')),
    fc.string({ unit: 'binary', maxLength: 30 }),
  )
  await fc.assert(
    fc.asyncProperty(text, async (value) => {
      const { rows } = await queryRows(
        engine,
        `SELECT ${quoted(value)}, length(${quoted(value)}), ${quoted(value)} = x FROM (VALUES ${quoted(value)}) t(x)`,
      )
      expect(rows).toEqual([[value, String(Array.from(value).length), 'true']])
    }),
    { numRuns: 150 },
  )
})

test('text passes through native functions unchanged', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 30 }), async (value) => {
      const json = quoted(JSON.stringify({ v: value }))
      const { rows } = await queryRows(
        engine,
        `SELECT json_extract_scalar(${json}, '$.v'), CAST(json_extract(${json}, '$.v') AS varchar), from_utf8(to_utf8(${quoted(value)}))`,
      )
      expect(rows).toEqual([[value, value, value]])
    }),
    { numRuns: 100 },
  )
})

test('a double reads back from its text', async () => {
  await fc.assert(
    fc.asyncProperty(fc.double({ noNaN: true, noDefaultInfinity: true }), async (value) => {
      const text = Object.is(value, -0) ? '-0' : String(value)
      const { rows } = await queryRows(engine, `SELECT CAST('${text}' AS double), CAST(CAST('${text}' AS double) AS varchar)`)
      expect(rows[0]?.map(Number)).toEqual([value, value])
    }),
    { numRuns: 100 },
  )
})

interface Recorded {
  readonly resolver: TableResolver
  readonly kept: { readonly partitions: string[]; readonly paths: string[] }
}

const partitions = ['2024-01-01', '2024-01-02', '2024-01-03']
const paths = ['s3://lake/a', 's3://lake/b', 's3://lake/c']

/** A table of three partitions with one file each, which notes what a filter keeps. */
function recorded(): Recorded {
  const kept: { partitions: string[]; paths: string[] } = { partitions: [], paths: [] }
  const resolver: TableResolver = {
    async resolve(database, table) {
      return {
        database,
        table,
        columns: [
          { name: 'device_name', type: 'varchar', partition: false },
          { name: 'metric', type: 'double', partition: false },
          { name: 'dt', type: 'varchar', partition: true },
          { name: 'hour', type: 'integer', partition: true },
        ],
        async scan(filter: ScanFilter) {
          const rows: string[] = []
          partitions.forEach((dt, index) => {
            const path = paths[index] as string
            if (filter.partition && !filter.partition({ dt, hour: String(index) })) return
            kept.partitions.push(dt)
            if (filter.path && !filter.path(path)) return
            kept.paths.push(path)
            rows.push(`('d${index}', ${index}.5::DOUBLE, '${dt}', ${index}::INTEGER, '${path}')`)
          })
          const columns = 'v(device_name, metric, dt, hour, "$path")'
          const empty = `(SELECT * FROM (VALUES (NULL::VARCHAR, NULL::DOUBLE, NULL::VARCHAR, NULL::INTEGER, NULL::VARCHAR)) AS ${columns} WHERE false)`
          return {
            sql: rows.length === 0 ? empty : `(SELECT * FROM (VALUES ${rows.join(', ')}) AS ${columns})`,
            files: rows.length,
            bytes: rows.length * 10,
          }
        },
      }
    },
  }
  return { resolver, kept }
}

async function ask(sql: string, { resolver }: Recorded) {
  const compiled = await engine.compile(sql, { database: 'Default', resolver })
  const rows: (readonly (string | null)[])[] = []
  for await (const batch of engine.run(compiled, {})) rows.push(...batch)
  return { rows, compiled }
}

describe('tables', () => {
  test('partition columns are part of *, "$path" is not but can be named', async () => {
    const { compiled } = await ask('SELECT * FROM logs', recorded())
    expect(compiled.columns.map((column) => column.name)).toEqual(['device_name', 'metric', 'dt', 'hour'])
    expect(compiled).toMatchObject({ scannedFiles: 3, scannedBytes: 30, tables: [{ database: 'default', table: 'logs' }] })
    const { rows } = await ask('SELECT l."$path", upper(DEVICE_NAME) FROM default.logs l ORDER BY 1 LIMIT 1', recorded())
    expect(rows).toEqual([['s3://lake/a', 'D0']])
  })

  test.each([
    ["dt = '2024-01-02'", [1]],
    ["dt <> '2024-01-02'", [0, 2]],
    ["'2024-01-02' <= dt", [1, 2]],
    ["dt BETWEEN '2024-01-01' AND '2024-01-02'", [0, 1]],
    ["dt NOT BETWEEN '2024-01-01' AND '2024-01-02'", [2]],
    ["dt IN ('2024-01-01', '2024-01-03')", [0, 2]],
    ["dt NOT IN ('2024-01-01')", [1, 2]],
    ['hour >= 1 AND hour < 2', [1]],
    ["dt > '2024-01-01' AND (dt > '2024-01-02' OR hour >= 1)", [1, 2]],
    ["(dt = '2024-01-01' AND metric > 0) OR hour = 2", [0, 2]],
    ["NOT (dt = '2024-01-01')", [1, 2]],
    ["dt = '2024-01-01' OR metric > 0", [0, 1, 2]],
    ["upper(dt) = '2024-01-01'", [0, 1, 2]],
    ['hour = 1e0', [0, 1, 2]],
    ["dt = '2025-01-01'", []],
  ] as const)('WHERE %s reads the partitions %j', async (where, expected) => {
    const table = recorded()
    const { rows, compiled } = await ask(`SELECT dt FROM logs WHERE ${where}`, table)
    expect(table.kept.partitions).toEqual(expected.map((index) => partitions[index]))
    expect(compiled.scannedFiles).toBe(expected.length)
    for (const [dt] of rows) expect(table.kept.partitions).toContain(dt)
  })

  test('"$path" IN (…) reads only those files', async () => {
    const table = recorded()
    const { rows } = await ask(`SELECT count(*), sum(metric) FROM logs WHERE "$path" IN ('s3://lake/a', 's3://lake/c')`, table)
    expect(table.kept.paths).toEqual(['s3://lake/a', 's3://lake/c'])
    expect(rows).toEqual([['2', '3.0']])
  })

  test('a LEFT JOIN does not prune the side that may be missing by WHERE', async () => {
    const table = recorded()
    await ask(`SELECT a.dt FROM logs a LEFT JOIN logs b ON a.dt = b.dt WHERE b.dt = '2024-01-01'`, table)
    expect(table.kept.partitions).toEqual([...partitions, ...partitions])
  })

  test('a WITH table hides a stored one', async () => {
    const { rows, compiled } = await ask('WITH logs AS (SELECT 1 x) SELECT * FROM logs', recorded())
    expect(rows).toEqual([['1']])
    expect(compiled.tables).toEqual([])
  })
})

describe('running', () => {
  test('columns are reported as Athena does', async () => {
    const compiled = await engine.compile(
      `SELECT CAST(1 AS real) r, 1.50 AS "De c", 'abc', timestamp '2024-01-01 00:00:00 UTC' z, ROW(1) x, x'00' b`,
      { database: 'd', resolver: recorded().resolver },
    )
    expect(compiled.columns).toEqual([
      { name: 'r', type: 'float', fullType: 'real', precision: 17, scale: 0 },
      { name: 'De c', type: 'decimal', fullType: 'decimal(3,2)', precision: 3, scale: 2 },
      { name: '_col2', type: 'varchar', fullType: 'varchar(3)', precision: 3, scale: 0 },
      { name: 'z', type: 'timestamp with time zone', fullType: 'timestamp(0) with time zone', precision: 3, scale: 0 },
      { name: 'x', type: 'row', fullType: 'row(integer)', precision: 0, scale: 0 },
      { name: 'b', type: 'varbinary', fullType: 'varbinary', precision: 1073741824, scale: 0 },
    ])
  })

  test('rows come in batches, several queries at once, and an abort stops them', async () => {
    const sql = 'SELECT a.x FROM UNNEST(sequence(1, 5000)) a(x) CROSS JOIN UNNEST(sequence(1, 5000)) b(y)'
    const compiled = await engine.compile(sql, { database: 'd', resolver: recorded().resolver })
    const controller = new AbortController()
    let rows = 0
    const reading = (async () => {
      for await (const batch of engine.run(compiled, { signal: controller.signal })) {
        rows += batch.length
        if (rows > 5000) controller.abort(new Error('enough'))
      }
    })()
    const others = Promise.all([1, 2, 3].map((n) => queryRows(engine, `SELECT ${n}`)))
    await expect(reading).rejects.toThrow('enough')
    expect((await others).map(({ rows: found }) => found)).toEqual([[['1']], [['2']], [['3']]])
    expect(rows).toBeLessThan(1_000_000)
  })

  test('only allowed folders can be read, and settings are locked', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'pipe-select-'))
    const locked = await createSelectEngine({ allowedDirectories: [folder] })
    try {
      writeFileSync(join(folder, 'a.csv'), 'x\n1\n')
      expect(
        await locked.execute(`COPY (SELECT * FROM read_csv('${join(folder, 'a.csv')}')) TO '${join(folder, 'b.parquet')}'`, {}),
      ).toBe(1)
      await expect(locked.execute(`SELECT * FROM read_text('/etc/hostname')`, {})).rejects.toBeInstanceOf(AthenaFailure)
      await expect(locked.execute('SET enable_external_access = true', {})).rejects.toBeInstanceOf(AthenaFailure)
    } finally {
      await locked.close()
      rmSync(folder, { recursive: true })
    }
  })

  test('current_timestamp is the time of the clock that is given', async () => {
    const timed = await createSelectEngine({ now: () => Date.UTC(2026, 10, 24, 15, 31) })
    try {
      expect((await queryRows(timed, 'SELECT current_timestamp, current_date, localtimestamp')).rows).toEqual([
        ['2026-11-24 15:31:00.000 UTC', '2026-11-24', '2026-11-24 15:31:00.000'],
      ])
    } finally {
      await timed.close()
    }
  })

  test('an unknown option is refused', async () => {
    await expect(createSelectEngine({ thread: 1 } as never)).rejects.toThrow('no option "thread"')
  })
})
