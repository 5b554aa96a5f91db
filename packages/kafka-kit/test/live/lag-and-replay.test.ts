import { column } from '@pipe/core'
import type { KafkaCluster } from '@pipe/testkit'
import { CompressionTypes, type Consumer } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { adviseLag } from '../../src/advise'
import { clusterView } from '../../src/cluster-view'
import { createKafka, type Kafka } from '../../src/connect'
import { lagOf, watchLag } from '../../src/lag'
import type { GroupLag } from '../../src/lag-window'
import { electPreferredLeaders } from '../../src/preferred-leaders'
import { applyReplay, undoReplay } from '../../src/replay-apply'
import { planReplay } from '../../src/replay-plan'
import { defineTopic } from '../../src/topic'
import { applyTopics } from '../../src/topic-apply'
import { offsetsOf } from '../../src/topic-offsets'
import { planTopics } from '../../src/topic-plan'
import { sharedCluster } from './shared-cluster'
import { target, version } from './versions'

describe.skipIf(!target.available)(`lag, replay and view of a real cluster${target.note}`, () => {
  let cluster: KafkaCluster
  let kafka: Kafka

  beforeAll(async () => {
    cluster = await sharedCluster(version)
    kafka = createKafka({ brokers: cluster.bootstrap, clientId: 'test' })
  }, 180_000)
  afterAll(async () => {
    await kafka?.close()
  })

  /** Bare kafkajs: what is tested here is not the kit's producer and consumer. */
  async function write(
    topic: string,
    messages: { value: string; partition: number; timestamp?: string }[],
    compression?: CompressionTypes,
  ) {
    const producer = kafka.kafkajs.producer()
    await producer.connect()
    await producer.send({ topic, acks: -1, messages, ...(compression === undefined ? {} : { compression }) })
    await producer.disconnect()
  }

  async function read(group: string, topic: string, count: number): Promise<{ values: string[]; consumer: Consumer }> {
    const consumer = kafka.kafkajs.consumer({ groupId: group, sessionTimeout: 6000, maxWaitTimeInMs: 100 })
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    const values: string[] = []
    await new Promise<void>((resolve, reject) => {
      consumer
        .run({
          eachMessage: async ({ message }) => {
            values.push(String(message.value))
            if (values.length === count) resolve()
          },
        })
        .catch(reject)
    })
    return { values, consumer }
  }

  const numbered = (count: number, partition: number, timestamp?: number) =>
    Array.from({ length: count }, (_, at) => ({
      value: `${partition}-${at}`,
      partition,
      ...(timestamp === undefined ? {} : { timestamp: String(timestamp + at) }),
    }))

  test('lag in records and seconds, with members and without', async () => {
    await cluster.createTopic('lag', { partitions: 3, settings: { 'retention.ms': '86400000' } })
    await write('lag', [...numbered(4, 0), ...numbered(6, 1)])
    const { consumer } = await read('lag-group', 'lag', 10)
    // A stopping consumer commits what it has read.
    await consumer.stop()
    const caughtUp = await lagOf(kafka, 'lag-group')
    expect(caughtUp).toMatchObject({ messages: 0, seconds: 0, status: 'caught-up', unavailable: [] })
    expect(caughtUp.partitions.map(({ committedOffset }) => committedOffset)).toEqual([4n, 6n, undefined])
    await consumer.disconnect()

    const writtenAt = Date.now() - 90_000
    await write('lag', [...numbered(5, 1, writtenAt)], CompressionTypes.GZIP)
    const lag = await lagOf(kafka, 'lag-group', { topics: ['lag'] })
    expect(lag).toMatchObject({ state: 'empty', members: [], messages: 5, status: 'stopped', consumedPerSecond: undefined })
    expect(lag.partitions[1]).toMatchObject({
      committedOffset: 6n,
      stableOffset: 11n,
      endOffset: 11n,
      messages: 5,
      retentionMs: 86_400_000,
    })
    // The first unread record inside a packed batch: written 90 seconds ago by its own timestamp.
    expect(lag.seconds).toBeGreaterThan(89)
    expect(lag.seconds).toBeLessThan(120)
    expect(lag.producedPerSecond).toBeCloseTo(15 / 300, 2)
    expect(adviseLag(lag).findings.map(({ kind }) => kind)).toContain('stopped')
  })

  test('watched: rates while a group reads, its members, an aborted signal ends it', async () => {
    await cluster.createTopic('watched', { partitions: 2 })
    await write('watched', [...numbered(20, 0), ...numbered(20, 1)])
    const { consumer } = await read('watch-group', 'watched', 40)
    const abort = new AbortController()
    const looks: GroupLag[] = []
    const done = (async () => {
      for await (const lag of watchLag(kafka, 'watch-group', { every: '500 ms', signal: abort.signal })) {
        looks.push(lag)
        if (looks.length === 1) await write('watched', numbered(30, 0))
        if (looks.length > 1 && lag.messages === 0 && lag.consumedPerSecond! > 0) abort.abort(new Error('enough'))
        if (looks.length > 40) break
      }
    })()
    await expect(done).rejects.toThrow('enough')
    const last = looks.at(-1)!
    expect(last.state).toBe('stable')
    expect(last.members).toHaveLength(1)
    expect(last.partitions.every(({ memberId }) => memberId === last.members[0]!.memberId)).toBe(true)
    expect(last.producedPerSecond).toBeGreaterThan(0)
    expect(last.windowMs).toBeGreaterThan(0)
    expect(last.status).toBe('caught-up')
    await consumer.disconnect()
  })

  test('an open transaction: stable and end differ; its marks are no lag', async () => {
    await cluster.createTopic('open-transaction', { partitions: 1 })
    await write('open-transaction', numbered(2, 0))
    const producer = kafka.kafkajs.producer({ transactionalId: 'tx', maxInFlightRequests: 1, idempotent: true })
    await producer.connect()
    const committed = await producer.transaction()
    await committed.send({ topic: 'open-transaction', messages: [{ value: 'c', partition: 0 }] })
    await committed.commit()
    const { consumer } = await read('tx-group', 'open-transaction', 3)
    await consumer.disconnect()
    // Its offset lies before the mark of the commit: nothing is unread all the same.
    const [before] = (await lagOf(kafka, 'tx-group')).partitions
    expect(before).toMatchObject({ messages: 0, status: 'caught-up', stableOffset: 4n })
    const open = await producer.transaction()
    await open.send({ topic: 'open-transaction', messages: [{ value: 'o', partition: 0 }] })
    const [during] = (await lagOf(kafka, 'tx-group')).partitions
    expect(during).toMatchObject({ messages: 0, stableOffset: 4n, endOffset: 5n })
    await open.abort()
    await producer.disconnect()
  })

  test('an unknown group and an unknown topic are named', async () => {
    await expect(lagOf(kafka, 'nobody')).rejects.toMatchObject({ code: 'PIPE_KAFKA_GROUP' })
    await expect(offsetsOf(kafka, 'nothing')).rejects.toMatchObject({ code: 'PIPE_KAFKA_TOPIC' })
    await expect(planReplay(kafka, { group: 'g', topic: 'nothing', from: 'beginning' })).rejects.toMatchObject({
      code: 'PIPE_KAFKA_TOPIC',
    })
  })

  test('replay in place: refused while the group runs, then read again, then undone', async () => {
    await cluster.createTopic('replay', { partitions: 3 })
    const base = Date.now() - 3_600_000
    await write('replay', [...numbered(10, 0, base), ...numbered(10, 1, base)])
    const first = await read('replayed', 'replay', 20)
    await first.consumer.stop()
    const plan = await planReplay(kafka, {
      group: 'replayed',
      topic: 'replay',
      from: { timestamp: new Date(base + 4) },
      recordsPerSecond: 100,
    })
    expect(plan).toMatchObject({ messages: 12, again: 12, skipped: 0, retentionTook: 0, insteadOf: undefined })
    expect(plan.partitions.map(({ from, to }) => [from, to])).toEqual([
      [4n, 10n],
      [4n, 10n],
      [0n, 0n],
    ])
    await first.consumer.disconnect()

    const running = kafka.kafkajs.consumer({ groupId: 'replayed', sessionTimeout: 6000, maxWaitTimeInMs: 100 })
    await running.connect()
    await running.subscribe({ topics: ['replay'] })
    const joined = new Promise((resolve) => running.on(running.events.GROUP_JOIN, resolve))
    await running.run({ eachMessage: async () => undefined })
    await joined
    await expect(applyReplay(kafka, plan)).rejects.toMatchObject({
      code: 'PIPE_KAFKA_GROUP_ACTIVE',
      message: expect.stringMatching(/1 member \(test at/),
    })
    await running.disconnect()

    const receipt = await applyReplay(kafka, plan)
    expect(receipt.partitions).toEqual([
      { partition: 0, before: 10n, after: 4n },
      { partition: 1, before: 10n, after: 4n },
      { partition: 2, before: undefined, after: 0n },
    ])
    expect(await lagOf(kafka, 'replayed')).toMatchObject({ messages: 12 })
    // The same plan again: the group does not stand where it stood.
    await expect(applyReplay(kafka, plan)).rejects.toMatchObject({ code: 'PIPE_KAFKA_PLAN_STALE' })
    expect(await undoReplay(kafka, receipt)).toMatchObject({
      restored: [
        { partition: 0, offset: 10n },
        { partition: 1, offset: 10n },
        { partition: 2, offset: undefined },
      ],
      kept: [],
    })
    const restored = await lagOf(kafka, 'replayed')
    expect(restored.partitions.map(({ committedOffset }) => committedOffset)).toEqual([10n, 10n, undefined])
  })

  test('a replayed group really reads again, and undo leaves alone what it has caught up with', async () => {
    await write('replay', numbered(3, 2))
    const plan = await planReplay(kafka, { group: 'replayed', topic: 'replay', from: { offset: { 0: 7n, 1: 8n, 2: 0n } } })
    const receipt = await applyReplay(kafka, plan)
    const { values, consumer } = await read('replayed', 'replay', 3 + 2 + 3)
    await consumer.disconnect()
    expect(values.sort()).toEqual(['0-7', '0-8', '0-9', '1-8', '1-9', '2-0', '2-1', '2-2'])
    expect(await undoReplay(kafka, receipt)).toMatchObject({
      kept: [
        { partition: 0, offset: 10n },
        { partition: 1, offset: 10n },
      ],
      restored: [{ partition: 2, offset: undefined }],
    })
  })

  test('replay into a new group leaves the old one alone', async () => {
    const plan = await planReplay(kafka, { group: 'replayed', topic: 'replay', from: 'beginning', as: 'replayed-2' })
    expect(plan).toMatchObject({ group: 'replayed-2', insteadOf: 'replayed', messages: 23, again: 0 })
    await applyReplay(kafka, plan)
    expect((await lagOf(kafka, 'replayed-2')).messages).toBe(23)
    expect((await lagOf(kafka, 'replayed', { topics: ['replay'] })).partitions[0]!.committedOffset).toBe(10n)
    await expect(
      planReplay(kafka, { group: 'replayed', topic: 'replay', from: 'beginning', as: 'replayed-2' }),
    ).rejects.toMatchObject({ code: 'PIPE_KAFKA_GROUP_EXISTS' })
  })

  test('what retention took is counted; a plan that retention overtook is stale', async () => {
    await cluster.createTopic('expiring', { partitions: 1 })
    await write('expiring', numbered(10, 0))
    const early = await planReplay(kafka, { group: 'expiring-group', topic: 'expiring', from: 'beginning' })
    expect(early).toMatchObject({ messages: 10, retentionTook: 0 })
    const admin = kafka.kafkajs.admin()
    await admin.connect()
    // It forgets to ask for the topic itself.
    await admin.fetchTopicOffsets('expiring')
    await admin.deleteTopicRecords({ topic: 'expiring', partitions: [{ partition: 0, offset: '6' }] })
    await admin.disconnect()
    await expect(applyReplay(kafka, early)).rejects.toMatchObject({
      code: 'PIPE_KAFKA_PLAN_STALE',
      message: expect.stringContaining('now starts at 6'),
    })
    const late = await planReplay(kafka, { group: 'expiring-group', topic: 'expiring', from: { offset: 2 } })
    expect(late).toMatchObject({ messages: 4, retentionTook: 4 })
    await applyReplay(kafka, late)
    expect(await offsetsOf(kafka, 'expiring')).toEqual([{ topic: 'expiring', partition: 0, start: 6n, stable: 10n, end: 10n }])
  })

  test('a topic that was made anew: the plan is stale', async () => {
    const topic = defineTopic('anew', { value: { id: column.string() }, partitions: 1, replicationFactor: 3 })
    await applyTopics(kafka, await planTopics(kafka, [topic]))
    const plan = await planReplay(kafka, { group: 'anew-group', topic, from: 'beginning' })
    const admin = kafka.kafkajs.admin()
    await admin.connect()
    await admin.deleteTopics({ topics: ['anew'] })
    await admin.disconnect()
    for (let tries = 0; ; tries++) {
      try {
        await applyTopics(kafka, await planTopics(kafka, [topic]))
        if ((await planReplay(kafka, { group: 'anew-group', topic, from: 'beginning' })).topicId !== plan.topicId) break
      } catch (error) {
        if (tries > 50) throw error
      }
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    await expect(applyReplay(kafka, plan)).rejects.toMatchObject({
      code: 'PIPE_KAFKA_PLAN_STALE',
      message: expect.stringContaining('anew was deleted and created again'),
    })
  })

  test('view: healthy, then with a broker killed, then back', async () => {
    await cluster.createTopic('viewed', { partitions: 3 })
    await write('viewed', numbered(100, 0))
    const healthy = await clusterView(kafka, { topics: ['viewed'] })
    expect(healthy.brokers.map(({ nodeId }) => nodeId)).toEqual([1, 2, 3])
    expect(healthy).toMatchObject({ underReplicated: [], underMinInSync: [], offline: [], missingBrokers: [], problems: [] })
    expect(healthy.partitions[0]).toMatchObject({ topic: 'viewed', partition: 0, minInSync: 2, isUnderReplicated: false })
    expect(healthy.partitions[0]!.bytes).toBeGreaterThan(100)
    expect(healthy.brokers.reduce((sum, { leads }) => sum + leads, 0)).toBe(3)

    const victim = await cluster.leaderOf('viewed', 0)
    await victim.kill()
    await cluster.waitFor('viewed', (partitions) =>
      partitions.every(({ leader, inSync }) => leader > 0 && leader !== victim.id && inSync.length === 2),
    )
    const hurt = await clusterView(kafka, { topics: ['viewed'] })
    expect(hurt.underReplicated).toHaveLength(3)
    expect(hurt.atMinInSync).toHaveLength(3)
    expect(hurt.underMinInSync).toEqual([])
    expect(hurt.missingBrokers).toEqual([victim.id])
    expect(hurt.preferredLeaderSkew).toBeGreaterThan(0)
    // Lag goes on being told with a broker down.
    expect((await lagOf(kafka, 'replayed-2')).messages).toBe(23)
    await victim.restart()
    await cluster.waitFor('viewed', (partitions) => partitions.every(({ inSync }) => inSync.length === 3))
    const moved = await clusterView(kafka, { topics: ['viewed'] })
    expect(moved.underMinInSync).toEqual([])
    const { elected, refused } = await electPreferredLeaders(kafka, { topics: ['viewed'] })
    expect(refused).toEqual([])
    expect(elected).toEqual(
      moved.partitions
        .filter(({ leader, preferredLeader }) => leader !== preferredLeader)
        .map(({ topic, partition }) => ({ topic, partition })),
    )
    await expect.poll(async () => (await clusterView(kafka, { topics: ['viewed'] })).preferredLeaderSkew).toBe(0)
  }, 120_000)

  test('a partition without a leader: the rest of the lag is told, advice and view name it', async () => {
    await cluster.createTopic('single', { partitions: 3, replicationFactor: 1 })
    await write('single', [...numbered(2, 0), ...numbered(2, 1), ...numbered(2, 2)])
    const plan = await planReplay(kafka, { group: 'single-group', topic: 'single', from: 'beginning' })
    await applyReplay(kafka, plan)
    const victim = await cluster.leaderOf('single', 1)
    await victim.kill()
    try {
      // Not with `cluster.waitFor`: kafkajs shows nothing of a topic that has a partition without a leader.
      const offline = async () => (await clusterView(kafka, { topics: ['single'], timeout: '1 second' })).offline
      await expect.poll(offline, { timeout: 30_000 }).toMatchObject([{ topic: 'single', partition: 1, leader: undefined }])
      // The killed broker may have been the coordinator too: its successor needs a moment.
      await expect.poll(() => lagOf(kafka, 'single-group').catch(() => undefined), { timeout: 30_000 }).toBeDefined()
      const startedAt = Date.now()
      const lag = await lagOf(kafka, 'single-group')
      expect(Date.now() - startedAt).toBeLessThan(12_000)
      expect(lag.messages).toBe(4)
      expect(lag.unavailable).toEqual([
        { topic: 'single', partition: 1, reason: expect.stringContaining('single[1]: LEADER_NOT_AVAILABLE') },
      ])
      expect(adviseLag(lag).findings[0]).toMatchObject({ severity: 'critical' })
      await expect(offsetsOf(kafka, 'single')).rejects.toMatchObject({ code: 'PIPE_KAFKA_PROTOCOL', retryable: true })
    } finally {
      await victim.restart()
    }
    await expect.poll(async () => (await lagOf(kafka, 'single-group')).messages, { timeout: 30_000 }).toBe(6)
  }, 180_000)

  test('a broker that hangs: the view is there without its sizes', async () => {
    await clusterView(kafka)
    const victim = cluster.broker(2)
    victim.stop()
    try {
      const startedAt = Date.now()
      await using other = createKafka({ brokers: [cluster.broker(1).address], clientId: 'test' })
      const view = await clusterView(other, { timeout: '1 second' })
      expect(Date.now() - startedAt).toBeLessThan(10_000)
      const hung = view.brokers.find(({ nodeId }) => nodeId === 2)
      // Either it still counts as a broker, without sizes, or its session has run out.
      if (hung) expect(hung).toMatchObject({ bytes: undefined, sizeProblem: expect.stringContaining('1000 ms') })
      else expect(view.missingBrokers).toEqual([2])
      expect(view.brokers.find(({ nodeId }) => nodeId === 1)!.bytes).toBeGreaterThan(0)
    } finally {
      victim.continue()
    }
    await expect.poll(async () => (await clusterView(kafka)).underReplicated, { timeout: 60_000 }).toEqual([])
  }, 180_000)
})
