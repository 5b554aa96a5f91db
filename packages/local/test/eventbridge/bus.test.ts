import {
  CreateEventBusCommand,
  DeleteEventBusCommand,
  DescribeEventBusCommand,
  EventBridgeClient,
  ListEventBusesCommand,
  ListTargetsByRuleCommand,
  PutEventsCommand,
  type PutEventsRequestEntry,
  PutRuleCommand,
  PutTargetsCommand,
  type Target,
  TestEventPatternCommand,
} from '@aws-sdk/client-eventbridge'
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Local, startLocal, type VirtualClock, virtualClock } from '../../src/index'

const records = new URL('../lambda/functions/records-events.ts', import.meta.url)
const queueArn = (name: string) => `arn:aws:sqs:us-east-1:000000000000:${name}`
const functionArn = (name: string) => `arn:aws:lambda:us-east-1:000000000000:function:${name}`
let local: Local<VirtualClock>
let client: EventBridgeClient
let sqs: SQSClient
beforeEach(async () => {
  local = await startLocal({ clock: virtualClock('2026-11-24T00:00:00Z') })
  client = new EventBridgeClient(local.aws)
  sqs = new SQSClient(local.aws)
  await client.send(new CreateEventBusCommand({ Name: 'orders' }))
})
afterEach(() => local.close())

const allow = (name: string, rule = '*') =>
  JSON.stringify({
    Statement: [
      {
        Effect: 'Allow',
        Principal: { Service: 'events.amazonaws.com' },
        Action: 'sqs:SendMessage',
        Resource: queueArn(name),
        Condition: { ArnLike: { 'aws:SourceArn': `arn:aws:events:*:*:rule/${rule}` } },
      },
    ],
  })
const queue = (QueueName: string, Policy = allow(QueueName)) =>
  sqs.send(new CreateQueueCommand({ QueueName, Attributes: Policy === '' ? {} : { Policy } }))
const rule = async (Name: string, pattern: object, target: Omit<Target, 'Id'>, bus = 'orders') => {
  await client.send(new PutRuleCommand({ Name, EventPattern: JSON.stringify(pattern), EventBusName: bus }))
  await client.send(new PutTargetsCommand({ Rule: Name, EventBusName: bus, Targets: [{ Id: '1', ...target } as Target] }))
}
const entry = (detail: object | string, more: Partial<PutEventsRequestEntry> = {}): PutEventsRequestEntry => ({
  EventBusName: 'orders',
  Source: 'com.shop',
  DetailType: 'OrderPlaced',
  Detail: typeof detail === 'string' ? detail : JSON.stringify(detail),
  ...more,
})
const put = async (...Entries: PutEventsRequestEntry[]) => (await client.send(new PutEventsCommand({ Entries }))).Entries!
const received = async (name: string) => {
  const QueueUrl = `${local.url}/000000000000/${name}`
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, MessageAttributeNames: ['All'] }),
  )
  return Messages
}
const bodies = async (name: string) => (await received(name)).map(({ Body }) => Body)

