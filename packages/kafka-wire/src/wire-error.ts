/** Bytes that are not what the protocol says they must be: cut off, a length that runs past the end, a checksum that does not fit. */
export class WireError extends Error {
  readonly code: 'PIPE_KAFKA_WIRE' = 'PIPE_KAFKA_WIRE'

  constructor(message: string) {
    super(`PIPE_KAFKA_WIRE ${message}`)
    this.name = 'WireError'
  }
}
