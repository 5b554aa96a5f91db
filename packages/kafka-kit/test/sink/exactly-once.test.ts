import { column, defineTable, timeOfKey } from '@pipe/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createPartitionSink, mayPass, type PartitionSink } from '../../src/sink/partition-sink'
import { sinkFiles } from '../../src/sink/sink-file'
import { createSinkLedger } from '../../src/sink/sink-ledger'
import { createSinkMemory } from '../../src/sink/sink-memory'
import { defineTopic } from '../../src/topic'
import { logRecord, type MemoryLog, memoryLog } from './memory-log'
import { memoryStore, type Objects, type Turn } from './memory-objects'

// Several workers on one partition, each with settings of its own, as after a deployment with the old ones still alive. Every effect on S3
// and every read waits for its turn; at each turn one of them happens, or its worker dies before it, or dies after it.

const topic = defineTopic('orders', { value: { n: column.integer() }, partitions: 1, replicationFactor: 1 })
const table = defineTable('orders', { columns: { n: column.integer() } })

interface Shape {
  readonly records: readonly { readonly gap: number; readonly stepMs: number; readonly isBad: boolean }[]
  readonly settings: readonly {
    readonly records: number
    readonly bytes: number
    readonly minutes: 1 | 5
    readonly maxBytes: number
  }[]
  readonly workers: number
  readonly choices: readonly number[]
}

interface Pending {
  readonly worker: number
  happen(): void
  /** The effect happens, and nobody hears of it. */
  happenUnheard(): void
}

function logOf(shape: Shape): MemoryLog {
  let offset = -1n
  let at = Date.UTC(2026, 10, 24, 15, 30)
  const records = shape.records.map(({ gap, stepMs, isBad }, n) => {
    offset += BigInt(gap)
    at += stepMs
    return logRecord(offset, at, isBad ? `not json ${n}` : `{"n":${n}}`)
  })
  return { records, start: 0n, end: offset + 2n, topicId: 'a' }
}

async function settled(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve))
}

async function chaos(shape: Shape, log: MemoryLog, objects: Objects, flushEvery: number) {
  const never = new AbortController().signal
  let pending: Pending[] = []
  let choice = 0
  const choose = (below: number) =>
    (shape.choices[choice++ % shape.choices.length]! + Math.floor(choice / shape.choices.length)) % below
  const seen = { deaths: 0, boundElsewhere: 0, existed: 0, turns: 0 }
  const group: { commit: { offset: bigint; metadata: string } | undefined } = { commit: undefined }
  const failures: unknown[] = []

  const sinkOf = (worker: number, turn: Turn): PartitionSink => {
    const { records, bytes, minutes, maxBytes } = shape.settings[worker % shape.settings.length]!
    const store = memoryStore(objects, turn)
    return createPartitionSink({
      topic: topic.name,
      partition: 0,
      table,
      format: 'ndjson',
      roll: { records, bytes, eventTime: minutes === 1 ? '1 minute' : '5 minutes', maxWaitMs: undefined },
      outOfRange: 'fail',
      from: 'earliest',
      log: memoryLog(log, turn, () => 1 + choose(7)),
      store,
      ledger: createSinkLedger(store, topic.name, 0),
      open: sinkFiles(topic, 0, table, (record) => (record as { value: unknown }).value),
      memory: createSinkMemory(maxBytes),
      onEvent: (event) => {
        if (event.kind === 'claimed-elsewhere') seen.boundElsewhere++
        if (event.kind === 'file' && event.outcome === 'exists') seen.existed++
      },
      committed: async () => turn('committed', () => group.commit),
      stored: (commit) => {
        group.commit = commit
      },
    })
  }

  const turnOf =
    (worker: number): Turn =>
    (_, effect) =>
      new Promise((resolve, reject) => {
        const run = () => {
          try {
            return { value: effect() }
          } catch (error) {
            return { error }
          }
        }
        pending.push({
          worker,
          happen: () => {
            const result = run()
            if ('error' in result) reject(result.error)
            else resolve(result.value as never)
          },
          happenUnheard: () => void run(),
        })
      })

  let next = 0
  const alive = new Set<number>()
  const start = () => {
    const worker = next++
    alive.add(worker)
    const sink = sinkOf(worker, turnOf(worker))
    void (async () => {
      // Its promise never settles once it is dead.
      for (let n = 1; ; n++) {
        try {
          await sink.step(never)
          if (n % flushEvery === 0) await sink.flush(never)
        } catch (error) {
          if (!mayPass(error)) return void failures.push(error)
          sink.restart()
        }
      }
    })()
  }

  for (let i = 0; i < shape.workers; i++) start()
  for (let turns = 0; turns < 60 + 12 * log.records.length; turns++) {
    await settled()
    if (pending.length === 0) break
    seen.turns++
    const [one] = pending.splice(choose(pending.length), 1)
    const fate = choose(25)
    if (fate > 1) one!.happen()
    else {
      if (fate === 1) one!.happenUnheard()
      seen.deaths++
      alive.delete(one!.worker)
      pending = pending.filter(({ worker }) => worker !== one!.worker)
      start()
    }
  }
  // A last one, alone, to the end.
  pending = []
  const straight: Turn = async (_, effect) => effect()
  const sink = sinkOf(0, straight)
  while ((sink.position ?? -1n) < log.end) {
    await sink.step(never)
    if (sink.position === log.end) await sink.flush(never)
  }
  return { seen, failures }
}

