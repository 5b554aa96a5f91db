import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundle } from './kafka/bundle'
import { measureCluster } from './kafka/measure-cluster'
import { measureConsume, measureStall } from './kafka/measure-consume'
import { measureEncode } from './kafka/measure-encode'
import { measureStub } from './kafka/measure-stub'
import { installPeers } from './kafka/peers'
import type { BenchResult, BenchSuite } from './result'

const here = dirname(fileURLToPath(import.meta.url))
const rounds = 9

/**
 * kafka-kit against bare kafkajs: encoder, producers on stub brokers and on three real ones (node-rdkafka and @platformatic/kafka beside
 * them), consumers, memory. Every client sends the same 256-byte values with acks all, in batches of the same number of messages.
 */
export const suite: BenchSuite = {
  name: 'kafka',
  async run(log): Promise<BenchResult> {
    // Built scripts stand where they find their packages: those of the workspace, and those of the peers.
    const scripts = join(here, 'node_modules', '.cache', 'kafka')
    mkdirSync(scripts, { recursive: true })
    await bundle(scripts, ['encode', 'produce', 'stub', 'consume', 'stall', 'log-stub'])
    const peers = await installPeers(join(scripts, 'peers'), log)
    for (const peer of Object.values(peers)) if (peer.isInstalled) await bundle(peer.folder, ['produce'])
    const results = [
      await measureEncode(scripts, rounds, log),
      await measureStub(scripts, rounds, log),
      await measureConsume(scripts, rounds, log),
      await measureStall(scripts, 3, log),
      await measureCluster(scripts, peers, rounds, log),
    ]
    return { rows: results.flatMap(({ rows }) => rows), targets: results.flatMap(({ targets }) => targets) }
  },
}
