import fc from 'fast-check'
import { expect, it } from 'vitest'
import { matchesArn, matchesWildcard } from '../../src/iam/pattern'

it('matches wildcards as a regular expression would (property)', () => {
  const letters = fc.constantFrom('a', 'b', '/', '.', '(')
  const text = fc.array(letters, { maxLength: 12 }).map((chars) => chars.join(''))
  const pattern = fc.array(fc.oneof(letters, fc.constantFrom('*', '?')), { maxLength: 10 }).map((chars) => chars.join(''))
  fc.assert(
    fc.property(pattern, text, (wanted, given) => {
      const source = [...wanted].map((char) =>
        char === '*' ? '[\\s\\S]*' : char === '?' ? '[\\s\\S]' : `\\${char}`.replace(/\\([a-z])/, '$1'),
      )
      expect(matchesWildcard(wanted, given)).toBe(new RegExp(`^${source.join('')}$`).test(given))
    }),
    { numRuns: 2000 },
  )
})

it('does not explode on many stars', () => {
  expect(matchesWildcard(`${'a*'.repeat(40)}b`, 'a'.repeat(5000))).toBe(false)
})

it('compares the parts of an ARN one by one', () => {
  const object = 'arn:aws:s3:::lake/raw/dt=2026-11-24/a:b.gz'
  expect(matchesArn('*', object)).toBe(true)
  expect(matchesArn('arn:aws:s3:::lake/raw/*', object)).toBe(true)
  expect(matchesArn('arn:*:s3:::*', object)).toBe(true)
  expect(matchesArn('arn:aws:s3:::lake', object)).toBe(false)
  expect(matchesArn('arn:aws:s3:::lake/compacted/*', object)).toBe(false)
  expect(matchesArn('arn:aws:s3*', object)).toBe(false)
  const table = 'arn:aws:glue:us-east-1:000000000000:table/logs/raw'
  expect(matchesArn('arn:aws:glue:*:*:table/logs/*', table)).toBe(true)
  expect(matchesArn('arn:aws:glue:*:table/logs/*', table)).toBe(false)
})
