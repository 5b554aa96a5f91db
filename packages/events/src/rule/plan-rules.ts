import type { EventBridgeClient } from '@aws-sdk/client-eventbridge'
import type { LambdaClient } from '@aws-sdk/client-lambda'
import { ConfigError } from '@pipe/core'
import { checkClient, checkOptions } from '@pipe/core/internal'
import { type RuleSpec, type RuleState, ruleState } from './rule-spec'

/** Options of {@link planRules}. */
export interface PlanRulesOptions {
  /** Begins the name of every rule of this application: `shop` owns `shop-…`, on the buses that its rules name. Others are left alone. */
  readonly owner: string
  /** All rules of the owner: those that are not named any more are removed. */
  readonly rules: readonly RuleSpec[]
  /** The client of the account and Region whose rules are compared. */
  readonly client: EventBridgeClient
  /** For the permissions of functions. Without one they are not looked at. */
  readonly lambda?: LambdaClient
  /** Further buses of the owner, on which rules may be left over. */
  readonly buses?: readonly string[]
  /** An abort ends the work and rejects with its own `reason`. */
  readonly signal?: AbortSignal
}

/** One step of a {@link RulePlan}. */
export interface RuleChange {
  readonly action: 'create' | 'update' | 'delete' | 'permit'
  /** Name of the rule, with the owner. */
  readonly rule: string
  readonly bus: string
  /** What is different, in words. */
  readonly reasons: readonly string[]
  /** Calls in order, as `applyRules` makes them. */
  readonly calls: readonly RuleCall[]
}

/** A call to EventBridge or Lambda. */
export interface RuleCall {
  readonly operation: 'PutRule' | 'PutTargets' | 'RemoveTargets' | 'DeleteRule' | 'AddPermission'
  readonly input: Readonly<Record<string, unknown>>
}

/** What is to be done to bring the rules in line. Plain data. */
export interface RulePlan {
  readonly owner: string
  /** Empty when everything is as it should be. */
  readonly changes: readonly RuleChange[]
  /** Rules of others on the same buses. */
  readonly foreign: number
  /** The changes in words, a line each. */
  readonly text: string
}

/**
 * Compares the rules of an application with those that there are; reads only. Rights: `events:ListRules`, `events:ListTargetsByRule`, and
 * `lambda:GetPolicy` with `lambda`.
 *
 * @throws ConfigError `PIPE_CONFIG`, `PIPE_PATTERN`, `PIPE_SCHEDULE` for a rule that EventBridge would refuse.
 * @example
 * ```ts
 * const plan = await planRules({ owner: 'shop', rules: [{ name: 'big', bus: 'orders', pattern: bigOrders, targets: [{ id: 'alert', arn }] }], client })
 * console.log(plan.text)
 * await applyRules(plan, { client })
 * ```
 */
export async function planRules(options: PlanRulesOptions): Promise<RulePlan> {
  checkOptions('planRules', options, { required: ['owner', 'rules', 'client'], optional: ['lambda', 'buses', 'signal'] })
  const { owner, rules, client, lambda, buses = [], signal } = options
  checkClient('planRules', client)
  if (!/^[A-Za-z0-9_]{1,30}$/.test(owner))
    throw new ConfigError(`planRules: the owner "${owner}" is not 1 to 30 letters, digits or underscores.`)
  const wanted = rules.map((spec) => ruleState(owner, spec))
  const byPlace = new Map(wanted.map((state) => [`${state.bus}/${state.name}`, state]))
  if (byPlace.size < wanted.length) throw new ConfigError('planRules: two rules of one bus have the same name.')

  const changes: RuleChange[] = []
  let foreign = 0
  for (const bus of new Set([...wanted.map((state) => state.bus), ...buses])) {
    const found = await readRules(client, bus, owner, signal)
    foreign += found.foreign
    for (const state of wanted.filter((one) => one.bus === bus)) {
      const current = found.own.find(({ name }) => name === state.name)
      const change = compare(state, current)
      if (change) changes.push(change)
    }
    for (const state of found.own) if (!byPlace.has(`${bus}/${state.name}`)) changes.push(removal(state))
  }
  if (lambda) for (const state of wanted) changes.push(...(await missingPermissions(lambda, state, signal)))
  return { owner, changes, foreign, text: changes.map(lineOf).join('\n') }
}

function lineOf({ action, rule, bus, reasons }: RuleChange): string {
  return `${action} ${bus}/${rule}${reasons.length === 0 ? '' : `: ${reasons.join('; ')}`}`
}

async function readRules(
  client: EventBridgeClient,
  bus: string,
  owner: string,
  abortSignal: AbortSignal | undefined,
): Promise<{ readonly own: readonly RuleState[]; readonly foreign: number }> {
  const { ListRulesCommand, ListTargetsByRuleCommand } = await import('@aws-sdk/client-eventbridge')
  const more = abortSignal ? { abortSignal } : {}
  const own: RuleState[] = []
  let foreign = 0
  let NextToken: string | undefined
  do {
    const page = await client.send(new ListRulesCommand({ EventBusName: bus, NextToken }), more)
    for (const { Name = '', ScheduleExpression, EventPattern, State = '', Description } of page.Rules ?? []) {
      if (!Name.startsWith(`${owner}-`)) {
        foreign++
        continue
      }
      const { Targets = [] } = await client.send(new ListTargetsByRuleCommand({ Rule: Name, EventBusName: bus }), more)
      const optional = { ScheduleExpression, EventPattern, Description }
      const given = Object.entries(optional).filter(([, value]) => value !== undefined)
      const rule = { Name, EventBusName: bus, State, ...Object.fromEntries(given) } as Record<string, string>
      own.push({ name: Name, bus, rule, targets: new Map(Targets.map((target) => [target.Id!, target])) })
    }
    NextToken = page.NextToken
  } while (NextToken !== undefined)
  return { own, foreign }
}

