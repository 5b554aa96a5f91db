import { ConfigError, type Duration, durationMs } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { compilePattern } from '../pattern/match'
import type { PatternInput } from '../pattern/parse-pattern'
import { parseSchedule, type Schedule } from '../schedule'

/** Where a rule sends its events. */
export interface TargetSpec {
  /** 1 to 64 letters, digits, `.`, `-`, `_`; unique in its rule. */
  readonly id: string
  /** ARN of a function, a queue, or whatever else EventBridge delivers to. */
  readonly arn: string
  /** A JSON value that is sent instead of the event. One of `input`, `inputPath` and `transformer` at most. */
  readonly input?: unknown
  /** The part of the event that is sent: `$.detail`. */
  readonly inputPath?: string
  /** Values of the event by name, and a template with `<name>` for each. */
  readonly transformer?: { readonly paths: Readonly<Record<string, string>>; readonly template: string }
  /** How often and how long a delivery is tried again. Default: 185 times within 24 hours. */
  readonly retry?: { readonly attempts?: number; readonly maxAge?: Duration }
  /** ARN of a standard queue for what could not be delivered. Default: it is lost. */
  readonly deadLetterArn?: string
  /** For a FIFO queue. */
  readonly messageGroup?: string
}

/** A rule as it should be. */
export interface RuleSpec {
  /** Without the owner, which is put before it. */
  readonly name: string
  /** Default `'default'`. */
  readonly bus?: string
  /** When it fires; only on the default bus. One of `schedule` and `pattern` at least. */
  readonly schedule?: Schedule | string
  /** Which events it takes. */
  readonly pattern?: PatternInput
  readonly description?: string
  /** Default `true`. */
  readonly enabled?: boolean
  /** 1 to 5. */
  readonly targets: readonly TargetSpec[]
}

/** A rule and its targets in the words of EventBridge. */
export interface RuleState {
  readonly name: string
  readonly bus: string
  readonly rule: Readonly<Record<string, string>>
  /** By id. */
  readonly targets: ReadonlyMap<string, object>
}

const namePattern = /^[.\-_A-Za-z0-9]{1,64}$/
const maxPatternLength = 2048

/** Checks a rule with everything that EventBridge would refuse. @throws ConfigError `PIPE_CONFIG`, `PIPE_PATTERN`, `PIPE_SCHEDULE`. */
export function ruleState(owner: string, spec: RuleSpec): RuleState {
  const where = `planRules, rule "${spec.name}"`
  checkOptions(where, spec, { required: ['name', 'targets'], optional: ['bus', 'schedule', 'pattern', 'description', 'enabled'] })
  const name = `${owner}-${spec.name}`
  if (!namePattern.test(name)) {
    throw new ConfigError(`${where}: "${name}" is not the name of a rule.`, {
      hint: 'It has 1 to 64 letters, digits, dots, hyphens or underscores.',
    })
  }
  const { bus = 'default', schedule, pattern, description, enabled = true, targets } = spec
  if (schedule === undefined && pattern === undefined) throw new ConfigError(`${where}: it has neither schedule nor pattern.`)
  if (schedule !== undefined && bus !== 'default')
    throw new ConfigError(`${where}: only rules of the default bus have a schedule.`)
  const expression =
    schedule === undefined ? undefined : typeof schedule === 'string' ? parseSchedule(schedule).expression : schedule.expression
  const patternText = pattern === undefined ? undefined : compilePattern(pattern).text
  if (patternText !== undefined && patternText.length > maxPatternLength) {
    throw new ConfigError(`${where}: its pattern has ${patternText.length} characters; EventBridge takes ${maxPatternLength}.`)
  }
  if (targets.length < 1 || targets.length > 5) throw new ConfigError(`${where}: it has ${targets.length} targets, not 1 to 5.`)
  const states = new Map(targets.map((target) => [target.id, targetState(where, target)]))
  if (states.size < targets.length) throw new ConfigError(`${where}: two targets have the same id.`)
  return {
    name,
    bus,
    rule: {
      Name: name,
      EventBusName: bus,
      State: enabled ? 'ENABLED' : 'DISABLED',
      ...(expression === undefined ? {} : { ScheduleExpression: expression }),
      ...(patternText === undefined ? {} : { EventPattern: patternText }),
      ...(description === undefined ? {} : { Description: description }),
    },
    targets: states,
  }
}

function targetState(ruleWhere: string, target: TargetSpec): object {
  const where = `${ruleWhere}, target "${target.id}"`
  checkOptions(where, target, {
    required: ['id', 'arn'],
    optional: ['input', 'inputPath', 'transformer', 'retry', 'deadLetterArn', 'messageGroup'],
  })
  const { id, arn, input, inputPath, transformer, retry, deadLetterArn, messageGroup } = target
  if (!namePattern.test(id))
    throw new ConfigError(`${where}: this is not an id (1 to 64 letters, digits, dots, hyphens, underscores).`)
  if ([input, inputPath, transformer].filter((one) => one !== undefined).length > 1) {
    throw new ConfigError(`${where}: give one of input, inputPath and transformer.`)
  }
  if (arn.endsWith('.fifo') !== (messageGroup !== undefined))
    throw new ConfigError(`${where}: a messageGroup is for FIFO queues, which need one.`)
  return {
    Id: id,
    Arn: arn,
    ...(input === undefined ? {} : { Input: JSON.stringify(input) }),
    ...(inputPath === undefined ? {} : { InputPath: inputPath }),
    ...(transformer === undefined
      ? {}
      : { InputTransformer: { InputPathsMap: { ...transformer.paths }, InputTemplate: transformer.template } }),
    ...(retry === undefined ? {} : { RetryPolicy: retryState(where, retry) }),
    ...(deadLetterArn === undefined ? {} : { DeadLetterConfig: { Arn: deadLetterArn } }),
    ...(messageGroup === undefined ? {} : { SqsParameters: { MessageGroupId: messageGroup } }),
  }
}

function retryState(where: string, { attempts, maxAge }: NonNullable<TargetSpec['retry']>): object {
  const age = maxAge === undefined ? undefined : durationMs(maxAge) / 1000
  if (attempts !== undefined && (!Number.isInteger(attempts) || attempts < 0 || attempts > 185)) {
    throw new ConfigError(`${where}: retry.attempts is ${attempts}, not a whole number from 0 to 185.`)
  }
  if (age !== undefined && (!Number.isInteger(age) || age < 60 || age > 86_400)) {
    throw new ConfigError(`${where}: retry.maxAge is ${maxAge}, not whole seconds from '60 seconds' to '24 hours'.`)
  }
  return {
    ...(attempts === undefined ? {} : { MaximumRetryAttempts: attempts }),
    ...(age === undefined ? {} : { MaximumEventAgeInSeconds: age }),
  }
}
