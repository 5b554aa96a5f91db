// A transform in a process of its own, to be stopped and killed.
import { column } from '@pipe/core'
import { createKafka, defineTopic } from '../../src/index'

const { brokers, name, group } = JSON.parse(process.argv[2]!) as { brokers: string[]; name: string; group: string }
const topic = (suffix: string) =>
  defineTopic(`${name}-${suffix}`, {
    key: column.string(),
    value: column.string(),
    partitions: 3,
    replicationFactor: 3,
    minInSyncReplicas: 2,
  })
const [evens, odds] = [topic('evens'), topic('odds')]
const kafka = createKafka({ brokers, clientId: `transform-${process.pid}` })
const transform = kafka.transform({
  group,
  from: topic('in'),
  to: [evens, odds],
  concurrency: 8,
  retry: { attempts: 2, backoff: '10 ms' },
  deadLetter: { topic: `${name}-dead` },
  timing: {
    session: '2 seconds',
    heartbeat: '400 ms',
    maxWait: '300 ms',
    drain: '1 second',
    commitEvery: '50 ms',
    transaction: '10 seconds',
  },
  async handle({ key, value }) {
    const n = Number(value)
    // Some are left out, some fail for good, the others have one output, in one of two topics.
    if (n % 50 === 7) return []
    if (n % 50 === 13) throw new Error(`no ${n}`)
    if (n % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 3))
    return { topic: n % 2 === 0 ? evens : odds, key, value: `out-${n}` }
  },
  onEvent: (event) =>
    process.send?.(
      JSON.stringify(event, (_, value) =>
        typeof value === 'bigint' ? Number(value) : value instanceof Error ? String(value) : value,
      ),
    ),
})
process.on('message', (message) => {
  if (message === 'stop') void transform.stop({ deadline: '5 seconds' })
})
try {
  await transform.done
} finally {
  await kafka.close()
  process.disconnect?.()
}
