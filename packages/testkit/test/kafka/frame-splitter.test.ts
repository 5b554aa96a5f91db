import fc from 'fast-check'
import { expect, test } from 'vitest'
import { frameSplitter } from '../../src/kafka/frame-splitter'

const frame = (body: Uint8Array) => {
  const bytes = Buffer.alloc(4 + body.length)
  bytes.writeInt32BE(body.length)
  bytes.set(body, 4)
  return bytes
}

test('however a stream is cut into chunks, the pieces are its frames', () => {
  const bodies = fc.array(fc.uint8Array({ minLength: 8, maxLength: 60 }), { minLength: 1, maxLength: 8 })
  const cuts = fc.array(fc.integer({ min: 1, max: 25 }), { minLength: 1, maxLength: 20 })
  fc.assert(
    fc.property(bodies, cuts, (all, sizes) => {
      const stream = Buffer.concat(all.map(frame))
      const split = frameSplitter(12)
      const frames: Buffer[] = []
      const headers: Buffer[] = []
      let open: Buffer[] = []
      for (let at = 0, turn = 0; at < stream.length; turn++) {
        const size = sizes[turn % sizes.length]!
        for (const piece of split(stream.subarray(at, at + size))) {
          expect(piece.header !== undefined).toBe(open.length === 0)
          if (piece.header) headers.push(piece.header)
          open.push(piece.bytes)
          if (!piece.last) continue
          frames.push(Buffer.concat(open))
          open = []
        }
        at += size
      }
      expect(frames).toEqual(all.map(frame))
      expect(headers).toEqual(all.map((body) => frame(body).subarray(0, 12)))
      expect(open).toEqual([])
    }),
  )
})

test('a frame that cannot hold a header is refused', () => {
  const split = frameSplitter(12)
  expect(() => split(Buffer.concat([frame(new Uint8Array(3)), Buffer.alloc(20)]))).toThrow(/PIPE_TESTKIT_FRAME.*7 bytes/)
})
