import {
  CreateBucketCommand,
  HeadObjectCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { startLocal, type VirtualClock, virtualClock } from '@pipe/local'
import {
  applyLifecycle,
  chartText,
  classTimeline,
  estimateCost,
  formatPlan,
  type KeyOutcome,
  listBucket,
  planLifecycle,
  populationsOf,
  type StoredObject,
  simulateLifecycle,
} from '@pipe/s3-lifecycle'
import { places } from './places'
import { archiveAccount, replicaBucket, replicate } from './replica'
import { guarded, replicaRules, rules } from './rules'

const dayMs = 86_400_000
/** Days of the pipeline that the bucket holds when it gets its rules, and days that are played afterwards. */
const filledDays = 40
const playedDays = 400

/** What the pipeline leaves in a day, fewer of them than `npm start` has and as large as they are in production. */
const daily: readonly (readonly [prefix: string, count: number, bytes: number])[] = [
  [`${places.raw}dt=`, 3, 60_000],
  [`${places.compacted}data/dt=`, 2, 400_000],
  [`${places.compacted}_pipe/device_logs/`, 1, 900],
  [places.results, 1, 2_000],
]

/** How the play ended. */
export interface RulesPlay {
  /** What was foretold and did not happen, replicas that are missing: none, if all is well. */
  readonly problems: readonly string[]
  readonly replicas: number
  /** Current objects at the end, by class. */
  readonly left: Readonly<Record<string, number>>
}

/** Fills a bucket as the pipeline does, gives it its rules with plan, simulation and price, and lets more than a year pass. */
export async function playRules(print: (text: string) => void): Promise<RulesPlay> {
  // A plan looks at the real clock, so the past is filled up to it.
  const now = Math.ceil(Date.now() / dayMs) * dayMs
  await using local = await startLocal({ clock: virtualClock(new Date(now - filledDays * dayMs).toISOString()) })
  const client = new S3Client(local.aws)
  const archive = new S3Client(local.account(archiveAccount))
  try {
    for (const [s3, Bucket] of [
      [client, places.bucket],
      [archive, replicaBucket],
    ] as const) {
      await s3.send(new CreateBucketCommand({ Bucket }))
      await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }))
    }
    const problems = [...(await replicate(local, client, archive))]
    await fill(local.clock, client)

    print(`# Plan\n\n${formatPlan(await planned(client))}`)
    const before = await listed(client, places.bucket)
    const from = new Date(local.clock.now() + 1)
    const to = new Date(now + playedDays * dayMs)
    const foretold = [...simulateLifecycle(rules, before, { from, to, versioning: 'enabled' })]
    print(`\n# Simulation of ${playedDays} days\n\n${simulationText(foretold)}`)
    print(`\n# Cost\n\n${await costText(before, from)}`)

    await applyLifecycle(await planned(client), { client, maxDelete: Number.POSITIVE_INFINITY })
    await applyLifecycle(await planLifecycle({ bucket: replicaBucket, rules: replicaRules, client: archive, acceptCost: true }), {
      client: archive,
    })
    await local.clock.advanceTo(to.getTime() - 1)
    const after = await listed(client, places.bucket)
    problems.push(...differences(foretold, after))
    const replicas = await listed(archive, replicaBucket)
    problems.push(...(await missingReplicas(client, before, replicas)))
    const left = classesOf(after)
    print(`\n# After ${playedDays} days on the clock\n`)
    print(`lake: ${text(left)}`)
    print(`${replicaBucket}: ${text(classesOf(replicas))}, owned by ${archiveAccount}`)
    if (problems.length === 0) print('Everything came as foretold, and every compacted file has its replica.')
    return { problems, replicas: replicas.length, left }
  } finally {
    client.destroy()
    archive.destroy()
  }
}

async function fill(clock: VirtualClock, client: S3Client): Promise<void> {
  for (let day = 0; day < filledDays; day++) {
    const date = new Date(clock.now()).toISOString().slice(0, 10)
    for (const [prefix, count, bytes] of daily) {
      for (let i = 0; i < count; i++) {
        const Key = `${prefix}${date}/${String(i).padStart(2, '0')}`
        await client.send(new PutObjectCommand({ Bucket: places.bucket, Key, Body: Buffer.alloc(bytes, 'x') }))
      }
    }
    await clock.advance('1 day')
  }
}

