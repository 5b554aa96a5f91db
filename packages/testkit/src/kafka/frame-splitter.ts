import { PipeError } from '@pipe/core'

/** A stretch of one direction of a connection, never across a frame boundary. */
export interface FramePiece {
  /** The first bytes of the frame, on its first piece only (they are part of `bytes` too). */
  readonly header: Buffer | undefined
  readonly bytes: Buffer
  /** Whether the frame ends with this piece. */
  readonly last: boolean
}

/**
 * Splits a byte stream of length-prefixed Kafka frames without buffering more than `headerBytes` (length prefix included): the first
 * piece of a frame comes as soon as its header is complete, the rest as it arrives.
 *
 * @throws {@link PipeError} `PIPE_TESTKIT_FRAME` from the returned function when a frame is shorter than a header: not the Kafka protocol.
 */
export function frameSplitter(headerBytes: number): (chunk: Buffer) => FramePiece[] {
  let head: Buffer = Buffer.alloc(0)
  /** Bytes of the frame that have not come yet; 0 between frames. */
  let missing = 0
  return (chunk) => {
    const pieces: FramePiece[] = []
    let at = 0
    while (at < chunk.length) {
      if (missing > 0) {
        const bytes = chunk.subarray(at, at + missing)
        at += bytes.length
        missing -= bytes.length
        pieces.push({ header: undefined, bytes, last: missing === 0 })
        continue
      }
      const more = chunk.subarray(at, at + headerBytes - head.length)
      at += more.length
      head = head.length === 0 ? more : Buffer.concat([head, more])
      if (head.length < headerBytes) continue
      missing = head.readInt32BE(0) + 4 - headerBytes
      if (missing < 0) {
        throw new PipeError(
          'PIPE_TESTKIT_FRAME',
          `A frame of ${missing + headerBytes} bytes is too short for the Kafka protocol.`,
        )
      }
      pieces.push({ header: head, bytes: head, last: missing === 0 })
      head = Buffer.alloc(0)
    }
    return pieces
  }
}
