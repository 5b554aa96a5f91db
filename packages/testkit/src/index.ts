export { type ApiName, apiKeys, apiName } from './kafka/api-names'
export { defaultKafkaVersion, type KafkaAvailability, kafkaAvailability, kafkaVersions } from './kafka/artifacts'
export type { BrokerState } from './kafka/broker-process'
export {
  type KafkaBroker,
  type KafkaCluster,
  type KafkaClusterOptions,
  startKafkaCluster,
  type TopicOptions,
} from './kafka/cluster'
export type { PartitionState } from './kafka/cluster-probe'
export { type FaultProxy, type FaultProxyOptions, type ProxyMode, type ProxyTraffic, startFaultProxy } from './kafka/fault-proxy'
export type { ActiveRule, Fault, FaultRule } from './kafka/fault-rule'
export type { SecuredAccess } from './kafka/secured-listener'
export { type ProducedBatch, type StubBrokers, type StubBrokersOptions, startStubBrokers } from './kafka/stub-broker'
export type { StubRecord } from './kafka/stub-log'
export type { ActiveStubRule, StubRule } from './kafka/stub-script'
export { injectFaults, type NetworkFault } from './network-faults'
export { sharedData, sharedDataMissing } from './shared-data'
