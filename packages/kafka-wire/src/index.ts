export { type ApiVersionRange, type ApiVersionsRequest, type ApiVersionsResponse, apiVersions } from './api/api-versions'
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
  coordinatorKind,
  type FindCoordinatorRequest,
  type FindCoordinatorResponse,
  findCoordinator,
} from './api/find-coordinator'
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
  type ProducePartition,
  type ProducePartitionResult,
  type ProduceRecordError,
  type ProduceRequest,
  type ProduceResponse,
  type ProduceTopic,
  type ProduceTopicResult,
  produce,
} from './api/produce'
export { type ByteCursor, createByteCursor } from './byte-cursor'
export { type ByteWriter, createByteWriter } from './byte-writer'
export {
  builtInCodecs,
  type Codec,
  type CompressionId,
  type CompressionName,
  compressionNames,
} from './codec/codec'
export { crc32c } from './crc32c'
export { murmur2 } from './murmur2'
export {
  type BatchHeader,
  type BatchRecord,
  controlKind,
  type DecodeOptions,
  decodeRecordBatch,
  defaultMaxUnpackedBytes,
  type RecordBatch,
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