describe('buses and events', () => {
  it('are made, listed, and take events that rules pick by content', async () => {
    expect((await client.send(new DescribeEventBusCommand({ Name: 'orders' }))).Arn).toBe(
      'arn:aws:events:us-east-1:000000000000:event-bus/orders',
    )
    expect((await client.send(new ListEventBusesCommand({}))).EventBuses?.map(({ Name }) => Name)).toEqual(['default', 'orders'])
    await queue('all')
    await queue('big')
    await rule('all', { source: ['com.shop'] }, { Arn: queueArn('all') })
    await rule('big', { detail: { total: [{ numeric: ['>=', 100] }] } }, { Arn: queueArn('big') })
    const [small] = await put(
      entry({ total: 5 }),
      entry('{"total":123456789012345678901}'),
      entry({ total: 200 }, { EventBusName: 'default' }),
    )
    expect(small!.EventId).toMatch(/^[0-9a-f-]{36}$/)
    const all = await bodies('all')
    expect(JSON.parse(all[0]!)).toEqual({
      version: '0',
      id: small!.EventId,
      'detail-type': 'OrderPlaced',
      source: 'com.shop',
      account: '000000000000',
      time: '2026-11-24T00:00:00Z',
      region: 'us-east-1',
      resources: [],
      detail: { total: 5 },
    })
    // Every digit arrives; AWS compares such a number by its text only.
    expect(all[1]).toContain('"detail":{"total":123456789012345678901}')
    expect(await bodies('big')).toEqual([])
    await put(entry({ total: 100 }))
    expect(await bodies('big')).toHaveLength(1)
    expect(local.events.totals()).toEqual({
      published: 4,
      matched: 4,
      delivered: 4,
      retried: 0,
      deadLettered: 0,
      dropped: 0,
      unknownBus: 0,
    })
    await expect(client.send(new DeleteEventBusCommand({ Name: 'orders' }))).rejects.toThrow('it has rules')
    await expect(client.send(new CreateEventBusCommand({ Name: 'orders' }))).rejects.toMatchObject({
      name: 'ResourceAlreadyExistsException',
    })
  })

  it('answers each entry by itself, and forgets those for an unknown bus', async () => {
    const answers = await put(
      entry('{'),
      entry('[]'),
      entry({}, { Source: 'aws.s3' }),
      entry({}, { DetailType: '' }),
      entry({}, { EventBusName: 'nowhere' }),
    )
    expect(answers.map(({ ErrorCode, EventId }) => ErrorCode ?? (EventId ? 'id' : ''))).toEqual([
      'MalformedDetail',
      'MalformedDetail',
      'NotAuthorizedForSourceException',
      'InvalidArgument',
      'id',
    ])
    expect(local.events.totals()).toMatchObject({ published: 0, unknownBus: 1 })
    await expect(put(...Array.from({ length: 11 }, () => entry({})))).rejects.toThrow('Entries must be a list of 1 to 10')
    await expect(put(entry({ text: 'x'.repeat(1_048_576) }))).rejects.toThrow('over the limit')
  })

  it('tests patterns with the same engine', async () => {
    const test = (pattern: string, event: string) =>
      client.send(new TestEventPatternCommand({ EventPattern: pattern, Event: event }))
    expect((await test('{"a":[{"prefix":"x"}]}', '{"a":"xy"}')).Result).toBe(true)
    expect((await test('{"a":[{"prefix":"x"}]}', '{"a":"y"}')).Result).toBe(false)
    await expect(test('{"a":[{"PREFIX":"x"}]}', '{}')).rejects.toMatchObject({
      name: 'InvalidEventPatternException',
      message:
        'Event pattern is not valid. Reason: Unrecognized match type PREFIX\n at [Source: (String)"{\\"a\\":[{\\"PREFIX\\":\\"x\\"}]}"; line: 1, column: 8]',
    })
    await expect(test('{"a":[1]}', '{')).rejects.toThrow('Parameter Event is not valid')
    await expect(client.send(new PutRuleCommand({ Name: 'r', EventPattern: '{"a":1}' }))).rejects.toThrow(
      '"a" must be an object or an array',
    )
    await expect(
      client.send(new PutRuleCommand({ Name: 'r', ScheduleExpression: 'rate(1 minute)', EventBusName: 'orders' })),
    ).rejects.toThrow('only on the default event bus')
  })
})

