import { setTimeout as pause } from 'node:timers/promises'
import { column } from '@pipe/core'
import { encodeRecordBatch } from '@pipe/kafka-wire'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Assignment, createAssignment, lose, type Order, openAt } from '../../src/consumer/assignment'
import { createDispatcher } from '../../src/consumer/dispatcher'
import type { HandleContext } from '../../src/consumer/handle-context'
import { createRetryPolicy } from '../../src/consumer/retry-policy'
import { defineTopic } from '../../src/topic'

const topic = defineTopic('t', { key: column.string(), value: column.string(), partitions: 2, replicationFactor: 1 })

function filled(partition: number, keys: readonly string[], start = 0n): Assignment {
  const assignment = createAssignment(topic, partition)
  const { queue } = openAt(assignment, start)
  if (keys.length > 0) {
    const records = keys.map((key, i) => ({ key, value: `${start + BigInt(i)}`, headers: [], timestampMs: 1 }))
    queue.push({ batch: encodeRecordBatch(records, { baseOffset: start }), endOffset: start + BigInt(keys.length) })
  }
  return assignment
}

interface Seen {
  readonly key: string
  readonly value: string
  readonly partition: number
}

function dispatch(
  assignments: readonly Assignment[],
  handle: (record: Seen, context: HandleContext) => unknown,
  options: { concurrency?: number; order?: Order; attempts?: number; maxWaiting?: number } = {},
) {
  const fatal: Error[] = []
  const dispatcher = createDispatcher({
    concurrency: options.concurrency ?? 4,
    window: { order: options.order ?? 'key', maxWaiting: options.maxWaiting ?? 16, maxSpan: 50, hasRoom: () => true },
    retry: createRetryPolicy({ attempts: options.attempts ?? 50, backoff: '1 ms', maxBackoff: '2 ms' }),
    handle: handle as never,
    bury: undefined,
    assignments: () => assignments,
    onEvent: () => undefined,
    onDone: () => undefined,
    onFatal: (error) => fatal.push(error),
  })
  return { dispatcher, fatal }
}

async function until(holds: () => boolean): Promise<void> {
  const giveUpAt = Date.now() + 30_000
  while (!holds()) {
    if (Date.now() > giveUpAt) throw new Error('not in 30 s')
    await pause(1)
  }
}

test('property: at most so many at once, one of a key at a time and in order, failures and interruptions repeated, all committed', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g'), { minLength: 1, maxLength: 120 }),
      fc.integer({ min: 1, max: 8 }),
      fc.constantFrom<Order>('key', 'partition', 'none'),
      fc.nat(),
      async (keys, concurrency, order, seed) => {
        const assignments = [filled(0, keys), filled(1, keys.toReversed(), 1000n)]
        const running = new Set<string>()
        let most = 0
        let random = seed % 2147483647 || 1
        const next = () => {
          random = (random * 48271) % 2147483647
          return random / 2147483647
        }
        const done: Seen[] = []
        const { dispatcher, fatal } = dispatch(
          assignments,
          async (record, { signal }) => {
            const lane =
              order === 'key'
                ? `${record.partition}${record.key}`
                : order === 'partition'
                  ? `${record.partition}`
                  : `${record.partition}#${record.value}`
            expect(running.has(lane)).toBe(false)
            running.add(lane)
            most = Math.max(most, running.size)
            try {
              if (next() < 0.5) await pause(next() * 2)
              if (next() < 0.2) throw new Error('again')
              signal.throwIfAborted()
              done.push(record)
            } finally {
              running.delete(lane)
            }
          },
          { concurrency, order },
        )
        dispatcher.wake()
        await pause(1)
        dispatcher.interrupt(assignments, new Error('rebalance'))
        await dispatcher.settled(1000)
        dispatcher.release()
        await until(() => done.length === keys.length * 2 || fatal.length > 0)
        await dispatcher.settled(1000)
        expect(fatal).toEqual([])
        expect(most).toBeLessThanOrEqual(concurrency)
        expect(assignments.map(({ log }) => log!.tracker.committable)).toEqual([BigInt(keys.length), 1000n + BigInt(keys.length)])
        for (const partition of [0, 1]) {
          const byLane = new Map<string, number[]>()
          for (const one of done.filter((seen) => seen.partition === partition)) {
            const lane = order === 'key' ? one.key : order === 'partition' ? '' : one.value
            byLane.set(lane, [...(byLane.get(lane) ?? []), Number(one.value)])
          }
          for (const values of byLane.values()) expect(values).toEqual([...values].sort((a, b) => a - b))
        }
      },
    ),
    { numRuns: 40 },
  )
}, 120_000)

test('hold closes the gaps and starts nothing above: after it, what is done is exactly what can be committed', async () => {
  const keys = Array.from({ length: 200 }, (_, i) => (i % 3 === 0 ? 'hot' : `k${i}`))
  const assignment = filled(0, keys)
  const done = new Set<string>()
  const { dispatcher } = dispatch(
    [assignment],
    async ({ key, value }) => {
      await pause(key === 'hot' ? 4 : 1)
      done.add(value)
    },
    { maxWaiting: 64 },
  )
  dispatcher.wake()
  await until(() => done.size > 10)
  dispatcher.hold()
  expect(await dispatcher.settled(5000)).toBe(true)
  const { committable } = assignment.log!.tracker
  expect(done.size).toBe(Number(committable))
  expect(done.size).toBeLessThan(200)
  dispatcher.release()
  await until(() => done.size === 200)
})

test('a lost partition: its results no longer count, its handlers are aborted', async () => {
  const assignment = filled(0, ['a', 'b'])
  let reason: unknown
  let release: () => void = () => {}
  const { dispatcher } = dispatch(
    [assignment],
    async (_, { signal }) => {
      signal.addEventListener('abort', () => {
        reason = signal.reason
      })
      await new Promise<void>((resolve) => {
        release = resolve
      })
    },
    { concurrency: 1 },
  )
  dispatcher.wake()
  lose(assignment, new Error('lost'))
  dispatcher.freeze()
  release()
  expect(await dispatcher.settled(1000)).toBe(true)
  expect(reason).toMatchObject({ message: 'lost' })
  expect(assignment.log!.tracker.committable).toBe(0n)
})

test('handlers that never wait leave the event loop its turns', async () => {
  const assignment = filled(
    0,
    Array.from({ length: 20_000 }, (_, i) => `k${i}`),
  )
  let count = 0
  const { dispatcher } = dispatch([assignment], () => {
    count++
  })
  let turns = 0
  const timer = setInterval(() => turns++, 0)
  dispatcher.wake()
  expect(count).toBeLessThan(1000)
  await until(() => count === 20_000)
  clearInterval(timer)
  expect(turns).toBeGreaterThan(3)
})
