import { AwsError } from '../service'
import type { Queue } from '../sqs/queue'
import { functionArn } from './function-config'
import type { DeployedFunction } from './host'
import { type RecordFilter, readRecordFilter } from './record-filter'

/** An event source mapping from a queue to a function. */
export interface SqsMapping {
  readonly uuid: string
  readonly queueArn: string
  readonly functionName: string
  readonly batchSize: number
  /** How long to gather messages for a fuller batch. */
  readonly windowMs: number
  readonly reportsItems: boolean
  /** How many batches at the same time. */
  readonly concurrency: number
  readonly filter?: RecordFilter
  readonly enabled: boolean
  readonly createdAt: number
}

const members = [
  'EventSourceArn',
  'FunctionName',
  'BatchSize',
  'MaximumBatchingWindowInSeconds',
  'FunctionResponseTypes',
  'ScalingConfig',
  'FilterCriteria',
  'Enabled',
]
/** What a pattern may look at: the members of a record. */
const filterKeys = [
  'messageId',
  'receiptHandle',
  'body',
  'attributes',
  'messageAttributes',
  'md5OfBody',
  'eventSource',
  'eventSourceARN',
  'awsRegion',
]
/** What a function's role needs to be fed by a queue. */
export const queueReadActions: readonly string[] = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes']
/** Lambda begins with five pollers for a standard queue. */
const standardConcurrency = 5

/** A new mapping. @throws AwsError InvalidParameterValueException */
export function newSqsMapping(
  input: Readonly<Record<string, unknown>>,
  base: Pick<SqsMapping, 'uuid' | 'queueArn' | 'functionName' | 'createdAt'>,
): SqsMapping {
  const defaults = { batchSize: 10, windowMs: 0, reportsItems: false, concurrency: standardConcurrency, enabled: true }
  return readSqsMapping(input, { ...base, ...defaults })
}

/** @throws AwsError InvalidParameterValueException when the queue gives a message back before the function is done with it. */
export function checkVisibility({ settings }: Queue, fn: DeployedFunction): void {
  if (settings.visibilityMs >= fn.timeoutMs) return
  throw invalid(
    `Queue visibility timeout: ${settings.visibilityMs / 1000} seconds is less than Function timeout: ${fn.timeoutMs / 1000} seconds`,
  )
}

/** The mapping with what a request says. @throws AwsError InvalidParameterValueException, also for members that are not modelled. */
export function readSqsMapping(input: Readonly<Record<string, unknown>>, before: SqsMapping): SqsMapping {
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
  const { filter: filterBefore, ...kept } = before
  const filter =
    input['FilterCriteria'] === undefined ? filterBefore : readRecordFilter(input['FilterCriteria'], 'body', filterKeys)
  return {
    ...kept,
    ...(filter === undefined ? {} : { filter }),
    batchSize,
    windowMs,
    concurrency: number('MaximumConcurrency', MaximumConcurrency, 1000, 2, before.concurrency),
    reportsItems: Array.isArray(types) ? types.includes('ReportBatchItemFailures') : before.reportsItems,
    enabled: typeof enabled === 'boolean' ? enabled : before.enabled,
  }
}

/** The mapping as Lambda shows it. */
export function sqsMappingView(mapping: SqsMapping): object {
  return {
    UUID: mapping.uuid,
    EventSourceArn: mapping.queueArn,
    FunctionArn: functionArn(mapping.functionName),
    BatchSize: mapping.batchSize,
    MaximumBatchingWindowInSeconds: mapping.windowMs / 1000,
    FunctionResponseTypes: mapping.reportsItems ? ['ReportBatchItemFailures'] : [],
    ...(mapping.concurrency === standardConcurrency ? {} : { ScalingConfig: { MaximumConcurrency: mapping.concurrency } }),
    ...(mapping.filter ? { FilterCriteria: { Filters: mapping.filter.patterns.map((Pattern) => ({ Pattern })) } } : {}),
    State: mapping.enabled ? 'Enabled' : 'Disabled',
    LastModified: mapping.createdAt / 1000,
    StateTransitionReason: 'USER_INITIATED',
  }
}

function invalid(message: string): AwsError {
  return new AwsError('InvalidParameterValueException', message)
}
