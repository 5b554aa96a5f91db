import {
  DeleteRuleCommand,
  DescribeRuleCommand,
  DisableRuleCommand,
  EnableRuleCommand,
  EventBridgeClient,
  ListArchivesCommand,
  ListRulesCommand,
  ListTargetsByRuleCommand,
  PutRuleCommand,
  PutTargetsCommand,
  RemoveTargetsCommand,
} from '@aws-sdk/client-eventbridge'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { realClock } from '../../src/clock'
import { type Local, type RuntimeClock, startLocal, type VirtualClock, virtualClock } from '../../src/index'

const records = new URL('../lambda/functions/records-events.ts', import.meta.url)
const arn = (name: string) => `arn:aws:lambda:us-east-1:000000000000:function:${name}`
let local: Local<VirtualClock>
let client: EventBridgeClient
beforeEach(async () => {
  local = await startLocal({ clock: virtualClock('2026-11-24T00:00:30Z') })
  client = new EventBridgeClient(local.aws)
})
afterEach(() => local.close())

/** A rule whose events a function writes into its log; returns what was logged. */
const recorded = (name: string) =>
  local.lambda
    .logs(name)
    .map(({ message }) => /\tINFO\tevent (.*)$/.exec(message)?.[1])
    .filter((text) => text !== undefined)
    .map((text) => JSON.parse(text) as Record<string, unknown>)
const permissions = [{ principal: 'events.amazonaws.com' }]
const deployRecorder = (name: string) =>
  local.lambda.deploy({ name, entry: records, timeout: '20 seconds', maxInstances: 1, permissions, asyncRetries: 0 })
const put = (Name: string, ScheduleExpression: string, more: object = {}) =>
  client.send(new PutRuleCommand({ Name, ScheduleExpression, ...more }))
const target = (Rule: string, name: string, more: object = {}) =>
  client.send(new PutTargetsCommand({ Rule, Targets: [{ Id: name, Arn: arn(name), ...more }] }))

