import {
  CreateEventSourceMappingCommand,
  DeleteEventSourceMappingCommand,
  GetEventSourceMappingCommand,
  LambdaClient,
} from '@aws-sdk/client-lambda'
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type Local, startLocal, type VirtualClock, virtualClock } from '../../src/index'
import { failedOffsets } from '../../src/lambda/kafka-event'
import { kitClient } from '../kafka/clients'
import { bill, orders } from './functions/bills-orders'

const entry = new URL('./functions/bills-orders.ts', import.meta.url)
const clusterArn = 'arn:aws:kafka:us-east-1:000000000000:cluster/local/1'
const deadArn = 'arn:aws:sqs:us-east-1:000000000000:dead-batches'
let local: Local<VirtualClock>
let lambda: LambdaClient
let kafka: ReturnType<typeof kitClient>
beforeAll(async () => {
  local = await startLocal({ clock: virtualClock('2026-11-24T00:00:00Z'), kafka: {} })
  lambda = new LambdaClient(local.aws)
  kafka = kitClient(local.kafka.brokers)
})
afterAll(async () => {
  await kafka.close()
  await local.close()
})

const policy = {
  Statement: [
    { Effect: 'Allow', Action: ['kafka:DescribeClusterV2', 'kafka:GetBootstrapBrokers'], Resource: clusterArn },
    { Effect: 'Allow', Action: 'kafka-cluster:*', Resource: '*' },
    { Effect: 'Allow', Action: 'sqs:SendMessage', Resource: deadArn },
  ],
} as const
const pollers = { ProvisionedPollerConfig: { MinimumPollers: 1 } }
const deploy = (name: string, handler: string) => local.lambda.deploy({ name, entry, handler, policy, timeout: '20 seconds' })
const map = (FunctionName: string, topic: string, more: object = {}) =>
  lambda.send(
    new CreateEventSourceMappingCommand({
      FunctionName,
      EventSourceArn: clusterArn,
      Topics: [topic],
      StartingPosition: 'TRIM_HORIZON',
      ...more,
    }),
  )
const unmap = (UUID: string | undefined) => lambda.send(new DeleteEventSourceMappingCommand({ UUID }))
const logged = (name: string, word: string) =>
  local.lambda
    .logs(name)
    .map(({ message }) => new RegExp(`\\tINFO\\t${word} (.*)$`).exec(message)?.[1])
    .filter((text) => text !== undefined)
/** Reading is in real time, retries are on the virtual clock: moves it until the condition holds. */
const eventually = (holds: () => void) =>
  vi.waitFor(
    async () => {
      await local.clock.advance('2 seconds')
      holds()
    },
    { timeout: 60_000, interval: 100 },
  )
const send = async (topic: string, values: readonly string[]) => {
  const producer = kafka.producer()
  for (const value of values) await producer.send(topic, { key: 'k', value })
}

describe('failedOffsets', () => {
  const record = { timestampMs: 0, isLogAppendTime: false, key: null, value: null, headers: [] }
  const batch = [0, 1, 2].map((offset) => ({ ...record, topic: 't', partition: 0, offset }))
  const item = (partition: unknown, offset: unknown) => ({ itemIdentifier: { partition, offset } })
  it.each<[string, unknown, readonly (readonly [string, number])[] | string]>([
    ['nothing', undefined, []],
    ['an empty list', { batchItemFailures: [] }, []],
    ['the first of several offsets', { batchItemFailures: [item('t-0', 2), item('t-0', 1)] }, [['t-0', 1]]],
    ['an unknown offset', { batchItemFailures: [item('t-0', 3)] }, 'no record of the batch'],
    ['an unknown partition', { batchItemFailures: [item('t-1', 0)] }, 'no record of the batch'],
    ['a text as identifier', { batchItemFailures: [{ itemIdentifier: 't-0@1' }] }, 'no object'],
    ['an offset that is no number', { batchItemFailures: [item('t-0', '1')] }, 'no object'],
    ['null', { batchItemFailures: [null] }, 'no object'],
    ['no list', { batchItemFailures: {} }, 'no list'],
    ['a text', 'done', 'answered no object'],
  ])('reads %s', (_what, payload, expected) => {
    const failed = failedOffsets(payload, batch)
    if (typeof expected === 'string') expect(failed).toContain(expected)
    else expect([...failed]).toEqual(expected)
  })
})

