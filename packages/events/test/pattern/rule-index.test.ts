import { describe, expect, it } from 'vitest'
import { compilePattern, createRuleIndex } from '../../src/index'
import { randomPairs } from './random-pair'

describe('createRuleIndex', () => {
  it('finds what trying every rule finds', () => {
    const pairs: { pattern: Readonly<Record<string, unknown>>; event: Readonly<Record<string, unknown>> }[] = []
    for (const pair of randomPairs(7)) if (pairs.push(pair) === 100) break
    const index = createRuleIndex(pairs.map(({ pattern }, i) => ({ name: `r${i}`, pattern })))
    const compiled = pairs.map(({ pattern }) => compilePattern(pattern))
    let found = 0
    for (const { event } of pairs) {
      const expected = compiled.flatMap((rule, i) => (rule.matches(event) ? [`r${i}`] : []))
      expect(index.matching(event)).toEqual(expected)
      found += expected.length
    }
    expect(found).toBeGreaterThan(100)
  })

  it('finds exact texts inside arrays, and rules by a part of $or, once', () => {
    const index = createRuleIndex([
      { name: 'array', pattern: { detail: { tags: ['red'] } } },
      { name: 'or', pattern: { $or: [{ source: ['a'] }, { detail: { tags: ['red', 'blue'] } }] } },
      { name: 'always', pattern: { source: [{ prefix: '' }] } },
    ])
    expect(index.matching({ source: 'a', detail: { tags: ['x', 'red', 'blue'] } })).toEqual(['array', 'or', 'always'])
    expect(index.matching('{"source":"b","detail":{"tags":[{"y":1}]}}')).toEqual(['always'])
  })

  it('refuses two rules of one name', () => {
    const rule = { name: 'r', pattern: { a: [1] } }
    expect(() => createRuleIndex([rule, rule])).toThrow('two rules are named "r"')
  })
})
