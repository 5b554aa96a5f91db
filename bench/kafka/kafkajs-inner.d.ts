// The encoder of kafkajs, which has no types of its own.
declare module 'kafkajs/src/protocol/recordBatch/v0/index.js' {
  export function RecordBatch(options: object): Promise<{ readonly buffer: Buffer }>
}
declare module 'kafkajs/src/protocol/recordBatch/record/v0/index.js' {
  const encodeRecord: (options: object) => { readonly buffer: Buffer }
  export = encodeRecord
}
