/** What {@link ProduceClient}s are made with. */
export interface ProduceSettings {
  readonly brokers: readonly string[]
  readonly topic: string
  readonly partitions: number
  /** Messages of a batch. Every client waits for the answer to a batch before it sends the next one of its partition. */
  readonly batchRecords: number
}

/** Where a message is. */
export interface Place {
  readonly partition: number
  readonly offset: number
}

/** A client under measurement: acks all. */
export interface ProduceClient {
  /** Sends messages to one partition as one batch; resolves with the offset of each. */
  sendBatch(partition: number, values: readonly Buffer[]): Promise<readonly number[]>
  /** Sends one message, to whatever partition. */
  sendOne(value: Buffer): Promise<Place>
  close(): Promise<void>
}

/** Opens a client and connects it. */
export type OpenProduceClient = (settings: ProduceSettings) => Promise<ProduceClient>

/** Offsets of a batch that lies in one piece from `base` on. */
export function offsetsFrom(base: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => base + i)
}
