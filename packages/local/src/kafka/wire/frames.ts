/** A frame that cannot be: the connection ends, as Kafka ends it (InvalidReceiveException). */
export class FrameError extends Error {}

/** Splits a byte stream into frames; holds no more than the frame that is under way. */
export interface FrameSplitter {
  /** @throws {@link FrameError} for a length below a request header's or above the limit. */
  push(chunk: Buffer): void
  /** The next whole frame, without its length; `undefined` when it has not arrived yet. */
  next(): Buffer | undefined
}

/** Api key, version and correlation id. */
const smallestFrame = 8
/** Chunks below this size are joined, up to the size below. */
const smallChunk = 512
const joinedBytes = 16_384

/** `maxBytes` is `socket.request.max.bytes`. */
export function createFrameSplitter(maxBytes: number): FrameSplitter {
  const parts: Buffer[] = []
  let have = 0

  /** Length of the frame at the front; −1 before its four bytes are there. */
  function length(): number {
    if (have < 4) return -1
    if (parts[0]!.length < 4) parts.splice(0, parts.length, Buffer.concat(parts, have))
    const size = parts[0]!.readInt32BE(0)
    if (size < smallestFrame || size > maxBytes)
      throw new FrameError(`A frame of ${size} bytes; ${smallestFrame} to ${maxBytes} are read.`)
    return size
  }
  return {
    push(chunk) {
      const last = parts[parts.length - 1]
      // A client that sends byte by byte must not cost an object a byte.
      if (last && chunk.length < smallChunk && last.length + chunk.length <= joinedBytes)
        parts[parts.length - 1] = Buffer.concat([last, chunk])
      else parts.push(chunk)
      have += chunk.length
      length()
    },
    next() {
      const size = length()
      if (size < 0 || have < 4 + size) return undefined
      // Joined once, when the frame is whole: a large one comes in hundreds of chunks.
      const all = parts.length === 1 ? parts[0]! : Buffer.concat(parts, have)
      const end = 4 + size
      parts.length = 0
      have = all.length - end
      if (have > 0) parts.push(all.subarray(end))
      return all.subarray(4, end)
    },
  }
}
