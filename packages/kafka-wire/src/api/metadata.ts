import {
  type Api,
  between,
  boolean,
  defineApi,
  int16,
  int32,
  listOf,
  listOfStructs,
  nullableListOfStructs,
  nullableString,
  since,
  string,
  uuid,
} from '../schema'

/** The id of a topic in versions without topic ids: 16 zero bytes. */
export const noTopicId: string = '0'.repeat(32)

/** Stands for "not asked" in the bit field of authorized operations. */
const notAsked = -2147483648

export interface MetadataRequestTopic {
  /** Hexadecimal; {@link noTopicId} when asked by name. */
  readonly topicId: string
  readonly name: string | null
}

export interface MetadataRequest {
  /** `null` = all topics. */
  readonly topics: readonly MetadataRequestTopic[] | null
  readonly allowAutoTopicCreation: boolean
  readonly includeClusterAuthorizedOperations: boolean
  readonly includeTopicAuthorizedOperations: boolean
}

export interface MetadataBroker {
  readonly nodeId: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

export interface MetadataPartition {
  readonly errorCode: number
  readonly partition: number
  /** Node id; −1 when there is none. */
  readonly leader: number
  readonly leaderEpoch: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  readonly offlineReplicas: readonly number[]
}

export interface MetadataTopic {
  readonly errorCode: number
  readonly name: string | null
  readonly topicId: string
  readonly isInternal: boolean
  readonly partitions: readonly MetadataPartition[]
  readonly authorizedOperations: number
}

export interface MetadataResponse {
  readonly throttleTimeMs: number
  readonly brokers: readonly MetadataBroker[]
  readonly clusterId: string | null
  readonly controllerId: number
  readonly topics: readonly MetadataTopic[]
  readonly clusterAuthorizedOperations: number
}

export const metadata: Api<MetadataRequest, MetadataResponse> = defineApi<MetadataRequest, MetadataResponse>({
  key: 3,
  name: 'Metadata',
  versions: [1, 12],
  flexibleFrom: 9,
  request: {
    topics: nullableListOfStructs<MetadataRequestTopic>({ topicId: since(10, uuid, noTopicId), name: nullableString }),
    allowAutoTopicCreation: since(4, boolean, true),
    includeClusterAuthorizedOperations: between(8, 10, boolean, false),
    includeTopicAuthorizedOperations: since(8, boolean, false),
  },
  response: {
    throttleTimeMs: since(3, int32, 0),
    brokers: listOfStructs<MetadataBroker>({ nodeId: int32, host: string, port: int32, rack: nullableString }),
    clusterId: since(2, nullableString, null),
    controllerId: int32,
    topics: listOfStructs<MetadataTopic>({
      errorCode: int16,
      name: nullableString,
      topicId: since(10, uuid, noTopicId),
      isInternal: boolean,
      partitions: listOfStructs<MetadataPartition>({
        errorCode: int16,
        partition: int32,
        leader: int32,
        leaderEpoch: since(7, int32, -1),
        replicas: listOf(int32),
        isr: listOf(int32),
        offlineReplicas: since(5, listOf(int32), []),
      }),
      authorizedOperations: since(8, int32, notAsked),
    }),
    clusterAuthorizedOperations: between(8, 10, int32, notAsked),
  },
})
