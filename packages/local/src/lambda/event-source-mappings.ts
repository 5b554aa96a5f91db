import { randomUUID } from 'node:crypto'
import type { RuntimeClock } from '../clock'
import type { EventFailure } from '../eventbridge/failures'
import { type Authorizer, AwsError, localAccount, localRegion, type Principal } from '../service'
import type { Queues } from '../sqs/queues'
import { functionArn } from './function-config'
import type { DeployedFunction } from './host'
import type { InvokeResult } from './invocation-log'
import { isKafkaSource, type KafkaMapping, kafkaMappingView, newKafkaMapping, readKafkaMapping } from './kafka-mapping'
import { startKafkaPoller } from './kafka-poller'
import { checkVisibility, newSqsMapping, queueReadActions, readSqsMapping, type SqsMapping, sqsMappingView } from './sqs-mapping'
import { startSqsPoller } from './sqs-poller'

type Input = Readonly<Record<string, unknown>>

/** The event source mappings of a runtime. They live as long as the process, as the queues do. */
export interface EventSourceMappings {
  /** @throws AwsError as Lambda does, also when the function's role may not read the source. */
  create(input: Input, functionName: string): object
  /** @throws AwsError ResourceNotFoundException */
  get(uuid: string): object
  list(filter: { readonly functionName?: string; readonly sourceArn?: string }): readonly object[]
  /** Changes `BatchSize`, `Enabled` and the like. */
  update(uuid: string, input: Input): object
  remove(uuid: string): object
  close(): void
}

/** What the mappings work with. */
export interface EventSourceMappingsOptions {
  readonly clock: RuntimeClock
  readonly queues: Queues
  readonly authorizer: Authorizer
  /** The brokers of the runtime, which an MSK cluster stands for; `undefined` when it has none. */
  kafkaBrokers(): readonly string[] | undefined
  functionOf(name: string): DeployedFunction | undefined
  invoke(functionName: string, event: unknown): Promise<InvokeResult>
  /** Puts a text into the queue of an ARN, as the function. @throws when it may not or there is none. */
  sendToQueue(arn: string, text: string, functionName: string): void
  onFailure(failure: EventFailure): void
  count(what: 'retried' | 'deadLettered'): void
}

interface Running {
  readonly functionName: string
  readonly sourceArn: string | undefined
  view(): object
  update(input: Input): Running
  close(): void
}

/** No mappings yet. */
export function createEventSourceMappings(options: EventSourceMappingsOptions): EventSourceMappings {
  const { clock, functionOf } = options
  const running = new Map<string, Running>()
  const existing = (uuid: string) => {
    const found = running.get(uuid)
    if (!found) throw new AwsError('ResourceNotFoundException', 'The resource you requested does not exist.', 404)
    return found
  }
  return {
    create(input, functionName) {
      if (!functionOf(functionName))
        throw new AwsError('ResourceNotFoundException', `Function not found: ${functionArn(functionName)}`, 404)
      const base = { uuid: randomUUID(), functionName, createdAt: clock.now() }
      const started = isKafkaSource(input)
        ? startKafka(newKafkaMapping(input, base), options)
        : startSqs(sqsMapping(input, base, [...running.values()], options), options)
      running.set(base.uuid, started)
      return started.view()
    },
    get: (uuid) => existing(uuid).view(),
    list: ({ functionName, sourceArn }) =>
      [...running.values()]
        .filter(
          (one) => (functionName ?? one.functionName) === one.functionName && (sourceArn ?? one.sourceArn) === one.sourceArn,
        )
        .map((one) => one.view()),
    update(uuid, input) {
      const changed = existing(uuid).update({ ...input, EventSourceArn: undefined, FunctionName: undefined })
      running.set(uuid, changed)
      return changed.view()
    },
    remove(uuid) {
      const one = existing(uuid)
      one.close()
      running.delete(uuid)
      return { ...one.view(), State: 'Deleting' }
    },
    close() {
      for (const one of running.values()) one.close()
      running.clear()
    },
  }
}

