import { column, defineTable, type Table } from '@pipe/core'
import fc from 'fast-check'

/** A table with every flat type, so that each meets hostile values. */
export const flatTable: Table = defineTable('hostile', {
  columns: {
    at: column.timestamp(),
    name: column.string(),
    metric: column.double(),
    small: column.integer().nullable(),
    big: column.bigint().nullable(),
    price: column.decimal(12, 2).nullable(),
    ok: column.boolean().nullable(),
    day: column.date().nullable(),
    ratio: column.float().nullable(),
  },
  eventTime: 'at',
})

const oddNumbers = [
  '0',
  '-0',
  '-0.0',
  '1.5',
  '8.5',
  '1e3',
  '1E+2',
  '-1e-7',
  '1e400',
  '-1e400',
  '1e-400',
  '123456789',
  '2147483647',
  '2147483648',
  '-2147483648',
  '9007199254740993',
  '9223372036854775807',
  '9223372036854775808',
  '0.1',
  '0.30000000000000004',
  '5e-324',
  '1.7976931348623157e308',
  '01',
  '1.',
  '.5',
  '+1',
  '99999999999999999999',
  '12.345',
  '9999999999.99',
  '10000000000.00',
  '0.07',
  '123456789.12',
  '1.0',
  '0.123456789012345678901234',
  'NaN',
]
const oddStrings = [
  '',
  'n/a',
  '1.5',
  ' 1',
  'true',
  'NaN',
  'Infinity',
  'null',
  "'; DROP TABLE x; --",
  'a\nb',
  'a"b',
  'back\\slash',
  'tab\t',
  'emoji 😀',
  '\u0000',
  '\u0001',
  '\u2028',
  '\ufffd',
  '\ufeff',
  'é',
  '\\u0041',
  '2026-11-24',
  '2026-02-29',
  '2024-02-29',
  '2026-11-24 15:31:00',
  '2026-11-24 15:31:00.1',
  '2026-11-24 15:31:00.123',
  '2026-11-24T15:31:00.123Z',
  '2026-11-24 15:31:00.123456',
  '2026-11-24 15:31:00.9999',
  '2026-02-30 00:00:00.000',
  '2026-11-24 24:00:00.000',
  '2026-11-24 15:31:60.000',
  '0000-01-01',
  '0001-01-01 00:00:00.000',
  '9999-12-31 23:59:59.999',
  '2026-11-24 15:31:00+01:00',
  '12.50',
  '12.5',
  '9007199254740993',
  '{}',
  '[]',
]

const jsonValue: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...oddNumbers) },
  { weight: 3, arbitrary: fc.constantFrom(...oddStrings).map((text) => JSON.stringify(text)) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text)) },
  { weight: 1, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => JSON.stringify(number)) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'true',
      'false',
      'null',
      '{}',
      '[]',
      '[1]',
      '{"a":1}',
      '"\\ud83d\\ude00"',
      '"\\/"',
      '"a\\b"',
      'nul',
    ),
  },
)

const goodValues: Readonly<Record<string, fc.Arbitrary<string>>> = {
  at: fc.date({ min: new Date('1000-01-01T00:00:00Z'), max: new Date('9999-12-31T00:00:00Z'), noInvalidDate: true }).map((at) => {
    return JSON.stringify(at.toISOString().replace('T', ' ').replace('Z', ''))
  }),
  name: fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom(...oddStrings)).map((text) => JSON.stringify(text)),
  metric: fc
    .oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.float({ noNaN: true, noDefaultInfinity: true }))
    .map((n) => JSON.stringify(n)),
  small: fc.integer().map(String),
  big: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
  price: fc.integer({ min: -999_999_999, max: 999_999_999 }).map((cents) => (cents / 100).toFixed(2)),
  ok: fc.constantFrom('true', 'false', 'null'),
  day: fc
    .date({ min: new Date('1000-01-01T00:00:00Z'), max: new Date('9999-12-31T00:00:00Z'), noInvalidDate: true })
    .map((at) => {
      return JSON.stringify(at.toISOString().slice(0, 10))
    }),
  ratio: fc.float({ noNaN: true, noDefaultInfinity: true }).map((n) => JSON.stringify(n)),
}

/** One line of JSON over the columns: mostly good, with one hostile thing in it. */
function objectLine(table: Table): fc.Arbitrary<string> {
  const names = Object.keys(table.columns)
  const good = fc.record(Object.fromEntries(names.map((name) => [name, goodValues[name]!]))) as fc.Arbitrary<
    Record<string, string>
  >
  return fc
    .record({
      good,
      spoil: fc.option(fc.tuple(fc.constantFrom(...names), jsonValue), { freq: 2 }),
      order: fc.oneof(
        { weight: 3, arbitrary: fc.constant(names) },
        { weight: 1, arbitrary: fc.shuffledSubarray(names, { minLength: names.length }) },
      ),
      drop: fc.option(fc.constantFrom(...names), { freq: 8 }),
      extra: fc.option(fc.constantFrom('"extra":1', '"metric":2', '"__proto__":1', '"a\\"b":2'), { freq: 12 }),
      blank: fc.constantFrom('', '', '', ' ', '\t'),
      end: fc.constantFrom('', '', '', ' ', '\r', ',', '}'),
    })
    .map(({ good, spoil, order, drop, extra, blank, end }) => {
      const values = { ...good, ...(spoil ? { [spoil[0]]: spoil[1] } : {}) }
      const pairs = order.filter((name) => name !== drop).map((name) => `"${name}":${blank}${values[name]}`)
      return `{${[...pairs, ...(extra ? [extra] : [])].join(`,${blank}`)}}${end}`
    })
}

/** Lines of a file, without their line ends. */
export function hostileLines(table: Table, options: { readonly maxLength?: number } = {}): fc.Arbitrary<string[]> {
  const line = fc.oneof(
    { weight: 12, arbitrary: objectLine(table) },
    {
      weight: 1,
      arbitrary: fc.constantFrom('', ' ', '[]', 'null', '"x"', '{', '{}', '{}{}', 'n/a', '\ufeff{}', 'true', '1', '\u001f'),
    },
  )
  return fc.array(line, { maxLength: options.maxLength ?? 40 })
}
