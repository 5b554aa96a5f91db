export {
  type ConnectionSettings,
  createKafka,
  type Kafka,
  type KafkaAuth,
  type KafkaLogEntry,
  type KafkaOptions,
} from './connect'
export type { Order } from './consumer/assignment'
export type { AnyTopic, ConsumedRecord, RawConsumedRecord, RecordOf, RecordPlace } from './consumer/consumed-record'
export type {
  BufferOptions,
  Consumer,
  ConsumerOptions,
  ConsumerStatus,
  GroupOptions,
  OffsetOptions,
} from './consumer/consumer'
export type { ConsumerEvent } from './consumer/consumer-event'
export { type DeadLetterOptions, deadLetterHeaders, type Origin, originOf } from './consumer/dead-letter'
export type { HandleContext } from './consumer/dispatcher'
export type { OutOfRangePolicy } from './consumer/ingest'
export type { FailureVerdict, RetryOptions } from './consumer/retry-policy'
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
export type { Compression } from './producer/compression'
export type { Durability, HandedOver, SendResult, Written } from './producer/durability'
export type { Message, Placement } from './producer/message'
export type { KeyPartitioner } from './producer/partitioner'
export type { FlushReport, LeftOver, Producer, SendOptions } from './producer/producer'
export type { ProducerEvent } from './producer/producer-event'
export type { ProducerOptions } from './producer/producer-options'
export {
  type Cleanup,
  defineTopic,
  type EncodedHeader,
  type EncodedRecord,
  type HeadersIn,
  type HeaderValue,
  type InputRecord,
  type OutputRecord,
  type RawHeader,
  type RawRecord,
  type RecordIn,
  type RecordOut,
  type Topic,
  type TopicOf,
  type TopicOptions,
} from './topic'
export type { HeaderContract, InputOf, KeyContract, OutputOf, StandardSchema, ValueContract } from './topic-codec'
