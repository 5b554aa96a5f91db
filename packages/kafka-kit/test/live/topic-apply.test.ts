import { column } from '@pipe/core'
import type { KafkaCluster } from '@pipe/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createKafka, type Kafka } from '../../src/connect'
import { defineTopic } from '../../src/topic'
import { applyTopics } from '../../src/topic-apply'
import { planTopics } from '../../src/topic-plan'
import { sharedCluster } from './shared-cluster'
import { target, version } from './versions'

describe(`topics on Kafka ${version}`, () => {
  describe.skipIf(!target.available)(`real brokers${target.note}`, () => {
    let cluster: KafkaCluster
    let kafka: Kafka

    beforeAll(async () => {
      cluster = await sharedCluster(version)
      kafka = createKafka({ brokers: cluster.bootstrap, clientId: 'test' })
    }, 180_000)
    afterAll(async () => {
      await kafka?.close()
    })

    const value = { id: column.string() }

    test('create, grow and change configs; other overrides stay; nothing is left to plan', async () => {
      const small = defineTopic('plan-a', { value, partitions: 2, replicationFactor: 3, config: { 'segment.bytes': '1048576' } })
      const first = await planTopics(kafka, [small])
      expect(first.actions).toMatchObject([{ action: 'create', topic: 'plan-a', partitions: 2 }])
      await applyTopics(kafka, first)
      expect(await planTopics(kafka, [small])).toMatchObject({ actions: [], refused: [], unchanged: ['plan-a'] })

      const large = defineTopic('plan-a', {
        value,
        partitions: 5,
        replicationFactor: 3,
        minInSyncReplicas: 2,
        maxMessageBytes: 2_000_000,
        retention: 'forever',
      })
      // Kept as JSON in between, as a reviewed plan would be.
      const plan = JSON.parse(JSON.stringify(await planTopics(kafka, [large]))) as typeof first
      expect(plan.actions.map(({ action }) => action)).toEqual(['add-partitions', 'set-config'])
      const phases = new Set<string>()
      const { applied } = await applyTopics(kafka, plan, { onProgress: ({ phase }) => phases.add(phase) })
      expect(applied).toHaveLength(2)
      expect([...phases]).toEqual(['check', 'apply', 'verify'])
      expect(await cluster.partitions('plan-a')).toHaveLength(5)
      expect(await planTopics(kafka, [large])).toMatchObject({ actions: [], refused: [] })
      // Not named by the second contract: kept (AlterConfigs of kafkajs would have reset it).
      expect(await planTopics(kafka, [small])).toMatchObject({
        actions: [],
        refused: [{ what: 'fewer-partitions' }],
      })
    })

    test('refused: nothing is done', async () => {
      await cluster.createTopic('plan-b', { partitions: 3 })
      const plan = await planTopics(kafka, [
        defineTopic('plan-b', { value, partitions: 1, replicationFactor: 1, cleanup: 'compact' }),
      ])
      expect(plan.refused.map(({ what }) => what)).toEqual(['fewer-partitions', 'lower-replication-factor', 'cleanup-change'])
      await expect(applyTopics(kafka, plan)).rejects.toMatchObject({ code: 'PIPE_KAFKA_PLAN_REFUSED' })
      expect(await cluster.partitions('plan-b')).toHaveLength(3)
    })

    test('changed since: the plan is refused before anything is done', async () => {
      const topic = defineTopic('plan-c', { value, partitions: 2, replicationFactor: 3, retention: '1 day' })
      await applyTopics(kafka, await planTopics(kafka, [topic]))
      const plan = await planTopics(kafka, [
        defineTopic('plan-c', { value, partitions: 4, replicationFactor: 3, retention: '2 days' }),
      ])
      await applyTopics(
        kafka,
        await planTopics(kafka, [defineTopic('plan-c', { value, partitions: 3, replicationFactor: 3, retention: '1 day' })]),
      )
      await expect(applyTopics(kafka, plan)).rejects.toMatchObject({
        code: 'PIPE_KAFKA_PLAN_STALE',
        message: expect.stringContaining('plan-c had 2 partitions and now has 3'),
      })
      expect(await cluster.partitions('plan-c')).toHaveLength(3)
    })

    test('a config that the broker refuses: found before the first change', async () => {
      const plan = await planTopics(kafka, [
        defineTopic('plan-d', { value, partitions: 1, replicationFactor: 3 }),
        defineTopic('plan-e', { value, partitions: 1, replicationFactor: 3, config: { 'compression.type': 'rar' } }),
      ])
      await expect(applyTopics(kafka, plan)).rejects.toMatchObject({
        code: 'PIPE_KAFKA_PROTOCOL',
        message: expect.stringMatching(/create plan-e .*INVALID_CONFIG.*compression\.type/s),
      })
      expect(
        (await planTopics(kafka, [defineTopic('plan-d', { value, partitions: 1, replicationFactor: 3 })])).actions,
      ).toHaveLength(1)
    })

    test('an aborted signal ends it', async () => {
      const plan = await planTopics(kafka, [defineTopic('plan-f', { value, partitions: 1, replicationFactor: 3 })])
      const reason = new Error('enough')
      await expect(applyTopics(kafka, plan, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    })
  })
})
