/** State of one partition, as the controllers decided it. */
export interface PartitionState {
  /** Broker ids; the first one is the preferred leader. */
  readonly replicas: readonly number[]
  readonly inSync: readonly number[]
  /** Broker id; −1 while there is none. */
  readonly leader: number
  /** Grows with every new leader. */
  readonly leaderEpoch: number
  /** A reassignment that is under way: the replicas before it and after it. */
  readonly move?: { readonly from: readonly number[]; readonly to: readonly number[] } | undefined
}

/** State of one topic. */
export interface TopicState {
  readonly name: string
  /** 32 hexadecimal digits. */
  readonly id: string
  readonly isInternal: boolean
  readonly partitions: readonly PartitionState[]
  /** Settings that were given for it. */
  readonly overrides: ReadonlyMap<string, string>
}

/** What a broker knows of the cluster: the state itself, or, cut off from the controllers, an old one. */
export interface ClusterImage {
  readonly topics: ReadonlyMap<string, TopicState>
  /** Brokers that take part. */
  readonly alive: readonly number[]
}

/** Topics that hold the state of coordinators. */
export const offsetsTopic = '__consumer_offsets'
/** See {@link offsetsTopic}. */
export const transactionsTopic = '__transaction_state'