function compare(wanted: RuleState, current: RuleState | undefined): RuleChange | undefined {
  const { name, bus } = wanted
  const place = { Rule: name, EventBusName: bus }
  const putRule: RuleCall = { operation: 'PutRule', input: wanted.rule }
  if (!current) {
    const putTargets: RuleCall = { operation: 'PutTargets', input: { ...place, Targets: [...wanted.targets.values()] } }
    return { action: 'create', rule: name, bus, reasons: [], calls: [putRule, putTargets] }
  }
  const reasons: string[] = []
  const calls: RuleCall[] = []
  const keys = ['ScheduleExpression', 'EventPattern', 'State', 'Description']
  const different = keys.filter((key) => !sameText(key, wanted.rule[key], current.rule[key]))
  if (different.length > 0) {
    reasons.push(...different.map((key) => `${key} is ${current.rule[key] ?? 'not set'}, wanted ${wanted.rule[key] ?? 'none'}`))
    calls.push(putRule)
  }
  const put = [...wanted.targets].filter(([id, target]) => canonical(target) !== canonical(current.targets.get(id)))
  const gone = [...current.targets.keys()].filter((id) => !wanted.targets.has(id))
  // First away, then new ones: a rule has five at most.
  if (gone.length > 0) {
    reasons.push(...gone.map((id) => `target ${id} is not wanted`))
    calls.push({ operation: 'RemoveTargets', input: { ...place, Ids: gone } })
  }
  if (put.length > 0) {
    reasons.push(...put.map(([id]) => `target ${id} is ${current.targets.has(id) ? 'different' : 'missing'}`))
    calls.push({ operation: 'PutTargets', input: { ...place, Targets: put.map(([, target]) => target) } })
  }
  return calls.length === 0 ? undefined : { action: 'update', rule: name, bus, reasons, calls }
}

/** Patterns are compared as JSON: EventBridge keeps their text, other tools write it in other ways. */
function sameText(key: string, wanted: string | undefined, current: string | undefined): boolean {
  if (key !== 'EventPattern' || wanted === undefined || current === undefined) return wanted === current
  return wanted === current || canonical(JSON.parse(wanted)) === canonical(JSON.parse(current))
}

/** JSON with sorted keys. */
function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_, item: unknown) =>
      typeof item === 'object' && item !== null && !Array.isArray(item)
        ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
        : item,
    ) ?? ''
  )
}

function removal({ name, bus, targets }: RuleState): RuleChange {
  const place = { EventBusName: bus }
  const Ids = [...targets.keys()]
  const calls: RuleCall[] = Ids.length === 0 ? [] : [{ operation: 'RemoveTargets', input: { ...place, Rule: name, Ids } }]
  return {
    action: 'delete',
    rule: name,
    bus,
    reasons: ['it is not wanted any more'],
    calls: [...calls, { operation: 'DeleteRule', input: { ...place, Name: name } }],
  }
}

/** A function that does not let EventBridge invoke it for the rule never runs, and nothing says so. */
async function missingPermissions(
  lambda: LambdaClient,
  state: RuleState,
  abortSignal: AbortSignal | undefined,
): Promise<RuleChange[]> {
  const { GetPolicyCommand } = await import('@aws-sdk/client-lambda')
  const changes: RuleChange[] = []
  for (const target of state.targets.values()) {
    const { Arn } = target as { readonly Arn: string }
    const [, , , region, account, kind, name] = Arn.split(':')
    if (!Arn.startsWith('arn:aws:lambda:') || kind !== 'function') continue
    const ruleArn = `arn:aws:events:${region}:${account}:rule/${state.bus === 'default' ? '' : `${state.bus}/`}${state.name}`
    const command = new GetPolicyCommand({ FunctionName: name })
    const policy: { readonly Statement?: readonly Statement[] } = await lambda
      .send(command, abortSignal ? { abortSignal } : {})
      .then(
        ({ Policy = '{}' }) => JSON.parse(Policy) as object,
        (error: { name?: string }) => {
          // A function without a policy has none to read.
          if (error.name === 'ResourceNotFoundException') return {}
          throw error
        },
      )
    if (policy.Statement?.some((statement) => permits(statement, ruleArn))) continue
    const StatementId = `${state.bus}-${state.name}`.replaceAll(/[^A-Za-z0-9_-]/g, '_').slice(0, 100)
    const input = {
      FunctionName: name,
      StatementId,
      Action: 'lambda:InvokeFunction',
      Principal: 'events.amazonaws.com',
      SourceArn: ruleArn,
    }
    changes.push({
      action: 'permit',
      rule: state.name,
      bus: state.bus,
      reasons: [`function ${name} does not let it invoke`],
      calls: [{ operation: 'AddPermission', input }],
    })
  }
  return changes
}

interface Statement {
  readonly Effect?: string
  readonly Principal?: unknown
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

/** Whether a statement lets EventBridge in for exactly this rule, or for every rule. Wildcards inside an ARN are not read: a permission more does no harm. */
function permits({ Effect, Principal, Condition = {} }: Statement, ruleArn: string): boolean {
  const services = typeof Principal === 'object' && Principal !== null ? (Principal as { Service?: unknown }).Service : Principal
  const isForEvents = [services].flat().includes('events.amazonaws.com')
  const sources = Object.values(Condition).flatMap((keys) =>
    Object.entries(keys).flatMap(([key, value]) => (key.toLowerCase() === 'aws:sourcearn' ? [value].flat() : [])),
  )
  return Effect === 'Allow' && isForEvents && (Object.keys(Condition).length === 0 || sources.includes(ruleArn))
}
