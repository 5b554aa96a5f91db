import { PassThrough, pipeline, Readable } from 'node:stream'
import { constants, crc32, createGzip, createInflateRaw, inflateRawSync } from 'node:zlib'
import { type ByteReader, byteReader } from '../byte-reader'

/** Why the rest of a file could not be decoded. What came before it has been delivered. */
export interface DecodeFault {
  /** One clause: `the gzip data is cut off`. */
  readonly reason: string
  /** Whether the last line delivered may be cut in the middle. */
  readonly mayCutLine: boolean
}

/** Bytes after decompression, and what went wrong, known once the bytes have all been read. */
export interface DecodedBytes {
  readonly chunks: AsyncIterable<Uint8Array>
  /** `undefined` when everything was decoded. Only after `chunks` has ended. */
  fault(): DecodeFault | undefined
}

/** How a file is packed, told by its first bytes, never by its name. */
export type Packing = 'plain' | 'gzip' | 'zstd' | 'bzip2'

/** Tells the packing from the first bytes of a file. */
export function packingOf(start: Uint8Array): Packing {
  if (start[0] === 0x1f && start[1] === 0x8b) return 'gzip'
  if (start[0] === 0x28 && start[1] === 0xb5 && start[2] === 0x2f && start[3] === 0xfd) return 'zstd'
  // "BZh", the block size, then the magic number of a block.
  if (start[0] === 0x42 && start[1] === 0x5a && start[2] === 0x68 && start[4] === 0x31 && start[5] === 0x41) return 'bzip2'
  return 'plain'
}

/** Default of `maxBytes`, 4 GiB: more than any raw file of a pipeline, and an end to a decompression bomb. */
export const defaultMaxBytes: number = 4 * 1024 ** 3

/** Input is fed in pieces of this size, so that the output of the pieces before a damaged one is safe. */
const pieceBytes = 16 * 1024
/** Compressed bytes kept of a member to find the exact place of damage; beyond, damage costs up to one piece of readable input. */
const keptBytes = 1024 * 1024
/** Input at hand up to this size is decoded in one synchronous call (0.1 ms instead of a stream's set-up for a small file) … */
const syncInputBytes = 64 * 1024
/** … unless its output is larger than this. */
const syncOutputBytes = 4 * 1024 * 1024

/**
 * Gunzips, member by member. Everything that can be decoded is delivered: a cut or damaged member ends the bytes with a fault instead of
 * an exception, as do bytes behind the last member that are no gzip (zero padding is fine), and more than `maxBytes` of output.
 *
 * Members are framed here and inflated raw: zlib's own gunzip silently drops what follows the last member, and drops on an error what it
 * had decoded of the same piece. Errors of the source (network, abort) are thrown.
 */
export function gunzipBytes(source: AsyncIterable<Uint8Array>, options: { readonly maxBytes?: number } = {}): DecodedBytes {
  const maxBytes = options.maxBytes ?? defaultMaxBytes
  let fault: DecodeFault | undefined
  return { chunks: decode(), fault: () => fault }

  async function* decode(): AsyncGenerator<Uint8Array> {
    const input = byteReader(source)
    let total = 0
    try {
      for (;;) {
        if (input.taken > 0) await skipZeros(input)
        if (!(await input.fill(1))) return
        const header = await takeHeader(input)
        if (header !== undefined) {
          fault =
            input.taken > 0
              ? { reason: 'behind the last gzip member stand bytes that are no gzip', mayCutLine: false }
              : { reason: header, mayCutLine: true }
          return
        }
        const member = inflateMember(input)
        for await (const bytes of member.chunks) {
          total += bytes.length
          if (total > maxBytes) {
            fault = { reason: `the file is larger than ${maxBytes} bytes after decompression`, mayCutLine: true }
            const allowed = bytes.length - (total - maxBytes)
            if (allowed > 0) yield bytes.subarray(0, allowed)
            return
          }
          yield bytes
        }
        fault = member.fault()
        if (fault !== undefined) return
      }
    } finally {
      await input.close()
    }
  }
}

async function skipZeros(input: ByteReader): Promise<void> {
  while (await input.fill(1)) {
    const bytes = input.peek()
    let zeros = 0
    while (zeros < bytes.length && bytes[zeros] === 0) zeros++
    input.take(zeros)
    if (zeros < bytes.length) return
  }
}

const cutOff = 'the gzip data is cut off'

/** Takes the header of a member (RFC 1952 §2.3). Takes nothing and returns the reason when it is none. */
async function takeHeader(input: ByteReader): Promise<string | undefined> {
  if (!(await input.fill(10))) {
    const start = input.peek()
    return start[0] === 0x1f && (start.length < 2 || start[1] === 0x8b) ? cutOff : 'it is no gzip data'
  }
  const flags = input.peek()[3]!
  const start = input.peek()
  if (start[0] !== 0x1f || start[1] !== 0x8b || start[2] !== 8 || (flags & 0xe0) !== 0) return 'it is no gzip data'
  let length = 10
  if (flags & 4) {
    if (!(await input.fill(length + 2))) return cutOff
    length += 2 + input.peek().readUInt16LE(length)
  }
  // Name, then comment: each ends with a zero byte.
  for (const flag of [8, 16]) {
    if (!(flags & flag)) continue
    let end = -1
    for (let wanted = length + 1; end < 0; wanted = input.peek().length + 1) {
      if (wanted > length + keptBytes || !(await input.fill(wanted))) return cutOff
      end = input.peek().indexOf(0, length)
    }
    length = end + 1
  }
  if (flags & 2) length += 2
  if (!(await input.fill(length))) return cutOff
  input.take(length)
  return undefined
}

