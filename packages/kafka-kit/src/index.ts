export {
  type ConnectionSettings,
  createKafka,
  type Kafka,
  type KafkaAuth,
  type KafkaLogEntry,
  type KafkaOptions,
} from './connect'
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
export type { KeyPartitioner } from './producer/partitioner'
export type {
  FlushReport,
  LeftOver,
  Message,
  Placement,
  Producer,
  ProducerOptions,
  SendOptions,
} from './producer/producer'
export type { ProducerEvent } from './producer/producer-event'
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
