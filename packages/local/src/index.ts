export { type App, type AppFunction, type AppKafka, type AppRule, applyApp, defineApp } from './app'
export type { AthenaFault, AthenaFaultRule, AthenaQuotas, LocalAthena } from './athena/controls'
export {
  type AdvanceOptions,
  type RealClock,
  type RealClockOptions,
  type RuntimeClock,
  realClock,
  type VirtualClock,
  virtualClock,
} from './clock'
export type { EventFailure } from './eventbridge/failures'
export type { EventTotals } from './eventbridge/totals'
export type { AuthorizedCall } from './iam/authorizer'
export type { LocalCredentials } from './iam/credentials'
export type { PolicyDocument, PolicyStatement } from './iam/policy'
export type {
  KafkaOptions,
  KafkaPartition,
  KafkaReplica,
  KafkaTimeline,
  KafkaTopicOptions,
  LocalKafka,
  StartKafkaOptions,
} from './kafka/cluster'
export type { KafkaApiName } from './kafka/faults/api-names'
export type { ActiveKafkaRule, KafkaFault, KafkaFaultRule } from './kafka/faults/fault-rule'
export type { KafkaFaults, KillOptions } from './kafka/faults/kafka-faults'
export { startKafka } from './kafka/start-kafka'
export type { KafkaEvent, KafkaHappening } from './kafka/timeline'
export type { TimelineOptions } from './kafka/timeline-text'
export type { DeployOptions, FunctionPermission } from './lambda/function-config'
export type { DeployedFunction, InvokeOptions } from './lambda/host'
export type { InvokeResult } from './lambda/invocation-log'
export type { LogEntry } from './lambda/log-buffer'
export { type Local, type LocalAws, type StartLocalOptions, startLocal } from './runtime'
