// Child process: a consumer whose handlers never end, before a log that is far larger than memory. Prints how much memory it took.
// `node stall.mjs TASK`
import { setTimeout as sleep } from 'node:timers/promises'
import { column } from '@pipe/core'
import { createKafka, defineTopic } from '@pipe/kafka-kit'

/** What the parent asks for. */
export interface StallTask {
  readonly brokers: readonly string[]
  readonly topic: string
  readonly partitions: number
  readonly bufferBytes: number
  readonly stallMs: number
}

/** What it prints beside the figures of a round. */
export interface StallReport {
  /** Peak above what the process had before the consumer was made. */
  readonly growthBytes: number
  /** What the consumer says it holds. */
  readonly bufferedBytes: number
}

const { brokers, topic, partitions, bufferBytes, stallMs } = JSON.parse(process.argv[2]!) as StallTask
const kafka = createKafka({ brokers, clientId: 'bench' })
const contract = defineTopic(topic, { value: column.binary(), partitions, replicationFactor: 1 })
const before = process.memoryUsage().rss
const startedMs = performance.now()
const cpuBefore = process.cpuUsage()
let peak = before
let running = 0
const consumer = kafka.consumer({
  group: 'stall',
  topics: [contract],
  concurrency: 16,
  buffer: { bytes: bufferBytes },
  handle(_, { signal }) {
    running++
    return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))
  },
})
consumer.done.catch((error: unknown) => {
  throw error
})
while (performance.now() - startedMs < stallMs) {
  await sleep(20)
  peak = Math.max(peak, process.memoryUsage().rss)
}
const { bufferedBytes } = consumer.status()
const ms = performance.now() - startedMs
const cpu = process.cpuUsage(cpuBefore)
const report: StallReport = { growthBytes: peak - before, bufferedBytes }
console.log(
  JSON.stringify({
    ms,
    cpuMs: (cpu.user + cpu.system) / 1000,
    peakRssMb: peak / 2 ** 20,
    digest: `${running} running`,
    ...report,
  }),
)
process.exit(0)
