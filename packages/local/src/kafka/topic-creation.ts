import type { TopicCreationResult, TopicToCreate } from '@pipe/kafka-wire'
import type { Broker } from './broker-node'
import { offsetsTopic, transactionsTopic } from './cluster-image'
import { type ErrorCode, errorCode } from './error-code'
import { topicSettings } from './settings'

/** Most partitions that a local topic has. */
export const maxPartitions = 1000

/** A topic that may be made, or why it may not. */
type Checked =
  | { readonly assignment: readonly (readonly number[])[]; readonly overrides: ReadonlyMap<string, string> }
  | { readonly errorCode: ErrorCode; readonly message: string }

/** Makes a topic after Kafka's checks. With `validateOnly` it only checks. */
export function createTopicChecked(broker: Broker, topic: TopicToCreate, validateOnly = false): TopicCreationResult {
  const { name } = topic
  const checked = check(broker, topic)
  if ('errorCode' in checked) return { name, errorCode: checked.errorCode, errorMessage: checked.message }
  const isInternal = name === offsetsTopic || name === transactionsTopic
  if (!validateOnly) broker.host.controller.createTopic({ name, isInternal, overrides: checked.overrides }, checked.assignment)
  return { name, errorCode: errorCode.none, errorMessage: null }
}

function check(broker: Broker, topic: TopicToCreate): Checked {
  const { controller, settings } = broker.host
  const { name } = topic
  const wrongName = problemOfName(name)
  if (wrongName) return { errorCode: errorCode.invalidTopic, message: wrongName }
  if (controller.topics.has(name)) return { errorCode: errorCode.topicAlreadyExists, message: `Topic '${name}' already exists.` }
  const overrides = new Map<string, string>()
  for (const { name: key, value } of topic.configs) {
    if (value === null) continue
    const problem = problemOfSetting(key, value)
    if (problem) return { errorCode: errorCode.invalidConfig, message: problem }
    overrides.set(key, value)
  }
  if (topic.assignments.length > 0) {
    const byPartition = [...topic.assignments].sort((one, other) => one.partition - other.partition)
    const problem = problemOfAssignment(byPartition, broker)
    if (problem) return { errorCode: errorCode.invalidReplicaAssignment, message: problem }
    return { assignment: byPartition.map(({ brokerIds }) => brokerIds), overrides }
  }
  const partitions = topic.partitions === -1 ? settings.number('num.partitions') : topic.partitions
  if (partitions < 1 || partitions > maxPartitions) {
    return {
      errorCode: errorCode.invalidPartitions,
      message: `Number of partitions must be 1 to ${maxPartitions}, not ${partitions}.`,
    }
  }
  const factor = topic.replicationFactor === -1 ? settings.number('default.replication.factor') : topic.replicationFactor
  const { alive } = controller
  if (factor < 1 || factor > alive.length) {
    const message = `Unable to replicate the partition ${factor} time(s): ${alive.length} broker(s) are registered.`
    return { errorCode: errorCode.invalidReplicationFactor, message }
  }
  return { assignment: controller.assign(partitions, factor), overrides }
}

/** Kafka's rules for topic names. */
function problemOfName(name: string): string | undefined {
  if (name === '') return 'the empty string is not allowed'
  if (name === '.' || name === '..') return "'.' or '..' is not allowed"
  if (name.length > 249) return `the length of '${name}' is longer than the max allowed length 249`
  if (!/^[a-zA-Z0-9._-]+$/.test(name)) return `'${name}' contains characters other than ASCII alphanumerics, '.', '_' and '-'`
  return undefined
}

/** Why a topic cannot have this setting; `undefined` when it can. */
export function problemOfSetting(name: string, value: string): string | undefined {
  const known = topicSettings.get(name)
  if (!known) return `Unknown topic config name: ${name}`
  return known.isValid(value) ? undefined : `Invalid value ${value} for configuration ${name}`
}

function problemOfAssignment(
  assignments: readonly { partition: number; brokerIds: readonly number[] }[],
  broker: Broker,
): string | undefined {
  for (const [index, { partition, brokerIds }] of assignments.entries()) {
    if (partition !== index) return 'Partitions must be numbered from 0 without gaps.'
    const problem = problemOfReplicas(brokerIds, assignments[0]!.brokerIds.length, broker)
    if (problem) return problem
  }
  return undefined
}

/** Why these cannot be the replicas of a partition; `undefined` when they can. */
export function problemOfReplicas(brokerIds: readonly number[], count: number, { host }: Broker): string | undefined {
  if (brokerIds.length === 0 || brokerIds.length !== count) return 'All partitions must have the same number of replicas.'
  if (new Set(brokerIds).size !== brokerIds.length) return 'A broker cannot hold a partition twice.'
  const unknown = brokerIds.find((id) => host.broker(id) === undefined)
  return unknown === undefined ? undefined : `There is no broker ${unknown}.`
}
