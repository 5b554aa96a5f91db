import { type ChildProcess, fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { column, createObjectStore, defineTable, readRows } from '@pipe/core'
import { type KafkaCluster, type S3Gate, startS3Gate } from '@pipe/testkit'
import { build } from 'esbuild'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type LocalS3, startLocalS3 } from '../../../core/test/local-s3'
import { createKafka, createKafkaToS3, defineTopic, type Kafka, type SinkEvent } from '../../src/index'
import { sharedCluster } from './shared-cluster'
import { target, version } from './versions'

const columns = { id: column.string(), n: column.integer() }
const table = defineTable('orders', { columns })
const partitions = 3

const topicOf = (name: string) => defineTopic(name, { key: column.string(), value: columns, partitions, replicationFactor: 3 })

describe.skipIf(!target.available)(`Kafka to S3 on a real cluster${target.note}`, () => {
  let cluster: KafkaCluster
  let kafka: Kafka
  let s3: LocalS3
  let gate: S3Gate
  let dir: string
  let children: ChildProcess[] = []

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'pipe-sink-'))
    await build({
      entryPoints: [join(import.meta.dirname, '../sink/sink-worker.ts')],
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
    s3 = await startLocalS3()
    gate = await startS3Gate(s3.url)
  }, 180_000)
  afterEach(() => {
    for (const child of children) child.kill('SIGKILL')
    children = []
  })
  afterAll(async () => {
    gate?.close()
    await kafka?.close()
    await s3?.close()
    rmSync(dir, { recursive: true, force: true })
  })

  /** Record times go on by ten seconds each, so that windows of a minute roll. */
  async function produce(topic: string, from: number, to: number): Promise<void> {
    const producer = kafka.producer()
    const start = Date.UTC(2026, 10, 24, 15, 30)
    const messages = Array.from({ length: to - from }, (_, i) => {
      const n = from + i
      return { key: `k${n % 97}`, value: { id: `id-${n}`, n }, timestamp: new Date(start + Math.floor(n / 30) * 10_000) }
    })
    await producer.sendMany(topicOf(topic), messages)
    await producer.close()
  }

  /** How often each `n` stands in S3. */
  async function stored(topic: string): Promise<Map<number, number>> {
    const store = createObjectStore({ location: `s3://lake/${topic}/`, client: s3.client })
    const found = new Map<number, number>()
    for await (const { key } of store.list({ prefix: 'dt=' })) {
      const body = (await store.get(key))!
      for await (const { rows, unreadable } of readRows({ table, file: key, source: body.stream() })) {
        expect(unreadable).toEqual([])
        for (const { n } of rows) found.set(n, (found.get(n) ?? 0) + 1)
      }
    }
    return found
  }

  async function expectOnce(topic: string, count: number): Promise<void> {
    const found = await stored(topic)
    const lost = Array.from({ length: count }, (_, n) => n).filter((n) => !found.has(n))
    const duplicated = [...found].filter(([, times]) => times > 1)
    expect({ rows: found.size, lost, duplicated }).toEqual({ rows: count, lost: [], duplicated: [] })
  }

  interface Child {
    readonly process: ChildProcess
    readonly events: (SinkEvent | { kind: 'progress'; places: number[][] })[]
    readonly exited: Promise<unknown>
  }

  function spawn(topic: string, format: 'ndjson.gz' | 'parquet' = 'ndjson.gz'): Child {
    const events: Child['events'] = []
    const config = JSON.stringify({ brokers: cluster.bootstrap, topic, partitions, format })
    const child = fork(join(dir, 'worker.mjs'), [config], {
      execArgv: [],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: {
        ...process.env,
        AWS_ENDPOINT_URL: gate.url,
        AWS_REGION: 'us-east-1',
        AWS_ACCESS_KEY_ID: 'AKIALOCALROOT',
        AWS_SECRET_ACCESS_KEY: 'root-secret',
      },
    })
    child.on('message', (text: string) => events.push(JSON.parse(text)))
    children.push(child)
    return { process: child, events, exited: new Promise((resolve) => child.once('exit', resolve)) }
  }

  async function until(what: string, holds: () => boolean | Promise<boolean>, ms = 60_000): Promise<void> {
    const giveUpAt = Date.now() + ms
    while (!(await holds())) {
      if (Date.now() > giveUpAt) throw new Error(`Not within ${ms} ms: ${what}`)
      await pause(50)
    }
  }

  /** Waits until a worker has read all, then ends it with its open files written. */
  async function finish(child: Child, count: number): Promise<void> {
    await until('all is read', async () => {
      child.process.send('progress')
      await pause(50)
      const last = child.events.findLast((event) => event.kind === 'progress')
      if (last?.kind !== 'progress' || last.places.length < partitions) return false
      return last.places.reduce((sum, [at, , open]) => sum + at! + open!, 0) >= count
    })
    child.process.send('stop')
    await child.exited
  }

  test.each(['ndjson.gz', 'parquet'] as const)(
    'a worker killed after a claim, and one after an upload, leave nothing lost and nothing twice (%s)',
    async (format) => {
      const topic = `killed-${format.replace('.', '-')}`
      await cluster.createTopic(topic, { partitions })
      await produce(topic, 0, 1000)
      // The claim stands, the file does not.
      const claimed = gate.swallow(/_sink\/.*\/\d+\.json/)
      const first = spawn(topic, format)
      await claimed
      first.process.kill('SIGKILL')
      await first.exited
      // The file stands, nobody knows: no commit, no next read.
      const uploaded = gate.swallow(/dt=/)
      const second = spawn(topic, format)
      await uploaded
      second.process.kill('SIGKILL')
      await second.exited
      await produce(topic, 1000, 1500)
      await finish(spawn(topic, format), 1500)
      await expectOnce(topic, 1500)
    },
    120_000,
  )

  test('a worker that stood still while another took over writes nothing twice', async () => {
    const topic = 'zombie'
    await cluster.createTopic(topic, { partitions })
    await produce(topic, 0, 600)
    const claimed = gate.swallow(/_sink\/.*\/\d+\.json/)
    const zombie = spawn(topic)
    await claimed
    zombie.process.kill('SIGSTOP')
    const heir = spawn(topic)
    await until('the heir has all partitions', () =>
      heir.events.some((event) => event.kind === 'assigned' && event.partitions.length === partitions),
    )
    await produce(topic, 600, 1200)
    await pause(1500)
    zombie.process.kill('SIGCONT')
    await pause(1500)
    zombie.process.kill('SIGKILL')
    await zombie.exited
    await finish(heir, 1200)
    await expectOnce(topic, 1200)
  }, 120_000)

  test('goes through the death of a leader, leaves out what a transaction took back, and keeps what does not fit', async () => {
    const topic = 'leader'
    await cluster.createTopic(topic, { partitions })
    const events: SinkEvent[] = []
    const sink = createKafkaToS3({
      kafka,
      topic: topicOf(topic),
      group: 'leader-to-s3',
      target: `s3://lake/${topic}/`,
      table,
      client: s3.client,
      roll: { records: 50, eventTime: '1 minute', maxWait: '500 ms' },
      sessionTimeout: '3 seconds',
      onEvent: (event) => events.push(event),
    })
    const run = sink.run()
    await produce(topic, 0, 500)
    await until('first files', () => sink.progress().files > 3)

    const transactions = kafka.kafkajs.producer({ transactionalId: 'taken-back', idempotent: true, maxInFlightRequests: 1 })
    await transactions.connect()
    const transaction = await transactions.transaction()
    await transaction.send({ topic, messages: [{ key: 'x', value: '{"id":"never","n":999999}' }] })
    await transaction.abort()
    await transactions.disconnect()
    await kafka.producer().send(topic, { partition: 0, key: 'k', value: 'no json at all' })

    const leader = await cluster.leaderOf(topic, 0)
    await leader.kill()
    await produce(topic, 500, 1000)
    await until('all stored', async () => {
      const { rows, quarantined } = sink.progress()
      return rows === 1000 && quarantined === 1
    })
    await leader.restart()
    await produce(topic, 1000, 1200)
    await until('all stored', () => sink.progress().rows === 1200)
    const report = await sink.stop()
    expect(await run).toMatchObject({ rows: 1200, quarantined: 1, skipped: 0n })
    expect(report.partitions.every(({ stored: at, end }) => at !== undefined && end !== undefined && at <= end)).toBe(true)
    await expectOnce(topic, 1200)

    const store = createObjectStore({ location: `s3://lake/${topic}/`, client: s3.client })
    const quarantined: string[] = []
    for await (const { key } of store.list({ prefix: '_quarantine/' })) quarantined.push(await (await store.get(key))!.text())
    expect(quarantined).toHaveLength(1)
    const entry = JSON.parse(quarantined[0]!)
    expect(entry).toMatchObject({ topic, partition: 0, key: 'aw==', reason: expect.stringContaining('JSON') })
    expect(Buffer.from(entry.value, 'base64').toString()).toBe('no json at all')
    // Offsets of the group show that nothing is left.
    expect(events.filter(({ kind }) => kind === 'file').length).toBeGreaterThan(10)
  }, 180_000)
})
