import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { checkOptions } from '@pipe/core/internal'
import { scheduledEvent } from '@pipe/events'
import type { RuntimeClock } from '../clock'
import { asJsonError, readCallBody, sendJson } from '../json-call'
import { type Authorizer, AwsError, type Service, type ServiceCall } from '../service'
import { createBusRouter } from './bus-router'
import type { Delivery } from './delivery'
import { eventBridgeOperations } from './operations'
import { type CheckedEntry, publish } from './put-events'
import type { Input } from './request-input'
import { openRuleStore } from './rule-store'
import { createScheduler } from './scheduler'
import type { EventCounter } from './totals'

/** Options of {@link createEventBridgeService}. */
export interface EventBridgeServiceOptions {
  /** Folder for the rules. */
  readonly dir: string
  readonly clock: RuntimeClock
  readonly authorizer: Authorizer
  readonly delivery: Delivery
  readonly counter: EventCounter
}

/** The local EventBridge, and the way in for services of AWS. */
export interface EventBridgeService extends Service {
  /** Puts an event of a service on its bus. */
  publish(entry: CheckedEntry): void
}

const targetPrefix = 'AWSEvents.'
const contentType = 'application/x-amz-json-1.1'
// A request of a megabyte, which JSON can write six times as long.
const maxBodyBytes = 8 * 1024 * 1024

/**
 * The local EventBridge: event buses, rules with schedules and patterns, functions and queues as targets. Buses and rules live in `dir` and outlast the
 * process.
 *
 * @throws PipeError `PIPE_LOCAL_RULES` when the stored rules cannot be read.
 */
export function createEventBridgeService(options: EventBridgeServiceOptions): EventBridgeService {
  checkOptions('createEventBridgeService', options, { required: ['dir', 'clock', 'authorizer', 'delivery', 'counter'] })
  const { dir, clock, authorizer, delivery, counter } = options
  const store = openRuleStore(join(dir, 'rules.json'))
  const router = createBusRouter(store)
  const scheduler = createScheduler(store, clock, (rule, at) => {
    counter.count('published')
    const event = scheduledEvent({ ruleArn: rule.arn, at, id: randomUUID() })
    for (const target of rule.targets) delivery.deliver(rule, target, event, JSON.stringify(event))
  })
  const routing = { store, router, counter, now: () => clock.now(), deliver: delivery.deliver }
  const operations = eventBridgeOperations({
    ...routing,
    authorizer,
    changed(arn) {
      router.changed()
      scheduler.changed(arn)
    },
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
    publish(entry) {
      publish(entry, routing)
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
