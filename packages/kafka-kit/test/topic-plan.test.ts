import { column } from '@pipe/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { defineTopic } from '../src/topic'
import { changeBetween } from '../src/topic-apply'
import { type AllowedLoss, compareTopics, type PlannedTopic } from '../src/topic-plan'
import type { TopicState } from '../src/topic-state'

const contract = (over: Partial<Parameters<typeof defineTopic>[1]> = {}) =>
  defineTopic('orders', {
    value: { id: column.string() },
    partitions: 6,
    replicationFactor: 3,
    minInSyncReplicas: 2,
    retention: '7 days',
    ...over,
  } as Parameters<typeof defineTopic>[1])

const state = (over: Partial<TopicState> = {}): TopicState => ({
  topic: 'orders',
  exists: true,
  topicId: 'ab',
  isInternal: false,
  partitions: 6,
  replicationFactor: 3,
  config: { 'min.insync.replicas': '2', 'retention.ms': '604800000', 'cleanup.policy': 'delete' },
  ...over,
})

const absent = state({ exists: false, topicId: '', partitions: 0, replicationFactor: 0, config: {} })

function plan(topic: PlannedTopic, observed: TopicState, allow: readonly AllowedLoss[] = []) {
  return compareTopics([topic], [observed], { brokers: 3, allow })
}

describe('a plan', () => {
  test('in line: nothing to do', () => {
    expect(plan(contract(), state())).toMatchObject({ actions: [], refused: [], notes: [], unchanged: ['orders'] })
  })

  test('missing: create with the configs of the contract', () => {
    expect(plan(contract(), absent).actions).toEqual([
      {
        action: 'create',
        topic: 'orders',
        partitions: 6,
        replicationFactor: 3,
        config: { 'min.insync.replicas': '2', 'retention.ms': '604800000' },
      },
    ])
  })

  test('missing, and too few brokers for it: refused with the numbers', () => {
    const { actions, refused } = compareTopics([contract()], [absent], { brokers: 2, allow: [] })
    expect(actions).toEqual([])
    expect(refused[0]).toMatchObject({ what: 'too-few-brokers', text: expect.stringContaining('2 are there') })
  })

  test('more partitions: how many keys move, and what to mind', () => {
    const { actions, notes } = plan(contract({ partitions: 12 }), state())
    expect(actions).toEqual([{ action: 'add-partitions', topic: 'orders', from: 6, to: 12, movedShare: 0.5 }])
    expect(notes).toEqual([expect.stringContaining('50 % of the keys')])
  })

  test('a compacted topic that grows: old records of moved keys stay', () => {
    const config = { ...state().config, 'cleanup.policy': 'compact' }
    const { notes } = plan(contract({ partitions: 8, cleanup: 'compact' }), state({ config }))
    expect(notes[1]).toContain('compacted')
  })

  test.each([
    ['fewer-partitions', { partitions: 4 }, {}],
    ['lower-replication-factor', { replicationFactor: 2 }, {}],
    ['higher-replication-factor', { replicationFactor: 5 }, {}],
    ['shorter-retention', { retention: '1 day' }, {}],
    ['shorter-retention', {}, { 'retention.ms': '-1' }],
    ['shorter-retention', { retentionBytes: 1000 }, { 'retention.bytes': '-1' }],
    ['cleanup-change', { cleanup: 'compact' }, {}],
    ['cleanup-change', { cleanup: 'compact-and-delete' }, { 'cleanup.policy': 'compact' }],
  ] as const)('%s is refused', (what, over, config) => {
    const found = plan(contract(over as object), state({ config: { ...state().config, ...config } }))
    expect(found.refused.map((refusal) => refusal.what)).toEqual([what])
    expect(found.actions).toEqual([])
  })

  test('a loss that is allowed by name is planned, and noted', () => {
    const { actions, notes, refused } = plan(contract({ retention: '1 day' }), state(), ['shorter-retention'])
    expect(refused).toEqual([])
    expect(actions).toEqual([
      { action: 'set-config', topic: 'orders', changes: [{ name: 'retention.ms', from: '604800000', to: '86400000' }] },
    ])
    expect(notes).toEqual([expect.stringContaining('deletes records')])
  })

  test('less clean-up and the same clean-up in another order lose nothing', () => {
    const both = state({ config: { ...state().config, 'cleanup.policy': 'delete,compact' } })
    expect(plan(contract({ cleanup: 'compact-and-delete' }), both)).toMatchObject({ actions: [], refused: [] })
    expect(plan(contract({ cleanup: 'delete' }), both)).toMatchObject({ actions: [{ action: 'set-config' }], refused: [] })
  })

  test('configs that the contract does not name are none of its business', () => {
    const config = { ...state().config, 'segment.bytes': '1048576', 'max.message.bytes': '7' }
    expect(plan(contract(), state({ config })).actions).toEqual([])
  })

  test('topics of Kafka itself are not touched', () => {
    expect(plan(contract({ partitions: 60 }), state({ isInternal: true }))).toMatchObject({
      actions: [],
      refused: [{ what: 'internal-topic' }],
    })
  })
})

