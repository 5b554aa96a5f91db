// Reads a window from the local S3 in a process of its own: lake-run.mjs get|run|idle AWS SOURCE TARGET THREADS MEMORY_MB. Prints what it measured as JSON.
import { GetObjectCommand, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3'
import { createCompactor, defineCompaction, inProcessEngine } from '@pipe/compactor'
import { at, table } from './table'

const [kind, aws, source, target, threads, memory] = process.argv.slice(2) as [string, string, string, string, string, string]
const client = new S3Client(JSON.parse(aws))
/** As many as the engine has. */
const inFlight = 24

const before = process.cpuUsage()
const started = performance.now()
const { digest, requests } = kind === 'get' ? await getAll() : await compact(at)
const ms = performance.now() - started
const cpu = process.cpuUsage(before)
const peakRssMb = process.resourceUsage().maxRSS / 1024
console.log(JSON.stringify({ ms, cpuMs: (cpu.user + cpu.system) / 1000, peakRssMb, digest, requests }))
client.destroy()

/** The least that reading the window takes: a listing, and each object once. */
async function getAll(): Promise<{ digest: string; requests: number }> {
  const keys: string[] = []
  let pages = 0
  for await (const page of paginateListObjectsV2({ client }, { Bucket: 'lake', Prefix: source })) {
    pages++
    for (const { Key } of page.Contents ?? []) keys.push(Key!)
  }
  let next = 0
  let bytes = 0
  const lane = async () => {
    while (next < keys.length) {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: 'lake', Key: keys[next++]! }))
      bytes += (await Body!.transformToByteArray()).length
    }
  }
  await Promise.all(Array.from({ length: inFlight }, lane))
  return { digest: `${bytes} bytes`, requests: pages + keys.length }
}

async function compact(time: Date): Promise<{ digest: string; requests: number }> {
  const compaction = defineCompaction({
    table,
    source: `s3://lake/${source}`,
    target: `s3://lake/${target}`,
    window: '5 minutes',
  })
  const engine = inProcessEngine({ threads: Number(threads), memoryLimitMb: Number(memory) })
  const compactor = createCompactor({ compaction, engine, client })
  const { outcome, outputRows, quarantinedRows, requests } = await compactor.run({ at: time })
  if (outcome !== (kind === 'idle' ? 'already-committed' : 'committed')) throw new Error(`The window is ${outcome}.`)
  return { digest: `${outputRows} rows, ${quarantinedRows} unreadable`, requests }
}
