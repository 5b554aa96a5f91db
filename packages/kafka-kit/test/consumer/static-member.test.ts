import { setTimeout as pause } from 'node:timers/promises'
import { column } from '@pipe/core'
import { expect, test } from 'vitest'
// By its path: local depends on this package for its own tests.
import { startKafka } from '../../../local/src/index'
import { createKafka } from '../../src/connect'
import type { Consumer } from '../../src/consumer/consumer'
import type { ConsumerEvent } from '../../src/consumer/consumer-event'
import { defineTopic } from '../../src/topic'
import { applyTopics } from '../../src/topic-apply'
import { planTopics } from '../../src/topic-plan'

async function until(what: string, holds: () => boolean, ms = 30_000): Promise<void> {
  const giveUpAt = Date.now() + ms
  while (!holds()) {
    if (Date.now() > giveUpAt) throw new Error(`Not within ${ms} ms: ${what}`)
    await pause(20)
  }
}

test('a static member that is restarted gets its partitions back unnoticed; a twin ends the one before it', async () => {
  const brokers = await startKafka({ brokers: 1 })
  const kafka = createKafka({ brokers: brokers.brokers, clientId: 'test' })
  const topic = defineTopic('static', { value: column.string(), partitions: 4, replicationFactor: 1 })
  await applyTopics(kafka, await planTopics(kafka, [topic]))
  const events: Record<string, ConsumerEvent[]> = { a: [], b: [] }
  const start = (instanceId: string) =>
    kafka.consumer({
      group: 'g',
      topics: [topic],
      instanceId,
      handle: () => undefined,
      timing: { session: '20 seconds' },
      onEvent: (event) => events[instanceId]!.push(event),
    })
  const partitionsOf = (consumer: Consumer) =>
    consumer
      .status()
      .partitions.map(({ partition }) => partition)
      .sort()
  const a = start('a')
  const b = start('b')
  await until('both have two', () => [a, b].every((one) => partitionsOf(one).length === 2))
  expect(a.status().memberId).toMatch(/^a-/)
  const before = partitionsOf(b)
  expect(await b.stop()).toMatchObject({ isClean: true, hasLeftGroup: false })
  events['a'] = []
  const again = start('b')
  await until('it is back', () => partitionsOf(again).length > 0)
  expect(partitionsOf(again)).toEqual(before)
  expect(events['a'].filter(({ kind }) => kind === 'rebalancing' || kind === 'joined')).toEqual([])
  let ended: unknown
  again.done.catch((error: unknown) => {
    ended = error
  })
  const twin = start('b')
  await until('the one before it ends', () => ended !== undefined)
  expect(ended).toMatchObject({
    details: { errorCode: 82 },
    message: expect.stringContaining('same instance id'),
  })
  await Promise.all([a, twin].map((one) => one.stop({ deadline: '2 seconds' })))
  await kafka.close()
  await brokers.close()
}, 120_000)