describe('targets', () => {
  it('are sent the event, a part of it, or what a template makes of it', async () => {
    await queue('q')
    const target = (Id: string, more: object) => ({ Id, Arn: queueArn('q'), ...more })
    const InputTransformer = {
      InputPathsMap: { id: '$.detail.id', items: '$.detail.items', none: '$.detail.none', name: "$.detail['full-name']" },
      InputTemplate:
        '{"text": "Order <id> of <name>: <items>", "items": <items>, "id": <id>, "none": <none>, "rule": <aws.events.rule-name>}',
    }
    const Targets = [
      target('1', { InputPath: '$.detail.items[0]' }),
      target('2', { Input: '{"x":1}' }),
      target('3', { InputTransformer }),
      target('4', { InputTransformer: { InputTemplate: '"plain <aws.events.rule-arn>"' } }),
    ]
    await client.send(new PutRuleCommand({ Name: 'r', EventPattern: '{"source":["com.shop"]}', EventBusName: 'orders' }))
    await client.send(new PutTargetsCommand({ Rule: 'r', EventBusName: 'orders', Targets }))
    expect((await client.send(new ListTargetsByRuleCommand({ Rule: 'r', EventBusName: 'orders' }))).Targets).toEqual(
      Targets.map((one) =>
        one.Id === '4'
          ? { ...one, InputTransformer: { InputPathsMap: {}, InputTemplate: '"plain <aws.events.rule-arn>"' } }
          : one,
      ),
    )
    await put(entry({ id: 'o"1', 'full-name': 'Ä', items: [{ n: 1 }] }))
    const [part, fixed, made, plain] = await bodies('q')
    expect([part, fixed, plain]).toEqual(['{"n":1}', '{"x":1}', '"plain arn:aws:events:us-east-1:000000000000:rule/orders/r"'])
    expect(JSON.parse(made!)).toEqual({ text: 'Order o"1 of Ä: [{"n":1}]', items: [{ n: 1 }], id: 'o"1', none: '', rule: 'r' })
  })

  it('must allow the rule; else the event goes to the dead-letter queue, or is dropped', async () => {
    await queue('mute', '')
    await queue('other', allow('other', 'someone-else'))
    await queue('dead')
    await local.lambda.deploy({
      name: 'f',
      entry: records,
      timeout: '20 seconds',
      permissions: [{ principal: 's3.amazonaws.com' }],
    })
    await rule('a', { source: ['com.shop'] }, { Arn: queueArn('mute'), DeadLetterConfig: { Arn: queueArn('dead') } })
    await rule('b', { source: ['com.shop'] }, { Arn: queueArn('other') })
    await rule('c', { source: ['com.shop'] }, { Arn: functionArn('f') })
    await put(entry({ total: 1 }))
    expect(local.events.totals()).toMatchObject({ matched: 3, delivered: 0, deadLettered: 1, dropped: 2 })
    const [message] = await received('dead')
    expect(JSON.parse(message!.Body!)).toMatchObject({ detail: { total: 1 } })
    expect(message!.MessageAttributes).toMatchObject({
      ERROR_CODE: { StringValue: 'NO_PERMISSIONS' },
      RULE_ARN: { StringValue: 'arn:aws:events:us-east-1:000000000000:rule/orders/a' },
      RETRY_ATTEMPTS: { StringValue: '0' },
    })
    expect(local.events.failures.map(({ functionName, isFinal }) => [functionName, isFinal])).toEqual([
      [queueArn('mute'), true],
      [queueArn('other'), true],
      ['f', true],
    ])
    expect(local.events.failures[2]!.message).toContain('AddPermission with the principal events.amazonaws.com')
  })

  it('that are down are tried again on the clock, as long as the retry policy says', async () => {
    await queue('q')
    await queue('dead')
    const DeadLetterConfig = { Arn: queueArn('dead') }
    await rule('patient', { detail: { for: ['patient'] } }, { Arn: queueArn('q'), DeadLetterConfig })
    await rule(
      'hasty',
      { detail: { for: ['hasty'] } },
      { Arn: queueArn('q'), DeadLetterConfig, RetryPolicy: { MaximumRetryAttempts: 2 } },
    )
    await rule(
      'aged',
      { detail: { for: ['aged'] } },
      { Arn: queueArn('q'), DeadLetterConfig, RetryPolicy: { MaximumEventAgeInSeconds: 60 } },
    )
    const restore = local.events.takeDown(queueArn('q'))
    restore()
    const up = local.events.takeDown(queueArn('q'))
    // The dead-letter queue is another queue.
    await put(entry({ for: 'patient' }), entry({ for: 'hasty' }), entry({ for: 'aged' }))
    await local.clock.advance('30 minutes')
    const dead = await received('dead')
    expect(
      dead.map(({ Body, MessageAttributes: { EXHAUSTED_RETRY_CONDITION, RETRY_ATTEMPTS } = {} }) => [
        JSON.parse(Body!).detail.for,
        EXHAUSTED_RETRY_CONDITION?.StringValue,
        RETRY_ATTEMPTS?.StringValue,
      ]),
    ).toEqual([
      ['hasty', 'MaximumRetryAttempts', '2'],
      ['aged', 'MaximumEventAgeInSeconds', '5'],
    ])
    expect(await bodies('q')).toEqual([])
    up()
    await local.clock.advance('8 minutes')
    expect((await bodies('q')).map((body) => JSON.parse(body!).detail.for)).toEqual(['patient'])
    expect(local.events.totals()).toMatchObject({ matched: 3, delivered: 1, deadLettered: 2, dropped: 0 })
  })
})
