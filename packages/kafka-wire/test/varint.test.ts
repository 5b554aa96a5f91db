import fc from 'fast-check'
import Encoder from 'kafkajs/src/protocol/encoder'
import { describe, expect, it } from 'vitest'
import {
  createByteCursor,
  sizeOfUnsignedVarint,
  sizeOfVarint,
  sizeOfVarlong,
  writeUnsignedVarint,
  writeVarint,
  writeVarlong,
} from '../src/index'

const int32 = fc.oneof(fc.integer(), fc.constantFrom(0, -1, 1, 63, 64, -64, -65, 2 ** 31 - 1, -(2 ** 31)))
const int53 = fc.oneof(
  fc.maxSafeInteger(),
  fc.constantFrom(0, 2 ** 30, -(2 ** 30) - 1, 2 ** 31, Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER),
)

describe('varints', () => {
  it('are those of kafkajs', () => {
    fc.assert(
      fc.property(int32, (value) => {
        const bytes = Buffer.alloc(10)
        const written = bytes.subarray(0, writeVarint(bytes, 0, value))
        expect(written).toEqual(new Encoder().writeVarInt(value).buffer)
        expect(sizeOfVarint(value)).toBe(written.length)
        expect(createByteCursor(written, 'x').varint()).toBe(value)
      }),
      { numRuns: 2000 },
    )
  })

  it('of 64 bits are those of kafkajs', () => {
    fc.assert(
      fc.property(int53, (value) => {
        const bytes = Buffer.alloc(10)
        const written = bytes.subarray(0, writeVarlong(bytes, 0, value))
        expect(written).toEqual(new Encoder().writeVarLong(BigInt(value)).buffer)
        expect(sizeOfVarlong(value)).toBe(written.length)
        expect(createByteCursor(written, 'x').varlong()).toBe(BigInt(value))
      }),
      { numRuns: 2000 },
    )
  })

  it('without a sign come back', () => {
    fc.assert(
      fc.property(fc.oneof(fc.nat({ max: 0xffffffff }), fc.constantFrom(0, 127, 128, 0xffffffff)), (value) => {
        const bytes = Buffer.alloc(10)
        const written = bytes.subarray(0, writeUnsignedVarint(bytes, 0, value))
        expect(sizeOfUnsignedVarint(value)).toBe(written.length)
        expect(createByteCursor(written, 'x').unsignedVarint()).toBe(value)
      }),
    )
  })

  it('that are too long or cut off are refused', () => {
    expect(() => createByteCursor(Buffer.alloc(6, 0xff), 'The thing').varint()).toThrow(
      /The thing has a varint of more than 32 bits/,
    )
    expect(() => createByteCursor(Buffer.alloc(11, 0xff), 'The thing').varlong()).toThrow(/more than 64 bits/)
    expect(() => createByteCursor(Buffer.from([0x80]), 'The thing').varint()).toThrow(/ends too early/)
    const smallest = Buffer.from([...Array(9).fill(0xff), 0x01])
    expect(createByteCursor(smallest, 'x').varlong()).toBe(-(2n ** 63n))
  })
})