/** Inflates the body of one member and checks its trailer. Takes exactly the bytes of the member. */
function inflateMember(input: ByteReader): DecodedBytes {
  let fault: DecodeFault | undefined
  let checksum = 0
  let length = 0
  return { chunks: inflate(), fault: () => fault }

  async function* inflate(): AsyncGenerator<Uint8Array> {
    const whole = await inflateAtOnce(input)
    if (whole !== undefined) {
      note(whole)
      if (whole.length > 0) yield whole
    } else {
      for await (const bytes of inflateInPieces(input, (reason) => (fault = { reason, mayCutLine: true }))) {
        note(bytes)
        yield bytes
      }
      if (fault !== undefined) return
    }
    if (!(await input.fill(8))) {
      input.take(input.peek().length)
      fault = { reason: cutOff, mayCutLine: true }
      return
    }
    const trailer = input.peek()
    const isGood = trailer.readUInt32LE(0) === checksum >>> 0 && trailer.readUInt32LE(4) === length % 2 ** 32
    input.take(8)
    if (!isGood) fault = { reason: 'the checksum of the gzip data is wrong', mayCutLine: false }
  }

  function note(bytes: Uint8Array): void {
    checksum = crc32(bytes, checksum)
    length += bytes.length
  }
}

/** The whole body when it is small and sound, in one call; else `undefined`, with nothing taken. */
async function inflateAtOnce(input: ByteReader): Promise<Buffer | undefined> {
  if (await input.fill(syncInputBytes + 1)) return undefined
  try {
    // `info` returns the engine beside the bytes; the types do not know that.
    const { buffer, engine } = inflateRawSync(input.peek(), {
      info: true,
      maxOutputLength: syncOutputBytes,
    } as object) as unknown as { buffer: Buffer; engine: { bytesWritten: number } }
    input.take(engine.bytesWritten)
    return buffer
  } catch (error) {
    // Cut, damaged or large: the way in pieces delivers what can be read and says what is wrong.
    if (error instanceof RangeError || typeof (error as { code?: unknown }).code === 'string') return undefined
    throw error
  }
}

async function* inflateInPieces(input: ByteReader, fail: (reason: string) => void): AsyncGenerator<Uint8Array> {
  const stream = createInflateRaw()
  let error: Error | undefined
  let hasEnded = false
  stream.on('error', (cause) => (error = cause))
  stream.on('end', () => (hasEnded = true))
  const kept: Buffer[] = []
  let fed = 0
  let delivered = 0
  try {
    for (;;) {
      if (!(await input.fill(1))) return fail(cutOff)
      const piece = input.peek().subarray(0, pieceBytes)
      fed += piece.length
      if (fed <= keptBytes) kept.push(Buffer.from(piece))
      const output = await writeAndDrain(stream, piece, () => error)
      if (error !== undefined) {
        if (fed <= keptBytes) {
          const rest = decodablePart(Buffer.concat(kept)).subarray(delivered)
          if (rest.length > 0) yield rest
        }
        return fail(`the gzip data is damaged (${(error as Error).message})`)
      }
      for (const bytes of output) {
        delivered += bytes.length
        yield bytes
      }
      if (stream.bytesWritten < fed || hasEnded) {
        input.take(piece.length - (fed - stream.bytesWritten))
        return
      }
      input.take(piece.length)
    }
  } finally {
    stream.destroy()
  }
}

/** Writes one piece and returns all of its output, or what was read until an error. */
function writeAndDrain(
  stream: Readable & NodeJS.WritableStream,
  piece: Buffer,
  error: () => Error | undefined,
): Promise<Uint8Array[]> {
  return new Promise((resolve) => {
    const output: Uint8Array[] = []
    const drain = () => {
      for (let bytes = stream.read() as Buffer | null; bytes !== null; bytes = stream.read() as Buffer | null) output.push(bytes)
    }
    const finish = () => {
      drain()
      stream.off('readable', drain)
      stream.off('close', finish)
      resolve(output)
    }
    // Output beyond the high-water mark is made only after earlier output has been read.
    stream.on('readable', drain)
    stream.once('close', finish)
    stream.write(piece, () => {
      if (error() === undefined) finish()
    })
  })
}

/** Everything that can be decoded before the damage: the longest prefix of the input that inflates without an error. */
function decodablePart(input: Buffer): Buffer {
  const attempt = (length: number): Buffer | undefined => {
    try {
      // With a sync flush instead of a finish, input that merely ends is no error.
      return inflateRawSync(input.subarray(0, length), { finishFlush: constants.Z_SYNC_FLUSH })
    } catch {
      // Tells only that this prefix holds the damage.
      return undefined
    }
  }
  let low = 0
  let high = input.length
  let best: Buffer = Buffer.alloc(0)
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    const output = attempt(middle)
    if (output === undefined) high = middle - 1
    else {
      low = middle
      best = output
    }
  }
  return best
}

/** Gzips bytes as one member. Level 1 (fast) to 9 (small), default 6. */
export function gzipBytes(
  source: AsyncIterable<Uint8Array>,
  options: { readonly level?: number } = {},
): AsyncIterable<Uint8Array> {
  const gzip = createGzip({ level: options.level ?? 6 })
  const output = new PassThrough()
  // The error of either side ends the output, which throws it to the reader.
  pipeline(Readable.from(source, { objectMode: false }), gzip, output, (error) => error && output.destroy(error))
  return output
}
