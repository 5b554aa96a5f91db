import type { S3Client } from '@aws-sdk/client-s3'
import { type Athena, identifier, sql } from '@pipe/athena-query'
import { addPartitionsDdl, type S3Location, tableDdl } from '@pipe/core'
import { compareRows, generateWindow, type LogSource } from '@pipe/log-gen'
import { listKeys, partitionsOf, readText } from './listing'
import { places } from './places'
import { deviceStream, type StreamCounts } from './stream'
import { type DeviceLog, deviceLogs } from './table'

/** What went through Kafka, in `out/report.json`. */
export interface StreamReport {
  readonly produced: number
  readonly consumed: number
  /** Messages that the dashboard's group has not read. */
  readonly lag: number
  /** Rows that Athena gives back of the stored stream, and messages in its quarantine. */
  readonly sunk: number
}

/** A report of the stream, and one sentence for each invariant that does not hold. */
export interface StreamFindings {
  readonly report: StreamReport
  readonly broken: readonly string[]
}

/** Reads back what the sink has stored and compares it with what the devices wrote in `[from, to)`. */
export async function examineStream(
  clients: { readonly s3: S3Client; readonly athena: Athena },
  source: LogSource,
  span: { readonly from: Date; readonly to: Date; readonly tickMs: number },
  after: StreamCounts & { readonly lag: number },
): Promise<StreamFindings> {
  const { s3, athena } = clients
  const written = await writtenBy(source, span)
  await createStreamTable(s3, athena)
  const table = identifier(places.database, streamTable)
  const rows = athena.query(sql`SELECT "timestamp", device_name, metric FROM ${table}`, { returns: deviceLogs.columns })
  const { actualRows, lost, duplicated, unknown, examples } = await compareRows(deviceLogs, written.readings, rows)
  const quarantined = await quarantinedMessages(s3)
  const report = { produced: after.produced, consumed: after.consumed, lag: after.lag, sunk: actualRows + quarantined }

  const broken: string[] = []
  const must = (holds: boolean, sentence: string) => {
    if (!holds) broken.push(`Kafka: ${sentence}`)
  }
  must(report.produced === written.messages, `${report.produced} messages were confirmed, the devices wrote ${written.messages}`)
  must(report.consumed === report.produced, `${report.consumed} of ${report.produced} messages were consumed`)
  must(report.lag === 0, `the dashboard lags ${report.lag} messages behind`)
  must(report.sunk === report.produced, `${report.sunk} of ${report.produced} messages are on S3`)
  must(lost === 0, `${lost} readings are missing on S3, for example ${examples.lost[0] ?? ''}`)
  must(
    duplicated + unknown === 0,
    `${duplicated + unknown} readings are on S3 too often, for example ${examples.duplicated[0] ?? examples.unknown[0] ?? ''}`,
  )
  return { report, broken }
}

const streamTable = 'device_stream'

/** The messages of the devices, made once more: how many, and the readings among them. */
async function writtenBy(source: LogSource, span: { readonly from: Date; readonly to: Date; readonly tickMs: number }) {
  const readings: DeviceLog[] = []
  let messages = 0
  const memory = {
    async put(file: { messages(): Iterable<{ readonly key: string; readonly value: Buffer; readonly malformed: unknown }> }) {
      for (const { key, value, malformed } of file.messages()) {
        messages++
        if (malformed === undefined)
          readings.push((await deviceStream.decode({ key: Buffer.from(key), value, headers: [] })).value)
      }
      return { uri: 'memory:' }
    },
    close: () => {},
  }
  for (let at = span.from.getTime() + span.tickMs; at <= span.to.getTime(); at += span.tickMs) {
    await generateWindow({ log: source, sink: memory, at })
  }
  return { messages, readings }
}

async function createStreamTable(s3: S3Client, athena: Athena): Promise<void> {
  const location: S3Location = `s3://${places.bucket}/${places.stream}`
  await athena.execute(tableDdl(deviceLogs, { location, format: 'json', database: places.database, name: streamTable }))
  const keys = (await listKeys(s3, places.stream)).filter((key) => !key.startsWith(`${places.stream}_`))
  await athena.execute(addPartitionsDdl({ database: places.database, name: streamTable }, partitionsOf(keys)))
}

async function quarantinedMessages(s3: S3Client): Promise<number> {
  let messages = 0
  for (const key of await listKeys(s3, `${places.stream}_quarantine/`)) {
    messages += (await readText(s3, key)).split('\n').filter((line) => line !== '').length
  }
  return messages
}
