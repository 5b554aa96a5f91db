import { expect, it } from 'vitest'
import { early, killLeader, late } from '../src/leader-kill'

it.each(['fire-and-forget', 'leader'] as const)(
  '%s: what only the leader had is gone, and the client believes in it',
  async (durability) => {
    let timeline = ''
    const outcome = await killLeader(durability, (text) => {
      timeline = text
    })
    const all = early + late
    expect(outcome).toEqual({ durability, believed: all, stored: early, lost: late, doubled: 0, truncated: late })
    expect(timeline).toContain(`truncate ${all} -> ${early}`)
  },
)

it('quorum: what was confirmed is there, once', async () => {
  const all = early + late
  expect(await killLeader('quorum')).toMatchObject({ believed: all, stored: all, lost: 0, doubled: 0 })
})
