import { randomUUID } from 'node:crypto'
import type { RuntimeClock } from '../clock'
import type { EventFailure } from '../eventbridge/failures'
import { type Authorizer, AwsError, type Principal } from '../service'
import type { Queues } from '../sqs/queues'
import { functionArn } from './function-config'
import type { DeployedFunction } from './host'
import type { InvokeResult } from './invocation-log'
import { type SqsMapping, type SqsPoller, startSqsPoller } from './sqs-poller'

/** The event source mappings of a runtime. They live as long as the process, as the queues do. */
export interface EventSourceMappings {
  /** @throws AwsError as Lambda does, also when the function's role may not read the queue. */
  create(input: Readonly<Record<string, unknown>>, functionName: string): object
  /** @throws AwsError ResourceNotFoundException */
  get(uuid: string): object
  list(filter: { readonly functionName?: string; readonly sourceArn?: string }): readonly object[]
  /** Changes `BatchSize`, `Enabled` and the like. */
  update(uuid: string, input: Readonly<Record<string, unknown>>): object
  remove(uuid: string): object
  close(): void
}

/** What the mappings work with. */
export interface EventSourceMappingsOptions {
  readonly clock: RuntimeClock
  readonly queues: Queues
  readonly authorizer: Authorizer
  functionOf(name: string): DeployedFunction | undefined
  invoke(functionName: string, event: unknown): Promise<InvokeResult>
  onFailure(failure: EventFailure): void
}

const members = [
  'EventSourceArn',
  'FunctionName',
  'BatchSize',
  'MaximumBatchingWindowInSeconds',
  'FunctionResponseTypes',
  'ScalingConfig',
  'Enabled',
]
const readActions = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes']
/** Lambda begins with five pollers for a standard queue. */
const standardConcurrency = 5

/** No mappings yet. */
export function createEventSourceMappings(options: EventSourceMappingsOptions): EventSourceMappings {
  const { clock, queues, authorizer, functionOf, invoke, onFailure } = options
  const mappings = new Map<string, { mapping: SqsMapping; poller: SqsPoller | undefined }>()
  const roleOf = (name: string): Principal => ({ name, accessKeyId: '', secretAccessKey: '' })

  const existing = (uuid: string) => {
    const found = mappings.get(uuid)
    if (!found) throw new AwsError('ResourceNotFoundException', 'The resource you requested does not exist.', 404)
    return found
  }
  const put = (mapping: SqsMapping) => {
    mappings.get(mapping.uuid)?.poller?.close()
    const queue = queues.find(mapping.queueArn)
    const role = roleOf(mapping.functionName)
    const poller =
      mapping.enabled && queue
        ? startSqsPoller(mapping, {
            clock,
            queue,
            invoke,
            // Asked at every poll, as on AWS: a right that is taken away ends the reading.
            mayRead: () => readActions.every((action) => authorizer.isAllowed(role, action, mapping.queueArn)),
            onFailure: (message) =>
              onFailure({ at: new Date(clock.now()), functionName: mapping.functionName, message, attempt: 1, isFinal: false }),
          })
        : undefined
    mappings.set(mapping.uuid, { mapping, poller })
    return viewOf(mapping)
  }

  return {
    create(input, functionName) {
      const queueArn = input['EventSourceArn']
      if (typeof queueArn !== 'string' || !/^arn:aws:sqs:/.test(queueArn)) {
        throw invalid(`EventSourceArn ${JSON.stringify(queueArn)} is no queue; the local Lambda reads queues only.`)
      }
      const queue = queues.find(queueArn)
      const fn = functionOf(functionName)
      if (!fn) throw new AwsError('ResourceNotFoundException', `Function not found: ${functionArn(functionName)}`, 404)
      if (!queue) throw invalid('The queue does not exist.')
      for (const action of readActions) {
        if (authorizer.isAllowed(roleOf(functionName), action, queueArn)) continue
        throw invalid(`The provided execution role does not have permissions to call ${action.slice('sqs:'.length)} on SQS`)
      }
      if (queue.settings.visibilityMs < fn.timeoutMs) {
        throw invalid(
          `Queue visibility timeout: ${queue.settings.visibilityMs / 1000} seconds is less than Function timeout: ${fn.timeoutMs / 1000} seconds`,
        )
      }
      if ([...mappings.values()].some(({ mapping }) => mapping.queueArn === queueArn && mapping.functionName === functionName)) {
        throw new AwsError(
          'ResourceConflictException',
          `An event source mapping with SQS arn ("${queueArn}") and function ("${functionName}") already exists.`,
          409,
        )
      }
      const base = { uuid: randomUUID(), queueArn, functionName, createdAt: clock.now() }
      return put(
        read(input, {
          ...base,
          batchSize: 10,
          windowMs: 0,
          reportsItems: false,
          concurrency: standardConcurrency,
          enabled: true,
        }),
      )
    },
    get: (uuid) => viewOf(existing(uuid).mapping),
    list: ({ functionName, sourceArn }) =>
      [...mappings.values()]
        .map(({ mapping }) => mapping)
        .filter(
          (mapping) =>
            (functionName ?? mapping.functionName) === mapping.functionName &&
            (sourceArn ?? mapping.queueArn) === mapping.queueArn,
        )
        .map(viewOf),
    update: (uuid, input) => put(read({ ...input, EventSourceArn: undefined, FunctionName: undefined }, existing(uuid).mapping)),
    remove(uuid) {
      const { mapping, poller } = existing(uuid)
      poller?.close()
      mappings.delete(uuid)
      return { ...viewOf(mapping), State: 'Deleting' }
    },
    close() {
      for (const { poller } of mappings.values()) poller?.close()
      mappings.clear()
    },
  }
}

