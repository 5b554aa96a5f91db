import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Column, column } from '../src/column-type'
import { exactDigits, readExactJson } from '../src/exact-json'
import { parseInstant } from '../src/timestamp-text'
import { fromJson, parseText } from '../src/value'
import { jsonText, toJson, toText } from '../src/value-text'
import { nested, nullable, scalars } from './arbitrary'

const refused = 'refused'

function text(type: Column, given: string): unknown {
  const read = parseText(type.type, given)
  return 'value' in read ? read.value : refused
}

describe('text', () => {
  test.each<[Column, string, unknown]>([
    [column.integer(), '-7', -7],
    [column.integer(), '2147483648', refused],
    [column.integer(), '8.5', refused],
    [column.integer(), '0x10', refused],
    [column.integer(), ' 1', refused],
    [column.integer(), '', refused],
    [column.bigint(), '9223372036854775807', 9_223_372_036_854_775_807n],
    [column.bigint(), '9223372036854775808', refused],
    [column.double(), '1e3', 1000],
    [column.double(), 'NaN', Number.NaN],
    [column.double(), '-Infinity', Number.NEGATIVE_INFINITY],
    [column.double(), '1e999', refused],
    [column.double(), 'n/a', refused],
    [column.double(), '1_000', refused],
    [column.float(), '1e39', refused],
    [column.boolean(), 'TRUE', true],
    [column.boolean(), '1', refused],
    [column.decimal(5, 2), '12.5', '12.50'],
    [column.decimal(5, 2), '12.500', '12.50'],
    [column.decimal(5, 2), '12.505', refused],
    [column.decimal(5, 2), '1000', refused],
    [column.decimal(5, 2), '-0.001e1', '-0.01'],
    [column.decimal(5, 2), '-0', '0.00'],
    [column.date(), '2024-02-29', '2024-02-29'],
    [column.date(), '2026-02-29', refused],
    [column.binary(), 'aGk=', new Uint8Array([104, 105])],
    [column.binary(), 'aGk', refused],
    [column.timestamp(), '2026-11-24 15:31:00', new Date('2026-11-24T15:31:00Z')],
    [column.timestamp(), '2026-11-24T15:31:00.25+01:00', new Date('2026-11-24T14:31:00.250Z')],
    [column.timestamp(), '2026-11-24T15:31:00.1235Z', new Date('2026-11-24T15:31:00.124Z')],
    [column.timestamp(), '2026-11-24T15:31:00.9996Z', new Date('2026-11-24T15:31:01.000Z')],
    [column.timestamp(0), '2026-11-24 15:31:00.5', new Date('2026-11-24T15:31:01Z')],
    [column.timestamp(), '2026-11-24 24:00:00', refused],
    [column.timestamp(), '2026-11-24', refused],
    [column.timestamp(), '2026-11-24 15:31:00 Europe/Berlin', refused],
    [column.timestampMicros(), '2026-11-24 15:31:00.123456789', '2026-11-24 15:31:00.123457'],
    [column.timestampWithZone(), '2026-11-24T15:31:00+0100', '2026-11-24 15:31:00.000 +01:00'],
    [column.timestampWithZone(), '2026-11-24 15:31:00 Europe/Berlin', '2026-11-24 15:31:00.000 Europe/Berlin'],
    [column.timestampWithZone(), '2026-11-24 15:31:00 Mars/Base', refused],
  ])('%o of %j', (type, given, expected) => {
    expect(text(type, given)).toEqual(expected)
  })

  test.each(scalars.map((kind) => [JSON.stringify(kind.column.type), kind] as const))(
    '%s comes back from its text',
    (_, kind) => {
      fc.assert(
        fc.property(kind.value, (value) => void expect(text(kind.column, toText(kind.column.type, value))).toEqual(value)),
      )
    },
  )

  test('instants agree with Date', () => {
    fc.assert(
      fc.property(fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }), (at) => {
        expect(parseInstant(at.toISOString())?.ms).toBe(at.getTime())
      }),
    )
  })
})

describe('JSON', () => {
  test.each(
    [...scalars, ...nested, ...[...scalars, ...nested].map(nullable)].map(
      (kind, i) => [`${i} ${JSON.stringify(kind.column.type)}`, kind] as const,
    ),
  )('%s comes back from its JSON', (_, kind) => {
    fc.assert(
      fc.property(kind.value, (value) => {
        expect(fromJson(kind.column, toJson(kind.column, value))).toEqual({ value })
        expect(fromJson(kind.column, readExactJson(jsonText(kind.column, value)).value)).toEqual({ value })
      }),
    )
  })

  test.each<[Column, unknown, string]>([
    [column.string(), 5, 'is 5, not a string'],
    [column.string(), 'half \ud800', 'is "half \\ud800", not a string'],
    [column.double(), 'n/a', 'is "n/a", not a double'],
    [column.double(), undefined, 'is missing'],
    [column.array(column.integer()), [1, 'x'], '[1] is "x", not an integer of 32 bits'],
    [column.map(column.integer(), column.integer()), { x: 1 }, 'has the key "x", not an integer of 32 bits'],
    [column.map(column.integer(), column.integer()), { 1: 1, '01': 2 }, 'holds one key in two spellings'],
    [column.struct({ a: column.integer() }), { a: 1, b: 2 }, 'has the unknown field "b"'],
    [column.struct({ a: column.integer() }), {}, 'field "a" is missing'],
    [column.struct({ a: column.integer() }), JSON.parse('{"__proto__":{"a":1}}'), 'has the unknown field "__proto__"'],
    [column.bigint(), 2 ** 60, 'is 1152921504606847000, not an integer of 64 bits'],
  ])('%o of %j is refused', (type, given, reason) => {
    expect(fromJson(type, given)).toEqual({ reason })
  })

  test('a string is accepted for a number only when it is exactly one', () => {
    expect(fromJson(column.double(), '1.5')).toEqual({ value: 1.5 })
    expect(fromJson(column.bigint(), '9007199254740993')).toEqual({ value: 9_007_199_254_740_993n })
  })

  test('the exact reader agrees with JSON.parse, and finds keys that stand twice', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const json = JSON.stringify(value, null, 1)
        const exact = readExactJson(json)
        expect(JSON.stringify(exact.value, (_, item) => Number(exactDigits(item) ?? Number.NaN) || item)).toBe(
          JSON.stringify(value),
        )
        expect(exact.duplicateKey).toBeUndefined()
      }),
    )
    expect(readExactJson('{"a":[{"b":1,"\\u0062":2}]}').duplicateKey).toBe('b')
  })
})

test('a value that is not of the type is not written', () => {
  for (const [type, value] of [
    [column.integer(), 1.5],
    [column.integer(), 2 ** 31],
    [column.bigint(), 1],
    [column.timestamp(), new Date(Number.NaN)],
    [column.decimal(3, 1), '1.25'],
    [column.string(), null],
    [column.date(), '2026-13-01'],
    [column.array(column.integer()), 'x'],
  ] as [Column, unknown][]) {
    expect(() => jsonText(type, value)).toThrow('PIPE_FORMAT_VALUE')
  }
})
