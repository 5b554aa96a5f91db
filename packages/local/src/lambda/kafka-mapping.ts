import { AwsError, localAccount, localRegion } from '../service'
import { functionArn } from './function-config'
import type { StartingPosition } from './kafka-source'
import { type RecordFilter, readRecordFilter } from './record-filter'

/** An event source mapping from a topic to a function. */
export interface KafkaMapping {
  readonly uuid: string
  readonly functionName: string
  /** ARN of the MSK cluster, which is the cluster of this runtime; absent for self-managed brokers. */
  readonly clusterArn?: string
  /** `host:port` of self-managed brokers. */
  readonly bootstrap?: readonly string[]
  readonly topic: string
  readonly group: string
  readonly start: StartingPosition
  readonly batchSize: number
  /** How long to gather records for a fuller batch. 0: what is there is taken. */
  readonly windowMs: number
  /** The settings below need provisioned pollers. */
  readonly isProvisioned: boolean
  readonly reportsItems: boolean
  readonly bisects: boolean
  /** Further runs of a batch that failed; infinite when absent. */
  readonly maxRetries?: number
  /** Records older than this are given up; infinite when absent. */
  readonly maxRecordAgeMs?: number
  /** ARN of the queue that is told of batches that were given up. */
  readonly onFailure?: string
  readonly filter?: RecordFilter
  readonly enabled: boolean
  readonly createdAt: number
}

type Input = Readonly<Record<string, unknown>>

const members = [
  'EventSourceArn',
  'SelfManagedEventSource',
  'FunctionName',
  'Topics',
  'StartingPosition',
  'StartingPositionTimestamp',
  'AmazonManagedKafkaEventSourceConfig',
  'SelfManagedKafkaEventSourceConfig',
  'BatchSize',
  'MaximumBatchingWindowInSeconds',
  'ProvisionedPollerConfig',
  'FunctionResponseTypes',
  'BisectBatchOnFunctionError',
  'MaximumRetryAttempts',
  'MaximumRecordAgeInSeconds',
  'DestinationConfig',
  'FilterCriteria',
  'Enabled',
]
const clusterPattern = /^arn:aws:kafka:[a-z0-9-]+:\d{12}:cluster\/[^/]+\/[^/]+$/
/** With infinite retries and a destination Lambda gives up after ten. */
const retriesWithDestination = 10

/** Whether a request of CreateEventSourceMapping is for Kafka. */
export function isKafkaSource({ EventSourceArn: arn, SelfManagedEventSource: own }: Input): boolean {
  return (typeof arn === 'string' && arn.startsWith('arn:aws:kafka:')) || (own !== undefined && own !== null)
}

/** A new mapping. @throws AwsError InvalidParameterValueException, also for members that are not modelled. */
export function newKafkaMapping(input: Input, base: Pick<KafkaMapping, 'uuid' | 'functionName' | 'createdAt'>): KafkaMapping {
  const topics = input['Topics']
  if (!Array.isArray(topics) || topics.length !== 1 || typeof topics[0] !== 'string') throw invalid('Topics must name one topic.')
  return readKafkaMapping(input, {
    ...base,
    ...placeOf(input),
    topic: topics[0],
    group: groupOf(input) ?? base.uuid,
    start: startOf(input),
    batchSize: 100,
    windowMs: 0,
    isProvisioned: false,
    reportsItems: false,
    bisects: false,
    enabled: true,
  })
}