/** The mapping with what a request says. @throws AwsError InvalidParameterValueException, also for members that are not modelled. */
function read(input: Readonly<Record<string, unknown>>, before: SqsMapping): SqsMapping {
  for (const [name, value] of Object.entries(input)) {
    if (value !== undefined && value !== null && !members.includes(name)) {
      throw invalid(`${name} is not supported by the local Lambda (supported: ${members.join(', ')}).`)
    }
  }
  const isFifo = before.queueArn.endsWith('.fifo')
  const number = (name: string, given: unknown, max: number, min: number, otherwise: number): number => {
    if (given === undefined || given === null) return otherwise
    if (typeof given === 'number' && Number.isInteger(given) && given >= min && given <= max) return given
    throw invalid(`${name} must be a whole number from ${min} to ${max}.`)
  }
  const windowMs =
    number('MaximumBatchingWindowInSeconds', input['MaximumBatchingWindowInSeconds'], 300, 0, before.windowMs / 1000) * 1000
  const batchSize = number('BatchSize', input['BatchSize'], isFifo ? 10 : 10_000, 1, before.batchSize)
  if (isFifo && windowMs > 0) throw invalid('Batching window is not supported for FIFO queues.')
  if (batchSize > 10 && windowMs < 1000) {
    throw invalid('Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10')
  }
  const { MaximumConcurrency } = (input['ScalingConfig'] ?? {}) as { readonly MaximumConcurrency?: unknown }
  const types = input['FunctionResponseTypes']
  const enabled = input['Enabled']
  return {
    ...before,
    batchSize,
    windowMs,
    concurrency: number('MaximumConcurrency', MaximumConcurrency, 1000, 2, before.concurrency),
    reportsItems: Array.isArray(types) ? types.includes('ReportBatchItemFailures') : before.reportsItems,
    enabled: typeof enabled === 'boolean' ? enabled : before.enabled,
  }
}

function viewOf(mapping: SqsMapping): object {
  return {
    UUID: mapping.uuid,
    EventSourceArn: mapping.queueArn,
    FunctionArn: functionArn(mapping.functionName),
    BatchSize: mapping.batchSize,
    MaximumBatchingWindowInSeconds: mapping.windowMs / 1000,
    FunctionResponseTypes: mapping.reportsItems ? ['ReportBatchItemFailures'] : [],
    ...(mapping.concurrency === standardConcurrency ? {} : { ScalingConfig: { MaximumConcurrency: mapping.concurrency } }),
    State: mapping.enabled ? 'Enabled' : 'Disabled',
    LastModified: mapping.createdAt / 1000,
    StateTransitionReason: 'USER_INITIATED',
  }
}

function invalid(message: string): AwsError {
  return new AwsError('InvalidParameterValueException', message)
}
