import { expect, it } from 'vitest'
import { playStory } from '../src/story'

it('stores, compacts and queries each order once, though two workers are killed after an upload', {
  timeout: 240_000,
}, async () => {
  const { broken, ...totals } = await playStory(1200)
  expect(broken).toEqual([])
  expect(totals).toMatchObject({ produced: 1200, windows: 6, compactedFiles: 6, queried: 1200, lost: 0, doubled: 0 })
  expect(totals.workers).toEqual(['SIGKILL', 'SIGKILL', '0'])
})
