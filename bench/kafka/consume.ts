// Child process: handles a topic from its beginning to its end with one client and prints what it took. `node consume.mjs TASK`
import { setTimeout as wait } from 'node:timers'
import { column } from '@pipe/core'
import { createKafka, defineTopic } from '@pipe/kafka-kit'
import { Kafka, logLevel } from 'kafkajs'
import { numberOf } from './messages'

/** What the parent asks for. */
export interface ConsumeTask {
  readonly client: 'kit' | 'kafkajs' | 'kafkajs-partitions'
  readonly brokers: readonly string[]
  readonly topic: string
  readonly partitions: number
  /** Of each partition. */
  readonly records: number
  /** Handled before the clock starts. */
  readonly warmUp: number
  readonly handlerMs: number
  /** Handlers at the same time. Bare kafkajs has one; `kafkajs-partitions` one a partition at most. */
  readonly concurrency: number
}

const task = JSON.parse(process.argv[2]!) as ConsumeTask
const { brokers, topic, partitions, records, warmUp, handlerMs, concurrency } = task
const total = partitions * records
const handled = new Uint8Array(total)
let begun = 0
let done = 0
let wrong = 0
let startedMs = 0
let cpuBefore = process.cpuUsage()
let finish!: () => void
const finished = new Promise<void>((resolve) => (finish = resolve))

/** After the warm-up the clock runs until the last call has ended: joining a group is not measured. */
async function handle(partition: number, offset: number, value: Buffer | null): Promise<void> {
  if (begun++ === warmUp) {
    startedMs = performance.now()
    cpuBefore = process.cpuUsage()
  }
  if (numberOf(value) !== offset % 100) wrong++
  await new Promise<void>((resolve) => void wait(resolve, handlerMs))
  const at = partition * records + offset
  if (handled[at] !== 0) wrong++
  handled[at] = 1
  if (++done === total) finish()
}

const stop = task.client === 'kit' ? consumeWithKit() : await consumeWithKafkajs()
await finished
const ms = performance.now() - startedMs
const cpu = process.cpuUsage(cpuBefore)
const peakRssMb = process.resourceUsage().maxRSS / 1024
await stop()
const digest = `${done} of ${total}, ${wrong} wrong`
console.log(JSON.stringify({ ms, cpuMs: (cpu.user + cpu.system) / 1000, peakRssMb, digest }))
process.exit(0)

function consumeWithKit(): () => Promise<unknown> {
  const kafka = createKafka({ brokers, clientId: 'bench' })
  const contract = defineTopic(topic, { value: column.binary(), partitions, replicationFactor: 1 })
  const consumer = kafka.consumer({
    group: 'bench',
    topics: [contract],
    concurrency,
    handle: (record) => handle(record.partition, Number(record.offset), record.value as Buffer),
  })
  consumer.done.catch((error: unknown) => {
    throw error
  })
  return () => kafka.close()
}

async function consumeWithKafkajs(): Promise<() => Promise<void>> {
  const kafka = new Kafka({ brokers: [...brokers], clientId: 'bench', logLevel: logLevel.NOTHING })
  // As the kit does by default: fetches that wait for half a second, a commit every second.
  const consumer = kafka.consumer({ groupId: 'bench', maxWaitTimeInMs: 500 })
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  await consumer.run({
    autoCommitInterval: 1000,
    partitionsConsumedConcurrently: concurrency,
    eachMessage: ({ partition, message }) => handle(partition, Number(message.offset), message.value),
  })
  return () => consumer.disconnect()
}
