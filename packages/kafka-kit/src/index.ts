export { type AdviseOptions, adviseLag, type LagAdvice, type LagFinding } from './advise'
export { type BrokerView, type ClusterView, type ClusterViewOptions, clusterView, type PartitionView } from './cluster-view'
export {
  type ConnectionSettings,
  createKafka,
  type Kafka,
  type KafkaAuth,
  type KafkaLogEntry,
  type KafkaOptions,
  type ServerlessSettings,
} from './connect'
export type { Order } from './consumer/assignment'
export type { AnyTopic, ConsumedRecord, RawConsumedRecord, RecordOf, RecordPlace } from './consumer/consumed-record'
export type { Consumer, ConsumerStatus } from './consumer/consumer'
export type { ConsumerEvent } from './consumer/consumer-event'
export type { BufferOptions, ConsumerOptions, GroupOptions, Isolation, OffsetOptions } from './consumer/consumer-options'
export { type DeadLetterOptions, deadLetterHeaders, type Origin, originOf } from './consumer/dead-letter'
export type { HandleContext } from './consumer/handle-context'
export type { OutOfRangePolicy } from './consumer/ingest'
export {
  applyRedrive,
  planRedrive,
  type RedriveOptions,
  type RedrivePlan,
  type RedriveProgress,
  type RedriveRange,
  type RedriveResult,
} from './consumer/redrive'
export type { FailureVerdict, RetryOptions } from './consumer/retry-policy'
export { type RetryTopicOptions, retryHeaders } from './consumer/retry-topic'
export type { Leftover, StopReport } from './consumer/stop-report'
export {
  AmbiguousOutcomeError,
  BufferFullError,
  type FailedOutcome,
  KafkaError,
  type KafkaErrorDetails,
  NotWrittenError,
  PartialSendError,
  type UndeliveredDetails,
} from './errors'
export type { GroupMember, GroupState } from './group-state'
export type { EncodedHeader, HeadersIn, HeaderValue, RawHeader } from './header-codec'
export { type LagOptions, lagOf, type WatchLagOptions, watchLag } from './lag'
export type { GroupLag, LagSample, LagStatus, PartitionLag, PartitionSample } from './lag-window'
export type { TopicPartition } from './leader-request'
export { type AwsCredentials, type MskIamAuth, type MskIamOptions, mskIam } from './msk-iam'
export { type Platform, type ServerlessConfig, serverlessLimits } from './msk-serverless'
export type { PartitionOffsets } from './offsets'
export { type MovedKey, movedKeys, movedShare } from './partition-growth'
export { type ElectedLeaders, type ElectOptions, electPreferredLeaders } from './preferred-leaders'
export type { Compression } from './producer/compression'
export type { Durability, HandedOver, SendResult, Written } from './producer/durability'
export type { Message, Placement } from './producer/message'
export type { KeyPartitioner } from './producer/partitioner'
export type { FlushReport, LeftOver, Producer, SendOptions } from './producer/producer'
export type { ProducerEvent } from './producer/producer-event'
export type { ProducerOptions } from './producer/producer-options'
export type { EncodedRecord, RawRecord } from './record-codec'
export { applyReplay, type ReplayApplyOptions, type ReplayReceipt, type UndoneReplay, undoReplay } from './replay-apply'
export { planReplay, type ReplayFrom, type ReplayOptions, type ReplayPartition, type ReplayPlan } from './replay-plan'
export { createKafkaToS3, type KafkaToS3, type SinkPartition, type SinkReport } from './sink/kafka-to-s3'
export type { SinkEvent } from './sink/sink-event'
export type { QuarantinedRecord } from './sink/sink-file'
export type { SinkFormat } from './sink/sink-format'
export type { KafkaToS3Options, RollOptions } from './sink/sink-options'
export {
  type Cleanup,
  defineTopic,
  type InputRecord,
  type OutputRecord,
  type RecordIn,
  type RecordOut,
  type ServerlessTopicOptions,
  type Topic,
  type TopicOf,
  type TopicOptions,
} from './topic'
export { type AppliedTopics, type ApplyDetails, type ApplyTopicsOptions, applyTopics } from './topic-apply'
export type { HeaderContract, InputOf, KeyContract, OutputOf, StandardSchema, ValueContract } from './topic-codec'
export { offsetsOf } from './topic-offsets'
export {
  type AllowedLoss,
  type ConfigChange,
  type PlannedTopic,
  type PlanTopicsOptions,
  planTopics,
  type TopicAction,
  type TopicPlan,
  type TopicRefusal,
} from './topic-plan'
export type { TopicState } from './topic-state'
export type { Transform } from './transaction/transform'
export type { TransformEvent } from './transaction/transform-event'
export type {
  TransformBufferOptions,
  TransformMessage,
  TransformOptions,
  TransformOutput,
  TransformTarget,
  TransformTiming,
} from './transaction/transform-options'