/** The mapping with what a request says. @throws AwsError InvalidParameterValueException */
export function readKafkaMapping(input: Input, before: KafkaMapping): KafkaMapping {
  for (const [name, value] of Object.entries(input)) {
    if (value !== undefined && value !== null && !members.includes(name))
      throw invalid(`${name} is not supported by the local Lambda for Kafka (supported: ${members.join(', ')}).`)
  }
  const number = (name: string, min: number, max: number): number | undefined => {
    const given = input[name]
    if (given === undefined || given === null) return undefined
    if (typeof given === 'number' && Number.isInteger(given) && (given === -1 || given >= min) && given <= max) return given
    throw invalid(`${name} must be a whole number from ${min} to ${max}.`)
  }
  const infinite = (given: number | undefined, otherwise: number | undefined) =>
    given === undefined ? otherwise : given === -1 ? undefined : given
  const types = input['FunctionResponseTypes']
  const { maxRetries: _r, maxRecordAgeMs: _a, onFailure: _o, filter: _f, ...kept } = before
  const onFailure = destinationOf(input, before.onFailure)
  const retries = infinite(number('MaximumRetryAttempts', 0, 10_000), before.maxRetries)
  const ageSeconds = infinite(
    number('MaximumRecordAgeInSeconds', 60, 604_800),
    before.maxRecordAgeMs && before.maxRecordAgeMs / 1000,
  )
  const maxRetries = retries ?? (onFailure === undefined ? undefined : retriesWithDestination)
  const filter =
    input['FilterCriteria'] === undefined ? before.filter : readRecordFilter(input['FilterCriteria'], 'value', ['value'])
  const mapping: KafkaMapping = {
    ...kept,
    batchSize: positive(number('BatchSize', 1, 10_000), 'BatchSize') ?? before.batchSize,
    windowMs: secondsMs(number('MaximumBatchingWindowInSeconds', 0, 300)) ?? before.windowMs,
    isProvisioned: before.isProvisioned || (input['ProvisionedPollerConfig'] ?? undefined) !== undefined,
    reportsItems: Array.isArray(types) ? types.includes('ReportBatchItemFailures') : before.reportsItems,
    bisects: booleanOf(input['BisectBatchOnFunctionError'], before.bisects),
    ...(maxRetries === undefined ? {} : { maxRetries }),
    ...(ageSeconds === undefined ? {} : { maxRecordAgeMs: ageSeconds * 1000 }),
    ...(onFailure === undefined ? {} : { onFailure }),
    ...(filter === undefined ? {} : { filter }),
    enabled: booleanOf(input['Enabled'], before.enabled),
  }
  const needsPollers =
    mapping.reportsItems || mapping.bisects || retries !== undefined || ageSeconds !== undefined || onFailure !== undefined
  if (needsPollers && !mapping.isProvisioned) {
    throw invalid(
      'FunctionResponseTypes, BisectBatchOnFunctionError, MaximumRetryAttempts, MaximumRecordAgeInSeconds and DestinationConfig of a Kafka event source need ProvisionedPollerConfig.',
    )
  }
  return mapping
}

/** The mapping as Lambda shows it. */
export function kafkaMappingView(mapping: KafkaMapping, problem: string | undefined): object {
  const { uuid, functionName, clusterArn, bootstrap, topic, group, start, batchSize, windowMs, enabled, createdAt } = mapping
  const config = { ConsumerGroupId: group }
  return {
    UUID: uuid,
    FunctionArn: functionArn(functionName),
    ...(clusterArn === undefined
      ? {
          SelfManagedEventSource: { Endpoints: { KAFKA_BOOTSTRAP_SERVERS: bootstrap } },
          SelfManagedKafkaEventSourceConfig: config,
        }
      : { EventSourceArn: clusterArn, AmazonManagedKafkaEventSourceConfig: config }),
    Topics: [topic],
    StartingPosition: typeof start === 'string' ? start : 'AT_TIMESTAMP',
    ...(typeof start === 'string' ? {} : { StartingPositionTimestamp: start.timestampMs / 1000 }),
    BatchSize: batchSize,
    MaximumBatchingWindowInSeconds: windowMs / 1000,
    FunctionResponseTypes: mapping.reportsItems ? ['ReportBatchItemFailures'] : [],
    ...(mapping.isProvisioned
      ? {
          BisectBatchOnFunctionError: mapping.bisects,
          MaximumRetryAttempts: mapping.maxRetries ?? -1,
          MaximumRecordAgeInSeconds: mapping.maxRecordAgeMs === undefined ? -1 : mapping.maxRecordAgeMs / 1000,
          DestinationConfig: { OnFailure: mapping.onFailure === undefined ? {} : { Destination: mapping.onFailure } },
        }
      : {}),
    ...(mapping.filter ? { FilterCriteria: { Filters: mapping.filter.patterns.map((Pattern) => ({ Pattern })) } } : {}),
    State: enabled ? 'Enabled' : 'Disabled',
    LastModified: createdAt / 1000,
    LastProcessingResult: problem === undefined ? 'OK' : `PROBLEM: ${problem}`,
    StateTransitionReason: 'USER_INITIATED',
  }
}

