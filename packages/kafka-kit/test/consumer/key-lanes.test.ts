import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createKeyLanes, type Taken } from '../../src/consumer/key-lanes'

interface Item {
  readonly key: string | undefined
  readonly id: number
}

const steps = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('push' as const),
        key: fc.option(fc.constantFrom('a', 'b', 'c', '', '__proto__'), { nil: undefined }),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant('take' as const), below: fc.option(fc.nat(200), { nil: undefined }) }),
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('finish' as const), pick: fc.nat() }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('putBack' as const), pick: fc.nat() }) },
  ),
  { maxLength: 400 },
)

test('model: one of a key at a time, in its order; others never wait for it; nothing lost', () => {
  fc.assert(
    fc.property(steps, (list) => {
      const lanes = createKeyLanes<Item>()
      // The model: for each key what waits, in order; keyless ones each by themselves.
      const waiting = new Map<string, Item[]>()
      const keyless = new Set<Item>()
      const out: Taken<Item>[] = []
      const isOut = (key: string) => out.some(({ item }) => item.key === key)
      const takeable = (accept: (item: Item) => boolean) => [
        ...[...keyless].filter(accept),
        ...[...waiting]
          .filter(([key, items]) => items.length > 0 && !isOut(key) && accept(items[0]!))
          .map(([, items]) => items[0]!),
      ]
      let id = 0
      for (const step of list) {
        if (step.kind === 'push') {
          const item = { key: step.key, id: id++ }
          lanes.push(step.key, item)
          if (step.key === undefined) keyless.add(item)
          else waiting.set(step.key, [...(waiting.get(step.key) ?? []), item])
        } else if (step.kind === 'take') {
          const { below } = step
          const accept = below === undefined ? undefined : (item: Item) => item.id < below
          const possible = takeable(accept ?? (() => true))
          const taken = lanes.take(accept)
          if (!taken) expect(possible).toEqual([])
          else {
            expect(possible).toContain(taken.item)
            out.push(taken)
            if (taken.item.key === undefined) keyless.delete(taken.item)
            else waiting.get(taken.item.key)!.shift()
          }
        } else if (out.length > 0) {
          const [taken] = out.splice(step.pick % out.length, 1)
          if (step.kind === 'finish') lanes.finish(taken!)
          else {
            lanes.putBack(taken!)
            if (taken!.item.key === undefined) keyless.add(taken!.item)
            else waiting.get(taken!.item.key)!.unshift(taken!.item)
          }
        }
        expect(lanes.out).toBe(out.length)
        expect(lanes.waiting).toBe(keyless.size + [...waiting.values()].reduce((sum, items) => sum + items.length, 0))
      }
      // Everything comes out in the end.
      for (const taken of out.splice(0)) lanes.finish(taken)
      let left = lanes.waiting
      for (let taken = lanes.take(); taken; taken = lanes.take()) {
        lanes.finish(taken)
        left--
      }
      expect(left).toBe(0)
    }),
    { numRuns: 300 },
  )
})

test('a lane is settled once', () => {
  const lanes = createKeyLanes<number>()
  lanes.push('a', 1)
  const taken = lanes.take()!
  lanes.finish(taken)
  expect(() => lanes.finish(taken)).toThrow(RangeError)
  expect(() => lanes.putBack(taken)).toThrow(RangeError)
})

test('one hot key with 100 000 items: linear time, in order', () => {
  const lanes = createKeyLanes<number>()
  for (let i = 0; i < 100_000; i++) lanes.push('hot', i)
  const started = performance.now()
  for (let i = 0; i < 100_000; i++) {
    const taken = lanes.take()!
    if (taken.item !== i) expect(taken.item).toBe(i)
    lanes.finish(taken)
  }
  expect(lanes.waiting).toBe(0)
  expect(performance.now() - started).toBeLessThan(2000)
})
