import type { CatalogTable } from '../catalog/catalog-entry'
import { existingTable } from './catalog-lookup'
import { duckdbTypeText, parseHiveType, trinoTypeText } from './hive-type'
import { AthenaFailure, type CompiledSelect, notSupportedLocally, type TableResolver } from './query-engine'
import type { WriteResult } from './run-ctas'
import { parseLocation } from './s3-location'
import { commonType } from './select/coercion'
import { parseType, typeText } from './select/trino-type'
import type { StatementOf } from './statement'
import type { StatementContext } from './statement-context'
import { holdsLinks, serdes } from './table-format'
import { type ParquetCompression, type WrittenColumn, writeRows } from './write-rows'

/**
 * Runs `INSERT INTO t [(columns)] query`: one new object (one a partition), partitions that were not there are added. Parquet only.
 *
 * @throws {@link AthenaFailure} when columns or types do not fit; by name for tables of other formats.
 * @see Athena User Guide, "INSERT INTO"
 */
export async function runInsert(
  statement: StatementOf<'insert'>,
  context: StatementContext,
  resolver: TableResolver,
): Promise<WriteResult> {
  const started = performance.now()
  const { catalog, permissions } = context
  const table = existingTable(statement.table, context)
  checkWritable(table)
  const engine = await context.engine()
  const query = await engine.compile(statement.select, { database: context.database, resolver })
  const columns = [...table.columns, ...table.partitionKeys].map((column): WrittenColumn => {
    return { ...column, hiveType: parseHiveType(column.type) }
  })
  const sql = rowsOfTable(columns, query, insertColumns(columns, statement.columns))
  const planningMs = performance.now() - started
  if (table.partitionKeys.length > 0) {
    permissions.glue('GetPartitions', table.database, table.name)
    permissions.glue('BatchCreatePartition', table.database, table.name)
  }
  const written = await writeRows(
    {
      sql,
      columns,
      partitionedBy: table.partitionKeys.map(({ name }) => name),
      bucketedBy: [],
      bucketCount: 0,
      compression: compressionOf(table),
      target: parseLocation(table.location),
      placeOf: (values) => {
        const partition = catalog.partition(table.database, table.name, values)
        return partition && parseLocation(partition.location)
      },
    },
    context,
    engine,
  )
  const createdAt = context.now()
  catalog.addPartitions(
    table.database,
    table.name,
    written.partitions.map((partition) => ({ ...partition, createdAt })),
  )
  return { rows: written.rows, scannedBytes: query.scannedBytes, manifest: written.manifest, planningMs }
}

function checkWritable(table: CatalogTable): void {
  const { serde, properties } = table
  if (table.view) throw new AthenaFailure('NOT_SUPPORTED: line 1:1: Inserting into views is not supported', { type: 1007 })
  if (serde !== serdes.parquet) throw notSupportedLocally(`INSERT INTO a table with the SerDe ${serde}`)
  if (holdsLinks(table)) throw notSupportedLocally('INSERT INTO a table of SymlinkTextInputFormat')
  if (properties['bucket_count'] !== undefined) {
    throw new AthenaFailure('NOT_SUPPORTED: INSERT INTO is not supported on bucketed tables', { type: 1007 })
  }
  if (properties['projection.enabled']?.toLowerCase() === 'true')
    throw notSupportedLocally('INSERT INTO a table with partition projection')
}

/** Names of the columns that the query gives, in its order. */
function insertColumns(columns: readonly WrittenColumn[], given: readonly string[] | undefined): readonly string[] {
  const all = columns.map(({ name }) => name)
  if (given === undefined) return all
  for (const [index, name] of given.entries()) {
    if (!all.includes(name)) {
      throw new AthenaFailure(`COLUMN_NOT_FOUND: line 1:1: Insert column name does not exist in target table: ${name}`, {
        type: 1006,
      })
    }
    if (given.indexOf(name) < index) {
      throw new AthenaFailure(`DUPLICATE_COLUMN_NAME: line 1:1: Insert column name is specified more than once: ${name}`, {
        type: 1006,
      })
    }
  }
  return given
}

/** The query with the columns of the table in its order; those that the statement does not name are NULL. */
function rowsOfTable(columns: readonly WrittenColumn[], query: CompiledSelect, given: readonly string[]): string {
  const targets = given.map((name) => trinoTypeText((columns.find((column) => column.name === name) as WrittenColumn).hiveType))
  const sources = query.columns.map((column) => column.fullType)
  const fits = targets.length === sources.length && sources.every((source, i) => coerces(source, targets[i] as string))
  if (!fits) {
    throw new AthenaFailure(
      `TYPE_MISMATCH: line 1:1: Insert query has mismatched column types: Table: [${targets.join(', ')}], Query: [${sources.join(', ')}]`,
      { type: 1006 },
    )
  }
  const items = columns.map(({ name, hiveType }, i) => {
    const at = given.indexOf(name)
    return `CAST(${at === -1 ? 'NULL' : `q.c${at}`} AS ${duckdbTypeText(hiveType)}) AS c${i}`
  })
  return `SELECT ${items.join(', ')} FROM (${query.sql}) q(${sources.map((_, i) => `c${i}`).join(', ')})`
}

function coerces(source: string, target: string): boolean {
  const [from, to] = [parseType(source), parseType(target)]
  if (from.kind === 'varchar' && to.kind === 'varchar' && to.length !== undefined) {
    if (from.length === undefined || from.length > to.length) throw notSupportedLocally(`INSERT of ${source} into ${target}`)
    return true
  }
  const common = commonType(from, to)
  return common !== undefined && typeText(common) === typeText(to)
}

const codecs: Readonly<Record<string, ParquetCompression>> = {
  SNAPPY: 'snappy',
  GZIP: 'gzip',
  ZSTD: 'zstd',
  NONE: 'uncompressed',
  UNCOMPRESSED: 'uncompressed',
}

/** Of the table's property, else GZIP, as CTAS has it. */
function compressionOf({ properties }: CatalogTable): ParquetCompression {
  const name = properties['write.compression'] ?? properties['parquet.compression'] ?? 'GZIP'
  return codecs[name.toUpperCase()] ?? 'gzip'
}
