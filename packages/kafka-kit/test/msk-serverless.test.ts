import { column } from '@pipe/core'
import { describe, expect, test } from 'vitest'
import { createKafka, defineTopic, mskIam, planTopics } from '../src/index'
import { checkServerless } from '../src/msk-serverless'
import { compareTopics } from '../src/topic-plan'
import type { TopicState } from '../src/topic-state'

const auth = mskIam({ region: 'eu-central-1' })
const settings = { brokers: ['127.0.0.1:1'], clientId: 'test' }
const orders = (over: object = {}) =>
  defineTopic('orders', {
    platform: 'msk-serverless',
    value: column.string(),
    partitions: 6,
    retention: '7 days',
    ...over,
  } as never)

const existing = (config: Record<string, string>): TopicState => ({
  topic: 'orders',
  exists: true,
  topicId: 'ab',
  isInternal: false,
  partitions: 6,
  replicationFactor: 3,
  config,
})
const absent: TopicState = { ...existing({}), exists: false, topicId: '', partitions: 0, replicationFactor: 0 }
const compare = (topic: ReturnType<typeof orders>, state: TopicState) =>
  compareTopics([topic], [state], { brokers: 2, allow: [], platform: 'msk-serverless' })

describe('a topic of MSK Serverless', () => {
  test('has the replicas of the service, and asks for none of its settings', () => {
    expect(orders({ config: { 'compression.type': 'zstd' } })).toMatchObject({
      replicationFactor: 3,
      minInSyncReplicas: 2,
      config: { 'retention.ms': '604800000', 'compression.type': 'zstd' },
    })
  })

  test('what cannot be set is refused by name', () => {
    expect(() => orders({ replicationFactor: 3 })).toThrow('has no option "replicationFactor"')
    expect(() => orders({ minInSyncReplicas: 2 })).toThrow('has no option "minInSyncReplicas"')
    expect(() => orders({ config: { 'segment.bytes': '1' } })).toThrow(
      /PIPE_KAFKA_MSK_SERVERLESS .*orders: segment\.bytes cannot be set on MSK Serverless/,
    )
    expect(() => orders({ maxMessageBytes: 8 * 1024 * 1024 })).not.toThrow()
    expect(() => orders({ maxMessageBytes: 8 * 1024 * 1024 + 1 })).toThrow('is more than the 8388608')
    expect(() => orders({ partitions: 2401 })).toThrow('2401 partitions of topics that are not compacted')
    expect(() => orders({ partitions: 121, cleanup: 'compact' })).toThrow('121 partitions of compacted topics')
    expect(() => orders({ platform: 'msk' })).toThrow('there is no platform "msk"')
  })

  test('all reasons at once, partitions counted over the topics', () => {
    const many = [orders({ partitions: 2000 }), { ...orders({ partitions: 401 }), name: 'more' }]
    expect(() => checkServerless('x', many)).toThrow('2401 partitions')
    const wrong = defineTopic('a', { value: column.string(), partitions: 1, replicationFactor: 2, minInSyncReplicas: 2 })
    expect(() => checkServerless('x', [wrong])).toThrow(
      /a: replicationFactor 2 cannot be had.*; a: min\.insync\.replicas cannot be set/,
    )
  })
})

describe('a plan', () => {
  test('creates with the replicas of the cluster, whatever number of brokers it shows', () => {
    expect(compare(orders(), absent)).toMatchObject({ actions: [{ action: 'create', replicationFactor: -1 }], refused: [] })
  })

  test('does not change the clean-up, nor create more than the rate allows', () => {
    const { refused } = compare(
      orders({ cleanup: 'compact' }),
      existing({ 'cleanup.policy': 'delete', 'retention.ms': '604800000' }),
    )
    expect(refused).toMatchObject([{ what: 'msk-serverless', text: expect.stringContaining('only when a topic is created') }])
    expect(compare(orders({ partitions: 251 }), absent).refused).toMatchObject([
      { what: 'msk-serverless', text: expect.stringContaining('251 partitions; MSK Serverless allows 250') },
    ])
  })

  test('of contracts that it would refuse is refused before anything is asked', async () => {
    // Nothing listens there: a request would fail as a connection.
    await using kafka = createKafka({ ...settings, platform: 'msk-serverless', auth })
    const own = defineTopic('orders', { value: column.string(), partitions: 6, replicationFactor: 3, minInSyncReplicas: 2 })
    await expect(planTopics(kafka, [own])).rejects.toMatchObject({
      code: 'PIPE_KAFKA_MSK_SERVERLESS',
      message: /min\.insync\.replicas/,
    })
  })
})

describe('a connection', () => {
  test('takes IAM and TLS only', async () => {
    const other = (over: object) => () => createKafka({ ...settings, platform: 'msk-serverless', auth, ...over } as never)
    const scram = { mechanism: 'scram-sha-512', username: 'a', password: 'b' }
    expect(other({ auth: scram })).toThrow(/PIPE_KAFKA_MSK_SERVERLESS .*takes IAM only/)
    expect(other({ auth: undefined })).toThrow('takes IAM only')
    expect(other({ ssl: false })).toThrow('takes TLS only')
    expect(other({ platform: 'serverless' })).toThrow('there is no platform "serverless"')
  })

  test('refuses a message size that it does not have', async () => {
    await using kafka = createKafka({ ...settings, platform: 'msk-serverless', auth })
    expect(() => kafka.producer({ maxMessageBytes: 9_000_000 })).toThrow('8388608 of MSK Serverless')
  })
})
