import { expect, it } from 'vitest'
import { playStory } from '../src/story'

it('sends one mail to each user, whatever fails', { timeout: 240_000 }, async () => {
  const { broken, ...totals } = await playStory(60, () => {})
  expect(broken).toEqual([])
  // 3 and 53 do not exist, 11 is hung up on, every seventh is asked to come again.
  expect(totals).toEqual({ users: 60, sent: 57, refused: 2, unknown: 1, retried: 9, deadLettered: 1, lost: 0, doubled: 0 })
})