function placeOf(input: Input): Pick<KafkaMapping, 'clusterArn' | 'bootstrap'> {
  const arn = input['EventSourceArn']
  if (typeof arn === 'string') {
    if (clusterPattern.test(arn)) return { clusterArn: arn }
    throw invalid(`EventSourceArn ${arn} is no cluster: arn:aws:kafka:${localRegion}:${localAccount}:cluster/NAME/UUID.`)
  }
  const { Endpoints } = input['SelfManagedEventSource'] as { readonly Endpoints?: Record<string, unknown> }
  const servers = Endpoints?.['KAFKA_BOOTSTRAP_SERVERS']
  const isList = Array.isArray(servers) && servers.length > 0 && servers.every((one) => /^[^\s:]+:\d{1,5}$/.test(String(one)))
  if (!isList) throw invalid('SelfManagedEventSource.Endpoints.KAFKA_BOOTSTRAP_SERVERS must be a list of host:port.')
  return { bootstrap: servers.map(String) }
}

function groupOf(input: Input): string | undefined {
  const config = (input['AmazonManagedKafkaEventSourceConfig'] ?? input['SelfManagedKafkaEventSourceConfig'] ?? {}) as Input
  const { ConsumerGroupId: group, ...more } = config
  const [unknown] = Object.keys(more)
  if (unknown !== undefined) throw invalid(`${unknown} is not supported by the local Lambda for Kafka.`)
  if (group === undefined || (typeof group === 'string' && /^[A-Za-z0-9\-/:_+=.@]{1,200}$/.test(group))) return group
  throw invalid('ConsumerGroupId is no name of a group.')
}

function startOf(input: Input): StartingPosition {
  const position = input['StartingPosition']
  if (position === 'TRIM_HORIZON' || position === 'LATEST') return position
  if (position !== 'AT_TIMESTAMP') throw invalid('StartingPosition must be TRIM_HORIZON, LATEST or AT_TIMESTAMP.')
  const at = input['StartingPositionTimestamp']
  const timestampMs = typeof at === 'number' ? at * 1000 : Date.parse(String(at))
  if (!Number.isFinite(timestampMs)) throw invalid('AT_TIMESTAMP needs a StartingPositionTimestamp.')
  return { timestampMs: Math.round(timestampMs) }
}

function destinationOf(input: Input, before: string | undefined): string | undefined {
  if (input['DestinationConfig'] === undefined || input['DestinationConfig'] === null) return before
  const { OnFailure, OnSuccess } = input['DestinationConfig'] as Record<string, { readonly Destination?: string } | undefined>
  if (OnSuccess?.Destination !== undefined) throw invalid('OnSuccess is not supported for Kafka event sources.')
  const arn = OnFailure?.Destination
  if (arn !== undefined && !arn.startsWith('arn:aws:sqs:'))
    throw invalid(`The destination ${arn} is no queue; the local Lambda sends batches of Kafka that failed to queues only.`)
  return arn
}

function positive(value: number | undefined, name: string): number | undefined {
  if (value === -1) throw invalid(`${name} must be a whole number from 1 to 10000.`)
  return value
}

function secondsMs(seconds: number | undefined): number | undefined {
  if (seconds === -1) throw invalid('MaximumBatchingWindowInSeconds must be a whole number from 0 to 300.')
  return seconds === undefined ? undefined : seconds * 1000
}

function booleanOf(given: unknown, before: boolean): boolean {
  return typeof given === 'boolean' ? given : before
}

function invalid(message: string): AwsError {
  return new AwsError('InvalidParameterValueException', message)
}
