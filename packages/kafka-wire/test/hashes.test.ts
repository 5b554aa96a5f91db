import fc from 'fast-check'
import kafkajsMurmur2 from 'kafkajs/src/producer/partitioners/default/murmur2'
import { describe, expect, it } from 'vitest'
import { xxhash32 } from '../src/codec/xxhash32'
import { crc32c, murmur2 } from '../src/index'

describe('murmur2', () => {
  // Computed with the DefaultPartitioner of kafkajs 2.2.4: hash, and the partition of 3, 6, 12 and 50.
  it.each([
    ['', 275646681, [0, 3, 9, 31]],
    ['a', -1563381124, [1, 4, 4, 24]],
    ['ab', 316155434, [2, 2, 2, 34]],
    ['abc', 479470107, [0, 3, 3, 7]],
    ['abcd', -1323649548, [2, 2, 8, 0]],
    ['21', -973932308, [0, 0, 0, 40]],
    ['foobar', -790332482, [0, 0, 6, 16]],
    ['a-little-bit-long-string', -985981536, [2, 2, 8, 12]],
    ['a-little-bit-longer-string', -1486304829, [2, 5, 11, 19]],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971, [2, 5, 5, 27]],
    ['user-42', 1459644460, [1, 4, 4, 10]],
    ['zażółć', 2056704, [0, 0, 0, 4]],
    ['日本', -700811021, [0, 3, 3, 27]],
    ['0', 971027396, [2, 2, 8, 46]],
    [Buffer.from('fffe0080', 'hex'), 1904227184, [2, 2, 8, 34]],
    [Buffer.from([0]), 375494588, [2, 2, 8, 38]],
  ])('of %s', (key, hash, partitions) => {
    const bytes = Buffer.from(key as string)
    expect(murmur2(bytes)).toBe(hash)
    expect([3, 6, 12, 50].map((count) => (murmur2(bytes) & 0x7fffffff) % count)).toEqual(partitions)
  })

  it('is that of kafkajs, wherever the bytes stand', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat({ max: 5 }), (bytes, before) => {
        const padded = Buffer.concat([Buffer.alloc(before, 1), bytes, Buffer.alloc(3, 2)])
        expect(murmur2(padded, before, before + bytes.length)).toBe(kafkajsMurmur2(Buffer.from(bytes)))
      }),
    )
  })
})

describe('crc32c', () => {
  // RFC 3720 B.4
  it.each([
    [Buffer.alloc(32), 0x8a9136aa],
    [Buffer.alloc(32, 0xff), 0x62a8ab43],
    [Buffer.from(Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e],
    [Buffer.from(Array.from({ length: 32 }, (_, i) => 31 - i)), 0x113fdb5c],
    [Buffer.from('123456789'), 0xe3069283],
    [Buffer.alloc(0), 0],
  ])('of %#', (bytes, expected) => {
    expect(crc32c(bytes)).toBe(expected)
  })
})

describe('crc32c of many bytes', () => {
  it('goes on where an earlier part ended', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), (bytes, cut) => {
        const end = Math.min(cut, bytes.length)
        expect(crc32c(bytes, end, bytes.length, crc32c(bytes, 0, end))).toBe(crc32c(bytes))
      }),
    )
  })

  it('is that of the definition, bit by bit, wherever the bytes stand', () => {
    const byDefinition = (bytes: Uint8Array) => {
      let crc = 0xffffffff
      for (const byte of bytes) {
        crc ^= byte
        for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
      }
      return ~crc >>> 0
    }
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 400, size: 'max' }),
        fc.nat({ max: 17 }),
        fc.nat({ max: 9 }),
        (bytes, before, after) => {
          const padded = Buffer.concat([Buffer.alloc(before, 1), bytes, Buffer.alloc(after, 2)])
          expect(crc32c(padded, before, before + bytes.length)).toBe(byDefinition(bytes))
          // A view that itself begins anywhere.
          expect(crc32c(padded.subarray(before, before + bytes.length))).toBe(byDefinition(bytes))
        },
      ),
    )
  })
})

describe('xxhash32', () => {
  // Values of the reference implementation (xxhsum -H0), seed 0.
  it.each([
    ['', 0x02cc5d05],
    ['a', 0x550d7456],
    ['abc', 0x32d153ff],
    ['Nobody inspects the spammish repetition', 0xe2293b2f],
  ])('of %s', (text, expected) => {
    expect(xxhash32(Buffer.from(text))).toBe(expected)
  })
})
