/** Pulls bytes of a known or unknown number out of chunks of any size. */
export interface ByteReader {
  /** Bytes taken so far. */
  readonly taken: number
  /** Waits until `count` bytes are at hand; `false` when the source ends before (fewer may be there). */
  fill(count: number): Promise<boolean>
  /** The bytes at hand, at least as many as {@link fill} was asked for. Valid until the next call. */
  peek(): Buffer
  /** Takes bytes that are at hand. */
  take(count: number): void
  /** Ends the source early. */
  close(): Promise<void>
}

/** A {@link ByteReader} over chunks. */
export function byteReader(source: AsyncIterable<Uint8Array>): ByteReader {
  const iterator = source[Symbol.asyncIterator]()
  let buffer: Buffer = Buffer.alloc(0)
  let taken = 0
  let hasEnded = false
  return {
    get taken() {
      return taken
    },
    async fill(count) {
      const added: Uint8Array[] = []
      let length = buffer.length
      while (length < count && !hasEnded) {
        const next = await iterator.next()
        if (next.done) hasEnded = true
        else {
          added.push(next.value)
          length += next.value.length
        }
      }
      if (added.length > 0) {
        const [first] = added
        buffer =
          buffer.length === 0 && added.length === 1
            ? Buffer.from(first!.buffer, first!.byteOffset, first!.byteLength)
            : Buffer.concat([buffer, ...added])
      }
      return buffer.length >= count
    },
    peek: () => buffer,
    take(count) {
      buffer = buffer.subarray(count)
      taken += count
    },
    async close() {
      hasEnded = true
      await iterator.return?.()
    },
  }
}
