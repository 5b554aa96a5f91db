// Peers are not installed in the workspace: the few members that are used.
declare module 'node-rdkafka' {
  type Delivered = (error: Error | null, offset: number) => void
  class Producer {
    constructor(config: Readonly<Record<string, unknown>>)
    on(event: 'delivery-report', listener: (error: Error | null, report: { offset: number; opaque: Delivered }) => void): this
    connect(options: object, done: (error: Error | null) => void): this
    disconnect(done: () => void): this
    setPollInterval(ms: number): void
    produce(
      topic: string,
      partition: number | null,
      value: Buffer,
      key: string | null,
      timestamp?: number,
      opaque?: Delivered,
    ): void
  }
  class KafkaConsumer {
    constructor(config: Readonly<Record<string, unknown>>, topicConfig: Readonly<Record<string, unknown>>)
    connect(options: object, done: (error: Error | null) => void): this
    on(event: 'data', listener: (message: { value: Buffer }) => void): this
    subscribe(topics: string[]): this
    consume(): void
    /** `null`: what was read. */
    commitSync(offsets: null): void
    disconnect(done: () => void): this
  }
  // CommonJS: Node finds no names in it.
  const rdkafka: { readonly Producer: typeof Producer; readonly KafkaConsumer: typeof KafkaConsumer }
  export = rdkafka
}
declare module '@platformatic/kafka' {
  export const ProduceAcks: { readonly ALL: number }
  export class Producer {
    constructor(options: { clientId: string; bootstrapBrokers: string[]; acks: number })
    send(options: { messages: { topic: string; partition?: number; key?: Buffer; value: Buffer }[] }): Promise<{
      offsets?: { topic: string; partition: number; offset: bigint }[]
    }>
    close(): Promise<void>
  }
  export class Consumer {
    constructor(options: { clientId: string; bootstrapBrokers: string[]; groupId: string })
    consume(options: {
      topics: string[]
      mode: string
      autocommit: boolean
      sessionTimeout: number
    }): Promise<AsyncIterable<{ value: Buffer; partition: number; offset: bigint }>>
    commit(options: { offsets: { topic: string; partition: number; offset: bigint; leaderEpoch: number }[] }): Promise<void>
    close(force: boolean): Promise<void>
  }
}
