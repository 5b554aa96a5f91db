import { PipeError } from '@pipe/core'
import { describe, expect, it } from 'vitest'
import { compilePattern, type PatternErrorDetails } from '../../src/index'

/** The text of a pattern with `^` before the place that must be named, and EventBridge's reason. */
const refused: readonly [string, string][] = [
  ['^[]', 'Filter is not an object'],
  ['{"a":[1]^', 'unexpected end of the text'],
  ['{^a:[1]}', 'unexpected "a"'],
  ['{"a":[^"x]}', 'a text that does not end'],
  ['^{}', 'Empty objects are not allowed'],
  ['{"a":^{}}', 'Empty objects are not allowed'],
  ['{"a":^[]}', 'Empty arrays are not allowed'],
  ['{"a":^42}', '"a" must be an object or an array'],
  ['{"a":^"x"}', '"a" must be an object or an array'],
  ['{"a":[^["x"]]}', 'Match value must be String, number, true, false, or null'],
  ['{"a":[^{}]}', 'Match expression name not found'],
  ['{"a":[{^"NUMERIC":["=",5]}]}', 'Unrecognized match type NUMERIC'],
  ['{"a":[{^"contains":"x"}]}', 'Unrecognized match type contains'],
  ['{"a":[{"prefix":"x",^"suffix":"y"}]}', 'Only one key allowed in match expression'],
  ['{"a":[{"prefix":^5}]}', 'prefix match pattern must be a string'],
  ['{"a":[{"prefix":^["x"]}]}', 'prefix match pattern must be a string'],
  ['{"a":[{"prefix":^{}}]}', 'Prefix expression name not found'],
  ['{"a":[{"prefix":{^"x":"y"}}]}', 'Unsupported prefix pattern: x'],
  ['{"a":[{"prefix":{"equals-ignore-case":^5}}]}', 'equals-ignore-case match pattern must be a string'],
  ['{"a":[{"suffix":^["x"]}]}', 'suffix match pattern must be a string'],
  ['{"a":[{"suffix":{^"prefix":"y"}}]}', 'Unsupported suffix pattern: prefix'],
  ['{"a":[{"equals-ignore-case":^["x"]}]}', 'equals-ignore-case match pattern must be a string'],
  ['{"a":[{"wildcard":^null}]}', 'wildcard match pattern must be a string'],
  ['{"a":[{"wildcard":"a^**b"}]}', 'Consecutive wildcard characters at pos 2'],
  ['{"a":[{"wildcard":"a^\\\\b"}]}', 'Invalid escape character at pos 2'],
  ['^{"a":[{"wildcard":"*:*:*:*:*:event-bus/*"}]}', 'Rule is too complex'],
  ['^{"a":[{"anything-but":{"wildcard":"*a*a*a*a*a*a"}}]}', 'Rule is too complex'],
  ['{"a":[{"numeric":^5}]}', 'Value of numeric must be an array'],
  ['{"a":[{"numeric":^[]}]}', 'Invalid member in numeric match'],
  ['{"a":[{"numeric":[^5]}]}', 'Invalid member in numeric match: 5'],
  ['{"a":[{"numeric":[^"!",5]}]}', 'Unrecognized numeric range operator: !'],
  ['{"a":[{"numeric":["=",^"5"]}]}', 'Value of equals must be numeric'],
  ['{"a":[{"numeric":[^">"]}]}', 'Value of > must be numeric'],
  ['{"a":[{"numeric":["=",5,^"<",6]}]}', 'Too many elements in numeric expression'],
  ['{"a":[{"numeric":["<",5,^">",1]}]}', 'Too many elements in numeric expression'],
  ['{"a":[{"numeric":[">",0,^">",5]}]}', 'Bad numeric range operator: >'],
  ['{"a":[{"numeric":[">",0,^7]}]}', 'Bad value in numeric range: 7'],
  ['{"a":[{"numeric":[">",0,^"<"]}]}', 'Value of < must be numeric'],
  ['{"a":[{"numeric":[">",0,"<",5,^6]}]}', 'Too many terms in numeric range expression'],
  ['{"a":[{"numeric":[">",^5,"<",5]}]}', 'Bottom must be less than top'],
  ['{"a":[{"numeric":[">",^9007199254740993]}]}', 'Cannot compare number : 9007199254740993'],
  ['{"a":[{"anything-but":^null}]}', 'Value of anything-but must be an array or single string/number value'],
  ['{"a":[{"anything-but":^true}]}', 'Value of anything-but must be an array or single string/number value'],
  ['{"a":[{"anything-but":^[]}]}', 'either all values are number or string'],
  ['{"a":[{"anything-but":^["x",1]}]}', 'either all values are number or string'],
  ['{"a":[{"anything-but":["x",^null]}]}', 'start|null|boolean is not supported'],
  ['{"a":[{"anything-but":^{}}]}', 'Anything-But expression name not found'],
  ['{"a":[{"anything-but":{^"cidr":"10.0.0.0/8"}}]}', 'Unsupported anything-but pattern: cidr'],
  ['{"a":[{"anything-but":{"prefix":^""}}]}', 'Null prefix/suffix not allowed'],
  ['{"a":[{"anything-but":{"prefix":^5}}]}', 'prefix/suffix match pattern must be a string'],
  ['{"a":[{"anything-but":{"prefix":^{"equals-ignore-case":"x"}}}]}', 'Value of anything-but must be an array'],
  ['{"a":[{"anything-but":{"suffix":["x",^""]}}]}', 'Null prefix/suffix not allowed'],
  ['{"a":[{"anything-but":{"equals-ignore-case":[^1]}}]}', 'Inside anything-but/equals-ignore-case list'],
  ['{"a":[{"anything-but":{"wildcard":^5}}]}', 'wildcard match pattern must be a string'],
  ['{"a":[{"anything-but":{"prefix":"x",^"suffix":"y"}}]}', 'Only one key allowed in match expression'],
  ['{"a":[{"exists":^"true"}]}', 'exists match pattern must be either true or false'],
  ['{"a":[{"cidr":^5}]}', 'prefix match pattern must be a string'],
  ['{"a":[{"cidr":^"10.0.0.0"}]}', "Malformed CIDR, one '/' required"],
  ['{"a":[{"cidr":^"10.0.0.0/x"}]}', 'mask bits must be an integer'],
  ['{"a":[{"cidr":^"10.0.0.0/-1"}]}', 'mask bits must not be negative'],
  ['{"a":[{"cidr":^"10.0.0.0/32"}]}', 'IPv4 mask bits must be < 32'],
  ['{"a":[{"cidr":^"10.0.0.256/8"}]}', 'Nonstandard IP address: 10.0.0.256'],
  ['{"a":[{"cidr":^"::/128"}]}', 'IPv6 mask bits must be < 128'],
  ['{"$or":[{^"a":["x"]}]}', 'Unrecognized match type a'],
]

