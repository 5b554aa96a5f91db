import { setTimeout as pause } from 'node:timers/promises'
import { column } from '@pipe/core'
import { afterEach, expect, test } from 'vitest'
// By its path: local depends on this package for its own tests.
import { type KafkaApiName, type KafkaFault, type KafkaFaultRule, type LocalKafka, startKafka } from '../../../local/src/index'
import { createKafka, type Kafka, resourcesOf } from '../../src/connect'
import { readPartition } from '../../src/consumer/partition-reader'
import { defineTopic, offsetsOf, type Transform } from '../../src/index'

// The whole transform against the embedded brokers, while requests of transactions go wrong in every way. The same against real brokers, with
// processes that are killed: test/live/transform.test.ts.

const shape = { key: column.string(), value: column.string(), partitions: 3, replicationFactor: 3, minInSyncReplicas: 2 }
const input = defineTopic('in', shape)
const output = defineTopic('out', shape)

const clients: Kafka[] = []
let brokers: LocalKafka | undefined

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()))
  await brokers?.close()
})

function connect(): Kafka {
  const kafka = createKafka({ brokers: brokers!.brokers, clientId: 'test', requestTimeout: '1 second' })
  clients.push(kafka)
  return kafka
}

async function committedValues(kafka: Kafka): Promise<number[]> {
  const values: number[] = []
  for (const { partition, start, stable } of await offsetsOf(kafka, 'out')) {
    const from = { topic: 'out', partition }
    for await (const { records } of readPartition(
      resourcesOf(kafka).cluster(),
      from,
      { from: start, to: stable },
      { waitMs: 5000 },
    )) {
      for (const { value } of records) values.push(Number(value))
    }
  }
  return values.sort((a, b) => a - b)
}

const apis: readonly KafkaApiName[] = [
  'InitProducerId',
  'AddPartitionsToTxn',
  'Produce',
  'AddOffsetsToTxn',
  'TxnOffsetCommit',
  'EndTxn',
]
const faults: readonly KafkaFault[] = [
  { fault: 'drop-response' },
  { fault: 'drop-request' },
  { fault: 'reset', on: 'request' },
  { fault: 'reset', on: 'response' },
  { fault: 'delay', on: 'response', by: '50 ms' },
]
const refusals: Readonly<Partial<Record<KafkaApiName, readonly number[]>>> = { Produce: [6, 20, 45] }

function faultsOf(api: KafkaApiName): KafkaFaultRule[] {
  const codes = refusals[api] ?? [16, 48, 51]
  const all: KafkaFault[] = [...faults, ...codes.map((code) => ({ fault: 'error' as const, code }))]
  // The input is written by the test.
  return all.map((fault) => ({ ...fault, api, chance: 0.2, times: 2, ...(api === 'Produce' ? { topic: 'out' } : {}) }))
}

test('two members, a leader that dies, and every request of a transaction lost, refused or late: each input once', async () => {
  brokers = await startKafka({ brokers: 3, seed: 11, settings: { 'group.initial.rebalance.delay.ms': '0' } })
  for (const name of ['in', 'out'])
    brokers.createTopic(name, { partitions: 3, replicationFactor: 3, settings: { 'min.insync.replicas': '2' } })
  const kafka = connect()
  const producer = kafka.producer()
  let produced = 0
  const more = async (count: number) => {
    await producer.sendMany(
      input,
      Array.from({ length: count }, (_, i) => ({ key: `k${(produced + i) % 17}`, value: String(produced + i) })),
    )
    produced += count
  }
  const start = (): Transform =>
    connect().transform({
      group: 'g',
      from: input,
      to: output,
      concurrency: 4,
      timing: { session: '3 seconds', heartbeat: '300 ms', maxWait: '100 ms', commitEvery: '20 ms', transaction: '5 seconds' },
      handle: ({ key, value }) => ({ key, value }),
    })
  await more(200)
  const first = start()
  const rules = apis.flatMap(faultsOf).map((rule) => brokers!.faults.add(rule))
  const second = start()
  const workUntil = async (hits: number) => {
    while (rules.reduce((sum, rule) => sum + rule.hits(), 0) < hits) {
      await more(40)
      await pause(50)
    }
  }
  await workUntil(6)
  const { leader } = brokers.partitions('out')[0]!
  await brokers.faults.kill(leader)
  await workUntil(9)
  await brokers.faults.restart(leader)
  await workUntil(12)
  for (const rule of rules) rule.remove()
  const giveUpAt = Date.now() + 40_000
  while ((await committedValues(kafka)).length < produced && Date.now() < giveUpAt) await pause(100)
  for (const report of await Promise.all([first.stop(), second.stop()])) {
    expect(report).toMatchObject({ isCommitted: true, abortedHandlers: 0, runningHandlers: 0 })
  }
  await Promise.all([first.done, second.done])
  expect(await committedValues(kafka)).toEqual(Array.from({ length: produced }, (_, n) => n))
}, 120_000)
