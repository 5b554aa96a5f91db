// Child process: sends messages with one client and prints what it took. `node produce.mjs SETTINGS`
import { createPlaces, makeValues } from './messages'
import type { OpenProduceClient, ProduceClient, ProduceSettings } from './produce-client'

/** What the parent asks for. */
export interface ProduceTask extends ProduceSettings {
  readonly client: keyof typeof clients
  readonly mode: 'batched' | 'single'
  /** Sent before the clock starts, of the same kind. */
  readonly warmUp: number
  readonly messages: number
  /** Single sends that wait at the same time. */
  readonly concurrency: number
}

// Loaded on demand: each is only there where its library is installed.
const clients = {
  kit: async () => (await import('./produce-kit')).open,
  kafkajs: async () => (await import('./produce-kafkajs')).open,
  'kafkajs-idempotent': async () => (await import('./produce-kafkajs')).openIdempotent,
  rdkafka: async () => (await import('./produce-rdkafka')).open,
  platformatic: async () => (await import('./produce-platformatic')).open,
} satisfies Record<string, () => Promise<OpenProduceClient>>

const task = JSON.parse(process.argv[2]!) as ProduceTask
const { warmUp, messages, batchRecords } = task
const total = warmUp + messages
const values = makeValues(total)
const places = createPlaces(total)
const client = await (await clients[task.client]())(task)
const send = task.mode === 'batched' ? sendBatches : sendSingles

await send(client, 0, warmUp)
const cpuBefore = process.cpuUsage()
const startedMs = performance.now()
await send(client, warmUp, total)
const ms = performance.now() - startedMs
const cpu = process.cpuUsage(cpuBefore)
const peakRssMb = process.resourceUsage().maxRSS / 1024
await client.close()
console.log(JSON.stringify({ ms, cpuMs: (cpu.user + cpu.system) / 1000, peakRssMb, digest: places.digest() }))
process.exit(0)

/** One lane a partition; each waits for its batch. */
async function sendBatches({ sendBatch }: ProduceClient, from: number, to: number): Promise<void> {
  let next = from
  async function lane(partition: number): Promise<void> {
    while (next < to) {
      const start = next
      next = Math.min(to, start + batchRecords)
      const offsets = await sendBatch(partition, values.slice(start, next))
      for (let i = 0; i < offsets.length; i++) places.put(start + i, partition, offsets[i]!)
    }
  }
  await Promise.all(Array.from({ length: task.partitions }, (_, partition) => lane(partition)))
}

/** `concurrency` lanes; each waits for its message. */
async function sendSingles({ sendOne }: ProduceClient, from: number, to: number): Promise<void> {
  let next = from
  async function lane(): Promise<void> {
    while (next < to) {
      const number = next++
      const { partition, offset } = await sendOne(values[number]!)
      places.put(number, partition, offset)
    }
  }
  await Promise.all(Array.from({ length: task.concurrency }, lane))
}
