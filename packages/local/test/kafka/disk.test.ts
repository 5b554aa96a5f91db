import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { column } from '@pipe/core'
import { createKafka, defineTopic, lagOf } from '@pipe/kafka-kit'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type LocalKafka, startKafka } from '../../src/index'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'pipe-kafka-dir-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const topic = defineTopic('orders', { key: column.string(), value: column.string(), partitions: 3, replicationFactor: 3 })
const start = (settings: Record<string, string> = {}) =>
  startKafka({
    brokers: 3,
    dir,
    settings: { 'min.insync.replicas': '2', 'transaction.state.log.num.partitions': '3', ...settings },
  })

async function write(kafka: LocalKafka, from: number, to: number): Promise<void> {
  await using own = createKafka({ brokers: kafka.brokers, clientId: 'writer' })
  const records = Array.from({ length: to - from }, (_, i) => ({ key: `k${(from + i) % 7}`, value: String(from + i) }))
  await own.producer().sendMany(topic, records)
}

/** Reads up to `count` records as the group, commits, leaves. */
async function read(kafka: LocalKafka, group: string, count: number): Promise<string[]> {
  await using own = createKafka({ brokers: kafka.brokers, clientId: 'reader' })
  const values: string[] = []
  const consumer = own.consumer({
    group,
    topics: [topic],
    handle({ value }) {
      values.push(value)
      if (values.length === count) void consumer.stop()
    },
  })
  await consumer.done
  return values
}

const copies = (kafka: LocalKafka) =>
  kafka
    .partitions('orders')
    .map(({ copies: all }) => all.map(({ startOffset, endOffset, sizeBytes }) => ({ startOffset, endOffset, sizeBytes })))

describe('a cluster with a folder', () => {
  test('topics, logs, offsets and settings are found again, and go on', async () => {
    const first = await start()
    first.createTopic('orders', { partitions: 3, settings: { 'retention.ms': '-1' } })
    await write(first, 0, 500)
    expect(await read(first, 'billing', 500)).toHaveLength(500)
    await write(first, 500, 600)
    const before = copies(first)
    await first.close()

    await using second = await start()
    expect(second.topics()).toEqual(['orders'])
    expect(copies(second)).toEqual(before)
    // Leaders are spread again, everything is committed and in sync.
    expect(new Set(second.partitions('orders').map(({ leader }) => leader)).size).toBe(3)
    for (const { inSync, leader, copies: all } of second.partitions('orders')) {
      expect(inSync).toHaveLength(3)
      const own = all.find(({ broker }) => broker === leader)!
      expect(own.highWatermark).toBe(own.endOffset)
    }
    // The group goes on where it stopped.
    expect((await read(second, 'billing', 100)).map(Number).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 100 }, (_, i) => 500 + i),
    )
    await write(second, 600, 700)
    expect(await read(second, 'other', 700)).toHaveLength(700)
    await using own = createKafka({ brokers: second.brokers, clientId: 'check' })
    expect((await lagOf(own, 'billing')).messages).toBe(100)
  })

  test('a torn tail is left behind, and comes back from the other replicas; a deleted topic stays away', async () => {
    const first = await start()
    first.createTopic('orders', { partitions: 3 })
    first.createTopic('gone', { partitions: 1 })
    await write(first, 0, 300)
    const before = copies(first)
    first.deleteTopic('gone')
    await first.close()
    const folder = join(dir, 'broker-2', 'orders-0')
    const [file] = readdirSync(folder).filter((name) => name.endsWith('.log'))
    const bytes = readFileSync(join(folder, file!))
    writeFileSync(join(folder, file!), bytes.subarray(0, bytes.length - 3))
    appendFileSync(join(dir, 'broker-3', 'orders-1', file!), Buffer.alloc(40, 1))
    expect(readdirSync(join(dir, 'broker-1')).filter((name) => name.startsWith('gone'))).toEqual([])

    await using second = await start()
    expect(second.topics()).toEqual(['orders'])
    await second.waitFor('orders', (partitions) =>
      partitions.every(({ copies: all }) => all.every(({ endOffset }) => endOffset === all[0]!.endOffset)),
    )
    expect(copies(second)).toEqual(before)
    expect(await read(second, 'all', 300)).toHaveLength(300)
  })

  test('another number of brokers is refused', async () => {
    await (await start()).close()
    await expect(startKafka({ brokers: 1, dir })).rejects.toThrow(/holds a cluster of 3 brokers, not 1/)
  })
})
