import { expect, it } from 'vitest'
import { playStory } from '../src/story'

it('reads, reads again as another group, replays what the plan says, and takes a replay back', async () => {
  const lines: string[] = []
  const { broken, ...totals } = await playStory(600, (line) => lines.push(line))
  expect(broken).toEqual([])
  expect(totals).toEqual({
    produced: 600,
    billed: 600,
    audited: 600,
    planned: 300,
    again: 300,
    behindBeforeUndo: 600,
    behindAfterUndo: 0,
  })
  expect(lines.join('\n')).toMatch(/Dry run: billing would read 300 messages again/)
})