function rowsIn(objects: Objects): { rows: number[]; quarantined: bigint[]; keys: string[] } {
  const rows: number[] = []
  const quarantined: bigint[] = []
  const keys: string[] = []
  for (const [key, body] of objects) {
    const lines = () =>
      body
        .toString()
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line))
    if (key.startsWith('dt=')) {
      keys.push(key)
      rows.push(...lines().map(({ n }) => n))
    } else if (key.startsWith('_quarantine/')) quarantined.push(...lines().map(({ offset }) => BigInt(offset)))
  }
  return { rows: rows.sort((a, b) => a - b), quarantined: quarantined.sort((a, b) => Number(a - b)), keys }
}

const shapes: fc.Arbitrary<Shape> = fc.record({
  records: fc.array(
    fc.record({
      gap: fc.constantFrom(1, 1, 1, 2, 5),
      stepMs: fc.constantFrom(0, 1000, 20_000, -30_000, 90_000, -200_000, 7_200_000),
      isBad: fc.constantFrom(false, false, false, false, true),
    }),
    { minLength: 1, maxLength: 60 },
  ),
  settings: fc.array(
    fc.record({
      records: fc.integer({ min: 1, max: 12 }),
      bytes: fc.integer({ min: 8, max: 120 }),
      minutes: fc.constantFrom(1 as const, 5 as const),
      maxBytes: fc.constantFrom(40, 100_000),
    }),
    { minLength: 1, maxLength: 3 },
  ),
  workers: fc.integer({ min: 1, max: 3 }),
  choices: fc.array(fc.nat({ max: 10_000 }), { minLength: 40, maxLength: 80 }),
})

describe('a partition in S3', () => {
  test('holds each record once, whoever dies when, and however the workers cut their files', async () => {
    const total = { deaths: 0, boundElsewhere: 0, existed: 0, turns: 0 }
    await fc.assert(
      fc.asyncProperty(shapes, async (shape) => {
        const log = logOf(shape)
        const objects: Objects = new Map()
        const { seen, failures } = await chaos(shape, log, objects, 11)
        expect(failures).toEqual([])
        const expected = shape.records.flatMap(({ isBad }, n) => (isBad ? [] : [n]))
        const { rows, quarantined, keys } = rowsIn(objects)
        expect(rows).toEqual(expected)
        expect(quarantined).toEqual(log.records.filter((_, n) => shape.records[n]!.isBad).map(({ offset }) => offset))
        for (const key of keys) expect(timeOfKey(key)).toBeInstanceOf(Date)
        for (const name of ['deaths', 'boundElsewhere', 'existed', 'turns'] as const) total[name] += seen[name]
      }),
      { numRuns: 300 },
    )
    // The runs were not peaceful ones.
    expect(total.deaths).toBeGreaterThan(300)
    expect(total.boundElsewhere).toBeGreaterThan(50)
    expect(total.existed).toBeGreaterThan(50)
  }, 120_000)

  test('has the same files after any crash when all workers are set alike', async () => {
    await fc.assert(
      fc.asyncProperty(shapes, async (shape) => {
        const alike = { ...shape, settings: [{ ...shape.settings[0]!, maxBytes: 100_000 }] }
        const log = logOf(alike)
        const [calm, wild]: [Objects, Objects] = [new Map(), new Map()]
        await chaos({ ...alike, workers: 0 }, log, calm, Number.POSITIVE_INFINITY)
        await chaos(alike, log, wild, Number.POSITIVE_INFINITY)
        expect([...wild].sort()).toEqual([...calm].sort())
      }),
      { numRuns: 100 },
    )
  })
})
