import { expect, test } from 'vitest'
import { createRetryPolicy } from '../../src/consumer/retry-policy'

test('pauses double up to the most, then the record is given up', () => {
  const policy = createRetryPolicy({ attempts: 5, backoff: '100 ms', maxBackoff: '300 ms' }, () => 0.5)
  expect([1, 2, 3, 4, 5].map((attempt) => policy.after(new Error('x'), attempt))).toEqual([
    { kind: 'retry', afterMs: 100 },
    { kind: 'retry', afterMs: 200 },
    { kind: 'retry', afterMs: 300 },
    { kind: 'retry', afterMs: 300 },
    { kind: 'exhausted' },
  ])
})

test('decide: by the error; what it returns is checked', () => {
  const policy = createRetryPolicy({ decide: (error) => (error as Error).message as never })
  expect(policy.after(new Error('stop'), 1)).toEqual({ kind: 'stop' })
  expect(policy.after(new Error('dead-letter'), 1)).toEqual({ kind: 'dead-letter' })
  expect(policy.after(new Error('retry'), 5)).toEqual({ kind: 'exhausted' })
  expect(() => policy.after(new Error('maybe'), 1)).toThrow(/decide returned "maybe"/)
})

test('options are checked', () => {
  expect(() => createRetryPolicy({ attempts: 0 })).toThrow(/attempts/)
  expect(() => createRetryPolicy({ tries: 3 } as never)).toThrow(/tries/)
})
