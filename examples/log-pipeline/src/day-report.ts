import type { S3Client } from '@aws-sdk/client-s3'
import { type Athena, identifier, sql } from '@pipe/athena-query'
import { column } from '@pipe/core'
import type { GroundTruth } from '@pipe/log-gen'
import { listKeys, readText } from './listing'
import { places } from './places'

/**
 * Compares what Athena counts and adds up, device by device, with the integers of the ground truth, and the quarantine with the list of
 * malformed lines, line by line.
 *
 * @returns one sentence for each difference.
 */
export async function compareExactly(
  { s3, athena }: { readonly s3: S3Client; readonly athena: Athena },
  truth: GroundTruth,
): Promise<string[]> {
  return [...(await compareSums(athena, truth)), ...(await compareQuarantine(s3, truth))]
}

/** Digits after the point that the generator writes. */
const scale = 3

async function compareSums(athena: Athena, truth: GroundTruth): Promise<string[]> {
  // Sums of doubles depend on their order; those of decimals do not.
  const rows = await athena
    .query(
      sql`SELECT device_name, count(*) AS n, sum(CAST(metric AS decimal(18, 3))) AS total
        FROM ${identifier(places.database, places.compactedTable)} GROUP BY 1`,
      { returns: { device_name: column.string(), n: column.bigint(), total: column.decimal(38, scale) } },
    )
    .rows()
  const found = new Map(rows.map(({ device_name, n, total }) => [device_name, `${n} rows, sum ${total}`]))
  const expected = Object.entries(truth.devices).map(([name, { rows, measures }]) => {
    const { sum, scale: own } = measures['metric']!
    return [name, `${rows} rows, sum ${decimalText(sum * 10n ** BigInt(scale - own))}`] as const
  })
  const differences = expected.filter(([name, text]) => found.get(name) !== text)
  return [
    ...differences.map(([name, text]) => `Athena has of ${name} ${found.get(name)}, the ground truth ${text}`),
    ...(found.size === expected.length ? [] : [`Athena has ${found.size} devices, not ${expected.length}`]),
  ]
}

function decimalText(units: bigint): string {
  const digits = String(units < 0n ? -units : units).padStart(scale + 1, '0')
  return `${units < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

async function compareQuarantine(s3: S3Client, truth: GroundTruth): Promise<string[]> {
  const prefix = `s3://${places.bucket}/${places.raw}`
  const expected = new Set(
    truth.files.flatMap(({ key, faults }) =>
      faults.filter(({ kind, isCut }) => kind === 'malformed' && !isCut).map(({ line }) => `${prefix}${key} line ${line}`),
    ),
  )
  const found = new Set<string>()
  for (const key of await listKeys(s3, `${places.compacted}_pipe/`)) {
    if (!key.includes('/quarantine/')) continue
    for (const text of (await readText(s3, key)).split('\n')) {
      if (text === '') continue
      const { file, line } = JSON.parse(text) as { readonly file: string; readonly line: number }
      found.add(`${file} line ${line}`)
    }
  }
  const missing = [...expected].filter((place) => !found.has(place))
  const foreign = [...found].filter((place) => !expected.has(place))
  return [
    ...(missing.length > 0 ? [`${missing.length} malformed lines are not in quarantine, for example ${missing[0]}`] : []),
    ...(foreign.length > 0 ? [`${foreign.length} lines in quarantine are not malformed, for example ${foreign[0]}`] : []),
  ]
}
