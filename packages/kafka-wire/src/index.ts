export { type AddOffsetsToTxnRequest, type AddOffsetsToTxnResponse, addOffsetsToTxn } from './api/add-offsets-to-txn'
export {
  type AddPartitionsToTxnRequest,
  type AddPartitionsToTxnResponse,
  addPartitionsToTxn,
  type TransactionPartitionResult,
  type TransactionTopic,
  type TransactionTopicResult,
} from './api/add-partitions-to-txn'
export { type AlterConfigsRequest, type AlterConfigsResponse, alterConfigs, type ReplacedConfigs } from './api/alter-configs'
export { type ApiVersionRange, type ApiVersionsRequest, type ApiVersionsResponse, apiVersions } from './api/api-versions'
export {
  type CreatePartitionsRequest,
  type CreatePartitionsResponse,
  createPartitions,
  type NewPartitionAssignment,
  type PartitionCreationResult,
  type TopicToGrow,
} from './api/create-partitions'
export {
  type CreateTopicsRequest,
  type CreateTopicsResponse,
  createTopics,
  type ReplicaAssignment,
  type TopicConfig,
  type TopicCreationResult,
  type TopicToCreate,
} from './api/create-topics'
export { type DeletedGroup, type DeleteGroupsRequest, type DeleteGroupsResponse, deleteGroups } from './api/delete-groups'
export {
  type DeleteRecordsPartition,
  type DeleteRecordsPartitionResult,
  type DeleteRecordsRequest,
  type DeleteRecordsResponse,
  type DeleteRecordsTopic,
  type DeleteRecordsTopicResult,
  deleteRecords,
} from './api/delete-records'
export {
  type DeleteTopicsRequest,
  type DeleteTopicsResponse,
  deleteTopics,
  type TopicDeletionResult,
} from './api/delete-topics'
export {
  type ConfigSynonym,
  configSource,
  type DescribeConfigsRequest,
  type DescribeConfigsResource,
  type DescribeConfigsResponse,
  type DescribedConfig,
  type DescribedResource,
  describeConfigs,
} from './api/describe-configs'
export {
  type DescribedGroup,
  type DescribedMember,
  type DescribeGroupsRequest,
  type DescribeGroupsResponse,
  describeGroups,
} from './api/describe-groups'
export {
  type DescribeLogDirsRequest,
  type DescribeLogDirsResponse,
  describeLogDirs,
  type LogDir,
  type LogDirPartition,
  type LogDirsTopic,
  type LogDirTopic,
} from './api/describe-log-dirs'
export {
  type ElectionPartitionResult,
  type ElectionTopic,
  type ElectionTopicResult,
  type ElectLeadersRequest,
  type ElectLeadersResponse,
  electionType,
  electLeaders,
} from './api/elect-leaders'
export { type EndTxnRequest, type EndTxnResponse, endTxn } from './api/end-txn'
export {
  type AbortedTransaction,
  type FetchPartition,
  type FetchPartitionResult,
  type FetchRequest,
  type FetchResponse,
  type FetchTopic,
  type FetchTopicResult,
  type ForgottenTopic,
  fetchRecords,
} from './api/fetch'
export {
  coordinatorKind,
  type FindCoordinatorRequest,
  type FindCoordinatorResponse,
  findCoordinator,
} from './api/find-coordinator'
export { type HeartbeatRequest, type HeartbeatResponse, heartbeat } from './api/heartbeat'
export {
  type AlterableConfig,
  type AlterConfigsResource,
  type AlterConfigsResult,
  configOperation,
  configResource,
  type IncrementalAlterConfigsRequest,
  type IncrementalAlterConfigsResponse,
  incrementalAlterConfigs,
} from './api/incremental-alter-configs'
export { type InitProducerIdRequest, type InitProducerIdResponse, initProducerId } from './api/init-producer-id'
export {
  type JoinedMember,
  type JoinGroupRequest,
  type JoinGroupResponse,
  type JoinProtocol,
  joinGroup,
} from './api/join-group'
export {
  type LeaveGroupRequest,
  type LeaveGroupResponse,
  type LeavingMember,
  type LeftMember,
  leaveGroup,
} from './api/leave-group'
export {
  type ListedGroup,
  type ListGroupsResponse,
  listGroups,
} from './api/list-groups'
export {
  type ListOffsetsPartition,
  type ListOffsetsPartitionResult,
  type ListOffsetsRequest,
  type ListOffsetsResponse,
  type ListOffsetsTopic,
  type ListOffsetsTopicResult,
  listOffsets,
  offsetAt,
} from './api/list-offsets'
export {
  type MetadataBroker,
  type MetadataPartition,
  type MetadataRequest,
  type MetadataRequestTopic,
  type MetadataResponse,
  type MetadataTopic,
  metadata,
  noTopicId,
} from './api/metadata'
export {
  type OffsetCommitPartition,
  type OffsetCommitPartitionResult,
  type OffsetCommitRequest,
  type OffsetCommitResponse,
  type OffsetCommitTopic,
  type OffsetCommitTopicResult,
  offsetCommit,
} from './api/offset-commit'
export {
  type OffsetDeletePartitionResult,
  type OffsetDeleteRequest,
  type OffsetDeleteResponse,
  type OffsetDeleteTopic,
  type OffsetDeleteTopicResult,
  offsetDelete,
} from './api/offset-delete'
export {
  type OffsetFetchPartitionResult,
  type OffsetFetchRequest,
  type OffsetFetchResponse,
  type OffsetFetchTopic,
  type OffsetFetchTopicResult,
  offsetFetch,
} from './api/offset-fetch'
export {
  type LeaderEpochPartition,
  type LeaderEpochPartitionResult,
  type LeaderEpochTopic,
  type LeaderEpochTopicResult,
  type OffsetForLeaderEpochRequest,
  type OffsetForLeaderEpochResponse,
  offsetForLeaderEpoch,
} from './api/offset-for-leader-epoch'
export {
  type AlterPartitionReassignmentsRequest,
  type AlterPartitionReassignmentsResponse,
  alterPartitionReassignments,
  type ListedReassignmentTopic,
  type ListPartitionReassignmentsRequest,
  type ListPartitionReassignmentsResponse,
  listPartitionReassignments,
  type OngoingReassignment,
  type OngoingReassignmentTopic,
  type ReassignedPartition,
  type ReassignedTopic,
  type ReassignmentResult,
  type ReassignmentTopicResult,
} from './api/partition-reassignments'
export {
  type ProducePartition,
  type ProducePartitionResult,
  type ProduceRecordError,
  type ProduceRequest,
  type ProduceResponse,
  type ProduceTopic,
  type ProduceTopicResult,
  produce,
} from './api/produce'
export {
  type SaslAuthenticateRequest,
  type SaslAuthenticateResponse,
  type SaslHandshakeRequest,
  type SaslHandshakeResponse,
  saslAuthenticate,
  saslHandshake,
} from './api/sasl'
export {
  type MemberAssignment,
  type SyncGroupRequest,
  type SyncGroupResponse,
  syncGroup,
} from './api/sync-group'
export { type TxnOffsetCommitRequest, type TxnOffsetCommitResponse, txnOffsetCommit } from './api/txn-offset-commit'
export { type ByteCursor, createByteCursor } from './byte-cursor'
export { type ByteWriter, createByteWriter } from './byte-writer'
export { builtInCodecs } from './codec/built-in-codecs'
export {
  type Codec,
  type CompressionId,
  type CompressionName,
  compressionNames,
} from './codec/codec'
export { type AssignedTopic, readAssignment } from './consumer-assignment'
export { crc32c } from './crc32c'
export { murmur2 } from './murmur2'
export type { BatchHeader, BatchRecord, RecordBatch } from './record-batch'
export {
  controlKind,
  type DecodeOptions,
  decodeRecordBatch,
  defaultMaxUnpackedBytes,
  readBatchHeader,
  splitRecordBatches,
} from './record-batch-decode'
export {
  type BatchOptions,
  batchHeaderBytes,
  encodeCompressedBatch,
  encodeRecordBatch,
  type HeaderToWrite,
  type RecordToWrite,
  recordBytesAtMost,
  setProducer,
} from './record-batch-encode'
export {
  type Api,
  between,
  boolean,
  bytes,
  defineApi,
  type Field,
  type Fields,
  int8,
  int16,
  int32,
  int64,
  listOf,
  listOfStructs,
  nullableBytes,
  nullableListOf,
  nullableListOfStructs,
  nullableString,
  since,
  string,
  struct,
  tagged,
  uuid,
} from './schema'
export {
  sizeOfUnsignedVarint,
  sizeOfVarint,
  sizeOfVarlong,
  unzigzag,
  writeUnsignedVarint,
  writeVarint,
  writeVarlong,
  zigzag,
} from './varint'
export { WireError } from './wire-error'
