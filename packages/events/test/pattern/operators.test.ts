import { describe, expect, it } from 'vitest'
import { matchesPattern } from '../../src/index'
import { referenceMatches } from './reference-matcher'

/** Every row of the semantics of EventBridge: what the pattern's field `f` asks, values that match, values that do not. */
const rows: readonly [string, readonly unknown[], readonly unknown[], readonly unknown[]][] = [
  ['a text', ['a'], ['a', ['b', 'a'], [['a']]], ['A', 'ab', 1, null, [], {}, { f: 'a' }]],
  ['any of the list', ['a', 'b'], ['a', 'b'], ['c']],
  ['the empty text', [''], [''], ['x', null]],
  ['true, which is no text', [true], [true], ['true', false, 1]],
  ['null', [null], [null, [null]], ['null', [], 0]],
  ['a number, whatever its text', [300], [300, 3e2], ['300', 301]],
  ['exists: true', [{ exists: true }], ['a', null, 0, false, '', ['a']], [{}, { g: 1 }, [], undefined]],
  ['exists: false', [{ exists: false }], [undefined, {}, { g: 1 }, []], ['a', null, 0, ['a']]],
  ['numeric =', [{ numeric: ['=', 5] }], [5, 5.0], [5.1, '5', null]],
  ['numeric <', [{ numeric: ['<', 5] }], [4.9, -1e9], [5, '4']],
  ['numeric <=', [{ numeric: ['<=', 5] }], [5], [5.000001]],
  ['numeric >', [{ numeric: ['>', 5] }], [5.000001], [5]],
  ['numeric >=', [{ numeric: ['>=', 5] }], [5], [4.999]],
  ['numeric, two bounds', [{ numeric: ['>', 0, '<=', 5] }], [0.1, 5], [0, 5.1]],
  ['prefix', [{ prefix: 'eu-' }], ['eu-west', 'eu-'], ['EU-west', 'us', 5]],
  ['the empty prefix', [{ prefix: '' }], ['', 'x'], [5, null]],
  ['prefix without case', [{ prefix: { 'equals-ignore-case': 'EvÄ' } }], ['evänt', 'EVÄ'], ['eva', 'e']],
  ['suffix', [{ suffix: '.png' }], ['a.png', '.png'], ['a.PNG', 'png']],
  ['suffix without case', [{ suffix: { 'equals-ignore-case': '.PnG' } }], ['a.png', 'b.PNG'], ['png', 'a.jpg']],
  ['equals-ignore-case', [{ 'equals-ignore-case': 'ÄÖ' }], ['äö', 'Äö'], ['ao', 'äöä', 1]],
  ['equals-ignore-case of ß, whose capital is two letters', [{ 'equals-ignore-case': 'straße' }], ['Straße'], ['STRASSE']],
  ['equals-ignore-case of k, which is not the Kelvin sign', [{ 'equals-ignore-case': 'k' }], ['K', 'k'], ['\u212a']],
  ['wildcard', [{ wildcard: 'a*b*c' }], ['abc', 'a-b-b-c'], ['acb', 'ab', 'xabc', 'abcd', 1]],
  ['wildcard alone', [{ wildcard: '*' }], ['', 'x'], [1, null]],
  ['wildcard with a star of the text', [{ wildcard: 'a\\*\\\\*' }], ['a*\\', 'a*\\x'], ['ab\\', 'a*']],
  ['wildcard whose parts may not overlap', [{ wildcard: 'ab*ba' }], ['abba', 'ab-ba'], ['aba']],
  ['anything-but a text', [{ 'anything-but': 'a' }], ['b', 1, null, true, ['a', 'b']], ['a', ['a'], undefined, []]],
  ['anything-but texts', [{ 'anything-but': ['a', 'b'] }], ['c', 5], ['a', 'b']],
  ['anything-but a number', [{ 'anything-but': 5 }], [4, '5'], [5, 5.0]],
  ['anything-but numbers', [{ 'anything-but': [0, 5] }], [4, null], [5, 0]],
  ['anything-but prefix', [{ 'anything-but': { prefix: 'a' } }], ['b', 5, null], ['ab']],
  ['anything-but prefixes', [{ 'anything-but': { prefix: ['a', 'b'] } }], ['c'], ['ab', 'ba']],
  ['anything-but suffix', [{ 'anything-but': { suffix: 'a' } }], ['ab'], ['ba']],
  ['anything-but equals-ignore-case', [{ 'anything-but': { 'equals-ignore-case': ['a', 'B'] } }], ['c', 1], ['A', 'b']],
  ['anything-but wildcard', [{ 'anything-but': { wildcard: '*a*' } }], ['b', 1, ''], ['bab', 'a']],
  ['cidr', [{ cidr: '10.0.0.77/24' }], ['10.0.0.0', '10.0.0.255'], ['10.0.1.0', 'x', '::1', '10.0.0.256', 167772160]],
  ['an address, which matches as a text', ['10.0.0.1'], ['10.0.0.1'], ['10.0.0.2']],
  ['two entries of one field', [{ exists: false }, 'a'], [undefined, 'a'], ['b']],
]

