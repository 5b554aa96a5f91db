import { PipeError } from '@pipe/core'
import { parseSchedule } from '@pipe/events'
import { type Authorizer, AwsError, localAccount, localRegion, type Principal } from '../service'
import { type Input, listOf, pageOf, refuseUnknown, requiredText, textOf, validationError } from './request-input'
import type { Rule, RuleStore, RuleTarget } from './rule-store'

/** What the operations work on. */
export interface OperationsOptions {
  readonly store: RuleStore
  readonly authorizer: Authorizer
  now(): number
  /** Told after every change of a schedule or state. */
  changed(name: string): void
}

type Operation = (input: Input, principal: Principal) => object

const namePattern = /^[.\-_A-Za-z0-9]{1,64}$/
const functionPattern = /^arn:aws:lambda:[a-z0-9-]+:\d{12}:function:[A-Za-z0-9_-]{1,64}(:\$LATEST)?$/
const maxTargets = 5
const maxInputLength = 8192

/** The operations by name, as far as scheduled rules on the default bus go. */
export function eventBridgeOperations({
  store,
  authorizer,
  now,
  changed,
}: OperationsOptions): Readonly<Record<string, Operation>> {
  /** Checks the caller's rights before it says what exists. */
  const ruleName = (input: Input, principal: Principal, action: string, member = 'Name'): string => {
    const bus = textOf(input, 'EventBusName')
    const name = requiredText(input, member, namePattern)
    authorizer.authorize(principal, `events:${action}`, ruleArn(name))
    if (bus !== undefined && bus !== 'default' && bus !== `arn:aws:events:${localRegion}:${localAccount}:event-bus/default`) {
      throw new AwsError('ResourceNotFoundException', `Event bus ${bus} does not exist; this version has the default bus only.`)
    }
    return name
  }
  const existing = (name: string): Rule => {
    const rule = store.get(name)
    if (!rule) throw new AwsError('ResourceNotFoundException', `Rule ${name} does not exist on EventBus default.`)
    return rule
  }
  const save = (rule: Rule) => {
    store.put(rule)
    changed(rule.name)
  }
  const setEnabled = (action: string, enabled: boolean): Operation => {
    return (input, principal) => {
      refuseUnknown(action, input, ['Name', 'EventBusName'])
      save({ ...existing(ruleName(input, principal, action)), enabled })
      return {}
    }
  }

  return {
    PutRule(input, principal) {
      refuseUnknown('PutRule', input, ['Name', 'ScheduleExpression', 'State', 'Description', 'EventBusName'])
      const name = ruleName(input, principal, 'PutRule')
      const expression = textOf(input, 'ScheduleExpression')
      if (expression === undefined) throw validationError('Parameter ScheduleExpression must be specified.')
      checkExpression(expression)
      const state = textOf(input, 'State') ?? 'ENABLED'
      if (state !== 'ENABLED' && state !== 'DISABLED') throw validationError(`State "${state}" is not ENABLED or DISABLED.`)
      const description = textOf(input, 'Description')
      const before = store.get(name)
      const kept = before?.expression === expression ? before.since : now()
      save({
        name,
        arn: ruleArn(name),
        expression,
        ...(description === undefined ? {} : { description }),
        enabled: state === 'ENABLED',
        since: kept,
        order: before?.order ?? store.nextOrder(),
        targets: before?.targets ?? [],
      })
      return { RuleArn: ruleArn(name) }
    },
    PutTargets(input, principal) {
      refuseUnknown('PutTargets', input, ['Rule', 'EventBusName', 'Targets'])
      const rule = existing(ruleName(input, principal, 'PutTargets', 'Rule'))
      const added = listOf(input, 'Targets', 100).map(targetOf)
      const targets = new Map([...rule.targets, ...added].map((target) => [target.id, target]))
      if (targets.size > maxTargets) {
        throw new AwsError(
          'LimitExceededException',
          `The requested resource exceeds the maximum number allowed: ${maxTargets} targets a rule.`,
        )
      }
      store.put({ ...rule, targets: [...targets.values()] })
      return { FailedEntryCount: 0, FailedEntries: [] }
    },
    RemoveTargets(input, principal) {
      refuseUnknown('RemoveTargets', input, ['Rule', 'EventBusName', 'Ids', 'Force'])
      const rule = existing(ruleName(input, principal, 'RemoveTargets', 'Rule'))
      const ids = listOf(input, 'Ids', 100)
      store.put({ ...rule, targets: rule.targets.filter(({ id }) => !ids.includes(id)) })
      const unknown = ids.filter((id) => !rule.targets.some((target) => target.id === id))
      const FailedEntries = unknown.map((id) => ({
        TargetId: id,
        ErrorCode: 'ResourceNotFoundException',
        ErrorMessage: `Rule ${rule.name} has no target ${id}.`,
      }))
      return { FailedEntryCount: FailedEntries.length, FailedEntries }
    },
    DeleteRule(input, principal) {
      refuseUnknown('DeleteRule', input, ['Name', 'EventBusName', 'Force'])
      const name = ruleName(input, principal, 'DeleteRule')
      if ((store.get(name)?.targets.length ?? 0) > 0) throw validationError("Rule can't be deleted since it has targets.")
      // As on AWS, deleting what is not there succeeds.
      store.remove(name)
      changed(name)
      return {}
    },
    DescribeRule(input, principal) {
      refuseUnknown('DescribeRule', input, ['Name', 'EventBusName'])
      return { ...ruleView(existing(ruleName(input, principal, 'DescribeRule'))), CreatedBy: localAccount }
    },
    ListRules(input, principal) {
      refuseUnknown('ListRules', input, ['NamePrefix', 'EventBusName', 'Limit', 'NextToken'])
      authorizer.authorize(principal, 'events:ListRules', ruleArn('*'))
      const prefix = textOf(input, 'NamePrefix') ?? ''
      const matching = store.list().filter(({ name }) => name.startsWith(prefix))
      const { page, ...token } = pageOf(matching, ({ name }) => name, input)
      return { Rules: page.map(ruleView), ...token }
    },
    ListTargetsByRule(input, principal) {
      refuseUnknown('ListTargetsByRule', input, ['Rule', 'EventBusName', 'Limit', 'NextToken'])
      const rule = existing(ruleName(input, principal, 'ListTargetsByRule', 'Rule'))
      const { page, ...token } = pageOf(rule.targets, ({ id }) => id, input)
      return {
        Targets: page.map(({ id, arn, input }) => ({ Id: id, Arn: arn, ...(input === undefined ? {} : { Input: input }) })),
        ...token,
      }
    },
    EnableRule: setEnabled('EnableRule', true),
    DisableRule: setEnabled('DisableRule', false),
  }
}

