import { type MetadataPartition, type MetadataTopic, metadata, noTopicId } from '@pipe/kafka-wire'
import type { Broker } from '../broker-node'
import type { PartitionState, TopicState } from '../cluster-image'
import { errorCode } from '../error-code'
import { createTopicChecked } from '../topic-creation'
import { type RequestContext, type ServedApi, serve } from '../wire/served-api'

/** The one cluster id of all local clusters. */
const clusterId = 'pipe-local-kafka-cluster'
const notAsked = -2147483648

/** Metadata, as this broker knows it. A topic that is not there is made only where `auto.create.topics.enable` says so. */
export const metadataApi: ServedApi = serve(metadata, (request, context) => {
  const { broker } = context
  const { image } = broker
  const named = request.topics?.map(({ name, topicId }) => name ?? nameOf(broker, topicId))
  const names = named ?? [...image.topics.keys()]
  const topics = names.map((name) => describe(name, request.allowAutoTopicCreation, context))
  const alive = image.alive.flatMap((id) => broker.host.broker(id) ?? [])
  return {
    throttleTimeMs: 0,
    brokers: alive.map(({ id, port }) => ({ nodeId: id, host: '127.0.0.1', port, rack: null })),
    clusterId,
    controllerId: image.alive[0] ?? -1,
    topics,
    clusterAuthorizedOperations: notAsked,
  }
})

function nameOf({ image }: Broker, topicId: string): string {
  for (const { id, name } of image.topics.values()) if (id === topicId) return name
  return ''
}

function describe(name: string, mayCreate: boolean, { broker, refusal }: RequestContext): MetadataTopic {
  const refused = refusal({ topic: name, partition: -1 })
  let topic = refused === 0 ? broker.image.topics.get(name) : undefined
  let code: number = refused
  if (topic === undefined && refused === 0) {
    code = errorCode.unknownTopicOrPartition
    if (mayCreate && broker.host.settings.flag('auto.create.topics.enable') && broker.reachesController()) {
      const created = createTopicChecked(broker, { name, partitions: -1, replicationFactor: -1, assignments: [], configs: [] })
      // As Kafka: the client asks again for the topic that is being made.
      code = created.errorCode === errorCode.none ? errorCode.leaderNotAvailable : created.errorCode
      topic = undefined
    }
  }
  return {
    errorCode: topic ? errorCode.none : code,
    name,
    topicId: topic?.id ?? noTopicId,
    isInternal: topic?.isInternal ?? false,
    partitions: topic ? partitionsOf(topic, broker) : [],
    authorizedOperations: notAsked,
  }
}

function partitionsOf({ partitions }: TopicState, { image }: Broker): MetadataPartition[] {
  return partitions.map(({ leader, leaderEpoch, replicas, inSync }: PartitionState, partition) => ({
    errorCode: leader < 0 ? errorCode.leaderNotAvailable : errorCode.none,
    partition,
    leader,
    leaderEpoch,
    replicas,
    isr: inSync,
    offlineReplicas: replicas.filter((id) => !image.alive.includes(id)),
  }))
}
