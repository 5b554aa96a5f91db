import { type ChildProcess, fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { ApiName, KafkaCluster } from '@pipe/testkit'
import { build } from 'esbuild'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createKafka, type Kafka, resourcesOf } from '../../src/connect'
import { readPartition } from '../../src/consumer/partition-reader'
import { offsetsOf, originOf, type TransformEvent } from '../../src/index'
import { fencingSuite } from '../transaction/fencing-suite'
import { sharedCluster } from './shared-cluster'
import { target, version } from './versions'

const partitions = 3

interface Child {
  readonly process: ChildProcess
  readonly events: TransformEvent[]
  readonly exited: Promise<unknown>
}

async function until(what: string, holds: () => boolean | Promise<boolean>, ms = 60_000): Promise<void> {
  const giveUpAt = Date.now() + ms
  while (!(await holds())) {
    if (Date.now() > giveUpAt) throw new Error(`Not within ${ms} ms: ${what}`)
    await pause(30)
  }
}

describe.skipIf(!target.available)(`transform on a real cluster${target.note}`, () => {
  describe('fencing', () => fencingSuite(() => ({ brokers: cluster, kafka, cluster: resourcesOf(kafka).cluster() })))

  let cluster: KafkaCluster
  let kafka: Kafka
  let dir: string
  let children: Child[] = []

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'pipe-transform-'))
    await build({
      entryPoints: [join(import.meta.dirname, '../transaction/transform-worker.ts')],
      outfile: join(dir, 'worker.mjs'),
      bundle: true,
      platform: 'node',
      format: 'esm',
      conditions: ['pipe-source'],
      banner: { js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url)" },
      logLevel: 'error',
    })
    cluster = await sharedCluster(version)
    kafka = createKafka({ brokers: cluster.bootstrap, clientId: 'test' })
  }, 180_000)
  afterEach(async () => {
    for (const { process } of children) process.kill('SIGKILL')
    children = []
    await Promise.all(cluster.brokers.map(({ proxy }) => proxy.clear()))
  })
  afterAll(async () => {
    await kafka?.close()
    rmSync(dir, { recursive: true, force: true })
  })

  async function create(name: string): Promise<void> {
    for (const suffix of ['in', 'evens', 'odds', 'dead']) await cluster.createTopic(`${name}-${suffix}`, { partitions })
  }

  async function produce(name: string, from: number, to: number): Promise<void> {
    const producer = kafka.producer()
    await producer.sendMany(
      `${name}-in`,
      Array.from({ length: to - from }, (_, i) => ({ key: `k${(from + i) % 41}`, value: String(from + i) })),
    )
    await producer.close()
  }

  /** `proxied`: every connection goes through the fault proxies. */
  function spawn(name: string, proxied = false): Child {
    const brokers = proxied ? cluster.proxiedBootstrap : cluster.bootstrap
    const child = fork(join(dir, 'worker.mjs'), [JSON.stringify({ brokers, name, group: name })], {
      execArgv: [],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    const events: TransformEvent[] = []
    child.on('message', (text: string) => events.push(JSON.parse(text)))
    const own = { process: child, events, exited: new Promise((resolve) => child.once('exit', resolve)) }
    children.push(own)
    return own
  }

  /** Committed records of all partitions of a topic. */
  async function committed(
    topic: string,
  ): Promise<{ readonly key: string; readonly value: string; readonly offset?: bigint | undefined }[]> {
    const found = []
    for (const { partition, start, stable, end } of await offsetsOf(kafka, topic)) {
      expect(stable).toBe(end)
      const own = resourcesOf(kafka).cluster()
      for await (const { records } of readPartition(own, { topic, partition }, { from: start, to: stable }, { waitMs: 5000 })) {
        for (const { key, value, headers } of records) {
          found.push({ key: String(key), value: String(value), offset: originOf(headers)?.offset })
        }
      }
    }
    return found
  }

  /** Waits until the group has committed everything that is read, then compares. */
  async function expectOnce(name: string, count: number): Promise<void> {
    const admin = kafka.kafkajs.admin()
    await admin.connect()
    await until('all is committed', async () => {
      const ends = new Map((await offsetsOf(kafka, `${name}-in`)).map(({ partition, end }) => [partition, end]))
      const [offsets] = await admin.fetchOffsets({ groupId: name, topics: [`${name}-in`] })
      return (
        offsets!.partitions.length === partitions &&
        offsets!.partitions.every(({ partition, offset }) => BigInt(offset) === ends.get(partition))
      )
    })
    await admin.disconnect()
    const inputs = Array.from({ length: count }, (_, n) => n)
    const expected = {
      evens: inputs.filter((n) => n % 2 === 0).filter((n) => n % 50 !== 7 && n % 50 !== 13),
      odds: inputs.filter((n) => n % 2 === 1).filter((n) => n % 50 !== 7 && n % 50 !== 13),
      dead: inputs.filter((n) => n % 50 === 13),
    }
    for (const [suffix, numbers] of Object.entries(expected)) {
      const records = await committed(`${name}-${suffix}`)
      const seen = records.map(({ value }) => Number(value.replace('out-', '')))
      expect(seen.toSorted((a, b) => a - b)).toEqual(numbers)
      // The order of each key is that of the input.
      const byKey = new Map<string, number[]>()
      for (const [i, { key }] of records.entries()) byKey.set(key, [...(byKey.get(key) ?? []), seen[i]!])
      for (const own of byKey.values()) expect(own).toEqual(own.toSorted((a, b) => a - b))
    }
  }

  const transactions = (child: Child) => child.events.filter((event) => event.kind === 'transaction-committed')
  /** How many partitions a member has. */
  function sizeOf(child: Child): number {
    const joined = child.events.findLast((event) => event.kind === 'joined')
    return joined?.kind === 'joined' ? Object.values(joined.assigned).flat().length : 0
  }

  async function stop(...running: readonly Child[]): Promise<void> {
    for (const { process } of running) process.send('stop')
    await Promise.all(running.map(({ exited }) => exited))
  }

  /** Holds the next request, or answer, of an API at whichever broker. */
  function hold(api: ApiName, on: 'request' | 'response', skip: number): { readonly happened: Promise<void>; release(): void } {
    const rules = cluster.brokers.map(({ proxy }) =>
      proxy.inject({ fault: 'hold', on, api, skip, times: Number.POSITIVE_INFINITY }),
    )
    return {
      happened: Promise.race(rules.map((rule) => rule.happened)),
      release() {
        for (const rule of rules) rule.remove()
      },
    }
  }

  test('killed in the middle of each step, and started again: each input once, its dead letters too', async () => {
    const name = 'killed'
    await create(name)
    let produced = 0
    const more = async (count: number) => {
      await produce(name, produced, produced + count)
      produced += count
    }
    await more(300)
    const random = seeded(20261128)
    const points = [
      ['Produce', 'request'],
      ['Produce', 'response'],
      ['TxnOffsetCommit', 'response'],
      ['EndTxn', 'response'],
    ] as const
    for (const [api, on] of points) {
      const held = hold(api, on, Math.floor(random() * 3))
      const child = spawn(name, true)
      const producing = more(300)
      await held.happened
      child.process.kill('SIGKILL')
      await child.exited
      held.release()
      await producing
    }
    // And once at any moment.
    const child = spawn(name)
    await until('work', () => transactions(child).length > 0)
    await pause(random() * 200)
    child.process.kill('SIGKILL')
    await child.exited
    const last = spawn(name)
    await expectOnce(name, produced)
    await stop(last)
  }, 120_000)

  test('members come and go, and one stands still in its commit until others have taken over: each input once', async () => {
    const name = 'zombie'
    await create(name)
    let produced = 0
    const more = async (count: number) => {
      await produce(name, produced, produced + count)
      produced += count
    }
    await more(300)
    const zombie = spawn(name, true)
    await until('work', () => transactions(zombie).length > 0)
    const heir = spawn(name)
    // Records keep coming while partitions move.
    while (sizeOf(heir) === 0 || transactions(heir).length === 0) await more(100)
    // Everything but the end of a transaction is written. It arrives when others have long gone on.
    const held = hold('EndTxn', 'request', 0)
    const late = more(300)
    await held.happened
    zombie.process.kill('SIGSTOP')
    await late
    await until('the heir to have all', () => sizeOf(heir) === partitions)
    await expectOnce(name, produced)
    held.release()
    zombie.process.kill('SIGCONT')
    const endOf = () => zombie.events.findIndex(({ kind }) => kind === 'session-ended')
    await until('the zombie to notice', () => endOf() >= 0)
    expect(JSON.stringify(zombie.events[endOf()])).toMatch(/PIPE_KAFKA_(FENCED|REVOKED)/)
    // It joins again, and works on.
    while (zombie.events.findLastIndex(({ kind }) => kind === 'transaction-committed') < endOf()) await more(100)
    await expectOnce(name, produced)
    await stop(zombie, heir)
  }, 120_000)
})

/** Uniform in [0, 1), the same for the same seed (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
