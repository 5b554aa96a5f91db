import { type ChildProcess, execFile, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createKafka, type Kafka } from '@pipe/kafka-kit'
import { build } from 'esbuild'
import type { BrokersUsage } from './kafka-local/brokers'
import { type BenchResult, type BenchSuite, benchRow, benchTarget, interleave, median, type Round } from './result'

const here = dirname(fileURLToPath(import.meta.url))
const run = promisify(execFile)
const rounds = 9
const valueBytes = 256
const batchRecords = 500
const messagesARound = 50_000
const messagesKept = 1_000_000
const replicas = 3

/** The embedded Kafka: start against empty servers, produce with acks all and three replicas against a bare stub, memory of a million messages. */
export const suite: BenchSuite = {
  name: 'kafka-local',
  async run(log): Promise<BenchResult> {
    const scripts = join(here, 'node_modules', '.cache', 'kafka-local')
    mkdirSync(scripts, { recursive: true })
    await bundle(scripts)
    const results = [await measureStart(scripts, log), await measureProduce(scripts, log), await measureMemory(scripts, log)]
    return { rows: results.flatMap(({ rows }) => rows), targets: results.flatMap(({ targets }) => targets) }
  },
}

async function bundle(outdir: string): Promise<void> {
  await build({
    entryPoints: { brokers: join(here, 'kafka-local', 'brokers.ts'), start: join(here, 'kafka-local', 'start.ts') },
    outdir,
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    outExtension: { '.js': '.mjs' },
    conditions: ['pipe-source'],
    external: ['@aws-sdk/*', '@duckdb/*', 'citty', 'esbuild', 'fast-xml-parser', 'kafkajs'],
  })
}

async function measureStart(scripts: string, log: (line: string) => void): Promise<BenchResult> {
  const start = (kind: string) => async (): Promise<Round> => {
    const started = performance.now()
    const { stdout } = await run(process.execPath, [join(scripts, 'start.mjs'), kind])
    return { ms: performance.now() - started, ...(JSON.parse(stdout) as Pick<Round, 'cpuMs' | 'peakRssMb'>), digest: 'listening' }
  }
  const measured = await interleave({ ours: start('embedded'), floor: start('floor') }, rounds, (line) => log(`start: ${line}`))
  return {
    rows: [
      benchRow('process that starts three embedded brokers', 'ours', measured.ours),
      benchRow('process that starts three empty TCP servers', 'floor', measured.floor),
    ],
    targets: [
      benchTarget(
        'CPU until three brokers are ready, against empty servers',
        cpu(measured.ours) / cpu(measured.floor),
        'lower',
        2,
      ),
    ],
  }
}

/** Brokers in a child process, and a producer of them in this one. */
interface Contender {
  readonly child: ChildProcess
  readonly kafka: Kafka
  produce(messages: number): Promise<void>
  usage(): Promise<BrokersUsage>
  close(): Promise<void>
}

async function startContender(scripts: string, kind: 'embedded' | 'stub'): Promise<Contender> {
  const child = fork(join(scripts, 'brokers.mjs'), [kind], { execArgv: [] })
  const [brokers] = (await once(child, 'message')) as [string[]]
  const kafka = createKafka({ brokers, clientId: 'bench' })
  const producer = kafka.producer({ batchRecords, linger: '0 ms' })
  const value = Buffer.alloc(valueBytes, 'x')
  const batches = Array.from({ length: 6 }, (_, partition) => Array.from({ length: batchRecords }, () => ({ value, partition })))
  return {
    child,
    kafka,
    async produce(messages) {
      let left = messages / batchRecords
      const lane = async (partition: number) => {
        while (left > 0) {
          left -= 1
          await producer.sendMany('bench', batches[partition]!)
        }
      }
      await Promise.all(batches.map((_, partition) => lane(partition)))
    },
    async usage() {
      child.send('usage')
      const [usage] = (await once(child, 'message')) as [BrokersUsage]
      return usage
    },
    async close() {
      await kafka.close()
      child.disconnect()
    },
  }
}

async function measureProduce(scripts: string, log: (line: string) => void): Promise<BenchResult> {
  const ours = await startContender(scripts, 'embedded')
  const stub = await startContender(scripts, 'stub')
  const round = (contender: Contender, copies: number) => async (): Promise<Round> => {
    const before = await contender.usage()
    const cpu = process.cpuUsage()
    const started = performance.now()
    await contender.produce(messagesARound)
    const ms = performance.now() - started
    const { user, system } = process.cpuUsage(cpu)
    const after = await contender.usage()
    const stored = after.copies - before.copies === messagesARound * copies
    return {
      ms,
      cpuMs: (user + system) / 1000 + after.cpuMs,
      peakRssMb: after.peakRssMb,
      digest: stored ? 'all stored' : 'not all stored',
    }
  }
  try {
    const measured = await interleave({ ours: round(ours, replicas), stub: round(stub, 1) }, rounds, (line) =>
      log(`produce: ${line}`),
    )
    const verdict = measured.ours.every(({ digest }) => digest === 'all stored') ? 'ok' : 'lossy'
    return {
      rows: [
        benchRow(`produce ${messagesARound} × ${valueBytes} B, acks all, embedded, 3 replicas`, 'ours', measured.ours, verdict),
        benchRow(`produce ${messagesARound} × ${valueBytes} B, acks all, bare stub, 1 copy counted`, 'floor', measured.stub),
      ],
      targets: [
        benchTarget(
          'produce: CPU of producer and brokers, bare stub against embedded',
          cpu(measured.stub) / cpu(measured.ours),
          'higher',
          0.5,
        ),
      ],
    }
  } finally {
    await Promise.all([ours.close(), stub.close()])
  }
}

async function measureMemory(scripts: string, log: (line: string) => void): Promise<BenchResult> {
  const ours = await startContender(scripts, 'embedded')
  try {
    const before = await ours.usage()
    const started = performance.now()
    await ours.produce(messagesKept)
    const ms = performance.now() - started
    const after = await ours.usage()
    const grown = after.rssMb - before.rssMb
    log(`memory: ${messagesKept} messages of ${valueBytes} B on ${replicas} brokers take ${grown.toFixed(0)} MB`)
    const isWhole = after.copies === messagesKept * replicas
    const round: Round = { ms, cpuMs: after.cpuMs, peakRssMb: after.peakRssMb, digest: isWhole ? 'all stored' : 'not all stored' }
    const name = `${messagesKept} × ${valueBytes} B kept by three embedded brokers`
    return {
      rows: [benchRow(name, 'ours', [round], isWhole ? 'ok' : 'lossy')],
      targets: [
        benchTarget('memory against bytes × replicas', (grown * 1e6) / (messagesKept * valueBytes * replicas), 'lower', 1.5),
      ],
    }
  } finally {
    await ours.close()
  }
}

/** CPU time: unlike wall time it hardly depends on what else the machine does. */
function cpu(measured: readonly Round[]): number {
  return median(measured.map(({ cpuMs }) => cpuMs))
}
