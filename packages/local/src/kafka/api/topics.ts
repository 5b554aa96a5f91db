import {
  createPartitions,
  createTopics,
  deleteTopics,
  type PartitionCreationResult,
  type TopicDeletionResult,
  type TopicToGrow,
} from '@pipe/kafka-wire'
import { errorCode } from '../error-code'
import { createTopicChecked, maxPartitions, problemOfReplicas } from '../topic-creation'
import { type RequestContext, type ServedApi, serve } from '../wire/served-api'

/** A broker that cannot ask the controllers answers so, after the client's own time-out or sooner. */
const unreachable = { errorCode: errorCode.requestTimedOut, errorMessage: 'The controllers cannot be reached.' }

/** CreateTopics: any broker takes it, as brokers pass it on to the controllers. */
export const createTopicsApi: ServedApi = serve(createTopics, (request, { broker, refusal }) => ({
  throttleTimeMs: 0,
  topics: request.topics.map((topic) => {
    const refused = refusal({ topic: topic.name, partition: -1 })
    if (refused !== 0) return { name: topic.name, errorCode: refused, errorMessage: null }
    if (!broker.reachesController()) return { name: topic.name, ...unreachable }
    return createTopicChecked(broker, topic, request.validateOnly)
  }),
}))

/** DeleteTopics. */
export const deleteTopicsApi: ServedApi = serve(deleteTopics, (request, context) => ({
  throttleTimeMs: 0,
  topics: request.topics.map((name): TopicDeletionResult => {
    const { broker, refusal } = context
    const refused = refusal({ topic: name, partition: -1 })
    if (refused !== 0) return { name, errorCode: refused, errorMessage: null }
    if (!broker.reachesController()) return { name, ...unreachable }
    const { controller } = broker.host
    if (!controller.topics.has(name)) return { name, errorCode: errorCode.unknownTopicOrPartition, errorMessage: null }
    controller.deleteTopic(name)
    return { name, errorCode: errorCode.none, errorMessage: null }
  }),
}))

/** CreatePartitions: partitions only grow. */
export const createPartitionsApi: ServedApi = serve(createPartitions, (request, context) => ({
  throttleTimeMs: 0,
  results: request.topics.map((topic) => grow(topic, request.validateOnly, context)),
}))

function grow(
  { name, count, assignments }: TopicToGrow,
  validateOnly: boolean,
  context: RequestContext,
): PartitionCreationResult {
  const { broker, refusal } = context
  const refuse = (code: number, errorMessage: string | null = null) => ({ name, errorCode: code, errorMessage })
  const refused = refusal({ topic: name, partition: -1 })
  if (refused !== 0) return refuse(refused)
  if (!broker.reachesController()) return { name, ...unreachable }
  const { controller } = broker.host
  const topic = controller.topics.get(name)
  if (!topic) return refuse(errorCode.unknownTopicOrPartition)
  const now = topic.partitions.length
  if (count === now) return refuse(errorCode.invalidPartitions, `Topic already has ${now} partition(s).`)
  if (count < now || count > maxPartitions) {
    const why = count < now ? `which would not be an increase` : `at most ${maxPartitions} are served here`
    return refuse(
      errorCode.invalidPartitions,
      `The topic ${name} currently has ${now} partition(s); ${count} were asked for: ${why}.`,
    )
  }
  const factor = topic.partitions[0]!.replicas.length
  if (assignments !== null) {
    if (assignments.length !== count - now) {
      const message = `Attempted to add ${count - now} additional partition(s), but only ${assignments.length} assignment(s) were specified.`
      return refuse(errorCode.invalidReplicaAssignment, message)
    }
    for (const { brokerIds } of assignments) {
      const problem = problemOfReplicas(brokerIds, factor, broker)
      if (problem) return refuse(errorCode.invalidReplicaAssignment, problem)
    }
  } else if (factor > controller.alive.length) {
    return refuse(
      errorCode.invalidReplicationFactor,
      `${controller.alive.length} broker(s) are registered; ${factor} are needed.`,
    )
  }
  if (!validateOnly) {
    controller.addPartitions(name, assignments?.map(({ brokerIds }) => brokerIds) ?? controller.assign(count - now, factor))
  }
  return refuse(errorCode.none)
}
