import { type Column, column } from '@pipe/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cellDecoder } from '../../src/result/cell-decoder'

const digits = fc.string({ unit: fc.constantFrom('0', '1', '9'), maxLength: 6 })
const two = fc.constantFrom('00', '11', '31', '1', '111', '1a', '٣٣')
const sign = fc.constantFrom('', '', '-', '+', '--')
const day = fc
  .tuple(sign, digits, fc.constantFrom('-', '-', '-', '/'), two, two)
  .map(([s, y, m, a, b]) => `${s}${y}${m}${a}-${b}`)
const fraction = fc.tuple(fc.constantFrom('', '.', '..'), digits).map((parts) => parts.join(''))
const time = fc.tuple(two, fc.constantFrom(':', ':', '.'), two, two).map(([h, c, m, s]) => `${h}${c}${m}:${s}`)
const instant = fc.tuple(day, fc.constantFrom(' ', ' ', 'T', '  '), time, fraction).map((parts) => parts.join(''))
const zone = fc.constantFrom('', ' ', ' UTC', ' +05:30', '  UTC', ' Europe/Berlin', ' a b', ' a\n', ' a\u00a0b', 'Z')
const zoned = fc.tuple(instant, zone).map((parts) => parts.join(''))
const decimal = fc.tuple(sign, digits, fraction).map((parts) => parts.join(''))
const sound = fc.constantFrom('-12.50', '2026-11-24', '12026-11-24', '2026-11-24 15:31:00.000001', '2026-11-24 15:31:00 UTC')
const cell = fc.oneof(day, instant, zoned, decimal, sound, fc.string({ maxLength: 12 }))

// What a text must look like that is handed on as it is.
const forms: readonly (readonly [string, Column, RegExp])[] = [
  ['decimal', column.decimal(10, 2), /^-?\d+(?:\.\d+)?$/],
  ['date', column.date(), /^-?\d{4,}-\d{2}-\d{2}$/],
  ['timestamp(6)', column.timestampMicros(), /^-?\d{4,}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(?:\.\d+)?$/],
  ['timestamp with time zone', column.timestampWithZone(), /^-?\d{4,}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(?:\.\d+)? \S+$/],
]

describe('a text that is handed on as it is has the form of its type, wherever it stands', () => {
  it.each(forms)('%s', (_, one, form) => {
    const decode = cellDecoder(one)
    fc.assert(
      // What stands around it must not count: digits, signs and spaces would.
      fc.property(
        fc.constantFrom('', '1', '-', ' '),
        cell,
        fc.constantFrom('', '1', '.5', ' UTC', '-11'),
        (before, text, behind) => {
          const found = decode(`${before}${text}${behind}`, before.length, before.length + text.length)
          expect(found).toBe(form.test(text) ? text : undefined)
        },
      ),
      { numRuns: 500 },
    )
  })
})
