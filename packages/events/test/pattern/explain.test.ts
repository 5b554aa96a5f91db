import { describe, expect, it } from 'vitest'
import { explainMatch } from '../../src/index'

describe('explainMatch', () => {
  it('names the fields that failed, with what was found', () => {
    const pattern = { source: ['shop'], detail: { total: [{ numeric: ['>=', 100] }], note: ['x'] } }
    const { matches, fields, text } = explainMatch(pattern, { source: 'shop', detail: { total: 40 } })
    expect(matches).toBe(false)
    expect(fields.map(({ path, passes }) => [path, passes])).toEqual([
      ['detail.note', false],
      ['detail.total', false],
      ['source', true],
    ])
    expect(text).toBe(
      'No match: detail.note is nothing, the pattern asks ["x"]; detail.total is 40, the pattern asks [{"numeric":[">=",100]}].',
    )
  })

  it('says what matched', () => {
    expect(explainMatch({ a: [1, 2] }, { a: [2, 'x'] }).text).toBe('Match: a is 2, "x".')
  })

  it('shows the alternative that came nearest', () => {
    const pattern = {
      $or: [
        { a: [1], b: [1], c: [1] },
        { a: [1], b: [2] },
      ],
    }
    expect(explainMatch(pattern, { a: 1, b: 5 }).text).toBe('No match (nearest of 2 alternatives): b is 5, the pattern asks [2].')
    expect(explainMatch(pattern, { a: 1, b: 2 }).text).toBe('Match (one of 2 alternatives): a is 1; b is 2.')
  })

  it('tells fields that match in different elements', () => {
    const explained = explainMatch(
      { x: { a: [1], b: [2] } },
      {
        x: [
          { a: 1, b: 3 },
          { a: 9, b: 2 },
        ],
      },
    )
    expect(explained).toMatchObject({ matches: false, apart: true })
    expect(explained.text).toBe('No match: x.a and x.b each match, but in different elements of an array.')
  })

  it('shows every digit of a number, and shortens long lists', () => {
    expect(explainMatch('{"a":[1]}', '{"a":12345678901234567890}').text).toContain('a is 12345678901234567890,')
    const many = explainMatch({ a: ['x'] }, { a: Array.from({ length: 12 }, (_, i) => i) })
    expect(many.fields[0]!.found).toBe('0, 1, 2, 3, 4, 5, 6, 7, 8, 9, … 2 more')
  })
})
