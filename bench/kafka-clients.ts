import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createKafka, type GroupLag, lagOf } from '@pipe/kafka-kit'
import { type LocalKafka, startKafka } from '@pipe/local'
import { bundle } from './kafka/bundle'
import { runTask } from './kafka/child'
import { installPeers } from './kafka/peers'
import type { ClientTask } from './kafka-clients/client-task'
import { kcatVersion, runKcat } from './kafka-clients/kcat'
import { type BenchResult, type BenchRow, type BenchSuite, benchRow, benchTarget } from './result'

const here = dirname(fileURLToPath(import.meta.url))
const messages = 1000

type Run = (task: ClientTask) => Promise<readonly string[]>

/**
 * No race, a check: each client writes a thousand records with keys to three embedded brokers, reads them as a member of a group, commits and
 * leaves. What it read is compared with what was sent, what the group has committed with the ends of the logs.
 */
export const suite: BenchSuite = {
  name: 'kafka-clients',
  async run(log): Promise<BenchResult> {
    const scripts = join(here, 'node_modules', '.cache', 'kafka-clients')
    mkdirSync(scripts, { recursive: true })
    const clients = await clientsOf(scripts, log)
    const kafka = await startKafka({ brokers: 3 })
    try {
      const rows: BenchRow[] = []
      for (const [name, run] of clients) rows.push(await check(kafka, name, run, log))
      const passed = rows.filter(({ verdict }) => verdict === 'ok').length
      return { rows, targets: [benchTarget('clients that write, read in a group and commit', passed / rows.length, 'higher', 1)] }
    } finally {
      await kafka.close()
    }
  },
}

async function clientsOf(scripts: string, log: (line: string) => void): Promise<ReadonlyMap<string, Run>> {
  const inFolder = async (name: string, folder: string, node?: string): Promise<Run> => {
    await bundle(folder, [`../kafka-clients/${name}`])
    return (task) => runTask<readonly string[]>(join(folder, `${name}.mjs`), task, node)
  }
  const clients = new Map<string, Run>([
    ['kafka-kit', await inFolder('kafka-kit', scripts)],
    ['kafkajs', await inFolder('kafkajs', scripts)],
  ])
  const kcat = await kcatVersion()
  if (kcat) clients.set(`kcat ${kcat}`, runKcat)
  else log('kcat skipped: not installed (Debian: apt-get install kcat)')
  const peers = await installPeers(join(here, 'node_modules', '.cache', 'kafka', 'peers'), log)
  for (const [name, peer] of Object.entries(peers)) {
    if (peer.isInstalled) clients.set(peer.title, await inFolder(name, peer.folder, peer.node))
    else log(`${name} skipped: ${peer.reason}`)
  }
  return clients
}

async function check(kafka: LocalKafka, name: string, run: Run, log: (line: string) => void): Promise<BenchRow> {
  const topic = `t-${name.replace(/[^\w.-]/g, '-')}`
  kafka.createTopic(topic, { partitions: 3, settings: { 'min.insync.replicas': '2' } })
  const startedMs = performance.now()
  let digest: string
  let isRight = false
  try {
    const read = await run({ brokers: kafka.brokers, topic, group: topic, messages })
    const distinct = new Set(read)
    const sent = Array.from({ length: messages }, (_, i) => String(i))
    const group = await groupOf(kafka, topic)
    const committed = group.partitions.reduce((sum, { committedOffset }) => sum + Number(committedOffset ?? 0), 0)
    isRight =
      read.length === messages && sent.every((value) => distinct.has(value)) && committed === messages && group.messages === 0
    digest = `${messages} sent, ${read.length} read, ${distinct.size} distinct, ${committed} committed, lag ${group.messages}`
  } catch (error) {
    digest = `failed: ${(error as Error).message}`
  }
  log(`${name}: ${digest}`)
  const round = { ms: performance.now() - startedMs, cpuMs: 0, peakRssMb: 0, digest }
  return benchRow(name, name === 'kafka-kit' ? 'ours' : 'peer', [round], isRight ? 'ok' : 'failed')
}

async function groupOf(kafka: LocalKafka, group: string): Promise<GroupLag> {
  await using own = createKafka({ brokers: kafka.brokers, clientId: 'check' })
  return await lagOf(own, group)
}
