import { PipeError } from '@pipe/core'
import { type CompiledPattern, compilePattern, type PatternErrorDetails, parseSchedule } from '@pipe/events'
import { AwsError, localAccount, type Principal } from '../service'
import { type PutEventsOptions, putEvents } from './put-events'
import { type Input, listOf, pageOf, refuseUnknown, requiredText, textOf, validationError } from './request-input'
import { busArn, type Rule, ruleArn } from './rule-store'
import { readTarget, targetView } from './rule-target'

/** What the operations work on. */
export interface OperationsOptions extends PutEventsOptions {
  /** Told after every change of a rule, by its ARN. */
  changed(arn: string): void
}

type Operation = (input: Input, principal: Principal) => object

const namePattern = /^[.\-_A-Za-z0-9]{1,64}$/
const busPattern = /^[/.\-_A-Za-z0-9]{1,256}$/
const maxTargets = 5
/** AWS's default; it can be raised on request. */
const maxPatternLength = 2048

/** The operations by name. */
export function eventBridgeOperations(options: OperationsOptions): Readonly<Record<string, Operation>> {
  const { store, authorizer, now, changed } = options
  const busOf = (input: Input): string =>
    (textOf(input, 'EventBusName') ?? 'default').replace(/^arn:aws:events:[^:]*:\d*:event-bus\//, '')
  const existingBus = (name: string) => {
    const bus = store.bus(name)
    if (!bus) throw new AwsError('ResourceNotFoundException', `Event bus ${name} does not exist.`)
    return bus
  }
  /** Checks the caller's rights before it says what exists. */
  const place = (input: Input, principal: Principal, action: string, member = 'Name') => {
    const bus = busOf(input)
    const name = requiredText(input, member, namePattern)
    const arn = ruleArn(name, bus)
    authorizer.authorize(principal, `events:${action}`, arn)
    existingBus(bus)
    return { name, bus, arn }
  }
  const existing = ({ name, bus, arn }: ReturnType<typeof place>): Rule => {
    const rule = store.get(arn)
    if (!rule) throw new AwsError('ResourceNotFoundException', `Rule ${name} does not exist on EventBus ${bus}.`)
    return rule
  }
  const save = (rule: Rule) => {
    store.put(rule)
    changed(rule.arn)
  }
  const setEnabled = (action: string, enabled: boolean): Operation => {
    return (input, principal) => {
      refuseUnknown(action, input, ['Name', 'EventBusName'])
      save({ ...existing(place(input, principal, action)), enabled })
      return {}
    }
  }

  return {
    PutEvents: (input, principal) => putEvents(input, principal, options),
    TestEventPattern(input, principal) {
      refuseUnknown('TestEventPattern', input, ['EventPattern', 'Event'])
      authorizer.authorize(principal, 'events:TestEventPattern', '*')
      const pattern = checkPattern(requiredText(input, 'EventPattern', /^[\s\S]+$/))
      return { Result: testPattern(pattern, requiredText(input, 'Event', /^[\s\S]+$/)) }
    },
    CreateEventBus(input, principal) {
      refuseUnknown('CreateEventBus', input, ['Name', 'Description'])
      const name = requiredText(input, 'Name', busPattern)
      authorizer.authorize(principal, 'events:CreateEventBus', busArn(name))
      if (store.bus(name)) throw new AwsError('ResourceAlreadyExistsException', `Event bus ${name} already exists.`)
      const bus = { name, arn: busArn(name) }
      store.putBus(bus)
      return { EventBusArn: bus.arn }
    },
    DescribeEventBus(input, principal) {
      refuseUnknown('DescribeEventBus', input, ['Name'])
      const name = busOf({ EventBusName: input['Name'] })
      authorizer.authorize(principal, 'events:DescribeEventBus', busArn(name))
      return { Name: name, Arn: existingBus(name).arn }
    },
    ListEventBuses(input, principal) {
      refuseUnknown('ListEventBuses', input, ['NamePrefix', 'Limit', 'NextToken'])
      authorizer.authorize(principal, 'events:ListEventBuses', '*')
      const prefix = textOf(input, 'NamePrefix') ?? ''
      const { page, ...token } = pageOf(
        store.buses().filter(({ name }) => name.startsWith(prefix)),
        ({ name }) => name,
        input,
      )
      return { EventBuses: page.map(({ name, arn }) => ({ Name: name, Arn: arn })), ...token }
    },
    DeleteEventBus(input, principal) {
      refuseUnknown('DeleteEventBus', input, ['Name'])
      const name = requiredText(input, 'Name', busPattern)
      authorizer.authorize(principal, 'events:DeleteEventBus', busArn(name))
      if (name === 'default') throw validationError('Cannot delete event bus default.')
      if (store.list().some(({ bus }) => bus === name)) throw validationError(`Cannot delete event bus ${name}: it has rules.`)
      // As on AWS, deleting what is not there succeeds.
      store.removeBus(name)
      return {}
    },
    PutRule(input, principal) {
      refuseUnknown('PutRule', input, ['Name', 'ScheduleExpression', 'EventPattern', 'State', 'Description', 'EventBusName'])
      const { name, bus, arn } = place(input, principal, 'PutRule')
      const [expression, pattern] = [textOf(input, 'ScheduleExpression'), textOf(input, 'EventPattern')]
      if (expression === undefined && pattern === undefined) {
        throw validationError('Parameter(s) EventPattern or ScheduleExpression must be specified.')
      }
      if (expression !== undefined) checkExpression(expression, bus)
      if (pattern !== undefined) checkPattern(pattern)
      const state = textOf(input, 'State') ?? 'ENABLED'
      if (state !== 'ENABLED' && state !== 'DISABLED') throw validationError(`State "${state}" is not ENABLED or DISABLED.`)
      const description = textOf(input, 'Description')
      const before = store.get(arn)
      const kept = before !== undefined && before.expression === expression ? before.since : now()
      save({
        name,
        bus,
        arn,
        ...(expression === undefined ? {} : { expression }),
        ...(pattern === undefined ? {} : { pattern }),
        ...(description === undefined ? {} : { description }),
        enabled: state === 'ENABLED',
        since: kept,
        order: before?.order ?? store.nextOrder(),
        targets: before?.targets ?? [],
      })
      return { RuleArn: arn }
    },
    PutTargets(input, principal) {
      refuseUnknown('PutTargets', input, ['Rule', 'EventBusName', 'Targets'])
      const rule = existing(place(input, principal, 'PutTargets', 'Rule'))
      const added = listOf(input, 'Targets', 100).map(readTarget)
      const targets = new Map([...rule.targets, ...added].map((target) => [target.id, target]))
      if (targets.size > maxTargets) {
        throw new AwsError(
          'LimitExceededException',
          `The requested resource exceeds the maximum number allowed: ${maxTargets} targets a rule.`,
        )
      }
      save({ ...rule, targets: [...targets.values()] })
      return { FailedEntryCount: 0, FailedEntries: [] }
    },
    RemoveTargets(input, principal) {
      refuseUnknown('RemoveTargets', input, ['Rule', 'EventBusName', 'Ids', 'Force'])
      const rule = existing(place(input, principal, 'RemoveTargets', 'Rule'))
      const ids = listOf(input, 'Ids', 100)
      save({ ...rule, targets: rule.targets.filter(({ id }) => !ids.includes(id)) })
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
      const { arn } = place(input, principal, 'DeleteRule')
      if ((store.get(arn)?.targets.length ?? 0) > 0) throw validationError("Rule can't be deleted since it has targets.")
      // As on AWS, deleting what is not there succeeds.
      store.remove(arn)
      changed(arn)
      return {}
    },
    DescribeRule(input, principal) {
      refuseUnknown('DescribeRule', input, ['Name', 'EventBusName'])
      return { ...ruleView(existing(place(input, principal, 'DescribeRule'))), CreatedBy: localAccount }
    },
    ListRules(input, principal) {
      refuseUnknown('ListRules', input, ['NamePrefix', 'EventBusName', 'Limit', 'NextToken'])
      const bus = busOf(input)
      authorizer.authorize(principal, 'events:ListRules', ruleArn('*', bus))
      existingBus(bus)
      const prefix = textOf(input, 'NamePrefix') ?? ''
      const matching = store.list().filter((rule) => rule.bus === bus && rule.name.startsWith(prefix))
      const { page, ...token } = pageOf(matching, ({ name }) => name, input)
      return { Rules: page.map(ruleView), ...token }
    },
    ListTargetsByRule(input, principal) {
      refuseUnknown('ListTargetsByRule', input, ['Rule', 'EventBusName', 'Limit', 'NextToken'])
      const rule = existing(place(input, principal, 'ListTargetsByRule', 'Rule'))
      const { page, ...token } = pageOf(rule.targets, ({ id }) => id, input)
      return { Targets: page.map(targetView), ...token }
    },
    EnableRule: setEnabled('EnableRule', true),
    DisableRule: setEnabled('DisableRule', false),
  }
}

function checkExpression(expression: string, bus: string): void {
  if (bus !== 'default') throw validationError('ScheduleExpression is supported only on the default event bus.')
  try {
    parseSchedule(expression)
  } catch (error) {
    if (!PipeError.isInstance(error)) throw error
    throw validationError(`Parameter ScheduleExpression is not valid. ${error.message.replace(/^PIPE_SCHEDULE /, '')}`)
  }
}

/** The pattern, compiled. @throws AwsError InvalidEventPatternException with AWS's reason, and where it is wrong. */
function checkPattern(text: string): CompiledPattern {
  if (text.length > maxPatternLength) {
    throw new AwsError(
      'InvalidEventPatternException',
      `Event pattern is not valid. Reason: longer than ${maxPatternLength} characters.`,
    )
  }
  try {
    return compilePattern(text)
  } catch (error) {
    if (!PipeError.isInstance(error)) throw error
    const { reason, line, column } = error.details as PatternErrorDetails
    const place = `at [Source: (String)${JSON.stringify(text)}; line: ${line}, column: ${column}]`
    throw new AwsError('InvalidEventPatternException', `Event pattern is not valid. Reason: ${reason}\n ${place}`)
  }
}

function testPattern(pattern: CompiledPattern, event: string): boolean {
  try {
    return pattern.matches(event)
  } catch (error) {
    if (!PipeError.isInstance(error)) throw error
    throw validationError(`Parameter Event is not valid. ${error.message}`)
  }
}

function ruleView({ name, bus, arn, expression, pattern, description, enabled }: Rule): object {
  return {
    Name: name,
    Arn: arn,
    ...(expression === undefined ? {} : { ScheduleExpression: expression }),
    ...(pattern === undefined ? {} : { EventPattern: pattern }),
    State: enabled ? 'ENABLED' : 'DISABLED',
    ...(description === undefined ? {} : { Description: description }),
    EventBusName: bus,
  }
}
