/** A partition, as both kinds of clusters tell it. */
export interface TargetPartition {
  readonly partition: number
  readonly leader: number
  readonly inSync: readonly number[]
}

/** A cluster of three brokers (1, 2, 3), real or embedded: what the shared suites need of it. */
export interface KafkaTarget {
  readonly name: 'embedded' | 'real'
  /** Address by broker id. */
  address(broker: number): string
  readonly bootstrap: readonly string[]
  createTopic(name: string, options?: TargetTopic): Promise<void>
  partitions(topic: string): Promise<readonly TargetPartition[]>
  waitFor(topic: string, holds: (partitions: readonly TargetPartition[]) => boolean): Promise<void>
  kill(broker: number): Promise<void>
  restart(broker: number): Promise<void>
  pause(broker: number): void
  resume(broker: number): void
}

/** Options of `createTopic`; one partition on all brokers unless it says otherwise. */
export interface TargetTopic {
  readonly partitions?: number
  readonly replicationFactor?: number
  readonly settings?: Readonly<Record<string, string>>
}

let topics = 0

/** A name that no other test uses. */
export function freshName(what: string): string {
  topics += 1
  return `${what}-${process.pid}-${topics}`
}
