import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { openRuleStore, type Rule } from '../../src/eventbridge/rule-store'

const dir = mkdtempSync(join(tmpdir(), 'pipe-rules-test-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))
const rule = (name: string, order: number): Rule => ({
  name,
  bus: 'default',
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
  again.remove(rule('z', 1).arn)
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

it('reads the file of the first version, and keeps buses', () => {
  const file = join(dir, 'first.json')
  const { bus: _, ...old } = rule('old', 1)
  const targets = [
    { id: 'a', arn: 'arn:a', input: '{"x":1}' },
    { id: 'b', arn: 'arn:b' },
  ]
  writeFileSync(file, JSON.stringify({ version: 1, rules: [{ ...old, targets }] }))
  const store = openRuleStore(file)
  expect(store.list()).toEqual([
    {
      ...rule('old', 1),
      targets: [
        { id: 'a', arn: 'arn:a', input: { input: '{"x":1}' } },
        { id: 'b', arn: 'arn:b', input: {} },
      ],
    },
  ])
  store.putBus({ name: 'orders', arn: 'arn:orders' })
  expect(
    openRuleStore(file)
      .buses()
      .map(({ name }) => name),
  ).toEqual(['default', 'orders'])
})
