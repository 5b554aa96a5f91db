import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { checkOptions } from '@pipe/core/internal'
import { scheduledEvent } from '@pipe/events'
import type { RuntimeClock } from '../clock'
import { asJsonError, readCallBody, sendJson } from '../json-call'
import type { InvokeResult } from '../lambda/invocation-log'
import { type Authorizer, AwsError, type Service, type ServiceCall } from '../service'
import type { EventFailure } from './failures'
import { eventBridgeOperations } from './operations'
import type { Input } from './request-input'
import { openRuleStore, type Rule, type RuleTarget } from './rule-store'
import { createScheduler } from './scheduler'

/** Options of {@link createEventBridgeService}. */
export interface EventBridgeServiceOptions {
  /** Folder for the rules. */
  readonly dir: string
  readonly clock: RuntimeClock
  readonly authorizer: Authorizer
  /** Calls a function; the clock tracks the call. */
  invoke(functionName: string, event: unknown): Promise<InvokeResult>
  onFailure(failure: EventFailure): void
}

const targetPrefix = 'AWSEvents.'
const contentType = 'application/x-amz-json-1.1'
const maxBodyBytes = 1024 * 1024

/**
 * The local EventBridge: scheduled rules on the default bus, with functions as targets. Rules live in `dir` and outlast the process.
 *
 * @throws PipeError `PIPE_LOCAL_RULES` when the stored rules cannot be read.
 */
export function createEventBridgeService(options: EventBridgeServiceOptions): Service {
  checkOptions('createEventBridgeService', options, { required: ['dir', 'clock', 'authorizer', 'invoke', 'onFailure'] })
  const { dir, clock, authorizer, invoke, onFailure } = options
  const store = openRuleStore(join(dir, 'rules.json'))

  const deliver = (rule: Rule, target: RuleTarget, at: Date) => {
    const functionName = target.arn.split(':')[6]!
    const event: unknown =
      target.input === undefined ? scheduledEvent({ ruleArn: rule.arn, at, id: randomUUID() }) : JSON.parse(target.input)
    invoke(functionName, event).then(
      ({ functionError, requestId, payloadText }) => {
        if (functionError) onFailure({ at, rule: rule.name, functionName, requestId, message: payloadText })
      },
      (error: unknown) =>
        onFailure({ at, rule: rule.name, functionName, message: error instanceof Error ? error.message : String(error) }),
    )
  }
  const scheduler = createScheduler(store, clock, (rule, at) => {
    for (const target of rule.targets) deliver(rule, target, at)
  })
  const operations = eventBridgeOperations({
    store,
    authorizer,
    now: () => clock.now(),
    changed: (name) => scheduler.changed(name),
  })

  return {
    name: 'events',
    matches: (call) => targetOf(call)?.startsWith(targetPrefix) ?? false,
    async handle(call) {
      try {
        const name = targetOf(call)!.slice(targetPrefix.length)
        const operation = Object.hasOwn(operations, name) ? operations[name] : undefined
        if (!operation) {
          const known = Object.keys(operations).join(', ')
          throw new AwsError(
            'UnknownOperationException',
            `${name} is not in this version of the local EventBridge (it has ${known}).`,
          )
        }
        sendJson(call, 200, operation(await readInput(call), call.principal), { contentType })
      } catch (error) {
        const { code, message, status } = asJsonError(error, 'InternalException')
        // This service answers every refusal with 400.
        sendJson(call, status < 500 ? 400 : status, { __type: code, message }, { contentType })
      }
    },
    async close() {
      scheduler.close()
    },
  }
}

function targetOf(call: ServiceCall): string | undefined {
  const target = call.request.headers['x-amz-target']
  return typeof target === 'string' ? target : undefined
}

async function readInput(call: ServiceCall): Promise<Input> {
  const tooLarge = (bytes: number) =>
    new AwsError('ValidationException', `A request of ${bytes} bytes is too large (limit ${maxBodyBytes}).`)
  const text = await readCallBody(call, maxBodyBytes, tooLarge)
  let input: unknown
  try {
    input = JSON.parse(text === '' ? '{}' : text)
  } catch (error) {
    throw new AwsError('SerializationException', `The request is not JSON: ${(error as Error).message}`)
  }
  if (typeof input !== 'object' || input === null || Array.isArray(input))
    throw new AwsError('SerializationException', 'The request is not a JSON object.')
  return input as Input
}