describe('rules', () => {
  it('are made, described, listed, changed and deleted', async () => {
    const { RuleArn } = await put('compact', 'rate(5 minutes)', { Description: 'one file a window' })
    expect(RuleArn).toBe('arn:aws:events:us-east-1:000000000000:rule/compact')
    await put('generate', 'cron(* * * * ? *)', { State: 'DISABLED' })
    expect(await client.send(new DescribeRuleCommand({ Name: 'compact' }))).toMatchObject({
      Name: 'compact',
      Arn: RuleArn,
      ScheduleExpression: 'rate(5 minutes)',
      State: 'ENABLED',
      Description: 'one file a window',
      EventBusName: 'default',
      CreatedBy: '000000000000',
    })
    const { Rules = [] } = await client.send(new ListRulesCommand({}))
    expect(Rules.map(({ Name, State }) => [Name, State])).toEqual([
      ['compact', 'ENABLED'],
      ['generate', 'DISABLED'],
    ])
    expect((await client.send(new ListRulesCommand({ NamePrefix: 'gen' }))).Rules).toHaveLength(1)
    const first = await client.send(new ListRulesCommand({ Limit: 1 }))
    expect(first.Rules?.map(({ Name }) => Name)).toEqual(['compact'])
    const second = await client.send(new ListRulesCommand({ Limit: 1, NextToken: first.NextToken }))
    expect([second.Rules?.map(({ Name }) => Name), second.NextToken]).toEqual([['generate'], undefined])

    await client.send(
      new PutTargetsCommand({
        Rule: 'compact',
        Targets: [
          { Id: 'a', Arn: arn('a') },
          { Id: 'b', Arn: arn('b'), Input: '{"x":1}' },
        ],
      }),
    )
    expect((await client.send(new ListTargetsByRuleCommand({ Rule: 'compact' }))).Targets).toEqual([
      { Id: 'a', Arn: arn('a') },
      { Id: 'b', Arn: arn('b'), Input: '{"x":1}' },
    ])
    await expect(client.send(new DeleteRuleCommand({ Name: 'compact' }))).rejects.toThrow('since it has targets')
    expect(await client.send(new RemoveTargetsCommand({ Rule: 'compact', Ids: ['a', 'b', 'c'] }))).toMatchObject({
      FailedEntryCount: 1,
      FailedEntries: [{ TargetId: 'c', ErrorCode: 'ResourceNotFoundException' }],
    })
    await client.send(new DeleteRuleCommand({ Name: 'compact' }))
    await client.send(new DeleteRuleCommand({ Name: 'compact' }))
    await expect(client.send(new DescribeRuleCommand({ Name: 'compact' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    })
  })

  it.each<[string, object, string]>([
    ['a wrong rate', { ScheduleExpression: 'rate(1 minutes)' }, 'column 8: "minutes" must be "minute"'],
    ['a wrong cron', { ScheduleExpression: 'cron(0 12 * * * *)' }, 'exactly one of day of month and day of week'],
    ['neither schedule nor pattern', {}, 'EventPattern or ScheduleExpression must be specified'],
    ['a role', { ScheduleExpression: 'rate(1 minute)', RoleArn: 'arn:aws:iam::000000000000:role/x' }, 'RoleArn'],
    ['another state', { ScheduleExpression: 'rate(1 minute)', State: 'SLEEPING' }, 'SLEEPING'],
    ['a bad name', { Name: 'my rule', ScheduleExpression: 'rate(1 minute)' }, 'my rule'],
  ])('refuses %s', async (_what, more, text) => {
    const sent = client.send(new PutRuleCommand({ Name: 'r', ...more }))
    await expect(sent).rejects.toMatchObject({ name: 'ValidationException', message: expect.stringContaining(text) })
    expect((await client.send(new ListRulesCommand({}))).Rules).toEqual([])
  })

  it.each<[string, object, string]>([
    ['a wrong InputPath', { InputPath: '$.a[*]' }, 'Parameter InputPath of target f is not valid'],
    ['two inputs', { Input: '1', InputPath: '$.a' }, 'Only one of Input, InputPath, or InputTransformer'],
    ['an unknown placeholder', { InputTransformer: { InputTemplate: '"<x>"' } }, 'invalid placeholder x'],
    ['too many attempts', { RetryPolicy: { MaximumRetryAttempts: 186 } }, 'MaximumRetryAttempts of target f must be'],
    ['a group for no FIFO queue', { SqsParameters: { MessageGroupId: 'g' } }, 'which is no FIFO queue'],
    ['RoleArn', { RoleArn: 'arn:aws:iam::000000000000:role/x' }, 'RoleArn is not supported'],
    ['an input that is no JSON', { Input: '{' }, 'JSON syntax error'],
    [
      'a target that is neither function nor queue',
      { Arn: 'arn:aws:sns:us-east-1:000000000000:topic' },
      'arn:aws:sns:us-east-1:000000000000:topic is not valid',
    ],
  ])('refuses a target with %s', async (_what, more, text) => {
    await put('r', 'rate(1 minute)')
    await expect(target('r', 'f', more)).rejects.toMatchObject({
      name: 'ValidationException',
      message: expect.stringContaining(text),
    })
    expect((await client.send(new ListTargetsByRuleCommand({ Rule: 'r' }))).Targets).toEqual([])
  })

  it('refuses a sixth target, another bus, a rule that is not there, and calls of later versions', async () => {
    await put('r', 'rate(1 minute)')
    for (const name of ['1', '2', '3', '4', '5']) await target('r', name)
    await target('r', '5', { Input: '1' })
    await expect(target('r', '6')).rejects.toMatchObject({ name: 'LimitExceededException' })
    await expect(put('r', 'rate(1 minute)', { EventBusName: 'orders' })).rejects.toThrow('Event bus orders does not exist')
    await expect(target('nobody', 'f')).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
    await expect(client.send(new ListArchivesCommand({}))).rejects.toThrow('ListArchives is not in this version')
  })
})

describe('firing', () => {
  it('sends events at the instants of rate and cron; the rate counts from the creation', async () => {
    await deployRecorder('rate')
    await deployRecorder('cron')
    await put('rate', 'rate(5 minutes)')
    await target('rate', 'rate')
    await put('cron', 'cron(0/15 * * * ? *)')
    await target('cron', 'cron')
    await local.clock.advance('30 minutes')
    expect(recorded('rate').map(({ time }) => time)).toEqual(
      ['05', '10', '15', '20', '25', '30'].map((minute) => `2026-11-24T00:${minute}:30Z`),
    )
    expect(recorded('cron').map(({ time }) => time)).toEqual(['2026-11-24T00:15:00Z', '2026-11-24T00:30:00Z'])
    const [first, second] = recorded('cron')
    expect(first).toMatchObject({
      source: 'aws.events',
      resources: ['arn:aws:events:us-east-1:000000000000:rule/cron'],
      detail: {},
    })
    expect(first!['id']).not.toBe(second!['id'])
  })

  it('lets the rules of one instant run in order of creation, one after the other', async () => {
    // The later rule fires more often, so that its tasks are always scheduled later: the order must not come from that.
    await deployRecorder('slow')
    await deployRecorder('quick')
    await put('first', 'rate(1 minute)')
    await target('first', 'slow', { Input: '{"waitMs":120}' })
    await put('second', 'rate(5 minutes)')
    await target('second', 'quick', { Input: '{"waitMs":0}' })
    await local.clock.advance('5 minutes')
    const lines = (name: string) => local.lambda.logs(name).filter(({ message }) => /\tINFO\t(event|done)/.test(message))
    const real = (name: string, what: string) =>
      Number(
        /at (\d+)$/.exec(
          lines(name)
            .filter(({ message }) => message.includes(what))
            .at(-1)!.message,
        )?.[1],
      )
    expect(lines('slow').filter(({ message }) => message.includes('done'))).toHaveLength(5)
    expect(real('quick', 'done')).toBeGreaterThanOrEqual(real('slow', 'done'))
  })

  it('sends Input as it is', async () => {
    await deployRecorder('f')
    await put('r', 'rate(1 minute)')
    await target('r', 'f', { Input: '{"date":"2026-11-24","n":[1,2]}' })
    await local.clock.advance('1 minute')
    expect(recorded('f')).toEqual([{ date: '2026-11-24', n: [1, 2] }])
  })

  it('stops for DisableRule, goes on in step after EnableRule, and counts anew after a new schedule', async () => {
    await deployRecorder('f')
    await put('r', 'rate(2 minutes)')
    await target('r', 'f')
    await local.clock.advance('3 minutes')
    await client.send(new DisableRuleCommand({ Name: 'r' }))
    await local.clock.advance('10 minutes')
    await client.send(new EnableRuleCommand({ Name: 'r' }))
    await local.clock.advance('2 minutes')
    await put('r', 'rate(10 minutes)')
    await local.clock.advance('10 minutes')
    await client.send(new RemoveTargetsCommand({ Rule: 'r', Ids: ['f'] }))
    await local.clock.advance('10 minutes')
    expect(recorded('f').map(({ time }) => time)).toEqual([
      '2026-11-24T00:02:30Z',
      '2026-11-24T00:14:30Z',
      '2026-11-24T00:25:30Z',
    ])
  })

  it('reports a function that fails or is not there, and goes on', async () => {
    await deployRecorder('f')
    await put('r', 'rate(1 minute)')
    await target('r', 'f', { Input: '{"fail":true}' })
    await target('r', 'nobody')
    await local.clock.advance('2 minutes')
    const failures = local.events.failures.map(({ at, rule, functionName, message }) => [
      at.toISOString(),
      rule,
      functionName,
      message.slice(0, 27),
    ])
    const each = (minute: number) => [
      [`2026-11-24T00:0${minute}:30.000Z`, 'r', 'f', expect.stringContaining('{"errorType":"Error"')],
      [`2026-11-24T00:0${minute}:30.000Z`, 'r', 'nobody', 'PIPE_LOCAL_FUNCTION_MISSING'],
    ]
    expect([...failures].sort((a, b) => (String(a) < String(b) ? -1 : 1))).toEqual([...each(1), ...each(2)])
  })

  it('fires in real time under the real clock', async () => {
    // The real clock, set so that a full minute is near: no schedule is shorter than one.
    const clock = realClock()
    const offset = 58_500 - (Date.now() % 60_000)
    const shifted: RuntimeClock = {
      ...clock,
      now: () => Date.now() + offset,
      schedule: (at, task) => clock.schedule(at - offset, task),
    }
    const real = await startLocal({ clock: shifted })
    try {
      await real.lambda.deploy({ name: 'f', entry: records, timeout: '20 seconds', permissions })
      const events = new EventBridgeClient(real.aws)
      await events.send(new PutRuleCommand({ Name: 'r', ScheduleExpression: 'cron(* * * * ? *)' }))
      await events.send(new PutTargetsCommand({ Rule: 'r', Targets: [{ Id: 'f', Arn: arn('f') }] }))
      const done = () => real.lambda.logs('f').filter(({ message }) => message.includes('\tINFO\tdone'))
      await expect.poll(done, { timeout: 20_000 }).toHaveLength(1)
      expect(real.events.failures).toEqual([])
    } finally {
      await real.close()
    }
  })
})

it('needs the rights of the caller on the rule', async () => {
  const makesRules = new URL('../lambda/functions/makes-rules.ts', import.meta.url)
  const policy = {
    Statement: { Effect: 'Allow', Action: ['events:PutRule', 'events:Describe*'], Resource: 'arn:aws:events:*:*:rule/mine-*' },
  } as const
  await local.lambda.deploy({ name: 'maker', entry: makesRules, timeout: '20 seconds', policy })
  expect((await local.lambda.invoke('maker', { rule: 'mine-1' })).payload).toBe(
    'arn:aws:events:us-east-1:000000000000:rule/mine-1',
  )
  expect((await local.lambda.invoke('maker', { rule: 'yours' })).payload).toMatchObject({
    errorType: 'AccessDeniedException',
    errorMessage: expect.stringContaining('events:PutRule on resource: "arn:aws:events:us-east-1:000000000000:rule/yours"'),
  })
})
