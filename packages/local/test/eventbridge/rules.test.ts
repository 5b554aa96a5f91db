import { EventBridgeClient, ListRulesCommand, PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge'
import { LambdaClient } from '@aws-sdk/client-lambda'
import { applyRules, planRules, type RuleSpec } from '@pipe/events'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Local, startLocal, type VirtualClock, virtualClock } from '../../src/index'

const records = new URL('../lambda/functions/records-events.ts', import.meta.url)
const arn = (name: string) => `arn:aws:lambda:us-east-1:000000000000:function:${name}`
const queue = 'arn:aws:sqs:us-east-1:000000000000:q'
let local: Local<VirtualClock>
let client: EventBridgeClient
let lambda: LambdaClient
beforeAll(async () => {
  local = await startLocal({ clock: virtualClock('2026-11-24T00:00:00Z') })
  client = new EventBridgeClient(local.aws)
  lambda = new LambdaClient(local.aws)
  await local.lambda.deploy({ name: 'f', entry: records, timeout: '20 seconds' })
})
afterAll(() => local.close())

const plan = (rules: readonly RuleSpec[]) => planRules({ owner: 'shop', rules, client, lambda })
const tick: RuleSpec = { name: 'tick', schedule: 'rate(5 minutes)', targets: [{ id: 'f', arn: arn('f'), input: { n: 1 } }] }
const big: RuleSpec = {
  name: 'big',
  pattern: { source: ['com.shop'] },
  description: 'big ones',
  targets: [
    {
      id: 'q',
      arn: queue,
      retry: { attempts: 3, maxAge: '1 hour' },
      deadLetterArn: queue,
      transformer: { paths: { id: '$.detail.id' }, template: '"<id>"' },
    },
  ],
}

describe('planRules and applyRules', () => {
  it('make what is missing, with permissions; then nothing is left to do', async () => {
    await client.send(new PutRuleCommand({ Name: 'of-others', ScheduleExpression: 'rate(1 hour)' }))
    const first = await plan([tick, big])
    expect(first.text).toBe(
      'create default/shop-tick\ncreate default/shop-big\npermit default/shop-tick: function f does not let it invoke',
    )
    expect(first.foreign).toBe(1)
    expect((await client.send(new ListRulesCommand({}))).Rules).toHaveLength(1)
    expect(await applyRules(first, { client, lambda })).toEqual({ applied: 3 })
    expect((await plan([tick, big])).changes).toEqual([])
    await local.clock.advance('5 minutes')
    expect(local.events.failures).toEqual([])
    expect(local.events.totals()).toMatchObject({ published: 1, delivered: 1 })
  })

  it('change and remove only what is the owner’s, and say why', async () => {
    await client.send(
      new PutRuleCommand({
        Name: 'shop-big',
        EventPattern: '{ "source": ["com.shop"] }',
        State: 'DISABLED',
        Description: 'big ones',
      }),
    )
    await client.send(new PutTargetsCommand({ Rule: 'shop-tick', Targets: [{ Id: 'extra', Arn: queue }] }))
    const second = await plan([{ ...tick, targets: [{ id: 'f', arn: arn('f'), input: { n: 2 } }] }, big])
    expect(second.text).toBe(
      'update default/shop-tick: target extra is not wanted; target f is different\nupdate default/shop-big: State is DISABLED, wanted ENABLED',
    )
    await applyRules(second, { client })
    const third = await plan([big])
    expect(third.text).toBe('delete default/shop-tick: it is not wanted any more')
    await applyRules(third, { client })
    expect((await client.send(new ListRulesCommand({}))).Rules?.map(({ Name }) => Name)).toEqual(['of-others', 'shop-big'])
  })

  it('refuse before anything is read, and name the call that failed', async () => {
    const wrong = (spec: object) => plan([{ ...big, ...spec }])
    await expect(wrong({ pattern: { a: 1 } })).rejects.toMatchObject({ code: 'PIPE_PATTERN' })
    await expect(wrong({ schedule: 'rate(1 minutes)' })).rejects.toMatchObject({ code: 'PIPE_SCHEDULE' })
    await expect(wrong({ schedule: 'rate(1 minute)', bus: 'orders' })).rejects.toThrow('only rules of the default bus')
    await expect(wrong({ targets: [] })).rejects.toThrow('0 targets')
    await expect(wrong({ pattern: undefined })).rejects.toThrow('neither schedule nor pattern')
    await expect(wrong({ targets: [{ id: 'q', arn: queue, input: 1, inputPath: '$' }] })).rejects.toThrow('give one of')
    await expect(plan([big, big])).rejects.toThrow('same name')
    await expect(planRules({ owner: 'a b', rules: [], client })).rejects.toThrow('owner "a b"')
    const bad = await plan([{ ...big, name: 'x', targets: [{ id: 'q', arn: 'arn:aws:sns:x' }] }])
    await expect(applyRules(bad, { client })).rejects.toMatchObject({
      code: 'PIPE_RULE_APPLY',
      details: { rule: 'shop-x', operation: 'PutTargets' },
    })
    const permits = await planRules({ owner: 'other', rules: [tick], client, lambda })
    await expect(applyRules(permits, { client })).rejects.toThrow('Give a LambdaClient')
  })
})
