import { setTimeout as pause } from 'node:timers/promises'
import { column } from '@pipe/core'
import { offsetCommit } from '@pipe/kafka-wire'
import type { KafkaCluster } from '@pipe/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createKafka, type Kafka, resourcesOf } from '../../src/connect'
import type { Consumer } from '../../src/consumer/consumer'
import type { ConsumerEvent } from '../../src/consumer/consumer-event'
import type { ConsumerOptions } from '../../src/consumer/consumer-options'
import { applyRedrive, planRedrive } from '../../src/consumer/redrive'
import { defineTopic } from '../../src/topic'
import { sharedCluster } from './shared-cluster'
import { newestTest, target, version } from './versions'

const textTopic = (name: string, partitions: number) =>
  defineTopic(name, { key: column.string(), value: column.string(), partitions, replicationFactor: 3, minInSyncReplicas: 2 })
type TextTopic = ReturnType<typeof textTopic>

async function until(what: string, holds: () => boolean | Promise<boolean>, ms = 30_000): Promise<void> {
  const giveUpAt = Date.now() + ms
  while (!(await holds())) {
    if (Date.now() > giveUpAt) throw new Error(`Not within ${ms} ms: ${what}`)
    await pause(20)
  }
}

describe(`consumer on Kafka ${version}`, () => {
  describe.skipIf(!target.available)(`real brokers${target.note}`, () => {
    let cluster: KafkaCluster
    let kafka: Kafka
    const consumers: Consumer[] = []
    let events: ConsumerEvent[] = []

    beforeAll(async () => {
      cluster = await sharedCluster(version)
      kafka = createKafka({ brokers: cluster.bootstrap, clientId: 'test' })
    }, 180_000)
    afterEach(async () => {
      await Promise.all(consumers.splice(0).map((consumer) => consumer.stop({ deadline: '2 seconds' })))
      events = []
    })
    afterAll(async () => {
      await kafka?.close()
    })

    function start(options: ConsumerOptions<readonly TextTopic[]>): Consumer {
      const consumer = kafka.consumer({ onEvent: (event) => events.push(event), ...options })
      consumers.push(consumer)
      return consumer
    }

    async function newTopic(name: string, partitions = 3): Promise<TextTopic> {
      await cluster.createTopic(name, { partitions })
      return textTopic(name, partitions)
    }

    /** Values are numbers from `from` on; keys go round. */
    async function produce(
      topic: TextTopic,
      count: number,
      options: { keys?: number; from?: number; pad?: number } = {},
    ): Promise<void> {
      const { keys = 20, from = 0, pad = 0 } = options
      const producer = kafka.producer()
      await producer.sendMany(
        topic,
        Array.from({ length: count }, (_, i) => ({ key: `k${(from + i) % keys}`, value: `${from + i}${' '.repeat(pad)}` })),
      )
      await producer.close()
    }

    async function committed(group: string, topic: string): Promise<Record<number, string>> {
      const admin = kafka.kafkajs.admin()
      await admin.connect()
      const [offsets] = await admin.fetchOffsets({ groupId: group, topics: [topic] })
      await admin.disconnect()
      return Object.fromEntries(offsets!.partitions.map(({ partition, offset }) => [partition, offset]))
    }

    /** Commits for a group without members. */
    async function commitAt(group: string, topic: string, offset: bigint): Promise<void> {
      const own = resourcesOf(kafka).openCluster()
      const answer = await own.call(await own.coordinator(group), offsetCommit, {
        group,
        generationId: -1,
        memberId: '',
        groupInstanceId: null,
        retentionTimeMs: -1n,
        topics: [{ name: topic, partitions: [{ partition: 0, offset, leaderEpoch: -1, metadata: null }] }],
      })
      await own.close()
      expect(answer.topics[0]!.partitions[0]!.errorCode).toBe(0)
    }

    const sum = (offsets: Record<number, string>) => Object.values(offsets).reduce((total, offset) => total + Number(offset), 0)

    test('every record once, typed, in the order of its key; all is committed and the group is left', async () => {
      const topic = await newTopic('plain')
      await produce(topic, 1000)
      const seen = new Map<string, number[]>()
      let count = 0
      const consumer = start({
        group: 'plain',
        topics: [topic],
        concurrency: 16,
        async handle({ key, value, offset, timestamp, partition }) {
          expect(typeof offset).toBe('bigint')
          expect(timestamp).toBeInstanceOf(Date)
          expect(partition).toBeLessThan(3)
          await pause(Math.random() * 3)
          seen.set(key, [...(seen.get(key) ?? []), Number(value)])
          count++
        },
      })
      await until('1000 records', () => count >= 1000)
      const report = await consumer.stop()
      await consumer.done
      expect(count).toBe(1000)
      for (const values of seen.values()) expect(values).toEqual([...values].sort((a, b) => a - b))
      expect(report).toMatchObject({ isClean: true, hasLeftGroup: true, isCommitted: true, abortedHandlers: 0 })
      expect(sum(await committed('plain', 'plain'))).toBe(1000)
      expect(consumer.status().state).toBe('stopped')
    })

    newestTest('once it has stopped, no timer of it keeps the process alive', async () => {
      const topic = await newTopic('timers', 1)
      const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
      const before = timers()
      const consumer = start({ group: 'timers', topics: [topic], handle: () => undefined })
      await until('joined', () => events.some(({ kind }) => kind === 'joined'))
      await consumer.stop({ deadline: '20 seconds' })
      await consumer.done
      // Short ones may still run out; the one of the deadline would be there for longer than this waits.
      await until('no timer', () => timers() <= before, 10_000)
    })

    newestTest(
      'a handler that runs for much longer than the session: heartbeats go on, nobody is put out, it runs once',
      async () => {
        const topic = await newTopic('long', 1)
        await produce(topic, 3)
        let calls = 0
        const started = Date.now()
        start({
          group: 'long',
          topics: [topic],
          timing: { session: '3 seconds' },
          async handle({ value }) {
            calls++
            if (value === '0') await pause(7000)
          },
        })
        await until('three records', async () => sum(await committed('long', 'long')) === 3)
        expect(Date.now() - started).toBeGreaterThan(7000)
        expect(calls).toBe(3)
        expect(events.filter(({ kind }) => kind === 'joined')).toHaveLength(1)
        expect(events.filter(({ kind }) => kind === 'fenced' || kind === 'rebalancing')).toEqual([])
      },
    )

    newestTest(
      'members come and go: nothing lost, nothing twice, order of each key; commits before the join are accepted',
      async () => {
        const topic = await newTopic('shared', 6)
        const seen: { readonly member: string; readonly key: string; readonly value: number }[] = []
        const running = new Set<string>()
        const member = (name: string) =>
          start({
            group: 'shared',
            topics: [topic],
            concurrency: 8,
            async handle({ key, value }) {
              // Never two of one key at the same time, whoever has them.
              expect(running.has(key)).toBe(false)
              running.add(key)
              await pause(Math.random() * 8)
              running.delete(key)
              seen.push({ member: name, key, value: Number(value) })
            },
          })
        // Work never runs out while members come and go.
        let produced = 0
        let isProducing = true
        const producing = (async () => {
          while (isProducing) {
            await produce(topic, 500, { keys: 60, from: produced })
            produced += 500
            await until('most of it', () => seen.length > produced - 1000)
          }
        })()
        const works = (name: string) => until(`work of the ${name}`, () => seen.some(({ member: one }) => one === name))
        const first = member('first')
        await works('first')
        const second = member('second')
        await works('second')
        const third = member('third')
        await works('third')
        expect(await second.stop()).toMatchObject({ isClean: true })
        const afterStop = seen.length
        await until('more work', () => seen.length > afterStop + 1000)
        isProducing = false
        await producing
        await until('all', () => new Set(seen.map(({ value }) => value)).size === produced)
        await Promise.all([first.stop(), third.stop()])
        expect(seen).toHaveLength(produced)
        const byKey = new Map<string, number[]>()
        for (const { key, value } of seen) byKey.set(key, [...(byKey.get(key) ?? []), value])
        for (const values of byKey.values()) expect(values).toEqual([...values].sort((a, b) => a - b))
        expect(sum(await committed('shared', 'shared'))).toBe(produced)
        const drained = events.filter((event) => event.kind === 'drained')
        expect(drained.length).toBeGreaterThanOrEqual(2)
        expect(drained.every((event) => event.kind === 'drained' && event.committed)).toBe(true)
        expect(events.filter(({ kind }) => kind === 'commit-failed')).toEqual([])
      },
    )

    newestTest('a rebalance aborts handlers that do not end in time; their records are handled again', async () => {
      const topic = await newTopic('aborted', 2)
      await produce(topic, 40, { keys: 40 })
      const reasons: unknown[] = []
      const done: string[] = []
      let isBlocked = true
      const handle: ConsumerOptions<readonly TextTopic[]>['handle'] = async ({ value }, { signal }) => {
        if (isBlocked && Number(value) % 10 === 0) {
          await new Promise((_, reject) => {
            signal.addEventListener('abort', () => {
              reasons.push(signal.reason)
              // At once: whoever has them next may begin before this test looks again.
              isBlocked = false
              reject(signal.reason as Error)
            })
          })
        }
        done.push(value)
      }
      const options = { group: 'aborted', topics: [topic], concurrency: 8, timing: { drain: '1 second' as const }, handle }
      start(options)
      await until('all but four', () => done.length === 36)
      start(options)
      await until('four aborts', () => reasons.length === 4)
      // Those behind an interrupted one are done, but not committed: they may come again.
      await until('all', () => new Set(done).size === 40)
      expect(reasons.every((reason) => (reason as { code: string }).code === 'PIPE_KAFKA_REVOKED')).toBe(true)
      expect(events.find(({ kind }) => kind === 'drained')).toMatchObject({ aborted: 4, committed: true })
      expect(events.filter(({ kind }) => kind === 'handler-failed')).toEqual([])
    })

    newestTest(
      'a stalled handler: memory stays within the configured bytes, and nothing is lost when it goes on',
      async () => {
        const topic = await newTopic('stalled')
        const count = 40_000
        for (let from = 0; from < count; from += 10_000) await produce(topic, 10_000, { from, pad: 1000, keys: 500 })
        let release: () => void = () => {}
        const gate = new Promise<void>((resolve) => {
          release = resolve
        })
        const bytes = 4 * 1024 * 1024
        const values = new Set<string>()
        let calls = 0
        const consumer = start({
          group: 'stalled',
          topics: [topic],
          concurrency: 4,
          buffer: { bytes },
          async handle({ value }) {
            calls++
            await gate
            values.add(value)
          },
        })
        await until('three paused partitions', () => events.filter(({ kind }) => kind === 'paused').length === 3)
        global.gc?.()
        const before = process.memoryUsage()
        let most = 0
        for (let i = 0; i < 20; i++) {
          await pause(50)
          most = Math.max(most, consumer.status().bufferedBytes)
        }
        const after = process.memoryUsage()
        expect(calls).toBe(4)
        // The share of each partition, plus one batch each (64 KiB here).
        expect(most).toBeGreaterThan(bytes / 2)
        expect(most).toBeLessThan(bytes * 1.5)
        expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(bytes)
        release()
        await until('all', () => values.size === count, 50_000)
        expect(events.some(({ kind }) => kind === 'resumed')).toBe(true)
      },
      120_000,
    )

    test('poison: attempts with back-off, then the dead-letter topic with bytes and origin; other keys go on', async () => {
      const name = 'poison'
      await cluster.createTopic(name, { partitions: 2 })
      await cluster.createTopic(`${name}.dead`, { partitions: 2 })
      const numbers = defineTopic(name, {
        key: column.string(),
        value: { n: column.integer() },
        partitions: 2,
        replicationFactor: 3,
      })
      const raw = kafka.kafkajs.producer()
      await raw.connect()
      const bad = Buffer.from([0xff, 0x00, 0x7b])
      await raw.send({
        topic: name,
        acks: -1,
        messages: [
          { key: 'a', value: '{"n":1}', headers: { trace: ['x', Buffer.from([0, 255])] } },
          { key: 'b', value: bad, headers: { trace: 'y' } },
          { key: 'a', value: '{"n":2}' },
          { key: 'c', value: '{"n":3}' },
          { key: 'd', value: null },
        ],
      })
      await raw.disconnect()
      const handled: number[] = []
      const attempts: number[] = []
      const options = {
        group: name,
        topics: [numbers],
        retry: { attempts: 3, backoff: '50 ms' as const },
        deadLetter: { topic: `${name}.dead` },
      }
      const consumer = kafka.consumer({
        ...options,
        onEvent: (event) => events.push(event),
        handle({ value }, { attempt }) {
          if (value.n === 1) {
            attempts.push(attempt)
            throw new Error('does not like 1')
          }
          handled.push(value.n)
        },
      })
      consumers.push(consumer)
      await until('all committed', async () => sum(await committed(name, name)) === 5)
      await consumer.stop()
      expect(attempts).toEqual([1, 2, 3])
      expect(handled.sort()).toEqual([2, 3])
      const dead = await readAll(kafka, `${name}.dead`, 3)
      const of = (key: string) => dead.find((record) => record.key?.toString() === key)!
      expect(of('b').value!.equals(bad)).toBe(true)
      expect(of('d').value).toBeNull()
      expect(of('a').value!.toString()).toBe('{"n":1}')
      expect((of('a').headers!['trace'] as Buffer[]).map((one) => Buffer.from(one))).toEqual([
        Buffer.from('x'),
        Buffer.from([0, 255]),
      ])
      const header = (key: string, headerName: string) => String(of(key).headers![headerName])
      expect(header('a', 'pipe-origin-topic')).toBe(name)
      expect(header('a', 'pipe-attempts')).toBe('3')
      expect(header('a', 'pipe-error-message')).toContain('does not like 1')
      expect(header('b', 'pipe-attempts')).toBe('0')
      expect(header('b', 'pipe-error-code')).toBe('PIPE_KAFKA_DECODE')
      expect(header('b', 'pipe-origin-offset')).toMatch(/^\d$/)
      expect(header('b', 'trace')).toBe('y')

      // The redrive: first what it would do, then done, each letter once.
      const plan = await planRedrive(kafka, { from: `${name}.dead` })
      expect(plan).toMatchObject({ letters: 3, foreign: 0 })
      expect(plan.causes.map(({ topic, errorCode, count }) => `${topic} ${errorCode} ${count}`)).toEqual([
        `${name} PIPE_KAFKA_DECODE 2`,
        `${name} Error 1`,
      ])
      expect(await planRedrive(kafka, { from: `${name}.dead` })).toEqual(plan)
      expect(await applyRedrive(kafka, plan)).toEqual({ redriven: 3, foreign: 0 })
      expect(await planRedrive(kafka, { from: `${name}.dead` })).toMatchObject({ letters: 0, ranges: [] })
      await expect(applyRedrive(kafka, plan)).rejects.toMatchObject({ code: 'PIPE_KAFKA_PLAN_STALE' })
      const back = (await readAll(kafka, name, 8)).filter(({ headers }) => headers?.['pipe-redriven'])
      expect(back).toHaveLength(3)
      const again = back.find((record) => record.key!.toString() === 'b')!
      expect(again.value!.equals(bad)).toBe(true)
      expect(Object.keys(again.headers!).sort()).toEqual(['pipe-redriven', 'trace'])
    })

    newestTest('poison without a dead-letter topic: the consumer fails with the place, and commits nothing past it', async () => {
      const topic = await newTopic('halt', 1)
      await produce(topic, 10, { keys: 10 })
      const consumer = start({
        group: 'halt',
        topics: [topic],
        retry: { attempts: 2, backoff: '10 ms' },
        handle({ value }) {
          if (value === '4') throw new Error('no four')
        },
      })
      await expect(consumer.done).rejects.toMatchObject({
        code: 'PIPE_KAFKA_POISON',
        details: { topic: 'halt', partition: 0, offset: 4n },
      })
      expect(consumer.status().state).toBe('failed')
      expect(await committed('halt', 'halt')).toEqual({ 0: '4' })
    })

    newestTest(
      'the coordinator is killed: the group goes on at another broker, without a rebalance, nothing lost',
      async () => {
        const topic = await newTopic('failover', 6)
        const seen: string[] = []
        start({
          group: 'failover',
          topics: [topic],
          concurrency: 4,
          timing: { session: '20 seconds' },
          async handle({ value }) {
            await pause(2)
            seen.push(value)
          },
        })
        await produce(topic, 500)
        await until('a start', () => seen.length > 100)
        const own = resourcesOf(kafka).openCluster()
        const coordinator = cluster.broker((await own.coordinator('failover')).nodeId!)
        await own.close()
        await coordinator.kill()
        await produce(topic, 500, { from: 500 })
        await until('all', () => new Set(seen).size === 1000, 45_000)
        await until('a commit of all', async () => sum(await committed('failover', 'failover')) === 1000)
        const joins = events.filter(({ kind }) => kind === 'joined').length
        console.log(
          `coordinator killed: ${joins} joins, ${seen.length - 1000} repeated, ${events.filter(({ kind }) => kind === 'restarting').length} restarts`,
        )
        expect(events.filter(({ kind }) => kind === 'restarting')).toEqual([])
        await coordinator.restart()
      },
      120_000,
    )

    newestTest('stop with a deadline: what listens is aborted, what does not is reported, the rest is committed', async () => {
      const topic = await newTopic('deadline', 1)
      await produce(topic, 50, { keys: 50 })
      let release: () => void = () => {}
      const forever = new Promise<void>((resolve) => {
        release = resolve
      })
      const done: string[] = []
      const consumer = start({
        group: 'deadline',
        topics: [topic],
        concurrency: 4,
        async handle({ value }, { signal }) {
          if (value === '20') await pause(60_000, undefined, { signal })
          if (value === '30') await forever
          await pause(5)
          done.push(value)
        },
      })
      await until('all but two', () => done.length === 48)
      const started = Date.now()
      const report = await consumer.stop({ deadline: '2 seconds' })
      expect(Date.now() - started).toBeLessThan(3500)
      expect(report).toMatchObject({
        isClean: false,
        isCommitted: true,
        hasLeftGroup: true,
        abortedHandlers: 2,
        runningHandlers: 1,
      })
      expect(report.partitions).toMatchObject([{ committed: 20n, done: 20n, open: 2, logEnd: 50n }])
      expect(await committed('deadline', 'deadline')).toEqual({ 0: '20' })
      await consumer.done
      release()
    })

    test('an offset that the log does not have: loud by default, else by policy; −1 is never committed', async () => {
      const topic = await newTopic('range', 1)
      await produce(topic, 100, { keys: 10 })
      const admin = kafka.kafkajs.admin()
      await admin.connect()
      await admin.fetchTopicOffsets('range')
      await commitAt('range-fail', 'range', 10n)
      await commitAt('range-earliest', 'range', 10n)
      await commitAt('range-latest', 'range', 10n)
      await commitAt('range-beyond', 'range', 500n)
      await admin.deleteTopicRecords({ topic: 'range', partitions: [{ partition: 0, offset: '60' }] })
      await admin.disconnect()
      const seen: string[] = []
      const handle = ({ value }: { value: string }) => void seen.push(value)

      const failing = start({ group: 'range-fail', topics: [topic], handle })
      await expect(failing.done).rejects.toMatchObject({
        code: 'PIPE_KAFKA_OFFSET',
        message: expect.stringContaining('begins at 60: 50 offsets'),
      })
      expect(seen).toEqual([])
      expect(await committed('range-fail', 'range')).toEqual({ 0: '10' })

      const beyond = start({ group: 'range-beyond', topics: [topic], handle })
      await expect(beyond.done).rejects.toMatchObject({ message: expect.stringContaining('ends at 100') })
      expect(await committed('range-beyond', 'range')).toEqual({ 0: '500' })

      const earliest = start({ group: 'range-earliest', topics: [topic], offsets: { outOfRange: 'earliest' }, handle })
      await until('40 records', () => seen.length === 40)
      expect(seen[0]).toBe('60')
      expect(events.find(({ kind }) => kind === 'offset-reset')).toMatchObject({ from: 10n, to: 60n, skipped: 50n })
      await earliest.stop()
      expect(await committed('range-earliest', 'range')).toEqual({ 0: '100' })

      start({ group: 'range-latest', topics: [topic], offsets: { outOfRange: 'latest' }, handle })
      await until('the place at the end', async () => (await committed('range-latest', 'range'))[0] === '100')
      await produce(topic, 1, { from: 100 })
      await until('one more', () => seen.length === 41)
      expect(seen.at(-1)).toBe('100')
    })

    test('records of aborted transactions are not seen, those of committed ones are, and the group gets past their marks', async () => {
      const topic = await newTopic('transactions', 1)
      const producer = kafka.kafkajs.producer({ transactionalId: 'tx', maxInFlightRequests: 1, idempotent: true })
      await producer.connect()
      for (const [value, isCommitted] of [
        ['a', true],
        ['b', false],
        ['c', true],
        ['d', false],
      ] as const) {
        const transaction = await producer.transaction()
        await transaction.send({
          topic: 'transactions',
          messages: [
            { key: 'k', value },
            { key: 'k', value: `${value}2` },
          ],
        })
        await (isCommitted ? transaction.commit() : transaction.abort())
      }
      await producer.disconnect()
      const seen: string[] = []
      start({ group: 'transactions', topics: [topic], handle: ({ value }) => void seen.push(value) })
      // 8 records and 4 marks.
      await until('the end', async () => (await committed('transactions', 'transactions'))[0] === '12')
      expect(seen).toEqual(['a', 'a2', 'c', 'c2'])
    })

    newestTest(
      'all brokers out of reach for longer than the session: joined anew, nothing lost',
      async () => {
        const topic = await newTopic('outage', 3)
        const proxied = createKafka({ brokers: cluster.proxiedBootstrap, clientId: 'test' })
        const seen: string[] = []
        const own: ConsumerEvent[] = []
        const consumer = proxied.consumer({
          group: 'outage',
          topics: [topic],
          timing: { session: '3 seconds' },
          onEvent: (event) => own.push(event),
          handle: ({ value }) => void seen.push(value),
        })
        consumers.push(consumer)
        await produce(topic, 100)
        await until('100', () => seen.length === 100)
        for (const { proxy } of cluster.brokers) {
          await proxy.setMode('refuse')
          proxy.resetConnections()
        }
        await produce(topic, 100, { from: 100 })
        await pause(5000)
        for (const { proxy } of cluster.brokers) await proxy.clear()
        await until('all', () => new Set(seen).size === 200, 60_000)
        console.log(
          `outage of 5 s: ${own.filter(({ kind }) => kind === 'restarting').length} restarts, ${seen.length - 200} repeated`,
        )
        await consumer.stop()
        await consumer.done
        await proxied.close()
      },
      120_000,
    )

    newestTest(
      'an event loop that stands still for longer than the session: fenced, joined anew, nothing lost',
      async () => {
        const topic = await newTopic('blocked', 1)
        await produce(topic, 20, { keys: 20 })
        const seen: string[] = []
        start({
          group: 'blocked',
          topics: [topic],
          timing: { session: '3 seconds', commitEvery: '100 ms' },
          async handle({ value }) {
            if (value === '10' && !seen.includes('10')) {
              seen.push(value)
              const until = Date.now() + 5000
              while (Date.now() < until);
            }
            await pause(10)
            seen.push(value)
          },
        })
        await until('the end', async () => (await committed('blocked', 'blocked'))[0] === '20', 45_000)
        expect(new Set(seen).size).toBe(20)
        expect(events.some(({ kind }) => kind === 'event-loop-blocked')).toBe(true)
        expect(events.some(({ kind }) => kind === 'fenced')).toBe(true)
        expect(events.filter(({ kind }) => kind === 'joined').length).toBeGreaterThanOrEqual(2)
      },
      60_000,
    )

    test('a topic that is not there, and a dead-letter topic that is not: fails at once', async () => {
      const missing = start({ group: 'missing', topics: [textTopic('nowhere', 1)], handle: () => undefined })
      await expect(missing.done).rejects.toMatchObject({ code: 'PIPE_KAFKA_TOPIC', message: expect.stringContaining('nowhere') })
      const topic = await newTopic('no-letters', 1)
      const letters = start({ group: 'no-letters', topics: [topic], deadLetter: { topic: 'no.dead' }, handle: () => undefined })
      await expect(letters.done).rejects.toMatchObject({ code: 'PIPE_KAFKA_TOPIC', message: expect.stringContaining('no.dead') })
    })
  })

  interface DriverRecord {
    readonly key: Buffer | null
    readonly value: Buffer | null
    readonly headers?: Record<string, unknown>
  }

  /** Reads a topic with bare kafkajs: not what is tested. */
  async function readAll(kafka: Kafka, topic: string, count: number): Promise<DriverRecord[]> {
    const consumer = kafka.kafkajs.consumer({ groupId: `read-${topic}-${Date.now()}`, maxWaitTimeInMs: 200 })
    const records: DriverRecord[] = []
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    await consumer.run({ eachMessage: async ({ message }) => void records.push(message as DriverRecord) })
    await until(`${count} records of ${topic}`, () => records.length >= count)
    await consumer.disconnect()
    return records
  }
})
