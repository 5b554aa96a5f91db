import {
  AddPermissionCommand,
  CreateEventSourceMappingCommand,
  DeleteEventSourceMappingCommand,
  GetPolicyCommand,
  InvokeCommand,
  LambdaClient,
  ListEventSourceMappingsCommand,
  PutFunctionEventInvokeConfigCommand,
  RemovePermissionCommand,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda'
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Local, startLocal, type VirtualClock, virtualClock } from '../../src/index'
import { failedItems } from '../../src/lambda/sqs-poller'

const answers = new URL('./functions/answers-batch.ts', import.meta.url)
const queueArn = (name: string) => `arn:aws:sqs:us-east-1:000000000000:${name}`
let local: Local<VirtualClock>
let lambda: LambdaClient
let sqs: SQSClient
beforeAll(async () => {
  local = await startLocal({ clock: virtualClock('2026-11-24T00:00:00Z') })
  lambda = new LambdaClient(local.aws)
  sqs = new SQSClient(local.aws)
})
afterAll(() => local.close())

const reads = (...names: string[]) =>
  ({
    Statement: [
      {
        Effect: 'Allow',
        Action: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:SendMessage'],
        Resource: names.map(queueArn),
      },
    ],
  }) as const
const create = (QueueName: string, Attributes: Record<string, string> = {}) =>
  sqs.send(new CreateQueueCommand({ QueueName, Attributes }))
const url = (name: string) => `${local.url}/000000000000/${name}`
const send = (name: string, MessageBody: string, more: object = {}) =>
  sqs.send(new SendMessageCommand({ QueueUrl: url(name), MessageBody, ...more }))
const left = async (name: string) => {
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl: url(name), AttributeNames: ['All'] }))
  return Number(Attributes!['ApproximateNumberOfMessages']) + Number(Attributes!['ApproximateNumberOfMessagesNotVisible'])
}
const map = (FunctionName: string, queue: string, more: object = {}) =>
  lambda.send(new CreateEventSourceMappingCommand({ FunctionName, EventSourceArn: queueArn(queue), ...more }))
const batches = (name: string) =>
  local.lambda
    .logs(name)
    .map(({ message }) => /\tINFO\tbatch (.*)$/.exec(message)?.[1])
    .filter((text) => text !== undefined)

describe('failedItems', () => {
  const batch = [{ id: 'a' }, { id: 'b' }]
  it.each<[string, unknown, readonly string[] | string]>([
    ['nothing', undefined, []],
    ['null', null, []],
    ['an object without a list', {}, []],
    ['a null list', { batchItemFailures: null }, []],
    ['an empty list', { batchItemFailures: [] }, []],
    ['a message', { batchItemFailures: [{ itemIdentifier: 'b' }] }, ['b']],
    ['an unknown id', { batchItemFailures: [{ itemIdentifier: 'c' }] }, 'no message of the batch'],
    ['an empty id', { batchItemFailures: [{ itemIdentifier: '' }] }, 'empty or missing'],
    ['a null id', { batchItemFailures: [{ itemIdentifier: null }] }, 'empty or missing'],
    ['another key', { batchItemFailures: [{ id: 'a' }] }, 'empty or missing'],
    ['a text', 'done', 'no object'],
    ['no list', { batchItemFailures: 'a' }, 'no list'],
  ])('reads %s', (_what, payload, expected) => {
    const failed = failedItems(payload, batch)
    if (typeof expected === 'string') expect(failed).toContain(expected)
    else expect([...failed]).toEqual(expected)
  })
})

