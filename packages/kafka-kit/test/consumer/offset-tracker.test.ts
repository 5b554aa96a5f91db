import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createOffsetTracker, type OpenOffset } from '../../src/consumer/offset-tracker'

type Step =
  | { readonly kind: 'begin'; readonly gap: number }
  | { readonly kind: 'complete'; readonly pick: number }
  | { readonly kind: 'advance'; readonly by: number }

const steps = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('begin' as const), gap: fc.nat(3) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('complete' as const), pick: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('advance' as const), by: fc.integer({ min: -3, max: 5 }) }) },
  ) as fc.Arbitrary<Step>,
  { maxLength: 300 },
)

test('model: what may be committed is the lowest offset that is not done, in whatever order handlers end', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 62n }), steps, (start, list) => {
      const tracker = createOffsetTracker(start)
      // The model keeps every offset that was handed out, and whether it is done.
      const model = new Map<bigint, boolean>()
      const open: OpenOffset[] = []
      let frontier = start
      let last = tracker.committable
      for (const step of list) {
        if (step.kind === 'begin') {
          const offset = frontier + BigInt(step.gap)
          open.push(tracker.begin(offset))
          model.set(offset, false)
          frontier = offset + 1n
        } else if (step.kind === 'complete' && open.length > 0) {
          const [entry] = open.splice(step.pick % open.length, 1)
          tracker.complete(entry!)
          tracker.complete(entry!)
          model.set(entry!.offset, true)
        } else if (step.kind === 'advance') {
          const to = frontier + BigInt(step.by)
          tracker.advance(to)
          if (to > frontier) frontier = to
        }
        const undone = [...model].filter(([, isDone]) => !isDone).map(([offset]) => offset)
        const lowest = undone.sort((a, b) => (a < b ? -1 : 1))[0]
        expect(tracker.committable).toBe(lowest ?? frontier)
        expect(tracker.frontier).toBe(frontier)
        expect(tracker.open).toBe(undone.length)
        expect(tracker.span).toBe(lowest === undefined ? 0 : [...model.keys()].filter((offset) => offset >= lowest).length)
        // A commit never goes back.
        expect(tracker.committable >= last).toBe(true)
        last = tracker.committable
      }
    }),
    { numRuns: 300 },
  )
})

test('an offset below what was handed out is refused', () => {
  const tracker = createOffsetTracker(5n)
  tracker.begin(7n)
  expect(() => tracker.begin(7n)).toThrow(RangeError)
})

test('100 000 records done in reverse order: linear time, one commit at the end', () => {
  const tracker = createOffsetTracker(0n)
  const entries = Array.from({ length: 100_000 }, (_, i) => tracker.begin(BigInt(i)))
  const started = performance.now()
  for (const entry of entries.reverse()) tracker.complete(entry)
  expect(tracker.committable).toBe(100_000n)
  expect(performance.now() - started).toBeLessThan(2000)
})
