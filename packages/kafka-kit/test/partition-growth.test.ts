import fc from 'fast-check'
import { expect, test } from 'vitest'
import { movedKeys, movedShare } from '../src/partition-growth'

test('doubling moves half of the keys, one more of three moves three quarters', () => {
  expect(movedShare(6, 12)).toBe(0.5)
  expect(movedShare(3, 4)).toBe(0.75)
  expect(movedShare(1, 2)).toBe(0.5)
  expect(movedShare(4, 6)).toBeCloseTo(2 / 3)
})

test('the share is the count over all remainders', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 60 }), (from, to) => {
      let moved = 0
      for (let hash = 0; hash < from * to; hash++) if (hash % from !== hash % to) moved++
      expect(movedShare(from, to)).toBeCloseTo(moved / (from * to), 10)
    }),
  )
})

test('given keys: about the share of them moves, to partitions that exist, and growing by a factor keeps the rest in place', () => {
  const keys = Array.from({ length: 20_000 }, (_, at) => `device-${at}`)
  const moved = movedKeys(keys, 6, 8)
  expect(moved.length / keys.length).toBeCloseTo(movedShare(6, 8), 1)
  expect(moved.every(({ from, to }) => from !== to && from < 6 && to < 8)).toBe(true)
  // By a factor, a moved key can only go to a new partition.
  expect(movedKeys(keys, 3, 6).every(({ from, to }) => to === from + 3)).toBe(true)
})

test('bytes and their text are the same key', () => {
  const [text] = movedKeys(['ключ-7', 'a', 'b', 'c'], 2, 7)
  expect(text).toBeDefined()
  expect(movedKeys([Buffer.from(text!.key as string)], 2, 7)[0]).toMatchObject({ from: text!.from, to: text!.to })
})