describe('patterns that EventBridge refuses', () => {
  it.each(refused)('%s', (marked, reason) => {
    const at = marked.indexOf('^')
    const text = marked.replace('^', '')
    const error = errorOf(() => compilePattern(text))
    expect(error.code).toBe('PIPE_PATTERN')
    expect(error.message).toContain(reason)
    const { line, column } = error.details as PatternErrorDetails
    expect([line, column]).toEqual([1, at + 1])
  })

  it('counts lines, and names the field', () => {
    const error = errorOf(() => compilePattern('{\n  "detail": { "total": [1, { "numeric": [">"] }] }\n}'))
    expect(error.details).toMatchObject({
      line: 2,
      column: 42,
      path: 'detail.total[1].numeric',
      reason: 'Value of > must be numeric',
    })
  })

  it('names the place of a pattern that is an object', () => {
    expect(errorOf(() => compilePattern({ a: [{ prefix: 5 }] })).details).toMatchObject({
      line: 1,
      column: 17,
      path: 'a[0].prefix',
    })
  })

  it('$or of more than 1 000 combinations', () => {
    const or = (name: string) => ({ $or: Array.from({ length: 11 }, (_, i) => ({ [name]: [i] })) })
    const error = errorOf(() => compilePattern({ a: or('x'), b: or('y'), c: or('z') }))
    expect(error.message).toContain('Rule is too complex - $or makes 1331 combinations')
  })
})

describe('patterns that it takes', () => {
  it.each([
    '{"a":[{"wildcard":"/Users/*/dir/dir/dir/dir/dir/doc.txt"}]}',
    '{"a":[{"wildcard":"arn:aws:events:us-east-1:*:event-bus/*"}]}',
    '{"a":[{"wildcard":""}]}',
    '{"a":[{"exactly":"x"}]}',
    '{"a":[{"anything-but":{"wildcard":""}}]}',
    ' {"a" : [ 1 ] } ',
    '{"a":[1],"a":[2]}',
  ])('%s', (text) => {
    expect(compilePattern(text).text).toBe(text)
  })
})

function errorOf(work: () => unknown): PipeError {
  try {
    work()
  } catch (error) {
    if (PipeError.isInstance(error)) return error
    throw error
  }
  return expect.fail('nothing was refused')
}
