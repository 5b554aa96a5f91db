import { AthenaFailure, notSupportedLocally, type TableResolver } from './query-engine'
import { checkTarget, tableColumns, type WriteResult } from './run-ctas'
import { parseLocation } from './s3-location'
import type { CtasValue, StatementOf } from './statement'
import type { StatementContext } from './statement-context'
import { type ParquetCompression, writeRows } from './write-rows'

/**
 * Runs `UNLOAD (query) TO 's3://…' WITH (format = 'PARQUET', …)`: files and a manifest, no table. No rows, no file.
 *
 * @throws {@link AthenaFailure} when objects lie at the target, or a column has no name; by name for other formats.
 * @see Athena User Guide, "UNLOAD"
 */
export async function runUnload(
  statement: StatementOf<'unload'>,
  context: StatementContext,
  resolver: TableResolver,
): Promise<WriteResult> {
  const started = performance.now()
  const settings = unloadSettings(statement.properties)
  const target = parseLocation(statement.location)
  checkTarget(target, true, 'Target directory for UNLOAD', context)
  const engine = await context.engine()
  const query = await engine.compile(statement.select, { database: context.database, resolver })
  const columns = tableColumns(query)
  const { partitionedBy } = settings
  const last = columns.slice(columns.length - partitionedBy.length).map(({ name }) => name)
  if (partitionedBy.length > 0 && (last.join() !== partitionedBy.join() || partitionedBy.length === columns.length)) {
    throw new AthenaFailure(
      `HIVE_COLUMN_ORDER_MISMATCH: Partition keys must be the last columns in the table and in the same order as the table properties: [${partitionedBy.join(', ')}]`,
      { type: 1100 },
    )
  }
  const planningMs = performance.now() - started
  const written = await writeRows(
    { ...settings, sql: query.sql, columns, bucketedBy: [], bucketCount: 0, target },
    context,
    engine,
  )
  return { rows: written.rows, scannedBytes: query.scannedBytes, manifest: written.manifest, planningMs }
}

const compressions: Readonly<Record<string, ParquetCompression>> = { GZIP: 'gzip', SNAPPY: 'snappy', ZSTD: 'zstd' }

function unloadSettings(properties: Readonly<Record<string, CtasValue>>): {
  readonly compression: ParquetCompression
  readonly partitionedBy: readonly string[]
} {
  const { format, compression = 'gzip', partitioned_by: partitionedBy = [], ...others } = properties
  const [other] = Object.keys(others)
  if (other !== undefined) throw notSupportedLocally(`UNLOAD property ${other}`)
  if (format === undefined) throw new AthenaFailure('INVALID_TABLE_PROPERTY: UNLOAD needs the property format', { type: 1006 })
  if (String(format).toUpperCase() !== 'PARQUET') throw notSupportedLocally(`UNLOAD format ${String(format)}`)
  const codec = compressions[String(compression).toUpperCase()]
  if (!codec) throw notSupportedLocally(`UNLOAD compression ${String(compression)}`)
  if (!Array.isArray(partitionedBy)) {
    throw new AthenaFailure("INVALID_TABLE_PROPERTY: Invalid value for table property 'partitioned_by'", { type: 1006 })
  }
  return { compression: codec, partitionedBy: partitionedBy.map((column: string) => column.toLowerCase()) }
}
