import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { column, createObjectStore, defineTable, type ObjectStore, readRows } from '@pipe/core'
import { startLocal } from '@pipe/local'
import { startS3Gate } from '@pipe/testkit'
import type { Scenario, Scene } from '../scenario'
import type { Counts } from '../verdict'
import type { Worker } from '../worker'

const partitions = 3
const columns = { id: column.string(), n: column.integer() }
const table = defineTable('orders', { columns })

/** Where a worker of the sink is killed: after a write to S3 was carried out, before it heard of it. */
const moments = {
  'between upload and commit': /\/dt=/,
  'between claim and upload': /_sink\/.*\/\d+\.json/,
} as const

/** The sink is killed with a file in S3 that nobody knows of, or a claim without its file, and another worker goes on. */
export const kafkaToS3: Scenario = {
  name: 'kafka-to-s3',
  disturbs: 'nothing',
  async run({ target, random, ...scene }) {
    const topic = await scene.topic('orders', partitions)
    const local = await startLocal()
    scene.onEnd(() => local.close())
    const s3 = new S3Client(local.aws)
    scene.onEnd(() => s3.destroy())
    await s3.send(new CreateBucketCommand({ Bucket: 'lake' }))
    const gate = await startS3Gate(local.url)
    scene.onEnd(() => gate.close())
    const format = random.pick(['ndjson.gz', 'parquet'] as const)
    const config = { brokers: target.bootstrap, topic, format, records: random.between(20, 60) }
    const start = () => scene.worker('sink', config, { ...local.env, AWS_ENDPOINT_URL: gate.url })

    const producer = scene.connect().producer()
    const first = random.between(300, 800)
    const more = random.between(100, 400)
    await producer.sendMany(topic, recordsOf(0, first))
    const kills = ['between upload and commit', random.pick(Object.keys(moments) as (keyof typeof moments)[])] as const
    for (const moment of kills) {
      const reached = gate.swallow(moments[moment])
      const worker = await start()
      await Promise.race([reached, failure(worker)])
      await worker.kill()
    }
    await producer.sendMany(topic, recordsOf(first, first + more))
    const heir = await start()
    await Promise.race([readAll(scene, heir, first + more), failure(heir)])
    heir.tell('stop')
    await heir.ended
    const store = createObjectStore({ location: `s3://lake/${topic}/`, client: s3 })
    const note = `${format}, killed ${kills.join(', then ')}`
    return [{ guarantee: 's3', counts: await count(store, first + more), note }]
  },
}

/** Record times go on by ten seconds each thirty records, so that windows of a minute roll. */
function recordsOf(from: number, to: number) {
  const start = Date.UTC(2026, 10, 24, 15, 30)
  return Array.from({ length: to - from }, (_, i) => {
    const n = from + i
    const value = JSON.stringify({ id: `id-${n}`, n })
    return { key: `k${n % 97}`, value, timestamp: new Date(start + Math.floor(n / 30) * 10_000) }
  })
}

/** Rejects when a worker ends by itself. */
async function failure(worker: Worker): Promise<never> {
  const how = await worker.ended
  throw new Error(`The worker ended by itself: ${how}.`)
}

/** Waits until all partitions are read: stored, or in open files. */
async function readAll(scene: Pick<Scene, 'until' | 'wait'>, worker: Worker, count: number): Promise<void> {
  await scene.until('all records are read by the sink', async () => {
    worker.tell('progress')
    await scene.wait(100)
    const last = worker.messages.findLast(({ kind }) => kind === 'progress')
    return last !== undefined && last['partitions'] === partitions && (last['read'] as number) >= count
  })
}

async function count(store: ObjectStore, sent: number): Promise<Counts> {
  const found = new Map<number, number>()
  for await (const { key } of store.list({ prefix: 'dt=' })) {
    const body = await store.get(key)
    for await (const { rows, unreadable } of readRows({ table, file: key, source: body!.stream() })) {
      if (unreadable.length > 0) throw new Error(`${key} has ${unreadable.length} rows that cannot be read.`)
      for (const { n } of rows) found.set(n, (found.get(n) ?? 0) + 1)
    }
  }
  const numbers = Array.from({ length: sent }, (_, n) => n)
  return {
    sent,
    acknowledged: sent,
    stored: found.size,
    lost: numbers.filter((n) => !found.has(n)).length,
    duplicated: [...found.values()].reduce((sum, times) => sum + times - 1, 0),
    ambiguous: 0,
    notWritten: 0,
    phantoms: [...found.keys()].filter((n) => n >= sent).length,
    reordered: 0,
    again: undefined,
  }
}
