import type { S3Client } from '@aws-sdk/client-s3'
import { type Athena, identifier, sql } from '@pipe/athena-query'
import { column, type Duration, windowOf } from '@pipe/core'
import { compareRows, groundTruth, type LogSource, type RowComparison, readableRows } from '@pipe/log-gen'
import { listObjects, readText } from './listing'
import { places } from './places'
import type { StreamLag } from './stream'
import type { StreamReport } from './stream-report'
import { type DeviceLog, deviceLogs } from './table'

/** Count, least, greatest and sum of the metric of one device. */
export interface DeviceSummary {
  readonly count: number
  readonly min: number
  readonly max: number
  readonly sum: number
}

/** What a run did, written to `out/report.json`. */
export interface Report {
  /** Lines that the devices wrote, by the ground truth. */
  readonly generatedRows: number
  /** Rows in the committed files, by the commits. */
  readonly compactedRows: number
  /** Rows in the quarantine files. */
  readonly quarantinedRows: number
  /** Rows that Athena gives back. */
  readonly queriedRows: number
  readonly rawFiles: number
  readonly compactedFiles: number
  readonly windows: number
  /** Rows of the ground truth that Athena does not give back. */
  readonly lost: number
  /** Rows that Athena gives back more often than the ground truth has them, or that it does not have at all. */
  readonly duplicated: number
  readonly elapsedMs: number
  readonly devices: Readonly<Record<string, DeviceSummary>>
  /** Absent when the run had no Kafka. */
  readonly kafka?: StreamReport
}

/** A report and what stands behind it. */
export interface Findings {
  readonly report: Report
  /** The raw files: key and bytes. */
  readonly raw: readonly StoredFile[]
  readonly rawBytes: number
  readonly compactedBytes: number
  /** The commits that hold rows, by time. */
  readonly windows: readonly CompactedWindow[]
  /** How far the readers of the stream were behind after each tick. Empty without Kafka. */
  readonly lag: readonly StreamLag[]
  readonly comparison: RowComparison
  /** Raw objects whose gzip ends too early: `s3://bucket/key`. */
  readonly cutFiles: readonly string[]
  /** One sentence for each invariant that does not hold. Empty: all is well. */
  readonly broken: readonly string[]
}

/** An object and its bytes. */
export interface StoredFile {
  readonly key: string
  readonly size: number
}

/** What one commit of a window took and made. */
export interface CompactedWindow {
  readonly window: string
  readonly inputs: readonly StoredFile[]
  readonly outputs: readonly StoredFile[]
  readonly outputRows: number
  readonly quarantinedRows: number
}

interface Commit {
  readonly window: string
  readonly outcome: string
  readonly inputs: readonly StoredFile[]
  readonly outputs: readonly { readonly key: string; readonly bytes: number; readonly rows: number }[]
  readonly outputRows: number
  readonly quarantinedRows: number
  readonly quarantine?: { readonly key: string; readonly rows: number }
}

/** Reads everything back and compares it with the ground truth of the files in `[from, to)`. */
export async function examine(
  clients: { readonly s3: S3Client; readonly athena: Athena },
  source: LogSource<typeof deviceLogs.columns>,
  span: { readonly from: Date; readonly to: Date; readonly window: Duration; readonly startedAt: number },
): Promise<Findings> {
  const { s3, athena } = clients
  const truth = groundTruth(source, { from: span.from, to: span.to })
  const raw = await listObjects(s3, places.raw)
  const compacted = (await listObjects(s3, places.compacted)).filter(({ key }) => key.startsWith(`${places.compacted}data/`))
  const commits = await readCommits(s3)
  const quarantinedRows = await countQuarantine(s3, commits)

  const devices = createSummaries()
  const table = identifier(places.database, places.compactedTable)
  const rows = athena.query(sql`SELECT "timestamp", device_name, metric FROM ${table}`, { returns: deviceLogs.columns })
  const comparison = await compareRows(deviceLogs, readableRows(source, { from: span.from, to: span.to }), devices.through(rows))

  const committed = commits.filter(({ outcome, outputs }) => outcome === 'committed' && outputs.length > 0)
  const counted = await athena.query(sql`SELECT count(*) AS n FROM ${table}`, { returns: { n: column.bigint() } }).first()
  const report: Report = {
    generatedRows: truth.generatedRows,
    compactedRows: commits.reduce((sum, { outputRows }) => sum + outputRows, 0),
    quarantinedRows,
    queriedRows: Number(counted?.n ?? 0n),
    rawFiles: raw.length,
    compactedFiles: compacted.length,
    windows: new Set(committed.map(({ window }) => window)).size,
    lost: comparison.lost,
    duplicated: comparison.duplicated + comparison.unknown,
    elapsedMs: Date.now() - span.startedAt,
    devices: devices.result(),
  }
  const sizeOf = (objects: readonly { readonly size: number }[]) => objects.reduce((sum, { size }) => sum + size, 0)
  const windows = new Set(truth.files.map(({ minute }) => windowOf(span.window, minute).id)).size
  const missing = {
    raw: absent(
      truth.files.map(({ key }) => `${places.raw}${key}`),
      raw,
    ),
    compacted: absent(
      committed.flatMap(({ outputs }) => outputs.map(({ key }) => `${places.compacted}${key}`)),
      compacted,
    ),
  }
  const broken = invariants(report, { truth, comparison, windows, missing })
  const cutFiles = truth.files.filter(({ cutRows }) => cutRows > 0).map(({ key }) => `s3://${places.bucket}/${places.raw}${key}`)
  const byTime = committed.toSorted((a, b) => (a.window < b.window ? -1 : 1))
  return {
    report,
    cutFiles,
    raw,
    rawBytes: sizeOf(raw),
    compactedBytes: sizeOf(compacted),
    windows: byTime.map((commit) => ({ ...commit, outputs: commit.outputs.map(({ key, bytes }) => ({ key, size: bytes })) })),
    lag: [],
    comparison,
    broken,
  }
}

