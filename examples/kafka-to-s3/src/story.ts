import { AthenaClient } from '@aws-sdk/client-athena'
import { CreateBucketCommand, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3'
import { type Athena, createAthena, identifier, sql } from '@pipe/athena-query'
import { compactionDdl, createCompactor, defineCompaction, inProcessEngine } from '@pipe/compactor'
import { column } from '@pipe/core'
import { applyTopics, createKafka, planTopics } from '@pipe/kafka-kit'
import { startLocal } from '@pipe/local'
import { makeOrders, orders, orderTable } from './order'
import { runWorker } from './sink-run'

/** Totals of the story. */
export interface Totals {
  readonly produced: number
  /** How the workers ended, in order. */
  readonly workers: readonly string[]
  /** Files of the sink. */
  readonly files: number
  /** Windows of five minutes, and compacted files: one a window. */
  readonly windows: number
  readonly compactedFiles: number
  /** Rows of the compacted table, by Athena. */
  readonly queried: number
  readonly lost: number
  readonly doubled: number
  /** One sentence for each thing that is not as it must be. */
  readonly broken: readonly string[]
}

const start = new Date('2026-11-24T15:00:00Z')
const end = new Date('2026-11-24T15:30:00Z')
const source = 's3://lake/orders/'

/** A topic is stored in S3 by workers of which two are killed at the worst moment, compacted, and queried. */
export async function playStory(count: number, say: (line: string) => void = () => {}): Promise<Totals> {
  await using local = await startLocal({ kafka: { brokers: 3 } })
  const s3 = new S3Client(local.aws)
  const client = new AthenaClient(local.aws)
  await using athena = createAthena({ database: 'lake', output: 's3://lake/results/', client, poll: ['5 ms', '250 ms'] })
  try {
    await s3.send(new CreateBucketCommand({ Bucket: 'lake' }))
    const sent = await produce(local.kafka.brokers, count)
    say(`${sent} orders are in the log`)
    const worker = { brokers: local.kafka.brokers, target: source, env: local.env, until: count }
    const workers: string[] = []
    for (const killAfterUploads of [2, 3]) {
      workers.push(await runWorker({ ...worker, killAfterUploads }))
      const { length } = await keysBelow(s3, 'orders/dt=')
      say(
        `worker ${workers.length} ended by ${workers.at(-1)}, between an upload and taking note of it; ${length} files are in S3`,
      )
    }
    workers.push(await runWorker(worker))
    const files = (await keysBelow(s3, 'orders/dt=')).length
    say(`worker ${workers.length} ended with ${workers.at(-1)}; ${files} files are in S3`)

    const committed = await compact(s3, athena)
    const compactedFiles = (await keysBelow(s3, 'compacted/data/')).length
    say(`${committed} windows compacted into ${compactedFiles} files`)
    const { n, ids, total } = await ask(athena)
    const expectedTotal = makeOrders(start, count).reduce((sum, { value }) => sum + value.total, 0)
    const totals = {
      produced: sent,
      workers,
      files,
      windows: committed,
      compactedFiles,
      queried: n,
      lost: count - ids,
      doubled: n - ids,
    }
    return { ...totals, broken: broken(totals, count, total === expectedTotal) }
  } finally {
    client.destroy()
    s3.destroy()
  }
}

async function produce(brokers: readonly string[], count: number): Promise<number> {
  await using kafka = createKafka({ brokers, clientId: 'shop' })
  await applyTopics(kafka, await planTopics(kafka, [orders]))
  return (await kafka.producer().sendMany(orders, makeOrders(start, count))).length
}

async function compact(s3: S3Client, athena: Athena): Promise<number> {
  const compaction = defineCompaction({ table: orderTable, source, target: 's3://lake/compacted/', window: '5 minutes' })
  await athena.execute('CREATE DATABASE lake')
  for (const statement of compactionDdl(compaction, { database: 'lake' })) await athena.execute(statement)
  await using compactor = createCompactor({ compaction, engine: inProcessEngine(), athena, client: s3 })
  const { results } = await compactor.backfill({ from: start, to: end })
  return results.filter(({ outcome }) => outcome === 'committed').length
}

async function ask(athena: Athena): Promise<{ n: number; ids: number; total: number }> {
  const answer = await athena
    .query(
      sql`SELECT count(*) AS n, count(DISTINCT id) AS ids, sum(total) AS total FROM ${identifier('lake', 'orders_compacted')}`,
      {
        returns: { n: column.bigint(), ids: column.bigint(), total: column.double().nullable() },
      },
    )
    .first()
  return { n: Number(answer!.n), ids: Number(answer!.ids), total: answer!.total ?? 0 }
}

async function keysBelow(s3: S3Client, prefix: string): Promise<string[]> {
  const keys: string[] = []
  for await (const { Contents = [] } of paginateListObjectsV2({ client: s3 }, { Bucket: 'lake', Prefix: prefix })) {
    keys.push(...Contents.map(({ Key }) => Key!))
  }
  return keys
}

function broken(totals: Omit<Totals, 'broken'>, count: number, isSumRight: boolean): string[] {
  const { produced, workers, windows, compactedFiles, queried, lost, doubled } = totals
  const checks: readonly (readonly [boolean, string])[] = [
    [produced === count, `${produced} orders were confirmed, not ${count}`],
    [workers.join() === 'SIGKILL,SIGKILL,0', `the workers ended with ${workers.join(', ')}`],
    [windows === 6 && compactedFiles === 6, `${compactedFiles} compacted files for ${windows} windows, not 6 for 6`],
    [queried === count, `Athena counts ${queried} orders, not ${count}`],
    [lost === 0, `${lost} orders are missing`],
    [doubled === 0, `${doubled} orders are there more than once`],
    [isSumRight, 'the sum of the totals is not that of the orders'],
  ]
  return checks.flatMap(([holds, sentence]) => (holds ? [] : [sentence]))
}
