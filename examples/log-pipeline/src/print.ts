import { identifier, list, type SqlFragment, sql } from '@pipe/athena-query'
import { addPartitionsDdl, column } from '@pipe/core'
import { bytes, count } from './amount'
import { listKeys, partitionsOf } from './listing'
import { places } from './places'
import type { Clients } from './play'
import type { Findings } from './report'

/** Prints what a run left, as a table. */
export function printFindings({ report, rawBytes, compactedBytes }: Findings): void {
  console.table({
    raw: { files: report.rawFiles, bytes: bytes(rawBytes), rows: count(report.generatedRows) },
    compacted: { files: report.compactedFiles, bytes: bytes(compactedBytes), rows: count(report.compactedRows) },
    quarantined: { rows: count(report.quarantinedRows) },
    'read back': { rows: count(report.queriedRows) },
  })
  console.log(
    `${report.windows} windows, ${Object.keys(report.devices).length} devices, ${report.lost} rows lost, ${report.duplicated} duplicated, ` +
      `${(report.elapsedMs / 1000).toFixed(1)} s`,
  )
  if (report.kafka) {
    const { produced, consumed, lag, sunk } = report.kafka
    console.log(`Kafka: ${count(produced)} produced, ${count(consumed)} consumed, lag ${lag}, ${count(sunk)} stored in S3`)
  }
}

/** One question, asked of the raw lines and of the compacted table. */
export interface Answers {
  readonly raw: { readonly answer: string; readonly scannedBytes: number; readonly elapsedMs: number }
  readonly compacted: Answers['raw']
}

/** Asks one question of the raw lines and of the compacted table and prints what each scanned. */
export async function askBoth(clients: Clients, { cutFiles }: Findings): Promise<Answers> {
  await addRawPartitions(clients)
  const lines = sql`SELECT TRY(json_extract_scalar(line, '$.device_name')) AS device_name,
    TRY_CAST(TRY(json_extract_scalar(line, '$.metric')) AS double) AS metric
    FROM ${identifier(places.database, 'device_logs_lines')}`
  // A gzip that ends too early fails every query that reads it, on Athena as here: the question over raw data has to leave it out.
  const whole = cutFiles.length === 0 ? sql`` : sql` WHERE "$path" NOT IN (${list(cutFiles)})`
  const raw = await warmest(clients, sql`(${lines}${whole})`)
  const compacted = await warmest(clients, identifier(places.database, places.compactedTable))
  console.log(`Highest mean metric: ${compacted.answer}`)
  console.table({
    'over raw': { answer: raw.answer, scanned: bytes(raw.scannedBytes), ms: raw.elapsedMs },
    'over compacted': { answer: compacted.answer, scanned: bytes(compacted.scannedBytes), ms: compacted.elapsedMs },
  })
  if (cutFiles.length > 0) {
    console.log(
      `Over raw, ${cutFiles.length === 1 ? 'one cut gzip file is' : `${cutFiles.length} cut gzip files are`} left out: Athena fails on it.`,
    )
  }
  return { raw, compacted }
}

async function warmest({ athena }: Clients, from: SqlFragment) {
  const query = athena.query(
    sql`SELECT device_name, avg(metric) AS mean FROM ${from} WHERE metric IS NOT NULL GROUP BY 1 ORDER BY 2 DESC LIMIT 1`,
    { returns: { device_name: column.string(), mean: column.double() } },
  )
  const top = await query.first()
  const { scannedBytes, elapsedMs } = await query.report()
  return { answer: top ? `${top.device_name} ${top.mean.toFixed(3)}` : 'no rows', scannedBytes, elapsedMs }
}

async function addRawPartitions({ s3, athena }: Clients): Promise<void> {
  const partitions = partitionsOf(await listKeys(s3, places.raw))
  await athena.execute(addPartitionsDdl({ database: places.database, name: 'device_logs_lines' }, partitions))
}
