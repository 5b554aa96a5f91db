import { join } from 'node:path'
import { type KafkaCluster, kafkaAvailability, startKafkaCluster } from '@pipe/testkit'
import { Kafka, logLevel } from 'kafkajs'
import { type BenchResult, benchRow, benchTarget, interleave, median, type Round } from '../result'
import { runTask } from './child'
import type { Peers } from './peers'
import type { ProduceTask } from './produce'
import { ratioOf, ratioText, readBackRound, readBackText, verdictOf } from './ratio'
import { readBack } from './read-back'

const partitions = 6
const batchRecords = 100
const messages = 60_000
const warmUp = 12_000

/** Producers on three real brokers, acks all, three replicas. */
export async function measureCluster(
  scripts: string,
  peers: Peers,
  rounds: number,
  log: (line: string) => void,
): Promise<BenchResult> {
  const available = await kafkaAvailability()
  if (!available.available) {
    log(`skipped: no real cluster can be started here: ${available.reason}`)
    return { rows: [], targets: [] }
  }
  await using cluster = await startKafkaCluster()
  const run = (client: ProduceTask['client'], folder = scripts, node?: string) => produceRun(cluster, client, folder, node)
  const others: Record<string, () => Promise<Round>> = {}
  for (const name of ['rdkafka', 'platformatic'] as const) {
    const peer = peers[name]
    if (!peer.isInstalled) {
      log(`${name} skipped: ${peer.reason}`)
      continue
    }
    const round = repeated(name, run(name, peer.folder, peer.node), log)
    try {
      await round()
      others[name] = round
    } catch (error) {
      // That another client does not run here must not take our own figures away.
      log(`${name} left out, its first round failed: ${(error as Error).message}`)
    }
  }
  const measured: Partial<Record<string, Round[]>> = await interleave(
    { kit: run('kit'), kafkajs: run('kafkajs'), ...others },
    rounds,
    (line) => log(`produce to three brokers, acks all: ${line}`),
  )
  const kit = measured['kit']!
  const kafkajs = measured['kafkajs']!
  const ratio = ratioOf(kafkajs, kit)
  log(ratioText('three brokers, against kafkajs', ratio))
  reportPeers(measured, log)
  const names: Readonly<Record<string, string>> = {
    kit: 'kafka-kit (idempotent)',
    kafkajs: 'kafkajs',
    rdkafka: 'node-rdkafka 3.6.1',
    platformatic: '@platformatic/kafka 2.12.1 on Node 22',
  }
  return {
    rows: Object.entries(measured).map(([name, of]) =>
      benchRow(
        `three brokers, acks all, ${messages} messages in batches of ${batchRecords}, ${names[name]}`,
        name === 'kit' ? 'ours' : 'peer',
        of!,
        verdictOf(of!, readBackText(messages + warmUp)),
      ),
    ),
    targets: [
      benchTarget('three brokers: client CPU a message against kafkajs', 1 / ratio.cpu, 'lower', 1 / 3),
      benchTarget('three brokers: messages/s against kafkajs', ratio.wall, 'higher', 1),
    ],
  }
}

/** Information, not a target: they are other platforms (native code, another Node). */
function reportPeers(measured: Partial<Record<string, Round[]>>, log: (line: string) => void): void {
  const others = (['rdkafka', 'platformatic'] as const).filter((name) => measured[name])
  const msOf = (name: string) => median(measured[name]!.map(({ ms }) => ms))
  for (const name of others) log(ratioText(`three brokers, against ${name}`, ratioOf(measured[name]!, measured['kit']!)))
  if (others.length === 0) return
  const fastest = Math.min(...others.map(msOf))
  log(`three brokers: ${(fastest / msOf('kit')).toFixed(2)} × the messages/s of the faster peer (goal 0.8, not judged)`)
}

/** Clients in native code now and then die with a signal. Their round is run again, three times at most, and the log says so. */
function repeated(name: string, round: () => Promise<Round>, log: (line: string) => void): () => Promise<Round> {
  return async () => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await round()
      } catch (error) {
        if (attempt === 3) throw error
        log(`${name}: a round failed and is run again: ${(error as Error).message}`)
      }
    }
  }
}

let nextTopic = 0

function produceRun(cluster: KafkaCluster, client: ProduceTask['client'], folder: string, node?: string) {
  return async (): Promise<Round> => {
    const topic = `bench-${nextTopic++}`
    await cluster.createTopic(topic, { partitions, settings: { 'file.delete.delay.ms': '1000' } })
    const task = { client, mode: 'batched', messages, warmUp, topic, partitions, batchRecords, concurrency: 1 } as const
    const round = await runTask<Round>(
      join(folder, 'produce.mjs'),
      { ...task, brokers: cluster.bootstrap } satisfies ProduceTask,
      node,
    )
    const stored = await readBack(cluster, topic, messages + warmUp)
    await deleteTopic(cluster, topic)
    return readBackRound(round, stored, messages + warmUp)
  }
}

async function deleteTopic(cluster: KafkaCluster, topic: string): Promise<void> {
  const admin = new Kafka({ brokers: [...cluster.bootstrap], logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  await admin.deleteTopics({ topics: [topic] })
  await admin.disconnect()
}