function sqsMapping(
  input: Input,
  base: Pick<SqsMapping, 'uuid' | 'functionName' | 'createdAt'>,
  others: readonly Running[],
  { queues, authorizer, functionOf }: EventSourceMappingsOptions,
): SqsMapping {
  const { EventSourceArn: queueArn } = input
  const { functionName } = base
  if (typeof queueArn !== 'string' || !/^arn:aws:sqs:/.test(queueArn))
    throw invalid(
      `EventSourceArn ${JSON.stringify(queueArn)} is no queue and no Kafka cluster; the local Lambda reads only these.`,
    )
  const queue = queues.find(queueArn)
  if (!queue) throw invalid('The queue does not exist.')
  for (const action of queueReadActions) {
    if (authorizer.isAllowed(roleOf(functionName), action, queueArn)) continue
    throw invalid(`The provided execution role does not have permissions to call ${action.slice('sqs:'.length)} on SQS`)
  }
  checkVisibility(queue, functionOf(functionName)!)
  if (others.some((one) => one.sourceArn === queueArn && one.functionName === functionName)) {
    throw new AwsError(
      'ResourceConflictException',
      `An event source mapping with SQS arn ("${queueArn}") and function ("${functionName}") already exists.`,
      409,
    )
  }
  return newSqsMapping(input, { ...base, queueArn })
}

function startSqs(mapping: SqsMapping, options: EventSourceMappingsOptions): Running {
  const { clock, queues, authorizer, invoke, onFailure } = options
  const { functionName, queueArn } = mapping
  const queue = queues.find(queueArn)
  const poller =
    mapping.enabled && queue
      ? startSqsPoller(mapping, {
          clock,
          queue,
          invoke,
          // Asked at every poll, as on AWS: a right that is taken away ends the reading.
          mayRead: () => queueReadActions.every((action) => authorizer.isAllowed(roleOf(functionName), action, queueArn)),
          onFailure: (message) => onFailure({ at: new Date(clock.now()), functionName, message, attempt: 1, isFinal: false }),
        })
      : undefined
  return {
    functionName,
    sourceArn: queueArn,
    view: () => sqsMappingView(mapping),
    update(input) {
      const changed = readSqsMapping(input, mapping)
      poller?.close()
      return startSqs(changed, options)
    },
    close: () => poller?.close(),
  }
}

function startKafka(mapping: KafkaMapping, options: EventSourceMappingsOptions): Running {
  const { clock, authorizer, kafkaBrokers, invoke, sendToQueue, onFailure, count } = options
  const { functionName, clusterArn } = mapping
  const bootstrap = mapping.bootstrap ?? kafkaBrokers()
  if (!bootstrap) {
    throw invalid(
      `The cluster ${clusterArn} does not exist: an MSK cluster is the Kafka of this runtime, which was started without (startLocal({ kafka: { brokers: 3 } })).`,
    )
  }
  const missingRight = () => {
    const missing = clusterRights(mapping).find(
      ([action, resource]) => !authorizer.isAllowed(roleOf(functionName), action, resource),
    )
    return missing && `The role of ${functionName} may not ${missing[0]} on ${missing[1]}.`
  }
  const missing = missingRight()
  if (missing !== undefined) throw invalid(`The provided execution role does not have the permissions that it needs. ${missing}`)
  const poller = mapping.enabled
    ? startKafkaPoller(mapping, {
        clock,
        bootstrap,
        missingRight,
        invoke,
        sendToQueue,
        count,
        onFailure: (message, attempt, isFinal) =>
          onFailure({ at: new Date(clock.now()), functionName, message, attempt, isFinal }),
      })
    : undefined
  return {
    functionName,
    sourceArn: clusterArn,
    view: () => kafkaMappingView(mapping, poller?.problem()),
    update(input) {
      const changed = readKafkaMapping(input, mapping)
      poller?.close()
      return startKafka(changed, options)
    },
    close: () => poller?.close(),
  }
}

/** What the role needs on a cluster with IAM; brokers of one's own know no IAM. */
function clusterRights({ clusterArn, topic, group }: KafkaMapping): readonly (readonly [action: string, resource: string])[] {
  if (clusterArn === undefined) return []
  const path = clusterArn.slice(clusterArn.indexOf(':cluster/') + ':cluster/'.length)
  const part = (kind: string, name: string) => `arn:aws:kafka:${localRegion}:${localAccount}:${kind}/${path}/${name}`
  return [
    ['kafka:DescribeClusterV2', clusterArn],
    ['kafka:GetBootstrapBrokers', clusterArn],
    ['kafka-cluster:Connect', clusterArn],
    ['kafka-cluster:DescribeTopic', part('topic', topic)],
    ['kafka-cluster:ReadData', part('topic', topic)],
    ['kafka-cluster:DescribeGroup', part('group', group)],
    ['kafka-cluster:AlterGroup', part('group', group)],
  ]
}

function roleOf(name: string): Principal {
  return { name, accessKeyId: '', secretAccessKey: '' }
}

function invalid(message: string): AwsError {
  return new AwsError('InvalidParameterValueException', message)
}
