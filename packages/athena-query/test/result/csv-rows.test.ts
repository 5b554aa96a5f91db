import { column, PipeError } from '@pipe/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readResultCsv } from '../../src/index'
import { csvRows } from '../../src/result/csv-rows'
import { type RowPlan, rowPlan, textPlan } from '../../src/result/row-plan'

type Cell = string | null
const cellText = (cell: Cell) => (cell === null ? '' : `"${cell.replaceAll('"', '""')}"`)
const csv = (rows: readonly (readonly Cell[])[]) => rows.map((row) => `${row.map(cellText).join(',')}\n`).join('')
const info = (names: readonly string[]) => names.map((Name) => ({ Name, Type: 'varchar' }))

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function read<Row>(text: string | Uint8Array, plan: RowPlan<Row>, header: readonly string[], size = 7): Promise<Row[]> {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text
  const all: Row[] = []
  for await (const rows of csvRows(pieces(bytes, size), { plan, header, file: 's3://lake/r.csv' })) all.push(...rows)
  return all
}

const texts = (text: string | Uint8Array, names: readonly string[], size?: number) =>
  read(text, textPlan(info(names)), names, size)
const messageOf = (work: Promise<unknown>) =>
  work.then(
    () => 'nothing',
    (error: unknown) => (PipeError.isInstance(error) ? error.message : String(error)),
  )

const hostileCell = fc.oneof(
  fc.constant(null),
  fc.constant(''),
  fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed()),
  fc.array(fc.constantFrom('"', '""', ',', '\n', '\r\n', '\0', '😀', 'é', 'a', '\ufffd')).map((parts) => parts.join('')),
  fc.constant('x'.repeat(9000)),
)

describe('the dialect', () => {
  it('gives back every row, however the bytes are cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc
          .integer({ min: 1, max: 4 })
          .chain((width) =>
            fc
              .array(fc.array(hostileCell, { minLength: width, maxLength: width }), { maxLength: 8 })
              .map((rows) => ({ width, rows })),
          ),
        fc.constantFrom(1, 2, 3, 64, 4096, 1e6),
        async ({ width, rows }, size) => {
          const names = Array.from({ length: width }, (_, i) => `c${i}`)
          expect(await texts(csv([names, ...rows]), names, size)).toEqual(rows)
        },
      ),
      { numRuns: 150 },
    )
  })

  it('NULL is not the empty text, a line with nothing is a row, and a row like the header is data', async () => {
    expect(await texts('"a"\n\n""\n"a"\n\n', ['a'])).toEqual([[null], [''], ['a'], [null]])
    expect(await texts('"a","b"\n,""\n,\n"a","b"\n', ['a', 'b'])).toEqual([
      [null, ''],
      [null, null],
      ['a', 'b'],
    ])
  })

  it('names may be there twice', async () => {
    expect(await texts('"n","n"\n"1","2"\n', ['n', 'n'])).toEqual([['1', '2']])
  })

  it('a result without rows', async () => {
    expect(await texts('"a"\n', ['a'])).toEqual([])
  })

  it('text with a replacement character of its own is sound, bytes that are no UTF-8 are not', async () => {
    expect(await texts('"a"\n"\ufffd"\n', ['a'])).toEqual([['\ufffd']])
    const bad = Buffer.concat([Buffer.from('"a"\n"'), Buffer.of(0xff), Buffer.from('"\n')])
    expect(await messageOf(texts(bad, ['a']))).toContain('no UTF-8')
  })
})

