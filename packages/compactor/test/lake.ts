import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { AthenaClient } from '@aws-sdk/client-athena'
import { CreateBucketCommand, S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { type Athena, createAthena } from '@pipe/athena-query'
import {
  column,
  createObjectStore,
  defineTable,
  type ObjectStore,
  rawKey,
  readNdjson,
  type S3Location,
  type Table,
} from '@pipe/core'
import { stampMetadata, stampOf } from '@pipe/core/internal'
import { type Local, startLocal } from '@pipe/local'
import { type Compaction, type CompactionOptions, compactionDdl, defineCompaction } from '../src/index'

export const deviceLogs = defineTable('device_logs', {
  columns: { timestamp: column.timestamp(), device_name: column.string(), metric: column.double() },
  eventTime: 'timestamp',
})

/** A bucket of its own on a local S3, with raw and compacted folders. */
export interface Lake {
  readonly s3: S3Client
  /** A further client, for faults that must not reach the test's own calls. */
  client(config?: S3ClientConfig): S3Client
  readonly raw: ObjectStore
  readonly compacted: ObjectStore
  compaction(options?: Partial<CompactionOptions>): Compaction
  /** A client on a database of its own, in which the tables of the compaction have been made. */
  athena(compaction: Compaction): Promise<Athena>
  /** A further client on the same database, whose requests may be made to fail. */
  athenaClient(athena: Athena): { readonly client: AthenaClient; readonly athena: Athena }
  close(): Promise<void>
}

export interface LakeServer {
  readonly local: Local
  lake(): Promise<Lake>
  close(): Promise<void>
}

/** Starts a local AWS; each lake is a bucket and a database of its own in it. */
export async function startLakes(): Promise<LakeServer> {
  const local = await startLocal()
  const newClient = (config: S3ClientConfig = {}) => new S3Client({ ...local.aws, ...config })
  return {
    local,
    async lake() {
      const bucket = `lake-${randomUUID().slice(0, 8)}`
      const s3 = newClient()
      const clients = [s3]
      const athenas: Athena[] = []
      await s3.send(new CreateBucketCommand({ Bucket: bucket }))
      const place = (folder: string): S3Location => `s3://${bucket}/${folder}/`
      return {
        s3,
        client(config) {
          const client = newClient(config)
          clients.push(client)
          return client
        },
        raw: createObjectStore({ location: place('raw'), client: s3 }),
        compacted: createObjectStore({ location: place('compacted'), client: s3 }),
        compaction: (options) =>
          defineCompaction({
            table: deviceLogs,
            source: place('raw'),
            target: place('compacted'),
            window: '5 minutes',
            ...options,
          }),
        async athena(compaction) {
          const client = new AthenaClient(local.aws)
          const database = `db_${randomUUID().slice(0, 8)}`
          const athena = createAthena({ client, database, output: `s3://${bucket}/results/`, poll: ['5 ms', '50 ms'] })
          athenas.push(athena)
          await athena.execute(`CREATE DATABASE ${database}`)
          for (const statement of compactionDdl(compaction)) await athena.execute(statement)
          return athena
        },
        athenaClient({ database }) {
          const client = new AthenaClient({ ...local.aws, maxAttempts: 1 })
          const athena = createAthena({ client, database, output: `s3://${bucket}/results/`, poll: ['5 ms', '50 ms'] })
          athenas.push(athena)
          return { client, athena }
        },
        async close() {
          for (const athena of athenas) await athena.close()
          for (const client of clients) client.destroy()
        },
      }
    },
    close: () => local.close(),
  }
}

/** One row of the table as a line. */
export function line(at: string, device: string, metric: number): string {
  return JSON.stringify({ timestamp: `${at.replace('T', ' ').replace('Z', '')}.000`, device_name: device, metric })
}

/** Key of the raw object of a minute. */
export function keyOf(minute: string, index = 0, extension = 'ndjson.gz'): string {
  return rawKey({
    prefix: '',
    partitions: deviceLogs.partitions,
    stream: 'device_logs',
    at: new Date(minute),
    shard: { index, of: 10 },
    configHash: '0badcafe',
    extension,
  })
}

/** Puts a raw object of lines; `rows` is what its producer stamps, `undefined` for no stamp. */
export async function putLines(
  store: ObjectStore,
  key: string,
  lines: readonly string[],
  options: { readonly rows?: number | 'none'; readonly bytes?: (gz: Buffer) => Buffer } = {},
): Promise<string> {
  const text = Buffer.from(lines.map((text) => `${text}\n`).join(''))
  const packed = key.endsWith('.gz') ? gzipSync(text) : text
  const rows = options.rows ?? lines.length
  const metadata = rows === 'none' ? {} : stampMetadata({ rows, rawBytes: text.length, sha256: 'a'.repeat(64) })
  const { etag } = await store.put(key, options.bytes ? options.bytes(packed) : packed, { metadata })
  return etag
}

/** Rows of committed Parquet files as sorted texts: the multiset that readers see. */
export async function rowsOf(store: ObjectStore, keys: readonly string[]): Promise<string[]> {
  const rows: string[] = []
  for (const key of keys) {
    const found = await query(store, key, `strftime("timestamp", '%Y-%m-%d %H:%M:%S.%g'), device_name, metric`)
    rows.push(...found.map((row) => JSON.stringify(row)))
  }
  return rows.sort()
}

/** Device and metric of a file's rows, in their order. */
export function rowsInOrder(store: ObjectStore, key: string): Promise<unknown[][]> {
  return query(store, key, 'device_name, metric')
}

// One for all files of a process: starting DuckDB takes longer than reading a small file.
let duckDb: Promise<DuckDBConnection> | undefined

async function query(store: ObjectStore, key: string, columns: string): Promise<unknown[][]> {
  duckDb ??= DuckDBInstance.create(':memory:', { threads: '1' }).then((instance) => instance.connect())
  const dir = await mkdtemp(join(tmpdir(), 'pipe-rows-'))
  try {
    const file = join(dir, 'file.parquet')
    await writeFile(file, await (await store.get(key))!.bytes())
    const reader = await (await duckDb).runAndReadAll(`SELECT ${columns} FROM read_parquet('${file}')`)
    return reader.getRows() as unknown[][]
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

/** Rows that core's reader gets out of all raw objects, as {@link rowsOf} gives them, and how many it cannot read. */
export async function readableRows(
  store: ObjectStore,
  table: Table,
): Promise<{ readonly rows: string[]; readonly unreadable: number }> {
  const rows: string[] = []
  let unreadable = 0
  for await (const { key } of store.list()) {
    const object = (await store.get(key))!
    const options = { table, file: store.uri(key), expectedRows: stampOf(object.metadata)?.rows }
    for await (const batch of readNdjson(object.stream(), options)) {
      for (const row of batch.rows as { timestamp: Date; device_name: string; metric: number }[]) {
        rows.push(JSON.stringify([row.timestamp.toISOString().replace('T', ' ').replace('Z', ''), row.device_name, row.metric]))
      }
      for (const entry of batch.unreadable) unreadable += entry.rows
    }
  }
  return { rows: rows.sort(), unreadable }
}
