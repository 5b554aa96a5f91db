import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseHiveType } from '../../src/athena/hive-type'
import { canonicalScalar, decimalText, jsonText, MalformedJson, readJson } from '../../src/athena/json-value'
import {
  cutText,
  dateText,
  decimalValueText,
  floatingText,
  integerText,
  jsonTimestampText,
  numberText,
  timestampText,
} from '../../src/athena/scan-value'

describe('numbers', () => {
  test.each([
    ['7', 'int', '7'],
    ['-007', 'int', '-7'],
    ['+1', 'int', '1'],
    ['2147483647', 'int', '2147483647'],
    ['2147483648', 'int', undefined],
    ['-9223372036854775808', 'bigint', '-9223372036854775808'],
    ['9223372036854775808', 'bigint', undefined],
    ['9007199254740993', 'bigint', '9007199254740993'],
    ['1.5', 'bigint', undefined],
    ['1e3', 'bigint', undefined],
    ['', 'bigint', undefined],
    ['-', 'bigint', undefined],
    ['128', 'tinyint', undefined],
  ])('%s as %s is %s', (text, type, expected) => {
    expect(integerText(text, type)).toBe(expected)
  })

  test('every double comes back as itself', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), (value) => {
        const text = floatingText(Object.is(value, -0) ? '-0' : String(value), 'double')
        expect(Object.is(Number(text), value)).toBe(true)
      }),
    )
  })

  test.each([
    ['1.5f', '1.5'],
    [' 2. ', '2'],
    ['.5', '0.5'],
    ['NaN', 'NaN'],
    ['-Infinity', '-Infinity'],
    ['1e400', 'Infinity'],
    ['0x1p3', undefined],
    ['.', undefined],
    ['n/a', undefined],
  ])('%s as double is %s', (text, expected) => {
    expect(floatingText(text, 'double')).toBe(expected)
  })

  test.each([
    ['1.005', 10, 2, '1.01'],
    ['-1.005', 10, 2, '-1.01'],
    ['1.004999', 10, 2, '1.00'],
    ['12e2', 10, 0, '1200'],
    ['99999999.995', 10, 2, undefined],
    ['-0.001', 10, 2, '0.00'],
    ['5', 3, 3, undefined],
    ['x', 3, 3, undefined],
  ])('%s as decimal(%d,%d) is %s', (text, precision, scale, expected) => {
    expect(decimalValueText(text, precision, scale)).toBe(expected)
    expect(numberText(text, parseHiveType(`decimal(${precision},${scale})`))).toBe(expected)
  })
})

describe('dates and times', () => {
  test.each([
    ['2026-11-24', '2026-11-24'],
    ['2026-1-2 whatever', '2026-01-02'],
    ['2026-02-30', '2026-03-02'],
    ['24.11.2026', undefined],
  ])('date %s is %s', (text, expected) => {
    expect(dateText(text)).toBe(expected)
  })

  test.each([
    ['2026-11-24 01:02:03', '2026-11-24 01:02:03.000'],
    ['2026-11-24 01:02:03.4567', '2026-11-24 01:02:03.457'],
    ['2026-11-24 01:02:03.9996', '2026-11-24 01:02:04.000'],
    ['2026-11-24', '2026-11-24 00:00:00.000'],
    ['2026-11-24T01:02', '2026-11-24 01:02:00.000'],
    ['2026-11-24T01:02:03Z', undefined],
  ])('timestamp %s is %s', (text, expected) => {
    expect(timestampText(text)).toBe(expected)
  })

  test.each([
    ['2026-11-24T01:02:03.5Z', '2026-11-24 01:02:03.500'],
    ['2026-11-24T01:02:03+02:00', '2026-11-23 23:02:03.000'],
    ['2026-11-24T01:02:03-0130', '2026-11-24 02:32:03.000'],
    ['2026-11-24 01:02:03', '2026-11-24 01:02:03.000'],
    ['1700000000', '2023-11-14 22:13:20.000'],
    ['1700000000123', '2023-11-14 22:13:20.123'],
    ['1700000000.1239', '2023-11-14 22:13:20.123'],
    ['soon', undefined],
    ['2026-11-24', undefined],
  ])('JSON timestamp %s is %s', (text, expected) => {
    expect(jsonTimestampText(text)).toBe(expected)
  })
})

test('varchar(n) counts code points', () => {
  expect(cutText('a😀b', 2)).toBe('a😀')
})

describe('JSON', () => {
  const plain = (text: string): unknown => {
    const strip = (value: ReturnType<typeof readJson>): unknown => {
      if (value === null) return null
      if (value.kind === 'scalar')
        return value.quoted ? value.text : Number.isNaN(Number(value.text)) ? value.text === 'true' : Number(value.text)
      if (value.kind === 'list') return value.values.map(strip)
      return Object.fromEntries([...value.entries].map(([key, entry]) => [key, strip(entry)]))
    }
    return strip(readJson(text))
  }

  test('reads whatever JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const text = JSON.stringify(value)
        let read: unknown
        try {
          read = plain(text)
        } catch (error) {
          // Keys that differ only in case are Athena's "Duplicate key".
          expect((error as Error).message).toMatch(/Duplicate key/)
          return
        }
        expect(read).toEqual(JSON.parse(text, (_, entry) => (Object.is(entry, -0) ? 0 : entry)))
      }),
    )
  })

  test.each([
    ["{'a':1}", { a: 1 }],
    ['{a = 1; b => "x"}', { a: 1, b: 'x' }],
    ['{"a":1} and more', { a: 1 }],
    ['{"a":[1,,2,]}', { a: [1, null, 2, null] }],
    ['{/* c */"a":1 // end', undefined],
    ['{"a":"\\u00e9\\t"}', { a: 'é\t' }],
    ['{"a":1', undefined],
    ['{"a":"x', undefined],
    ['{"a":1,"A":2}', undefined],
    ['{"a":"\\u12"}', undefined],
    ['{"a":}', undefined],
    ['{1:2}', { 1: 2 }],
    ['{[]:2}', undefined],
  ])('%s', (text, expected) => {
    if (expected === undefined) expect(() => readJson(text)).toThrow(MalformedJson)
    else expect(plain(text)).toEqual(expected)
  })

  test('ten thousand brackets are malformed, not a crash', () => {
    expect(() => readJson(`{"a":${'['.repeat(10_000)}`)).toThrow(/Nested more than/)
  })

  test('nested values as text', () => {
    expect(jsonText(readJson('{ "a" : [1.50, TRUE, null, "x\\"y"], b: {c: 1e2} }'))).toBe(
      '{"a":[1.50,true,null,"x\\"y"],"b":{"c":1E+2}}',
    )
    expect(canonicalScalar('FALSE')).toBe('false')
    expect(canonicalScalar('abc')).toBeUndefined()
  })

  test.each([
    ['1', '1'],
    ['-1.0', '-1.0'],
    ['1e5', '1E+5'],
    ['12.5e-3', '0.0125'],
    ['1e-7', '1E-7'],
    ['0.000001', '0.000001'],
    ['0.0000001', '1E-7'],
    ['123e2', '1.23E+4'],
    ['.', undefined],
  ])('the number %s is the text %s', (text, expected) => {
    expect(decimalText(text)).toBe(expected)
  })
})