describe.each(rows)('%s', (_what, entries, matching, others) => {
  const verdict = (value: unknown) => {
    const event = value === undefined ? { g: 1 } : { f: value }
    const verdicts = [
      matchesPattern({ f: entries }, event),
      matchesPattern(JSON.stringify({ f: entries }), JSON.stringify(event)),
    ]
    expect(verdicts).toEqual([referenceMatches({ f: entries }, event), verdicts[0]])
    return verdicts[0]
  }
  it.each(matching.map((value) => [JSON.stringify(value) ?? 'nothing', value]))('matches %s', (_text, value) => {
    expect(verdict(value)).toBe(true)
  })
  it.each(others.map((value) => [JSON.stringify(value) ?? 'nothing', value]))('does not match %s', (_text, value) => {
    expect(verdict(value)).toBe(false)
  })
})

describe('addresses of IPv6', () => {
  it.each<[string, string, boolean]>([
    ['2001:db8::/32', '2001:db8:1::5', true],
    ['2001:db8::/32', '2001:DB8:ffff:ffff:ffff:ffff:ffff:ffff', true],
    ['2001:db8::/32', '2001:db9::', false],
    ['2001:db8::/32', '10.0.0.1', false],
    ['10.0.0.0/8', '::ffff:a00:1', true],
    ['2001:db8::/32', '2001:db8', false],
    ['::/0', '1:2:3:4:5:6:7:8', true],
    ['::/0', '1:2:3:4:5:6:7', false],
  ])('cidr %s, value %s: %s', (cidr, value, expected) => {
    expect(matchesPattern({ f: [{ cidr }] }, { f: value })).toBe(expected)
  })
  it('an exact address matches every way to write it', () => {
    expect(matchesPattern({ f: ['2001:db8::1'] }, { f: '2001:0DB8:0:0:0:0:0:1' })).toBe(true)
    expect(matchesPattern({ f: ['2001:db8::1'] }, { f: '2001:db8::2' })).toBe(false)
  })
})

