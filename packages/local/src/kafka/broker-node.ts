import type { BrokerTimers } from './broker-timers'
import type { ClusterImage, PartitionState } from './cluster-image'
import type { ControlledBroker, Controller } from './controller'
import type { ClusterFolder } from './disk/cluster-folder'
import type { FaultRules } from './faults/fault-rules'
import type { GroupCoordinator } from './group/coordinated-groups'
import type { Links } from './links'
import type { Replica } from './replica'
import type { SettingValues } from './settings'
import type { Timeline } from './timeline'
import type { TransactionCoordinator } from './transaction/transactional-producer'

/** Deletes and compacts on the clock of the runtime: an hour of virtual time ages a log by an hour. */
export interface Cleaner {
  /** Something was written, or a setting changed, that may make work earlier. */
  notice(dueAt: number): void
  /** A record was appended. */
  appended(replica: Replica, settings: SettingValues): void
  /** Does now what is due. */
  run(): void
  close(): void
}

/** What a broker shares with the others of its cluster. */
export interface BrokerHost {
  readonly settings: SettingValues
  readonly timeline: Timeline
  readonly links: Links
  readonly controller: Controller
  readonly faults: FaultRules
  /** Passwords by user, when clients must authenticate. */
  readonly users: ReadonlyMap<string, string> | undefined
  /** Time for records: the clock of the runtime. */
  now(): number
  topicValues(overrides: ReadonlyMap<string, string>): SettingValues
  readonly cleaner: Cleaner
  /** Where the logs are kept; `undefined` = in memory only. */
  readonly folder: ClusterFolder | undefined
  /** An id that no producer had before. */
  nextProducerId(): bigint
  /** Another broker; also one that is down. */
  broker(id: number): Broker | undefined
}

/** States of a broker. `paused`: it holds its connections and does nothing. */
export type BrokerState = 'running' | 'paused' | 'stopped'

/** Told when a broker begins or ceases to lead a partition. `replica` is absent when it ceased. */
export type LeadershipListener = (topic: string, partition: number, replica: Replica | undefined) => void

/** One broker: a listener, the replicas that lie on it, and what it knows of the cluster. */
export interface Broker extends ControlledBroker {
  readonly host: BrokerHost
  readonly port: number
  readonly state: BrokerState
  readonly timers: BrokerTimers
  readonly groups: GroupCoordinator
  readonly transactions: TransactionCoordinator
  readonly image: ClusterImage
  readonly replicas: readonly Replica[]
  replica(topic: string, partition: number): Replica | undefined
  /** What it knows of a partition. */
  partitionState(topic: string, partition: number): PartitionState | undefined
  topicSettings(topic: string): SettingValues
  /** Whether the controllers can be asked. */
  reachesController(): boolean
  onLeadership(listener: LeadershipListener): void
  wakeFollowers(): void
  wake(topic: string, partition: number): void
  /** Listens on its port, with the replicas it has, and joins. */
  start(port?: number): Promise<void>
  /** Ends at once. With `losesUnflushed`, what was not flushed is gone, as after a power cut. */
  kill(options?: { readonly losesUnflushed?: boolean }): Promise<void>
  /** Ends in good order: flushes, and hands its partitions over. */
  stop(): Promise<void>
  pause(): void
  resume(): void
  resetConnections(): void
}