describe('a file that is cut off', () => {
  const names = ['a', 'b']
  const whole = csv([names, ['x', null], ['', 'said "y"'], [null, null], ['l\n2', 'z']])
  const rows: Cell[][] = [
    ['x', null],
    ['', 'said "y"'],
    [null, null],
    ['l\n2', 'z'],
  ]

  it('gives the rows before the cut and an error, or, cut behind a row, the rows alone: never another row', async () => {
    const bytes = Buffer.from(whole)
    for (let length = 0; length < bytes.length; length++) {
      const got: unknown[] = []
      let error: unknown
      try {
        const parts = csvRows(pieces(bytes.subarray(0, length), 5), {
          plan: textPlan(info(names)),
          header: names,
          file: 's3://lake/r.csv',
        })
        for await (const batch of parts) got.push(...batch)
      } catch (caught) {
        error = caught
      }
      expect(got).toEqual(rows.slice(0, got.length))
      const complete = csv([names, ...rows.slice(0, got.length)])
      if (Buffer.byteLength(complete) === length) expect(error).toBeUndefined()
      else expect(error).toMatchObject({ code: 'PIPE_ATHENA_RESULT', details: { file: 's3://lake/r.csv' } })
    }
  })

  it.each([
    ['another header', '"x","b"\n', 'its column 1 is "x", not "a"'],
    ['too few cells', '"a","b"\n"1"\n', 'row 1 has 1 cells, not 2'],
    ['too many cells', '"a","b"\n"1","2","3"\n', 'row 1 has more than 2 cells'],
    ['text without quotes', '"a","b"\n1,"2"\n', 'row 1 has a cell that is not between quotes'],
    ['text behind a quote', '"a","b"\n"1"x,"2"\n', 'row 1 has a cell that is not between quotes'],
    ['line ends of another system', '"a","b"\r\n', 'row 0 has a cell that is not between quotes'],
    ['nothing at all', '', 'it is empty'],
  ])('%s', async (_name, text, reason) => {
    const message = await messageOf(texts(text, names))
    expect(message).toContain('PIPE_ATHENA_RESULT')
    expect(message).toContain(reason)
  })
})

describe('typed rows', () => {
  const returns = { id: column.bigint(), name: column.string().nullable(), at: column.timestamp(), x: column.double() }
  const columns = [
    { Name: 'ID', Type: 'bigint' },
    { Name: 'name', Type: 'varchar' },
    { Name: 'at', Type: 'timestamp' },
    { Name: 'x', Type: 'double' },
  ]
  const header = columns.map(({ Name }) => Name)

  it('are decoded where they stand', async () => {
    const text = csv([
      header,
      ['1', 'a "b"', '2026-11-24 15:31:00.007', '1.5'],
      ['9007199254740993', null, '1969-12-31 23:59:59', '-0.0'],
    ])
    expect(await read(text, rowPlan(returns, columns), header)).toEqual([
      { id: 1n, name: 'a "b"', at: new Date('2026-11-24T15:31:00.007Z'), x: 1.5 },
      { id: 9007199254740993n, name: null, at: new Date(-1000), x: -0 },
    ])
  })

  it('name the row and the column of what is wrong', async () => {
    const bad = csv([header, ['1', 'a', '2026-11-24 15:31:00.007', '1'], ['x', 'a', '2026-11-24 15:31:00.007', '1']])
    expect(await messageOf(read(bad, rowPlan(returns, columns), header))).toContain('Row 2 holds "x" in "id"')
    const missing = csv([header, ['1', 'a', null, '1']])
    expect(await messageOf(read(missing, rowPlan(returns, columns), header))).toContain('Row 1 holds NULL in "at"')
  })

  it('have own properties only, whatever a column is called', async () => {
    const odd = { ['__proto__']: column.string(), constructor: column.string() }
    const names = ['__proto__', 'constructor']
    const [row] = await read(csv([names, ['a', 'b']]), rowPlan(odd, info(names)), names)
    expect(Object.entries(row!)).toEqual([
      ['__proto__', 'a'],
      ['constructor', 'b'],
    ])
    expect(Object.getPrototypeOf(row)).toBe(Object.prototype)
  })
})

it('a file at hand is read without Athena', async () => {
  const bytes = Buffer.from(
    csv([
      ['n', 'name'],
      ['1', null],
      ['2', 'b'],
    ]),
  )
  const returns = { n: column.bigint(), name: column.string().nullable() }
  const rows = []
  for await (const batch of readResultCsv(pieces(bytes, 5), { returns, file: 'r.csv' })) rows.push(...batch)
  expect(rows).toEqual([
    { n: 1n, name: null },
    { n: 2n, name: 'b' },
  ])
})

describe('memory', () => {
  it('a long row is read in linear time, and an endless one is refused', async () => {
    const long = 'y'.repeat(8_000_000)
    expect(await texts(csv([['a'], [long]]), ['a'], 65_536)).toEqual([[long]])
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('"a"\n"')
      const block = Buffer.alloc(1 << 20, 120)
      for (;;) yield block
    }
    const rows = csvRows(endless(), { plan: textPlan(info(['a'])), header: ['a'], file: 's3://lake/r.csv' })
    expect(await messageOf(rows.next())).toContain('has more than')
  })
})
