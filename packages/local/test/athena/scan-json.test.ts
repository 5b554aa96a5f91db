import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseHiveType } from '../../src/athena/hive-type'
import { plainDocumentReader } from '../../src/athena/json-plain'
import { jsonLineDecoder } from '../../src/athena/scan-json'

const columns = [
  { name: 's', type: 'string' },
  { name: 'd', type: 'double' },
  { name: 'n', type: 'bigint' },
  { name: 't', type: 'timestamp' },
  { name: 'b', type: 'boolean' },
  { name: 'c', type: 'decimal(10,2)' },
]
const decode = jsonLineDecoder(columns, { kind: 'json', skipLines: 0, ignoreMalformed: true, keys: {} })
const fields = columns.map((column, index) => ({ index, name: column.name, type: parseHiveType(column.type) }))
const plain = plainDocumentReader(fields, new Map(fields.map((field) => [field.name, field])))
const place = { path: 's3://b/k', line: () => 1 }

// A trailing comment is nothing to the careful reader, and more than the fast one takes.
const careful = (text: string) => {
  try {
    return decode(Buffer.from(`${text} #`), place)
  } catch (error) {
    return (error as Error).message
  }
}

test('the fast reader takes ordinary lines', () => {
  expect(plain('{"T":"2026-11-24T00:00:00.000Z","s":"d1","d":1.5,"n":-7,"b":true,"x":1,"c":null}')).toEqual([
    'd1',
    '1.5',
    '-7',
    '2026-11-24 00:00:00.000',
    'true',
    null,
  ])
})

test.each([
  '{"n":1.0}',
  '{"n":1e3}',
  '{"n":9007199254740993}',
  '{"s":1}',
  '{"s":"a","S":"b"}',
  '{"s":"a","s":"b"}',
  '{"s" :"a","s":"b"}',
  '{"s":":"}',
  '{"s":{"a":1}}',
  '{"s":"\\u0041"}',
  '{"d":"x"}',
  '[1]',
  "{'s':1}",
])('and leaves %s to the careful one', (line) => {
  expect(plain(line)).toBeUndefined()
})

test('whatever the fast reader says, the careful one says, too', () => {
  const key = fc.constantFrom('s', 'd', 'n', 't', 'b', 'c', 'S', 'N', 'x', 'X', '', ':', '__proto__', '1', '0')
  const value = fc.oneof(
    fc.constantFrom('1', '1.0', '-0', '0', '1e3', '1E400', '-1.5', '9007199254740993', 'true', 'null', '{}', '[1]', '{"s":"q"}'),
    fc.constantFrom('"a"', '":"', '"a\\"b"', '""', '"2026-11-24T00:00:00Z"', '"1700000000"', '" :"', '"\ufeff"', '"{\\"n\\":1}"'),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
    fc.integer().map(String),
    fc.string().map((text) => JSON.stringify(text)),
  )
  const colon = fc.constantFrom(':', ':', ':', ' :', ': ')
  const line = fc
    .array(fc.tuple(key, colon, value), { maxLength: 5 })
    .map((entries) => `{${entries.map(([name, separator, text]) => `"${name}"${separator}${text}`).join(',')}}`)
  let taken = 0
  fc.assert(
    fc.property(line, (text) => {
      const fast = plain(text)
      if (!fast) return
      taken++
      expect(fast).toEqual(careful(text))
    }),
    { numRuns: 5000 },
  )
  expect(taken).toBeGreaterThan(500)
})