function invariants(
  report: Report,
  expected: {
    readonly truth: ReturnType<typeof groundTruth>
    readonly comparison: RowComparison
    readonly windows: number
    readonly missing: { readonly raw: readonly string[]; readonly compacted: readonly string[] }
  },
): string[] {
  const { truth, comparison, windows, missing } = expected
  const broken: string[] = []
  const must = (holds: boolean, sentence: string) => {
    if (!holds) broken.push(sentence)
  }
  for (const key of missing.raw) broken.push(`the raw file ${key} is missing`)
  for (const key of missing.compacted) broken.push(`the committed file ${key} is missing`)
  const spoilt = truth.malformedRows + truth.cutRows
  must(report.rawFiles === truth.files.length, `${report.rawFiles} raw files lie on S3, the generator made ${truth.files.length}`)
  must(report.windows === windows, `${report.windows} windows were committed, not ${windows}`)
  must(report.compactedFiles === report.windows, `${report.compactedFiles} compacted files for ${report.windows} windows`)
  must(
    report.quarantinedRows === spoilt,
    `${report.quarantinedRows} rows are in quarantine, the ground truth has ${spoilt} malformed and cut rows`,
  )
  must(
    report.generatedRows === report.compactedRows + report.quarantinedRows,
    `${report.generatedRows} rows were generated, but ${report.compactedRows} compacted + ${report.quarantinedRows} quarantined`,
  )
  must(
    report.queriedRows === report.compactedRows,
    `Athena counts ${report.queriedRows} rows, the commits ${report.compactedRows}`,
  )
  must(report.lost === 0, `${report.lost} rows are missing, for example ${comparison.examples.lost[0] ?? ''}`)
  must(
    report.duplicated === 0,
    `${report.duplicated} rows are there too often, for example ${comparison.examples.duplicated[0] ?? comparison.examples.unknown[0] ?? ''}`,
  )
  return broken
}

function absent(keys: readonly string[], objects: readonly { readonly key: string }[]): string[] {
  const there = new Set(objects.map(({ key }) => key))
  return keys.filter((key) => !there.has(key))
}

async function readCommits(s3: S3Client): Promise<Commit[]> {
  const keys = (await listObjects(s3, `${places.compacted}_pipe/`))
    .map(({ key }) => key)
    .filter((key) => /\/commit\/[^/]+\/\d+\.json$/.test(key))
  return Promise.all(keys.map(async (key) => JSON.parse(await readText(s3, key)) as Commit))
}

/** Counts what the quarantine files hold: their own rows, not the number in the commit. */
async function countQuarantine(s3: S3Client, commits: readonly Commit[]): Promise<number> {
  let rows = 0
  for (const { quarantine } of commits) {
    if (!quarantine) continue
    const text = await readText(s3, `${places.compacted}${quarantine.key}`)
    for (const line of text.split('\n')) if (line !== '') rows += (JSON.parse(line) as { rows: number }).rows
  }
  return rows
}

function createSummaries() {
  const byDevice = new Map<string, { count: number; min: number; max: number; sum: number }>()
  return {
    async *through(rows: AsyncIterable<DeviceLog>): AsyncGenerator<DeviceLog> {
      for await (const row of rows) {
        const summary = byDevice.get(row.device_name)
        if (summary) {
          summary.count += 1
          summary.min = Math.min(summary.min, row.metric)
          summary.max = Math.max(summary.max, row.metric)
          summary.sum += row.metric
        } else byDevice.set(row.device_name, { count: 1, min: row.metric, max: row.metric, sum: row.metric })
        yield row
      }
    },
    result: () => Object.fromEntries([...byDevice].sort(([a], [b]) => (a < b ? -1 : 1))),
  }
}