it('a queue feeds a function in batches; failed messages come again, and at last go to the dead-letter queue', async () => {
  await create('dead')
  await create('work', {
    VisibilityTimeout: '30',
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: queueArn('dead'), maxReceiveCount: 2 }),
  })
  await local.lambda.deploy({ name: 'worker', entry: answers, timeout: '20 seconds', policy: reads('work') })
  for (const body of ['a', 'fails', 'b']) await send('work', body)
  const { UUID } = await map('worker', 'work', { BatchSize: 2, FunctionResponseTypes: ['ReportBatchItemFailures'] })
  await expect(map('worker', 'work')).rejects.toMatchObject({ name: 'ResourceConflictException' })
  await local.clock.advance('1 second')
  expect([...batches('worker')].sort()).toEqual(['a,fails', 'b'])
  expect(await left('work')).toBe(1)
  await local.clock.advance('30 seconds')
  expect(batches('worker').at(-1)).toBe('fails')
  await local.clock.advance('30 seconds')
  expect(await left('work')).toBe(0)
  const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: url('dead') }))
  expect(Messages?.map(({ Body }) => Body)).toEqual(['fails'])

  // A malformed answer: nothing is deleted.
  const enable = (Enabled: boolean) => lambda.send(new UpdateEventSourceMappingCommand({ UUID, Enabled }))
  await enable(false)
  await send('work', 'malformed')
  await send('work', 'c')
  await enable(true)
  await local.clock.advance('1 second')
  expect(await left('work')).toBe(2)
  expect(local.events.failures.at(-1)!.message).toContain('The whole batch is delivered again')

  await enable(false)
  await local.clock.advance('5 minutes')
  expect(await left('work')).toBe(2)
  await lambda.send(new DeleteEventSourceMappingCommand({ UUID }))
  expect((await lambda.send(new ListEventSourceMappingsCommand({}))).EventSourceMappings).toEqual([])
})

it('a FIFO queue keeps the order of a group through a failure; a window gathers a batch', async () => {
  await create('line.fifo', { FifoQueue: 'true', ContentBasedDeduplication: 'true', VisibilityTimeout: '30' })
  await create('slow', { VisibilityTimeout: '30' })
  await local.lambda.deploy({
    name: 'liner',
    entry: answers,
    timeout: '20 seconds',
    maxInstances: 1,
    policy: reads('line.fifo', 'slow'),
  })
  for (const body of ['1', 'once', '3']) await send('line.fifo', body, { MessageGroupId: 'g' })
  await map('liner', 'line.fifo', { FunctionResponseTypes: ['ReportBatchItemFailures'] })
  await local.clock.advance('31 seconds')
  expect(batches('liner')).toEqual(['1,once,3', 'once,3'])
  expect(await left('line.fifo')).toBe(0)

  await map('liner', 'slow', { BatchSize: 3, MaximumBatchingWindowInSeconds: 10 })
  await send('slow', 'x')
  await local.clock.advance('5 seconds')
  await send('slow', 'y')
  expect(batches('liner')).toHaveLength(2)
  await local.clock.advance('5 seconds')
  expect(batches('liner').at(-1)).toBe('x,y')
  for (const body of ['p', 'q', 'r']) await send('slow', body)
  await local.clock.advance('1 second')
  expect(batches('liner').at(-1)).toBe('p,q,r')
})

it('refuses what AWS refuses', async () => {
  await create('any', { VisibilityTimeout: '10' })
  await local.lambda.deploy({ name: 'poor', entry: answers, timeout: '5 seconds' })
  await local.lambda.deploy({ name: 'slow', entry: answers, timeout: '11 seconds', policy: reads('any') })
  await expect(map('poor', 'any')).rejects.toThrow('does not have permissions to call ReceiveMessage on SQS')
  await expect(map('slow', 'any')).rejects.toThrow(
    'Queue visibility timeout: 10 seconds is less than Function timeout: 11 seconds',
  )
  await expect(map('slow', 'nothing')).rejects.toThrow('The queue does not exist')
  await expect(map('nobody', 'any')).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
  await local.lambda.deploy({ name: 'slow', entry: answers, timeout: '5 seconds', policy: reads('any') })
  await expect(map('slow', 'any', { BatchSize: 11 })).rejects.toThrow('Maximum batch window')
  await expect(map('slow', 'any', { KMSKeyArn: 'arn:aws:kms:us-east-1:000000000000:key/k' })).rejects.toThrow('not supported')
  const filters = (...patterns: string[]) => ({ FilterCriteria: { Filters: patterns.map((Pattern) => ({ Pattern })) } })
  await expect(map('slow', 'any', filters('{"body":"a"}'))).rejects.toThrow('(line 1, column 9)')
  await expect(map('slow', 'any', filters('{"value":["a"]}'))).rejects.toThrow('not at value')
  await expect(map('slow', 'any', filters(...Array(6).fill('{"body":["a"]}')))).rejects.toThrow('at most 5')
})

