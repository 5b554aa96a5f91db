import { expect, it, vi } from 'vitest'
import { compactorHandler } from '../src/index'

it('runs at the scheduled time of the event, with the deadline of the context', async () => {
  const run = vi.fn(async () => ({ outcome: 'committed', remaining: [], end: new Date(0) }) as never)
  const handler = compactorHandler({ run } as never)
  const answer = await handler({ time: '2026-11-24T15:35:00Z' }, { getRemainingTimeInMillis: () => 5000 })
  expect(answer).toEqual({ statusCode: 200, body: '{"outcome":"committed","remaining":[],"end":"1970-01-01T00:00:00.000Z"}' })
  const [{ at, deadline }] = run.mock.calls[0] as unknown as [{ at: Date; deadline: { remainingMs(): number } }]
  expect(at).toEqual(new Date('2026-11-24T15:35:00Z'))
  expect(deadline.remainingMs()).toBe(4000)
})

it('answers 202 when something is left, and throws what went wrong', async () => {
  const event = { scheduledTime: '2026-11-24T15:35:00Z' }
  const partial = compactorHandler({ run: async () => ({ remaining: ['20261124T1530Z'] }) } as never)
  expect(await partial(event)).toMatchObject({ statusCode: 202 })
  const failing = compactorHandler({ run: () => Promise.reject(new Error('no')) } as never)
  await expect(failing(event)).rejects.toThrow('no')
  await expect(partial({})).rejects.toMatchObject({ code: 'PIPE_EVENT_TIME' })
})
