/** What may happen to requests of an API at one broker. */
export type TargetFault = {
  readonly api: 'Produce' | 'OffsetCommit' | 'EndTxn'
  /** So many pass first. Default 0. */
  readonly skip?: number
  /** So many are hit. Default 1. */
  readonly times?: number
} & (
  | { readonly fault: 'drop-response' }
  | { readonly fault: 'reset'; readonly on: 'response' }
  /** Of the response. */
  | { readonly fault: 'cut'; readonly afterBytes: number }
  | { readonly fault: 'hold'; readonly on: 'request' | 'response' }
)

/** A fault at work. */
export interface ActiveFault {
  hits(): number
  /** Lets go of what a `hold` holds. */
  release(): void
}

/** A cluster of three brokers that can be broken, as scenarios see it. Brokers are named by their node ids. */
export interface FaultTarget extends AsyncDisposable {
  /** For the report: `Apache Kafka 4.4.0`. */
  readonly name: string
  readonly brokers: readonly number[]
  /** Addresses for clients that reach the brokers directly … */
  readonly bootstrap: readonly string[]
  /** … and for those whose every connection can be disturbed by `inject` and `resetConnections`. */
  readonly disturbedBootstrap: readonly string[]
  /** Three replicas, two of which must be in sync for a write. Resolves when every broker knows it. */
  createTopic(topic: string, partitions: number): Promise<void>
  /** Resolves when the new partitions have leaders. */
  growTopic(topic: string, partitions: number): Promise<void>
  deleteTopics(topics: readonly string[]): Promise<void>
  leaderOf(topic: string, partition: number): Promise<number>
  /** The broker that keeps the offsets of a group. */
  coordinatorOf(group: string): Promise<number>
  /** Waits until no partition of a topic is led by this broker. */
  ledByOthers(topic: string, broker: number): Promise<void>
  /** Waits until all replicas of a topic are in sync. */
  inSync(topic: string): Promise<void>
  /** A crash: what the operating system has of its log stays. */
  kill(broker: number): Promise<void>
  /** Starts brokers that were killed, on their logs. Resolves when they take part again. */
  restart(brokers: readonly number[]): Promise<void>
  /** It stands still; its connections stay open. */
  pause(broker: number): void
  resume(broker: number): void
  inject(broker: number, fault: TargetFault): ActiveFault
  resetConnections(broker: number): void
  /** All brokers run, no faults: whatever a scenario left behind. */
  heal(): Promise<void>
  close(): Promise<void>
}
