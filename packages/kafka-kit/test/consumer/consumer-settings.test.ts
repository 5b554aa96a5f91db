import { column } from '@pipe/core'
import { expect, test } from 'vitest'
import { createKafka } from '../../src/connect'
import { settingsOf } from '../../src/consumer/consumer-settings'
import { originOf, withOrigin, withoutOrigin } from '../../src/consumer/dead-letter'
import { defineTopic } from '../../src/topic'

const topic = defineTopic('orders', { value: { id: column.string() }, partitions: 1, replicationFactor: 1 })
const good = { group: 'g', topics: [topic], handle: () => undefined }

test('defaults', () => {
  expect(settingsOf(good)).toMatchObject({
    concurrency: 1,
    order: 'key',
    missing: 'earliest',
    outOfRange: 'fail',
    bufferBytes: 32 * 1024 * 1024,
    timing: {
      sessionTimeoutMs: 30_000,
      rebalanceTimeoutMs: 60_000,
      heartbeatMs: 3000,
      drainMs: 10_000,
      maxWaitMs: 500,
      commitEveryMs: 1000,
    },
  })
})

const letters = { deadLetter: { topic: 'dead' } }

test.each([
  [{ group: '' }, /group/],
  [{ topics: [] }, /at least one topic/],
  [{ topics: [topic, topic] }, /stands twice/],
  [{ topics: ['orders'] }, /defineTopic/],
  [{ handle: 1 }, /handle must be a function/],
  [{ concurrency: 0 }, /concurrency/],
  [{ order: 'fifo' }, /no order "fifo"/],
  [{ offsets: { outOfRange: 'reset' } }, /outOfRange "reset"/],
  [{ offsets: { start: 'latest' } }, /start/],
  [{ buffer: { bytes: 1.5 } }, /buffer\.bytes/],
  [{ deadLetter: { topic: 'orders' } }, /one of the topics that are read/],
  [{ timing: { session: '6 seconds', heartbeat: '4 seconds' } }, /heartbeat/],
  [{ timing: { drain: '40 seconds' } }, /drain/],
  [{ timing: { session: '6 seconds', maxWait: '3 seconds' } }, /maxWait/],
  [{ fromBeginning: true }, /fromBeginning/],
  [{ instanceId: 'pod 1' }, /instanceId "pod 1"/],
  [{ retryTopic: { topic: 'r' } }, /retryTopic needs deadLetter/],
  [{ ...letters, retryTopic: { topic: 'r', rounds: 0 } }, /rounds must be a whole number/],
  [{ ...letters, retryTopic: { topic: 'r', delay: '1 minute' } }, /no option "delay"/],
  [{ ...letters, retryTopic: { topic: 'dead' } }, /must be a topic of its own/],
  [{ ...letters, retryTopic: { topic: 'orders' } }, /must be a topic of its own/],
  [{ ...letters, topics: [topic, { ...topic, name: 'b' }], retryTopic: { topic: 'r' } }, /goes with one topic/],
])('refused: %j', (wrong, message) => {
  expect(() => settingsOf({ ...good, ...wrong } as never)).toThrow(message)
  const kafka = createKafka({ brokers: ['127.0.0.1:1'], clientId: 'test' })
  expect(() => kafka.consumer({ ...good, ...wrong } as never)).toThrow(message)
})

test('origin headers: there and back, a second death replaces the first, own headers stay in order', () => {
  const headers = [
    { key: 'trace', value: Buffer.from('1') },
    { key: 'trace', value: null },
  ]
  const poison = {
    record: { topic: 'orders', partition: 3, offset: 2n ** 60n, timestamp: new Date(5), key: null, value: null, headers },
    error: new Error('x'.repeat(5000)),
    attempts: 2,
  }
  const dead = withOrigin(poison, 'g', 1000)
  expect(originOf(dead)).toEqual({
    topic: 'orders',
    partition: 3,
    offset: 2n ** 60n,
    timestampMs: 5,
    group: 'g',
    errorCode: 'Error',
    errorMessage: 'x'.repeat(1000),
    attempts: 2,
  })
  expect(withoutOrigin(dead)).toEqual(headers)
  const twice = withOrigin({ ...poison, record: { ...poison.record, partition: 4, headers: dead } }, 'g2', 2000)
  expect(twice).toHaveLength(dead.length)
  expect(originOf(twice)).toMatchObject({ partition: 4, group: 'g2' })
  expect(originOf(headers)).toBeUndefined()
  expect(originOf([{ key: 'pipe-origin-topic', value: Buffer.from('a') }])).toBeUndefined()
})
