import { Readable } from 'node:stream'
import { gunzipSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { gunzipBytes, gzipBytes } from '../../src/format/compression'
import { splitLines } from '../../src/format/lines'
import { allBytes, bytesOf } from '../read-all'

async function gunzip(bytes: Uint8Array, chunkBytes = 65_536, maxBytes?: number) {
  const decoded = gunzipBytes(bytesOf(bytes, chunkBytes), maxBytes === undefined ? {} : { maxBytes })
  const content = await allBytes(decoded.chunks)
  return { content, fault: decoded.fault() }
}

// Text that compresses to about half, so that damage has somewhere to be.
const text = (bytes: number) => Buffer.from(Array.from({ length: bytes }, (_, i) => 32 + ((i * 7919 + ((i * i) >> 3)) % 90)))

describe('gunzip', () => {
  test('members one behind the other, in chunks of any size, with padding', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 3000 }), { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 400 }),
        async (parts, size) => {
          const packed = Buffer.concat([...parts.map((part) => gzipSync(part)), Buffer.alloc(size % 3)])
          const { content, fault } = await gunzip(packed, size)
          expect(fault).toBeUndefined()
          expect(content.equals(Buffer.concat(parts))).toBe(true)
        },
      ),
    )
  })

  test('a large file is streamed', async () => {
    const content = text(20_000_000)
    const found = await gunzip(await allBytes(gzipBytes(bytesOf(content))))
    expect(found.fault).toBeUndefined()
    expect(found.content.equals(content)).toBe(true)
  })

  test.each([3000, 300_000])('a cut anywhere gives all that zlib can decode of it (%i bytes)', async (length) => {
    const content = text(length)
    const packed = gzipSync(content)
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: packed.length - 1 }),
        fc.integer({ min: 50, max: 70_000 }),
        async (cut, size) => {
          const { content: found, fault } = await gunzip(packed.subarray(0, cut), size)
          expect(fault).toMatchObject({ mayCutLine: true, reason: 'the gzip data is cut off' })
          expect(content.subarray(0, found.length).equals(found)).toBe(true)
          // The same with zlib in one go, told to give what it has.
          const expected = cut < 18 ? 0 : gunzipSync(packed.subarray(0, cut), { finishFlush: 2 }).length
          expect(found.length).toBeGreaterThanOrEqual(expected)
        },
      ),
      { numRuns: 60 },
    )
  })

  test('damage costs what stands behind it, not before', async () => {
    const content = text(200_000)
    const packed = gzipSync(content)
    // Eight bytes of check sum and length stand behind the last byte of the data, whose last bits mean nothing.
    const place = fc.integer({ min: 20, max: packed.length - 1 }).filter((at) => at !== packed.length - 9)
    await fc.assert(
      fc.asyncProperty(place, fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const damaged = Buffer.from(packed)
        damaged[at]! ^= change
        const { content: found, fault } = await gunzip(damaged)
        expect(fault).toBeDefined()
        // What was decoded before the changed byte is right; 300 is more than a block header and the symbols in flight.
        const safe = gunzipSync(packed.subarray(0, at), { finishFlush: 2 }).length
        const equal = Math.min(found.length, safe)
        expect(found.subarray(0, equal).equals(content.subarray(0, equal))).toBe(true)
        expect(found.length).toBeGreaterThanOrEqual(safe - 300)
      }),
      { numRuns: 60 },
    )
  })

  test('garbage behind the last member, a bomb, and no gzip at all', async () => {
    const packed = gzipSync('hello')
    expect(await gunzip(Buffer.concat([packed, Buffer.from('garbage, long enough')]))).toMatchObject({
      content: Buffer.from('hello'),
      fault: { reason: 'behind the last gzip member stand bytes that are no gzip', mayCutLine: false },
    })
    const bomb = await gunzip(gzipSync(Buffer.alloc(50_000_000)), 65_536, 1000)
    expect(bomb.content).toHaveLength(1000)
    expect(bomb.fault?.reason).toContain('larger than 1000 bytes')
    expect((await gunzip(Buffer.from('no gzip at all'))).fault?.reason).toBe('it is no gzip data')
  })

  test('names, comments and extra fields in the header', async () => {
    const packed = gzipSync('hello')
    const header = Buffer.from(packed.subarray(0, 10))
    header[3] = 4 | 8 | 16
    const named = Buffer.concat([header, Buffer.from([3, 0, 1, 2, 3]), Buffer.from('a.txt\0comment\0'), packed.subarray(10)])
    expect(await gunzip(named, 1)).toEqual({ content: Buffer.from('hello'), fault: undefined })
  })

  test('an error of the source is thrown', async () => {
    const reason = new Error('mine')
    const source = Readable.from(
      (async function* () {
        yield gzipSync('hello').subarray(0, 12)
        throw reason
      })(),
    )
    await expect(allBytes(gunzipBytes(source).chunks)).rejects.toBe(reason)
    const failing = new Readable({ read: () => void failing.destroy(reason) })
    await expect(allBytes(gzipBytes(failing))).rejects.toBe(reason)
  })
})

describe('lines', () => {
  async function lines(content: string | Uint8Array, size: number, maxLineBytes?: number) {
    const found = []
    for await (const batch of splitLines(bytesOf(content, size), maxLineBytes === undefined ? {} : { maxLineBytes }))
      found.push(...batch)
    return found
  }

  test('any bytes in any chunks: every line with its number and offset, nothing lost', async () => {
    const part = fc.oneof(
      fc.constantFrom('\n', '\r\n', '\r', 'a', 'é', '😀', '\uFEFF').map((piece) => Buffer.from(piece)),
      fc.uint8Array({ maxLength: 3 }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 40 }), fc.integer({ min: 1, max: 20 }), async (parts, size) => {
        const bytes = Buffer.concat(parts)
        const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf
        let offset = hasMark ? 3 : 0
        const found = await lines(bytes, size)
        found.forEach((line, i) => {
          const next = bytes.indexOf(10, offset)
          const raw = bytes.subarray(offset, next < 0 ? bytes.length : next)
          const text = line.end === '\r\n' ? raw.subarray(0, -1) : raw
          expect(line).toMatchObject({ number: i + 1, offset, text: text.toString() })
          expect(line.fault === undefined).toBe(Buffer.from(line.text).equals(text))
          offset = next < 0 ? bytes.length : next + 1
        })
        expect(offset).toBe(bytes.length)
      }),
      { numRuns: 500 },
    )
  })

  test('a line that is too long is skipped, with its place', async () => {
    for (const size of [7, 100_000]) {
      const found = await lines(`a\n${'x'.repeat(20_000)}\nb\n${'y'.repeat(20_000)}`, size, 100)
      expect(found.map(({ number, offset, fault }) => [number, offset, fault])).toEqual([
        [1, 0, undefined],
        [2, 2, 'is longer than 100 bytes'],
        [3, 20_003, undefined],
        [4, 20_005, 'is longer than 100 bytes'],
      ])
      expect(found[1]!.text.length).toBeLessThan(5000)
    }
  })
})