const planned = (client: S3Client) => planLifecycle({ bucket: places.bucket, rules, client, protected: guarded })

async function listed(client: S3Client, bucket: string): Promise<StoredObject[]> {
  const found: StoredObject[] = []
  for await (const object of listBucket({ bucket, versions: true, client })) found.push(object)
  return found
}

/** How many objects of each prefix meet which fate, and when the first of them does. */
function simulationText(foretold: readonly KeyOutcome[]): string {
  const fates = new Map<string, { count: number; first: string; why: string }>()
  for (const { key, events } of foretold) {
    for (const { action, to, date, why } of events) {
      const name = `${/^[^/]+\/(_pipe|data)?/.exec(key)?.[0]} ${action}${to === undefined ? '' : ` ${to}`}`
      const day = date.toISOString().slice(0, 10)
      const fate = fates.get(name)
      if (fate === undefined) fates.set(name, { count: 1, first: day, why })
      else fates.set(name, { ...fate, count: fate.count + 1, ...(day < fate.first && { first: day, why }) })
    }
  }
  return [...fates].map(([name, { count, first, why }]) => `${name}: ${count}, from ${first} (${why})`).join('\n')
}

/** The bill of the same mixture at 10 TiB, and where its bytes are. */
async function costText(objects: readonly StoredObject[], from: Date): Promise<string> {
  const populations = await populationsOf(rules, objects, from)
  const bytes = populations.reduce((sum, { count, sizeBytes }) => sum + count * sizeBytes, 0)
  const factor = Math.round((10 * 1024 ** 4) / bytes)
  const scaled = populations.map((one) => ({ ...one, count: one.count * factor }))
  const { advice, prices, leaveAlone, total } = estimateCost({ rules, objects: scaled, from })
  const months = new Date(from.getTime() + 360 * dayMs)
  const chart = chartText(classTimeline({ rules, objects: scaled, from, to: months }))
  const amounts = `12 months of 10 TiB: ${total.toFixed(0)} ${prices.currency} with the rules, ${leaveAlone.total.toFixed(0)} without any transition`
  return `${amounts} (prices of ${prices.asOf}, ${prices.region})\n${advice}\n\n${chart}`
}

function differences(foretold: readonly KeyOutcome[], after: readonly StoredObject[]): string[] {
  const shown = (key: string, storageClass: string | undefined, isDeleteMarker: boolean | undefined) =>
    `${key} ${isDeleteMarker ? 'marker' : (storageClass ?? 'STANDARD')}`
  const wanted = foretold.flatMap(({ key, versions }) => versions.map((one) => shown(key, one.storageClass, one.isDeleteMarker)))
  const found = after.map((one) => shown(one.key, one.storageClass, one.isDeleteMarker))
  return [
    ...wanted.filter((one) => !found.includes(one)).map((one) => `foretold and not there: ${one}`),
    ...found.filter((one) => !wanted.includes(one)).map((one) => `there and not foretold: ${one}`),
  ]
}

async function missingReplicas(
  client: S3Client,
  before: readonly StoredObject[],
  replicas: readonly StoredObject[],
): Promise<string[]> {
  const there = new Set(replicas.map(({ key, versionId }) => `${key} ${versionId}`))
  const problems: string[] = []
  for (const { key, versionId } of before.filter((one) => one.key.startsWith(places.compacted))) {
    const head = await client.send(new HeadObjectCommand({ Bucket: places.bucket, Key: key, VersionId: versionId }))
    if (head.ReplicationStatus !== 'COMPLETED') problems.push(`${key} is ${head.ReplicationStatus ?? 'not replicated'}`)
    if (!there.has(`${key} ${versionId}`)) problems.push(`${key} has no replica`)
  }
  return problems
}

function classesOf(objects: readonly StoredObject[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { storageClass = 'STANDARD', isDeleteMarker } of objects) {
    const name = isDeleteMarker ? 'markers' : storageClass
    counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}

function text(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ')
}