describe('fields', () => {
  const order = {
    source: 'shop',
    detail: {
      items: [
        { a: 1, b: 3 },
        { a: 9, b: 2 },
      ],
      total: 12,
    },
  }
  it.each<[string, object, object, boolean]>([
    ['all must match', { source: ['shop'], detail: { total: [12] } }, order, true],
    ['one that does not spoils it', { source: ['other'], detail: { total: [12] } }, order, false],
    ['in one element of an array', { detail: { items: { a: [1], b: [3] } } }, order, true],
    ['not in two elements', { detail: { items: { a: [1], b: [2] } } }, order, false],
    ['a leaf beside an array', { detail: { items: { a: [9] }, total: [12] } }, order, true],
    ['in two arrays, chosen apart', { x: { a: [1] }, y: { b: [2] } }, { x: [{ a: 1 }], y: [{ b: 1 }, { b: 2 }] }, true],
    ['nested arrays agree', { x: { y: { a: [1], b: [2] } } }, { x: [{ y: [{ a: 1, b: 2 }] }] }, true],
    [
      'nested arrays disagree',
      { x: { y: { a: [1] }, z: [2] } },
      {
        x: [
          { y: [{ a: 1 }], z: 1 },
          { y: [{ a: 2 }], z: 2 },
        ],
      },
      false,
    ],
    ['absent in the element chosen', { x: { b: [1], z: [{ exists: false }] } }, { x: [{ z: 1, b: 2 }, { b: 1 }] }, true],
    [
      'absent, decided before the element is chosen',
      { x: { a: [{ exists: false }], b: [1] } },
      { x: [{ a: 1, b: 2 }, { b: 1 }] },
      false,
    ],
    ['a dot joins in the pattern', { 'detail.total': [12] }, order, true],
    ['a dot joins in the event', { detail: { total: [12] } }, { 'detail.total': 12 }, true],
    ['$or, first', { $or: [{ source: ['shop'] }, { source: ['x'] }] }, order, true],
    ['$or, none', { $or: [{ source: ['y'] }, { source: ['x'] }] }, order, false],
    ['$or with siblings', { detail: { total: [1], $or: [{ total2: [1] }, { items: { a: [1] } }] } }, order, false],
    ['$or nested', { detail: { $or: [{ $or: [{ total: [1] }, { total: [12] }] }, { x: [1] }] } }, order, true],
    ['$or of values is a field', { $or: ['a'] }, { $or: 'a' }, true],
    ['$or with words of the engine is a field', { $or: [{ prefix: 'a' }, { suffix: 'b' }] }, { $or: 'ab' }, true],
    ['names that every object inherits', { constructor: [{ exists: true }] }, {}, false],
    ['__proto__ of the event', JSON.parse('{"__proto__":{"x":[1]}}'), JSON.parse('{"__proto__":{"x":1}}'), true],
    ['keys are exact', { Source: ['shop'] }, order, false],
  ])('%s', (_what, pattern, event, expected) => {
    expect(matchesPattern(pattern as Record<string, unknown>, event)).toBe(expected)
    expect(matchesPattern(JSON.stringify(pattern), JSON.stringify(event))).toBe(expected)
  })
})

describe('large numbers', () => {
  it('are told apart in texts', () => {
    expect(matchesPattern('{"f":[9007199254740993]}', '{"f":9007199254740993}')).toBe(true)
    expect(matchesPattern('{"f":[9007199254740993]}', '{"f":9007199254740992}')).toBe(false)
    expect(matchesPattern('{"f":[9007199254740993]}', { f: 9007199254740993n })).toBe(true)
    expect(matchesPattern('{"f":[1e20]}', '{"f":100000000000000000000}')).toBe(true)
    expect(matchesPattern('{"f":[{"numeric":[">",5]}]}', '{"f":1e20}')).toBe(true)
    expect(matchesPattern('{"f":[{"numeric":[">",5]}]}', '{"f":9007199254740993}')).toBe(false)
    expect(matchesPattern('{"f":[{"anything-but":5}]}', '{"f":9007199254740993}')).toBe(true)
    expect(matchesPattern('{"f":[0.1]}', '{"f":0.10000000000000000}')).toBe(true)
    expect(matchesPattern('{"f":[0.1]}', '{"f":0.10000000000000001}')).toBe(false)
  })
  it('are refused where JavaScript may have changed them', () => {
    expect(() => matchesPattern({ f: [{ numeric: ['>', 5] }] }, { f: 2 ** 53 })).toThrow('PIPE_EVENT_NUMBER')
    expect(matchesPattern({ f: [{ exists: true }] }, { f: 2 ** 53 })).toBe(true)
    expect(() => matchesPattern({ f: [2 ** 53] }, { f: 1 })).toThrow(/PIPE_PATTERN .*f\[0\]/)
  })
})

describe('events that are none', () => {
  it.each<[string, unknown]>([
    ['no JSON', '{"a":'],
    ['large numbers in no JSON', '{"a":1234567890123456789'],
    ['a list', '[]'],
    ['null', 'null'],
  ])('%s', (_what, event) => {
    expect(() => matchesPattern({ a: [1] }, event as string)).toThrow('PIPE_EVENT_JSON')
  })
})
