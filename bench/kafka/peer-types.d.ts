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
      partition: number,
      value: Buffer,
      key: string | null,
      timestamp: number | undefined,
      opaque: Delivered,
    ): void
  }
  // CommonJS: Node finds no names in it.
  const rdkafka: { readonly Producer: typeof Producer }
  export = rdkafka
}
declare module '@platformatic/kafka' {
  export const ProduceAcks: { readonly ALL: number }
  export class Producer {
    constructor(options: { clientId: string; bootstrapBrokers: string[]; acks: number })
    send(options: { messages: { topic: string; partition: number; value: Buffer }[] }): Promise<{
      offsets?: { topic: string; partition: number; offset: bigint }[]
    }>
    close(): Promise<void>
  }
}
