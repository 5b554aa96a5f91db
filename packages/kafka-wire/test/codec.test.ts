import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { xxhash32 } from '../src/codec/xxhash32'
import { builtInCodecs } from '../src/index'

const compressible = fc
  .array(fc.constantFrom('{"device":"d1",', '"metric":1.5}', 'aaaaaaaaaaaaaaaaaaaa', 'x', '\u00e9'), { maxLength: 9000 })
  .map((parts) => Buffer.from(parts.join('')))
const random = fc.uint8Array({ maxLength: 3000 }).map((bytes) => Buffer.from(bytes))

describe.each([...builtInCodecs.values()])('$name', (codec) => {
  it('comes back', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(compressible, random), async (bytes) => {
        const packed = await codec.compress(bytes)
        expect(Buffer.from(codec.decompress(packed, bytes.length + 1)).equals(bytes)).toBe(true)
      }),
      { numRuns: 150 },
    )
  })

  it('comes back in many blocks, packed well', async () => {
    const text = Buffer.from(
      Array.from({ length: 20_000 }, (_, i) => `{"device":"device-${i % 50}","metric":${i * 7}}`).join('\n'),
    )
    const packed = await codec.compress(text)
    expect(packed.length).toBeLessThan(text.length / 2)
    expect(Buffer.from(codec.decompress(packed, text.length)).equals(text)).toBe(true)
  })

  it('never unpacks to more than it may', async () => {
    const bomb = await codec.compress(Buffer.alloc(4 * 1024 * 1024))
    expect(() => codec.decompress(bomb, 1024 * 1024)).toThrow(/PIPE_KAFKA_WIRE .*more than 1048576 bytes/)
  })

  it('refuses damaged bytes, or unpacks something; it never runs away', async () => {
    const packed = Buffer.from(await codec.compress(Buffer.from('{"device":"d1","metric":1.5}'.repeat(40))))
    fc.assert(
      fc.property(fc.nat({ max: packed.length - 1 }), fc.nat({ max: 255 }), fc.nat({ max: packed.length }), (at, byte, end) => {
        const damaged = Buffer.from(packed)
        damaged[at] = byte
        try {
          expect(codec.decompress(damaged.subarray(0, end), 64 * 1024).length).toBeLessThanOrEqual(64 * 1024)
        } catch (error) {
          expect((error as Error).message).toMatch(/^PIPE_KAFKA_WIRE/)
        }
      }),
      { numRuns: 2000 },
    )
  })
})

describe('bytes of other writers', () => {
  it('plain snappy, as librdkafka writes it', () => {
    // "Wikipedia" + a copy of 9 bytes at distance 9.
    const block = Buffer.from([18, (9 - 1) << 2, ...Buffer.from('Wikipedia'), 2 | ((9 - 1) << 2), 9, 0])
    expect(Buffer.from(builtInCodecs.get(2)!.decompress(block, 100)).toString()).toBe('WikipediaWikipedia')
  })
  it('an lz4 frame with linked blocks, block checksums, content size and content checksum', () => {
    const frame = lz4Frame(['hello ', 'hello hello hello'])
    expect(Buffer.from(builtInCodecs.get(3)!.decompress(frame, 100)).toString()).toBe('hello hello hello hello')
    frame[frame.length - 1]! ^= 1
    expect(() => builtInCodecs.get(3)!.decompress(frame, 100)).toThrow(/checksum/)
  })
})

/** Two blocks: the first stored, the second one match that reaches into the first. */
function lz4Frame([first, second]: [string, string]): Buffer {
  const header = Buffer.alloc(10)
  header[0] = 0x40 | 0x10 | 0x08 | 0x04
  header[1] = 0x40
  header.writeBigUInt64LE(BigInt(first.length + second.length), 2)
  const number = (value: number) => {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32LE(value >>> 0)
    return bytes
  }
  // Token: no literal, match of 4 + 8 at distance 6; then five literals.
  const block = Buffer.from([0x08, 6, 0, 0x50, ...Buffer.from('hello')])
  const stored = Buffer.from(first)
  return Buffer.concat([
    number(0x184d2204),
    header,
    Buffer.from([(xxhash32(header) >>> 8) & 0xff]),
    number(stored.length | 0x80000000),
    stored,
    number(xxhash32(stored)),
    number(block.length),
    block,
    number(xxhash32(block)),
    number(0),
    number(xxhash32(Buffer.from(first + second))),
  ])
}
