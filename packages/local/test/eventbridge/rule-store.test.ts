import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { openRuleStore, type Rule } from '../../src/eventbridge/rule-store'

const dir = mkdtempSync(join(tmpdir(), 'pipe-rules-test-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))
const rule = (name: string, order: number): Rule => ({
  name,
  arn: `arn:aws:events:us-east-1:000000000000:rule/${name}`,
  expression: 'rate(1 minute)',
  enabled: true,
  since: 7,
  order,
  targets: [],
})

it('keeps rules in order of creation, across openings', () => {
  const file = join(dir, 'deep', 'rules.json')
  const store = openRuleStore(file)
  expect(store.nextOrder()).toBe(1)
  store.put(rule('z', 1))
  store.put(rule('a', 2))
  store.put({ ...rule('z', 1), enabled: false })
  const again = openRuleStore(file)
  expect(again.list().map(({ name, enabled }) => [name, enabled])).toEqual([
    ['z', false],
    ['a', true],
  ])
  expect(again.nextOrder()).toBe(3)
  again.remove('z')
  again.remove('nobody')
  expect(
    openRuleStore(file)
      .list()
      .map(({ name }) => name),
  ).toEqual(['a'])
})

it.each(['', 'nonsense', '{"version":2,"rules":[]}', '{"version":1}'])('refuses a file with %j, and leaves it alone', (text) => {
  const file = join(dir, 'broken.json')
  writeFileSync(file, text)
  expect(() => openRuleStore(file)).toThrow('PIPE_LOCAL_RULES')
  expect(readFileSync(file, 'utf8')).toBe(text)
})
