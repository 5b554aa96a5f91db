import {
  alterPartitionReassignments,
  listPartitionReassignments,
  type OngoingReassignment,
  type ReassignedPartition,
  type ReassignmentResult,
} from '@pipe/kafka-wire'
import { errorCode } from '../error-code'
import { problemOfReplicas } from '../topic-creation'
import { type RequestContext, type ServedApi, serve } from '../wire/served-api'

/** AlterPartitionReassignments: begins or takes back the move of partitions to other brokers. */
export const alterReassignmentsApi: ServedApi = serve(alterPartitionReassignments, (request, context) => ({
  throttleTimeMs: 0,
  errorCode: context.broker.reachesController() ? errorCode.none : errorCode.requestTimedOut,
  errorMessage: null,
  topics: context.broker.reachesController()
    ? request.topics.map(({ name, partitions }) => ({ name, partitions: partitions.map((one) => reassign(name, one, context)) }))
    : [],
}))

function reassign(
  topic: string,
  { partition, replicas }: ReassignedPartition,
  { broker, refusal }: RequestContext,
): ReassignmentResult {
  const answer = (code: number, errorMessage: string | null = null) => ({ partition, errorCode: code, errorMessage })
  const refused = refusal({ topic, partition })
  if (refused !== 0) return answer(refused)
  const { controller } = broker.host
  const state = controller.topics.get(topic)?.partitions[partition]
  if (!state) return answer(errorCode.unknownTopicOrPartition)
  if (replicas === null) {
    if (!state.move) return answer(errorCode.noReassignmentInProgress)
  } else {
    const problem = problemOfReplicas(replicas, replicas.length, broker)
    if (problem) return answer(errorCode.invalidReplicaAssignment, problem)
  }
  controller.reassign(topic, partition, replicas)
  return answer(errorCode.none)
}

/** ListPartitionReassignments: those whose new replicas have not caught up yet. */
export const listReassignmentsApi: ServedApi = serve(listPartitionReassignments, (request, { broker, refusal }) => {
  const wanted = request.topics && new Map(request.topics.map(({ name, partitions }) => [name, partitions]))
  const topics = [...broker.image.topics.values()].map(({ name, partitions }) => ({
    name,
    partitions: partitions.flatMap(({ replicas, move }, partition): OngoingReassignment[] => {
      if (!move || (wanted && !wanted.get(name)?.includes(partition))) return []
      const adding = move.to.filter((id) => !move.from.includes(id))
      return [{ partition, replicas, adding, removing: move.from.filter((id) => !move.to.includes(id)) }]
    }),
  }))
  return {
    throttleTimeMs: 0,
    errorCode: refusal(),
    errorMessage: null,
    topics: topics.filter(({ partitions }) => partitions.length > 0),
  }
})
