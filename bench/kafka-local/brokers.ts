// Child process: three brokers, `embedded` or `stub` (wire only, one replica, batches counted). Sends their addresses to the parent, then answers each message
// with the CPU time since the last one and its memory.
import { startKafka } from '@pipe/local'
import { startStubBrokers } from '@pipe/testkit'

/** What the child says of itself. */
export interface BrokersUsage {
  readonly cpuMs: number
  readonly rssMb: number
  readonly peakRssMb: number
  /** Records that lie in the logs, over all replicas. */
  readonly copies: number
}

const topic = 'bench'
const partitions = 6
let copies: () => number
if (process.argv[2] === 'embedded') {
  const kafka = await startKafka({ brokers: 3 })
  kafka.createTopic(topic, { partitions, settings: { 'min.insync.replicas': '2' } })
  copies = () =>
    kafka.partitions(topic).reduce((sum, one) => sum + one.copies.reduce((own, { endOffset }) => own + endOffset, 0), 0)
  process.send!(kafka.brokers)
} else {
  const stub = await startStubBrokers({ topics: { [topic]: partitions }, brokers: 3, keep: 'count' })
  copies = () =>
    Array.from({ length: partitions }, (_, at) => Number(stub.endOffset(topic, at))).reduce((sum, one) => sum + one, 0)
  process.send!(stub.bootstrap)
}

let last = process.cpuUsage()
process.on('message', () => {
  const { user, system } = process.cpuUsage(last)
  last = process.cpuUsage()
  const usage: BrokersUsage = {
    cpuMs: (user + system) / 1000,
    rssMb: process.memoryUsage().rss / 1e6,
    peakRssMb: process.resourceUsage().maxRSS / 1e3,
    copies: copies(),
  }
  process.send!(usage)
})
process.once('disconnect', () => process.exit(0))
