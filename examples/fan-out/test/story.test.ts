import { expect, it } from 'vitest'
import { playStory } from '../src/story'

it('loses and doubles nothing while services are down', { timeout: 240_000 }, async () => {
  const { broken, ...totals } = await playStory(30, () => {})
  expect(broken).toEqual([])
  expect(totals).toMatchObject({
    published: 31,
    invoices: 30,
    payments: 30,
    alerts: 3,
    quarantined: 2,
    deadLettered: 0,
    lost: 0,
    doubled: 0,
  })
  expect(totals.retried).toBeGreaterThan(0)
})
