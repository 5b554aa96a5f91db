import type { Clock } from '@pipe/core'
import { expect, it } from 'vitest'
import { attemptsOf } from '../src/attempts'

const broken = () => Object.assign(new Error('reset'), { code: 'ECONNRESET' })
const slots = () => Object.assign(new Error('full'), { name: 'TooManyRequestsException', $metadata: { httpStatusCode: 400 } })

it('patience is with one trouble at a time', () => {
  let time = 0
  const clock: Clock = { now: () => time, sleep: () => Promise.resolve() }
  const attempts = attemptsOf('StartQueryExecution', undefined, clock)
  // A long wait in the queue, then in a queue for slots, is none with the connection.
  time = 20 * 60_000
  expect(attempts.failed(broken()).trouble).toBe('connection')
  time += 50_000
  expect(attempts.failed(slots()).trouble).toBe('slots')
  time += 20 * 60_000
  expect(attempts.failed(broken())).toMatchObject({ trouble: 'connection' })
  time += 61_000
  expect(() => attempts.failed(broken())).toThrow('could not be reached')
  time += 10 * 60_000
  expect(() => attempts.failed(slots())).toThrow('PIPE_ATHENA_BUSY')
})