/** `arn:aws:events:us-east-1:000000000000:rule/NAME` */
export function ruleArn(name: string): string {
  return `arn:aws:events:${localRegion}:${localAccount}:rule/${name}`
}

function checkExpression(expression: string): void {
  try {
    parseSchedule(expression)
  } catch (error) {
    if (!PipeError.isInstance(error)) throw error
    throw validationError(`Parameter ScheduleExpression is not valid. ${error.message.replace(/^PIPE_SCHEDULE /, '')}`)
  }
}

function targetOf(value: unknown): RuleTarget {
  if (typeof value !== 'object' || value === null) throw validationError('A target is not a structure.')
  const input = value as Input
  refuseUnknown('PutTargets, Targets', input, ['Id', 'Arn', 'Input'])
  const id = requiredText(input, 'Id', namePattern)
  const arn = requiredText(input, 'Arn', /^.{1,1600}$/)
  if (!functionPattern.test(arn)) {
    throw validationError(
      `Parameter ${arn} is not valid. The local EventBridge delivers to functions: arn:aws:lambda:${localRegion}:${localAccount}:function:NAME.`,
    )
  }
  const text = textOf(input, 'Input')
  if (text === undefined) return { id, arn }
  if (text.length > maxInputLength) throw validationError(`Input of target ${id} is longer than ${maxInputLength} characters.`)
  try {
    JSON.parse(text)
  } catch (error) {
    throw validationError(`Parameter Input of target ${id} is not valid. JSON syntax error: ${(error as Error).message}`)
  }
  return { id, arn, input: text }
}

function ruleView({ name, arn, expression, description, enabled }: Rule): object {
  return {
    Name: name,
    Arn: arn,
    ScheduleExpression: expression,
    State: enabled ? 'ENABLED' : 'DISABLED',
    ...(description === undefined ? {} : { Description: description }),
    EventBusName: 'default',
  }
}