it.each<[string, string, string]>([
  ['fields take objects', '{"body":{"n":[{"numeric":[">",1]}]}}', '{"n":2}'],
  ['a text takes texts', '{"body":["plain"]}', 'plain'],
  ['attributes take everything', '{"messageAttributes":{"kind":{"stringValue":["x"]}}}', '{"n":1},plain'],
])('a filter: %s; the other messages are deleted', async (what, Pattern, expected) => {
  const queue = what.replaceAll(' ', '-')
  await create(queue)
  await local.lambda.deploy({ name: queue, entry: answers, timeout: '5 seconds', maxInstances: 1, policy: reads(queue) })
  const kind = { MessageAttributes: { kind: { DataType: 'String', StringValue: 'x' } } }
  for (const [body, more] of [
    ['{"n":1}', kind],
    ['{"n":2}', {}],
    ['plain', kind],
    ['[1', {}],
  ] as const)
    await send(queue, body, more)
  await map(queue, queue, { FilterCriteria: { Filters: [{ Pattern }] } })
  await local.clock.advance('1 second')
  expect(batches(queue)).toEqual([expected])
  expect(await left(queue)).toBe(0)
})

it('permissions are added, shown and removed', async () => {
  const permission = {
    FunctionName: 'poor',
    StatementId: 's',
    Action: 'lambda:InvokeFunction',
    Principal: 'events.amazonaws.com',
    SourceArn: 'arn:aws:events:us-east-1:000000000000:rule/r',
  }
  await lambda.send(new AddPermissionCommand(permission))
  await expect(lambda.send(new AddPermissionCommand(permission))).rejects.toMatchObject({ name: 'ResourceConflictException' })
  const { Policy } = await lambda.send(new GetPolicyCommand({ FunctionName: 'poor' }))
  expect(JSON.parse(Policy!).Statement).toMatchObject([
    { Sid: 's', Condition: { ArnLike: { 'AWS:SourceArn': permission.SourceArn } } },
  ])
  await lambda.send(new RemovePermissionCommand({ FunctionName: 'poor', StatementId: 's' }))
  await expect(lambda.send(new GetPolicyCommand({ FunctionName: 'poor' }))).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
  })
})

it('an asynchronous invocation runs three times, after one and two minutes, and then goes to its destination', async () => {
  await create('lost')
  await local.lambda.deploy({ name: 'failing', entry: answers, timeout: '20 seconds', policy: reads('lost') })
  await lambda.send(
    new PutFunctionEventInvokeConfigCommand({
      FunctionName: 'failing',
      DestinationConfig: { OnFailure: { Destination: queueArn('lost') } },
    }),
  )
  const before = local.events.failures.length
  await lambda.send(
    new InvokeCommand({ FunctionName: 'failing', InvocationType: 'Event', Payload: '{"Records":[{"body":"throws"}]}' }),
  )
  await local.clock.advance('10 minutes')
  const failures = local.events.failures.slice(before)
  expect(failures.map(({ at, attempt, isFinal }) => [at.toISOString().slice(14, 19), attempt, isFinal])).toEqual([
    [expect.any(String), 1, false],
    [expect.any(String), 2, false],
    [expect.any(String), 3, true],
  ])
  const waits = failures.slice(1).map(({ at }, i) => at.getTime() - failures[i]!.at.getTime())
  expect(waits).toEqual([60_000, 120_000])
  const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: url('lost') }))
  expect(JSON.parse(Messages![0]!.Body!)).toMatchObject({
    requestContext: { condition: 'RetriesExhausted', approximateInvokeCount: 3 },
    requestPayload: { Records: [{ body: 'throws' }] },
  })
  expect(local.events.totals()).toMatchObject({ retried: 2, deadLettered: 1 })
})