it('one handler bills in Lambda and in a consumer group; in Lambda a poison record goes, at last, to the queue', {
  timeout: 120_000,
}, async () => {
  await new SQSClient(local.aws).send(new CreateQueueCommand({ QueueName: 'dead-batches' }))
  local.kafka.createTopic('orders', { partitions: 2 })
  await deploy('biller', 'handler')
  const producer = kafka.producer()
  const sent = ['a', 'b', 'c', 'd']
  for (const value of sent) await producer.send(orders, { key: value, value })

  const billed: string[] = []
  const log = vi.spyOn(console, 'log').mockImplementation((text: string) => void billed.push(text.replace(/^billed /, '')))
  const consumer = kafka.consumer({ group: 'billing', topics: [orders], handle: bill })
  await vi.waitFor(() => expect(billed).toHaveLength(sent.length), { timeout: 60_000 })
  await consumer.stop()
  log.mockRestore()

  const { UUID } = await map('biller', 'orders', {
    ...pollers,
    FunctionResponseTypes: ['ReportBatchItemFailures'],
    MaximumRetryAttempts: 1,
    DestinationConfig: { OnFailure: { Destination: deadArn } },
  })
  await eventually(() => expect(logged('biller', 'billed')).toHaveLength(sent.length))
  expect([...logged('biller', 'billed')].sort()).toEqual([...billed].sort())

  const { partition, offset } = await producer.send(orders, { key: 'a', value: 'poison' })
  await eventually(() => expect(local.events.totals().deadLettered).toBe(1))
  const { Messages } = await new SQSClient(local.aws).send(
    new ReceiveMessageCommand({ QueueUrl: `${local.url}/000000000000/dead-batches` }),
  )
  const dead = JSON.parse(Messages![0]!.Body!)
  expect(dead.requestContext).toMatchObject({ condition: 'RetryAttemptsExhausted', approximateInvokeCount: 2 })
  expect(dead.KafkaBatchInfo.recordsInfo[`orders-${partition}`].firstRecordOffset).toBe(String(offset))

  // The poison is behind it; its place outlives the mapping only in its own group.
  await producer.send(orders, { key: 'a', value: 'e' })
  await eventually(() => expect(logged('biller', 'billed').at(-1)).toBe(`${partition}@${offset + 1n} e`))
  await unmap(UUID)
})

it('a whole batch that fails is halved; a filter passes over what it does not take', { timeout: 120_000 }, async () => {
  local.kafka.createTopic('halves')
  await send('halves', ['1', '2', 'poison', '4'])
  await deploy('halver', 'all')
  const { UUID } = await map('halver', 'halves', { ...pollers, BisectBatchOnFunctionError: true, MaximumRetryAttempts: 0 })
  await eventually(() => expect(logged('halver', 'batch').at(-1)).toBe('4'))
  expect(logged('halver', 'batch')).toEqual(['1,2,poison,4', '1,2', 'poison,4', 'poison', '4'])
  await unmap(UUID)

  local.kafka.createTopic('filtered')
  await send('filtered', ['{"kind":"x"}', 'plain', '{"kind":"y"}', '{"kind":"x","n":2}'])
  const FilterCriteria = { Filters: [{ Pattern: '{"value":{"kind":["x"]}}' }] }
  const filtered = await map('halver', 'filtered', { FilterCriteria })
  await eventually(() => expect(logged('halver', 'batch').at(-1)).toBe('{"kind":"x"},{"kind":"x","n":2}'))
  await unmap(filtered.UUID)
})

it('a malformed answer brings the whole batch back; brokers of one’s own and a group that goes on', {
  timeout: 120_000,
}, async () => {
  local.kafka.createTopic('raw')
  await kafka.producer().send('raw', { key: 'k', value: 'v', headers: { h: 'x' } })
  await deploy('malformer', 'malformed')
  const own = {
    EventSourceArn: undefined,
    SelfManagedEventSource: { Endpoints: { KAFKA_BOOTSTRAP_SERVERS: [...local.kafka.brokers] } },
    SelfManagedKafkaEventSourceConfig: { ConsumerGroupId: 'own' },
  }
  const reports = { ...pollers, FunctionResponseTypes: ['ReportBatchItemFailures'], MaximumRetryAttempts: 1 }
  const { UUID } = await map('malformer', 'raw', { ...own, ...reports })
  await eventually(() => expect(logged('malformer', 'event')).toHaveLength(2))
  expect(local.events.failures.at(-1)!.message).toContain('The whole batch is delivered again')
  expect(JSON.parse(logged('malformer', 'event')[0]!)).toEqual({
    eventSource: 'SelfManagedKafka',
    bootstrapServers: local.kafka.brokers.join(','),
    records: {
      'raw-0': [
        {
          topic: 'raw',
          partition: 0,
          offset: 0,
          timestamp: expect.any(Number),
          timestampType: 'CREATE_TIME',
          key: 'aw==',
          value: 'dg==',
          headers: [{ h: [120] }],
        },
      ],
    },
  })
  await unmap(UUID)
})

it('refuses what AWS refuses', async () => {
  await deploy('careful', 'all')
  await local.lambda.deploy({ name: 'rightless', entry, handler: 'all' })
  const refused = (more: object, topic = 'orders') => map('careful', topic, more)
  await expect(map('rightless', 'orders')).rejects.toThrow('kafka:DescribeClusterV2')
  await expect(refused({ FunctionResponseTypes: ['ReportBatchItemFailures'] })).rejects.toThrow('ProvisionedPollerConfig')
  await expect(refused({ StartingPosition: 'AT_TIMESTAMP' })).rejects.toThrow('StartingPositionTimestamp')
  await expect(refused({ BatchSize: 0 })).rejects.toThrow()
  await expect(refused({ SourceAccessConfigurations: [{ Type: 'BASIC_AUTH', URI: 'x' }] })).rejects.toThrow('not supported')
  await expect(refused({ FilterCriteria: { Filters: [{ Pattern: '{"key":["k"]}' }] } })).rejects.toThrow('looks at value')
  await expect(refused({ FilterCriteria: { Filters: [{ Pattern: '{"value":"k"}' }] } })).rejects.toThrow('column 10')
  const { UUID } = await map('careful', 'no-such-topic')
  await vi.waitFor(
    async () => {
      const { LastProcessingResult } = await lambda.send(new GetEventSourceMappingCommand({ UUID }))
      expect(LastProcessingResult).toContain('no-such-topic does not exist')
    },
    { timeout: 30_000, interval: 100 },
  )
  await unmap(UUID)
})
