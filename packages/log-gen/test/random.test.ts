import { describe, expect, it } from 'vitest'
import { deviceWords, draw, rateThreshold, scaleDraw, streamKeys } from '../src/random'

const words = deviceWords(['a', 'b'])
const one = streamKeys(42, 'field:one', words)
const two = streamKeys(42, 'field:two', words)
const count = 65_536

/** Normal score of a chi-square over 256 cells. */
function score(cells: Iterable<number>, of: number): number {
  const seen = new Float64Array(of)
  let total = 0
  for (const cell of cells) {
    seen[cell] = (seen[cell] as number) + 1
    total++
  }
  const expected = total / of
  const square = seen.reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0)
  return (square - (of - 1)) / Math.sqrt(2 * (of - 1))
}

function* numbers(of: (i: number) => number) {
  for (let i = 0; i < count; i++) yield of(i)
}

describe('draw', () => {
  it('is frozen: these numbers are algorithm 1', () => {
    expect([0, 1, 2, 1_795_534_260, 2 ** 32, 2 ** 40 + 1, -1].map((tick) => draw(one, 0, tick))).toMatchInlineSnapshot(`
      [
        3999312221,
        2431502430,
        1310784498,
        2590659660,
        396863320,
        1325852962,
        2149539143,
      ]
    `)
  })

  it('gives streams that share values only by chance', () => {
    // Of 65 536 values of 32 bits, two streams share one on average. Keys by exclusive-or would share nearly all.
    for (const [other, device] of [
      [two, 0],
      [one, 1],
      [two, 1],
    ] as const) {
      const values = new Set(numbers((i) => draw(one, 0, i)))
      let shared = 0
      for (const value of numbers((i) => draw(other, device, i))) if (values.has(value)) shared++
      expect(shared).toBeLessThan(10)
    }
  })

  it('is even in its high and low bits, over neighbours in tick and in device', () => {
    const high = score(
      numbers((i) => draw(one, 0, i) >>> 24),
      256,
    )
    const low = score(
      numbers((i) => draw(one, 0, i) & 255),
      256,
    )
    const pairs = score(
      numbers((i) => ((draw(one, 0, i) >>> 28) << 4) | (draw(one, 0, i + 1) >>> 28)),
      256,
    )
    const streams = score(
      numbers((i) => ((draw(one, 0, i) >>> 28) << 4) | (draw(two, 0, i) >>> 28)),
      256,
    )
    for (const z of [high, low, pairs, streams]) expect(Math.abs(z)).toBeLessThan(4)
  })

  it('changes half of its bits with each bit of the counter', () => {
    for (let bit = 0; bit < 40; bit++) {
      let changed = 0
      for (let i = 0; i < 512; i++) {
        const tick = i * 977 + 1_700_000_000
        let difference =
          draw(one, 0, tick) ^ draw(one, 0, Math.floor(tick / 2 ** bit) % 2 === 0 ? tick + 2 ** bit : tick - 2 ** bit)
        for (; difference !== 0; difference &= difference - 1) changed++
      }
      expect(changed / 512).toBeGreaterThan(14.5)
      expect(changed / 512).toBeLessThan(17.5)
    }
  })
})

describe('scaleDraw', () => {
  it('is floor(bits · range / 2^32), exactly', () => {
    for (const range of [1, 2, 3, 1000, 65_537, 2 ** 31, 2 ** 36, 2 ** 37 + 1]) {
      for (const bits of [0, 1, 65_535, 65_536, 0x7fffffff, 0xffffffff, 3_141_592_653]) {
        expect(scaleDraw(bits, range)).toBe(Number((BigInt(bits) * BigInt(range)) >> 32n))
      }
    }
  })
})

describe('rateThreshold', () => {
  it('spans never to always', () => {
    expect([0, 0.5, 1].map(rateThreshold)).toEqual([0, 2 ** 31, 2 ** 32])
  })
})
