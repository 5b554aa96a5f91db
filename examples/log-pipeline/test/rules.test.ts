import { expect, it } from 'vitest'
import { playRules } from '../src/rules-play'

it('prints plan, simulation and cost; then everything comes as foretold, and the replicas are there', async () => {
  const lines: string[] = []
  const { problems, replicas, left } = await playRules((line) => lines.push(line))
  expect(problems).toEqual([])
  const printed = lines.join('\n')
  expect(printed).toContain('+ pipe:raw')
  expect(printed).toMatch(/raw\/ add-delete-marker: 120, from /)
  expect(printed).toMatch(/12 months of 10 TiB: \d+ USD with the rules, \d+ without any transition/)
  // 40 days, each with two compacted files and one note of the compactor.
  expect(replicas).toBe(120)
  expect(left).toEqual({ GLACIER_IR: 80, STANDARD: 40 })
})
