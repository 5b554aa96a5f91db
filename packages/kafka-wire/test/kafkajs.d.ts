// The parts of kafkajs that serve as the oracle. They have no types of their own.
declare module 'kafkajs/src/protocol/requests/produce/v7/request' {
  const request: (options: object) => { encode(): Promise<{ buffer: Buffer }> }
  export = request
}
declare module 'kafkajs/src/protocol/encoder' {
  const Encoder: {
    new (): { writeVarInt(value: number): { buffer: Buffer }; writeVarLong(value: number | bigint): { buffer: Buffer } }
    sizeOfVarInt(value: number): number
    sizeOfVarLong(value: number | bigint): number
  }
  export = Encoder
}
declare module 'kafkajs/src/protocol/decoder' {
  const Decoder: new (bytes: Buffer) => { readAll(): Buffer }
  export = Decoder
}
declare module 'kafkajs/src/protocol/recordBatch/v0/decoder' {
  const decode: (
    decoder: unknown,
  ) => Promise<{ records: { key: Buffer | null; value: Buffer | null; headers: Record<string, Buffer> }[] }>
  export = decode
}
declare module 'kafkajs/src/producer/partitioners/default/murmur2' {
  const murmur2: (key: string | Buffer) => number
  export = murmur2
}