test('whatever the contract and the topic: never fewer partitions, never another replication, never shorter retention', () => {
  const arbitraryState = fc.record({
    partitions: fc.integer({ min: 1, max: 40 }),
    replicationFactor: fc.integer({ min: 1, max: 5 }),
    retention: fc.oneof(fc.constant(-1), fc.integer({ min: 1, max: 1_000_000 })),
    policy: fc.constantFrom('delete', 'compact', 'compact,delete'),
  })
  const arbitraryContract = fc.record({
    partitions: fc.integer({ min: 1, max: 40 }),
    replicationFactor: fc.integer({ min: 1, max: 5 }),
    retention: fc.option(fc.oneof(fc.constant('forever' as const), fc.integer({ min: 1, max: 1_000_000 })), { nil: undefined }),
    cleanup: fc.option(fc.constantFrom('delete', 'compact', 'compact-and-delete'), { nil: undefined }),
  })
  fc.assert(
    fc.property(arbitraryState, arbitraryContract, (is, wanted) => {
      const retention = typeof wanted.retention === 'number' ? `${wanted.retention} ms` : wanted.retention
      const topic = contract({ ...wanted, retention, minInSyncReplicas: 1 } as object)
      const config = { 'retention.ms': String(is.retention), 'cleanup.policy': is.policy, 'min.insync.replicas': '1' }
      const before = state({ partitions: is.partitions, replicationFactor: is.replicationFactor, config })
      const { actions, refused, unchanged } = plan(topic, before)
      const limit = (value: string) => (value === '-1' ? Number.POSITIVE_INFINITY : Number(value))
      let after = before
      for (const action of actions) {
        if (action.action === 'create') throw new Error('it exists')
        if (action.action === 'add-partitions') after = { ...after, partitions: action.to }
        else {
          const changes = Object.fromEntries(action.changes.map(({ name, to }) => [name, to]))
          after = { ...after, config: { ...after.config, ...changes } }
        }
      }
      expect(after.partitions).toBeGreaterThanOrEqual(before.partitions)
      expect(after.replicationFactor).toBe(before.replicationFactor)
      expect(limit(after.config['retention.ms']!)).toBeGreaterThanOrEqual(limit(before.config['retention.ms']!))
      const policies = (text: string) => text.split(',')
      for (const policy of policies(after.config['cleanup.policy']!)) expect(policies(is.policy)).toContain(policy)
      // Once applied, a plan of the same contract has only the refusals left.
      const again = plan(topic, after)
      expect(again.actions).toEqual([])
      expect(again.refused).toEqual(refused)
      expect(unchanged.length === 1).toBe(actions.length + refused.length === 0)
    }),
    { numRuns: 500 },
  )
})

test.each([
  [{}, undefined],
  [{ partitions: 7 }, 'had 6 partitions and now has 7'],
  [{ replicationFactor: 2 }, 'had 3 replicas and now has 2'],
  [{ topicId: 'cd' }, 'was deleted and created again'],
  [{ exists: false }, 'was deleted meanwhile'],
  [{ config: { ...state().config, 'retention.ms': '5' } }, 'had retention.ms 604800000 and now has 5'],
])('what changed since a plan: %o', (over, text) => {
  expect(changeBetween(state(), state(over))).toBe(text)
})
