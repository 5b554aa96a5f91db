import { type ChildProcess, fork, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import type { LocalAws } from '@pipe/local'
import { build } from 'esbuild'
import { type BenchResult, type BenchSuite, benchRow, benchTarget, interleave, median, type Round } from './result'

const here = dirname(fileURLToPath(import.meta.url))
const Bucket = 'bench'
const objectBytes = 64 << 10
const objects = 1000
const inFlight = 16
const rounds = 9

/** S3 put and get against a bare in-memory server behind the same SDK calls, and the start of the runtime against that of the SDK. */
export const suite: BenchSuite = {
  name: 'local',
  async run(log): Promise<BenchResult> {
    const dir = mkdtempSync(join(tmpdir(), 'pipe-bench-'))
    // Built scripts stand inside the workspace, so that they find its packages.
    const scripts = join(here, 'node_modules', '.cache', 'local')
    mkdirSync(scripts, { recursive: true })
    try {
      await bundle(scripts)
      const transfer = await measureTransfer(join(scripts, 's3-server.mjs'), dir, log)
      const start = await measureStart(scripts, dir, log)
      return { rows: [...transfer.rows, ...start.rows], targets: [...transfer.targets, ...start.targets] }
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  },
}

// As published: one bundle with its lazy parts apart, everything from the registry outside.
async function bundle(outdir: string): Promise<void> {
  await build({
    entryPoints: { 's3-server': join(here, 'local', 's3-server.ts'), 'first-answer': join(here, 'local', 'first-answer.ts') },
    outdir,
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    outExtension: { '.js': '.mjs' },
    conditions: ['pipe-source'],
    external: ['@aws-sdk/*', '@duckdb/*', 'citty', 'esbuild', 'fast-xml-parser'],
  })
}

/** A server in a child process, and a client of it in this one. */
interface Contender {
  readonly child: ChildProcess
  readonly client: S3Client
  /** CPU time since the last question, and peak memory. */
  usage(): Promise<{ readonly cpuMs: number; readonly peakRssMb: number }>
}

async function startContender(script: string, args: readonly string[]): Promise<Contender> {
  const child = fork(script, args, { execArgv: [], env: { ...process.env, NODE_NO_WARNINGS: '1' } })
  const [aws] = (await once(child, 'message')) as [LocalAws]
  const client = new S3Client({ ...aws, maxAttempts: 1 })
  await client.send(new CreateBucketCommand({ Bucket }))
  return {
    child,
    client,
    async usage() {
      child.send('usage')
      const [usage] = (await once(child, 'message')) as [{ cpuMs: number; peakRssMb: number }]
      return usage
    },
  }
}

async function measureTransfer(script: string, dir: string, log: (line: string) => void): Promise<BenchResult> {
  const bodies = Array.from({ length: 64 }, (_, at) =>
    Buffer.alloc(objectBytes, createHash('sha512').update(String(at)).digest()),
  )
  const bodyOf = (at: number) => bodies[at % bodies.length]!
  const ours = await startContender(script, ['ours', join(dir, 'data')])
  const floor = await startContender(script, ['floor'])
  const put = (contender: Contender) => () =>
    timed(contender, async (at) => {
      await contender.client.send(new PutObjectCommand({ Bucket, Key: `key/${at}`, Body: bodyOf(at) }))
      return true
    })
  // The comparison costs both the same.
  const get = (contender: Contender) => () =>
    timed(contender, async (at) => {
      const { Body } = await contender.client.send(new GetObjectCommand({ Bucket, Key: `key/${at}` }))
      return bodyOf(at).equals(await Body!.transformToByteArray())
    })
  try {
    const measured = await interleave(
      { 'put ours': put(ours), 'put floor': put(floor), 'get ours': get(ours), 'get floor': get(floor) },
      rounds,
      (line) => log(`S3, ${objects} objects of 64 KiB, ${inFlight} in flight: ${line}`),
    )
    const throughput = (kind: 'put' | 'get') => wall(measured[`${kind} floor`]) / wall(measured[`${kind} ours`])
    return {
      rows: [
        benchRow('S3 put, @pipe/local', 'ours', measured['put ours'], verdict(measured['put ours'])),
        benchRow('S3 put, bare node:http in memory', 'floor', measured['put floor']),
        benchRow('S3 get, @pipe/local', 'ours', measured['get ours'], verdict(measured['get ours'])),
        benchRow('S3 get, bare node:http in memory', 'floor', measured['get floor']),
      ],
      targets: [
        benchTarget('S3 put throughput against the floor', throughput('put'), 'higher', 0.6),
        benchTarget('S3 get throughput against the floor', throughput('get'), 'higher', 0.75),
      ],
    }
  } finally {
    for (const { client, child } of [ours, floor]) {
      client.destroy()
      child.disconnect()
    }
  }
}

/** One round; `one` says whether its object was right. CPU and memory are the server's. */
async function timed(contender: Contender, one: (at: number) => Promise<boolean>): Promise<Round> {
  await contender.usage()
  const started = performance.now()
  let next = 0
  let right = 0
  const lane = async () => {
    while (next < objects) if (await one(next++)) right++
  }
  await Promise.all(Array.from({ length: inFlight }, lane))
  const ms = performance.now() - started
  return { ms, ...(await contender.usage()), digest: `${right} of ${objects}` }
}

function verdict(measured: readonly Round[]): 'ok' | 'wrong' {
  return measured.every(({ digest }) => digest === `${objects} of ${objects}`) ? 'ok' : 'wrong'
}

async function measureStart(scripts: string, dir: string, log: (line: string) => void): Promise<BenchResult> {
  const sdk = join(scripts, 'import-sdk.mjs')
  writeFileSync(sdk, `import '@aws-sdk/client-s3'\n${reportUsage}\n`)
  let run = 0
  const measured = await interleave(
    {
      sdk: () => processRound([sdk]),
      ours: () => processRound([join(scripts, 'first-answer.mjs'), join(dir, `start-${run++}`)]),
    },
    rounds,
    (line) => log(`start: ${line}`),
  )
  const ratio = wall(measured.ours) / wall(measured.sdk)
  return {
    rows: [
      benchRow('start to first S3 answer, @pipe/local and SDK client', 'ours', measured.ours),
      benchRow('node, importing the SDK client', 'floor', measured.sdk),
    ],
    targets: [benchTarget('start to first S3 answer against node importing the SDK client', ratio, 'lower', 3)],
  }
}

const reportUsage =
  'const usage = process.resourceUsage(); console.log(JSON.stringify({ cpuMs: (usage.userCPUTime + usage.systemCPUTime) / 1000, peakRssMb: usage.maxRSS / 1024 }))'

/** A process, from spawn until it reports its usage. */
async function processRound(args: readonly string[]): Promise<Round> {
  const started = performance.now()
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_NO_WARNINGS: '1' },
  })
  const closed = once(child, 'close')
  const [line] = (await Promise.race([once(child.stdout, 'data'), closed])) as [Buffer | number]
  const ms = performance.now() - started
  const [code] = (await closed) as [number]
  if (code !== 0 || !Buffer.isBuffer(line)) throw new Error(`node ${args.join(' ')} exited with ${code}`)
  return { ms, ...(JSON.parse(line.toString()) as { cpuMs: number; peakRssMb: number }), digest: '' }
}

function wall(measured: readonly Round[]): number {
  return median(measured.map(({ ms }) => ms))
}
