import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startEmbeddedCluster } from '../embedded-cluster'
import { randomOf } from '../random'
import type { Finding, Scenario, Scene } from '../scenario'
import { scenarios } from '../scenarios'
import { runSuite } from '../suite'
import { summaryOf, summaryTable } from '../summary'
import type { FaultTarget } from '../target'

const { signal } = new AbortController()
const counts = {
  sent: 5,
  acknowledged: 5,
  stored: 5,
  lost: 0,
  duplicated: 0,
  ambiguous: 0,
  notWritten: 0,
  phantoms: 0,
  reordered: 0,
  again: undefined,
}
const kept: Finding = { guarantee: 'quorum', counts, note: '' }

function scenario(name: string, run: (scene: Scene) => Promise<readonly Finding[]>): Scenario {
  return { name, disturbs: 'brokers', run }
}

describe('the suite, on the embedded cluster', () => {
  let target: FaultTarget

  beforeAll(async () => {
    target = await startEmbeddedCluster()
  })
  afterAll(() => target?.close())

  it('keeps its promises with a dead leader and lost answers; judged as quorum, leader durability fails', async () => {
    const chosen = scenarios.filter(({ name }) => ['leader-killed', 'response-dropped'].includes(name))
    const rows = await runSuite({ target, scenarios: chosen, seeds: [1], sabotage: true, signal })
    const of = (name: string, guarantee: string) => rows.find((row) => row.scenario === name && row.guarantee === guarantee)!
    for (const { name } of chosen) expect(of(name, 'quorum')).toMatchObject({ lost: 0, duplicated: 0, phantoms: 0, broken: [] })
    expect(of('leader-killed', 'leader').lost).toBeGreaterThan(0)
    expect(of('leader-killed', 'leader').broken).toContainEqual(expect.stringContaining('acknowledged and lost'))
    expect(of('response-dropped', 'leader').broken).toContainEqual(expect.stringContaining('stored twice'))
  }, 120_000)

  it('a scenario that throws breaks its promise, and the next one finds the cluster whole', async () => {
    const rows = await runSuite({
      target,
      scenarios: [
        scenario('kills', async (scene) => {
          await scene.target.kill(2)
          throw new Error('out of ideas')
        }),
        scenario('goes-on', async (scene) => {
          await scene.topic('whole', 3)
          return [kept]
        }),
      ],
      seeds: [7],
      signal,
    })
    expect(rows).toMatchObject([
      { scenario: 'kills', seed: 7, guarantee: undefined, broken: ['did not come to its end: out of ideas'] },
      { scenario: 'goes-on', seed: 7, guarantee: 'quorum', broken: [] },
    ])
  }, 60_000)

  it('what a scenario made is closed behind it, last first, and what it does again and again ends', async () => {
    const closed: string[] = []
    let turns = 0
    const made = scenario('makes', async (scene) => {
      scene.onEnd(() => closed.push('first'))
      scene.load(1, () => {
        turns++
      })
      await scene.until('some turns', () => turns > 3)
      scene.onEnd(() => closed.push('second'))
      return [kept]
    })
    await runSuite({ target, scenarios: [made], seeds: [1], signal })
    expect(closed).toEqual(['second', 'first'])
    const last = turns
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(turns).toBe(last)
  })

  it('an interruption ends the run at once, in the middle of a wait', async () => {
    const interrupt = new AbortController()
    const waits = scenario('waits', async (scene) => {
      interrupt.abort(new Error('interrupted'))
      await scene.wait(60_000)
      return [kept]
    })
    await expect(runSuite({ target, scenarios: [waits], seeds: [1, 2], signal: interrupt.signal })).rejects.toThrow('interrupted')
  })
})

describe('a seed', () => {
  it('names one run of one scenario', () => {
    const draw = (seed: number, name: string) => {
      const random = randomOf(seed, name)
      return Array.from({ length: 8 }, () => random.between(0, 1000))
    }
    expect(draw(1, 'poison')).toEqual(draw(1, 'poison'))
    expect(draw(1, 'poison')).not.toEqual(draw(2, 'poison'))
    expect(draw(1, 'poison')).not.toEqual(draw(1, 'kafka-to-s3'))
    const random = randomOf(3, 'ends')
    const drawn = new Set(Array.from({ length: 500 }, () => random.between(2, 5)))
    expect([...drawn].sort()).toEqual([2, 3, 4, 5])
  })
})

describe('the table', () => {
  it('adds up the seeds of each promise, and shows what was broken', () => {
    const row = { ...counts, scenario: 's', guarantee: 'quorum', elapsedMs: 1000, note: '', broken: [] } as const
    const rows = [
      { ...row, seed: 1 },
      { ...row, seed: 2, lost: 2, broken: ['2 acknowledged and lost'], elapsedMs: 3000 },
      { ...row, seed: 1, guarantee: 'leader', duplicated: 4, lost: 1 } as const,
    ]
    const summary = summaryOf(rows)
    expect(summary).toMatchObject([
      { guarantee: 'quorum', seeds: 2, sent: 10, acknowledged: 10, lost: 2, again: undefined, seconds: 3, broken: 1 },
      { guarantee: 'leader', seeds: 1, lost: 1, duplicated: 4, broken: 0 },
    ])
    const lines = summaryTable(summary).split('\n')
    expect(lines).toHaveLength(4)
    expect(lines[2]).toContain('BROKEN in 1 of 2')
    expect(lines[3]).toContain('shown')
    expect(new Set(lines.map(({ length }) => length)).size).toBe(1)
  })
})
