import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { ConfigError, PipeError } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { parseSchedule } from '@pipe/events'
import type { RuntimeClock } from './clock'
import { ruleArn } from './eventbridge/rule-store'
import type { PolicyDocument } from './iam/policy'
import type { KafkaTopicOptions } from './kafka/cluster'
import { type DeployOptions, functionArn } from './lambda/function-config'
import type { Local } from './runtime'
import { localRegion } from './service'

/** A function of an {@link App}. */
export interface AppFunction extends Omit<DeployOptions, 'entry' | 'policy'> {
  /** Path of the file, relative to the configuration file. */
  readonly entry: string
  /** The policy, or the path of its JSON file, relative to the configuration file. */
  readonly policy?: PolicyDocument | string
}

/** A rule of an {@link App}. */
export interface AppRule {
  readonly name: string
  /** `rate(5 minutes)` or `cron(0 12 * * ? *)`. */
  readonly schedule: string
  /** Name of the function that it calls. */
  readonly function: string
  /** Sent instead of the event. */
  readonly input?: unknown
  /** Default `true`. */
  readonly enabled?: boolean
}

/** Kafka of an {@link App}. */
export interface AppKafka {
  /** How many brokers `npx @pipe/local` starts: 1 to 3. Default 1. */
  readonly brokers?: number
  /** Made when they are not there. */
  readonly topics?: readonly (KafkaTopicOptions & { readonly name: string })[]
}

/** What is made in a runtime when it starts: the default export of a `pipe.config.ts`. */
export interface App {
  /** Made when they are not there. */
  readonly buckets?: readonly string[]
  /** Deployed anew at each start. */
  readonly functions?: readonly AppFunction[]
  /** Schedules that call the functions. */
  readonly rules?: readonly AppRule[]
  /** Brokers and topics. */
  readonly kafka?: AppKafka
}

/**
 * Checks an app and returns it, for the default export of `pipe.config.ts`.
 *
 * @throws ConfigError `PIPE_CONFIG` for unknown or missing keys and rules without their function; `PIPE_SCHEDULE` for a wrong schedule.
 * @example
 * ```ts
 * export default defineApp({
 *   buckets: ['lake'],
 *   functions: [{ name: 'log-generator', entry: './src/log-generator.ts', env: { BUCKET: 'lake' }, policy: './policies/log-generator.json' }],
 *   rules: [{ name: 'each-minute', schedule: 'rate(1 minute)', function: 'log-generator' }],
 * })
 * ```
 */
export function defineApp(app: App): App {
  checkOptions('defineApp', app, { optional: ['buckets', 'functions', 'rules', 'kafka'] })
  if (app.kafka) checkOptions('defineApp, kafka', app.kafka, { optional: ['brokers', 'topics'] })
  const { functions = [], rules = [], buckets = [] } = app
  for (const bucket of buckets) if (typeof bucket !== 'string') throw new ConfigError('defineApp: a bucket is not a text.')
  for (const given of functions) {
    checkOptions(`defineApp, function "${given.name}"`, given, {
      required: ['name', 'entry'],
      optional: ['handler', 'env', 'timeout', 'memoryMb', 'policy', 'permissions', 'asyncRetries', 'external', 'maxInstances'],
    })
  }
  for (const rule of rules) {
    const where = `defineApp, rule "${rule.name}"`
    checkOptions(where, rule, { required: ['name', 'schedule', 'function'], optional: ['input', 'enabled'] })
    parseSchedule(rule.schedule)
    if (!functions.some(({ name }) => name === rule.function)) {
      const known = functions.map(({ name }) => name).join(', ') || 'none'
      throw new ConfigError(`${where}: there is no function "${rule.function}".`, { hint: `Functions: ${known}.` })
    }
  }
  return app
}

/**
 * Makes the buckets, topics, functions and rules of an app. What is there already is kept (buckets) or replaced (functions, rules), so that it can be applied
 * to a folder of an earlier run.
 *
 * @param from Folder that relative paths count from.
 * @throws ConfigError `PIPE_LOCAL_POLICY_FILE` for an unreadable policy; PipeError `PIPE_LOCAL_APP` when a call fails; the errors of `lambda.deploy`.
 */
export async function applyApp(local: Local<RuntimeClock>, app: App, from: string): Promise<void> {
  for (const { name, ...options } of app.kafka?.topics ?? []) {
    if (!local.kafka.topics().includes(name)) local.kafka.createTopic(name, options)
  }
  for (const bucket of app.buckets ?? []) await call(local, `bucket ${bucket}`, 's3', 'PUT', `/${encodeURIComponent(bucket)}`)
  for (const { entry, policy, ...rest } of app.functions ?? []) {
    const document = typeof policy === 'string' ? await readPolicy(resolve(from, policy), rest.name) : policy
    const own = (app.rules ?? []).filter((rule) => rule.function === rest.name)
    const rules = own.map(({ name }) => ({ principal: 'events.amazonaws.com', sourceArn: ruleArn(name) }))
    const permissions = [...(rest.permissions ?? []), ...rules]
    const more = document === undefined ? { permissions } : { permissions, policy: document }
    await local.lambda.deploy({ ...rest, ...more, entry: resolve(from, entry) })
  }
  for (const { name, schedule, function: target, input, enabled = true } of app.rules ?? []) {
    const state = enabled ? 'ENABLED' : 'DISABLED'
    const what = `rule ${name}`
    await call(local, what, 'events', 'POST', '/', 'PutRule', { Name: name, ScheduleExpression: schedule, State: state })
    const Input = input === undefined ? {} : { Input: JSON.stringify(input) }
    await call(local, what, 'events', 'POST', '/', 'PutTargets', {
      Rule: name,
      Targets: [{ Id: target, Arn: functionArn(target), ...Input }],
    })
  }
}

/** A call to the runtime's own endpoint as root. Without a content hash the signature is not looked at, only the key. */
async function call(
  local: Local<RuntimeClock>,
  what: string,
  service: 's3' | 'events',
  method: string,
  path: string,
  operation?: string,
  input?: object,
): Promise<void> {
  const credential = `${local.aws.credentials.accessKeyId}/20260101/${localRegion}/${service}/aws4_request`
  const response = await fetch(`${local.url}${path}`, {
    method,
    headers: {
      authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=host, Signature=0`,
      ...(operation === undefined
        ? {}
        : { 'x-amz-target': `AWSEvents.${operation}`, 'content-type': 'application/x-amz-json-1.1' }),
    },
    ...(input === undefined ? {} : { body: JSON.stringify(input) }),
  })
  const text = await response.text()
  if (!response.ok) {
    const reason = /<Message>([^<]*)<|"message":"((?:[^"\\]|\\.)*)"/.exec(text)
    throw new PipeError('PIPE_LOCAL_APP', `The ${what} cannot be made: ${reason?.[1] ?? reason?.[2] ?? text}`, {
      details: { what },
    })
  }
}

async function readPolicy(file: string, name: string): Promise<PolicyDocument> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as PolicyDocument
  } catch (error) {
    const message = `The policy of function ${name} cannot be read from ${file}: ${(error as Error).message}.`
    throw new ConfigError(message, { code: 'PIPE_LOCAL_POLICY_FILE', cause: error })
  }
}
