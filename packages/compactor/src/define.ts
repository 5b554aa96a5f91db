import {
  ConfigError,
  type Duration,
  defineTable,
  durationMs,
  parseLocation,
  quoteIdentifier,
  rawLineTableDdl,
  type S3Location,
  type Table,
  tableDdl,
  timeOfKey,
  typeName,
  windowLengthMs,
} from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { symlinkTableDdl } from './symlink-ddl'

/** What {@link defineCompaction} takes. */
export interface CompactionOptions {
  /** Contract of the rows, of the raw objects as of the compacted ones. */
  readonly table: Table
  /** Folder of the raw objects, laid out in the partitions of the table: `s3://lake/raw/`. */
  readonly source: S3Location
  /** Folder of the compacted data and of the state. May not overlap the source. */
  readonly target: S3Location
  /** Length of a window: whole minutes that divide a day, and that divide a partition of the table. */
  readonly window: Duration
  /** How long after its end a window is left alone, for objects on their way. Default `'0 seconds'`. */
  readonly grace?: Duration | undefined
  /**
   * What happens to objects of a window that appear after its commit: `'append'` compacts them into one more file, `'recompact'` compacts the
   * whole window anew (needs `publish: 'manifest'`, and the sources), `'quarantine'` puts their rows aside. Default `'append'`.
   */
  readonly onLate?: LatePolicy | undefined
  /** What happens to the new content of an object that is overwritten after its commit. Default `'quarantine'`; as `onLate`. */
  readonly onOverwrite?: LatePolicy | undefined
  /** How many windows before the last closed one each run looks at, for late objects and missed ticks. Default 12. */
  readonly sweep?: number | undefined
  /**
   * The time that the key of a raw object names, relative to `source`. Default {@link timeOfKey}. Keys for which it gives `undefined` are
   * reported, never compacted.
   */
  readonly keyTime?: ((key: string) => Date | undefined) | undefined
  /** How the rows of raw objects are written. CSV and TSV are read in this process by both engines. Default `'ndjson'`. */
  readonly format?: 'ndjson' | 'csv' | 'tsv' | undefined
  /** CSV and TSV: whether the first row names the columns; else they go by position. Default `false`. */
  readonly header?: boolean | undefined
  /**
   * Of rows of one batch that are equal in these columns only the least is kept (by all columns, in their order). Default: all are kept.
   */
  readonly dedupe?: { readonly by: readonly string[] } | undefined
  /**
   * How readers find committed files: one partition of the table a batch, or one list of files a partition, which is replaced as a whole.
   * Only the latter can take files away again (recompaction, roll-up). Default `'partitions'`.
   */
  readonly publish?: 'partitions' | 'manifest' | undefined
  /** Name of the compacted table. Default: the name of the table and `_compacted`. */
  readonly compactedTable?: string | undefined
}

/** What happens to objects that come after their window was committed. */
export type LatePolicy = 'append' | 'recompact' | 'quarantine'

/** A compaction: which raw objects become which table, window by window. Made by {@link defineCompaction}. */
export interface Compaction {
  readonly kind: 'compaction'
  readonly table: Table
  /** Contract of the compacted table: the same columns and partitions under its own name. Its one further partition column is {@link batchColumn}. */
  readonly compacted: Table
  /** Name of the raw-line table that the Athena engine reads. */
  readonly linesTable: string
  readonly source: S3Location
  readonly target: S3Location
  readonly window: Duration
  readonly windowMs: number
  readonly graceMs: number
  readonly onLate: LatePolicy
  readonly onOverwrite: LatePolicy
  readonly sweep: number
  /** Columns by which rows are de-duplicated; empty: they are not. */
  readonly dedupeBy: readonly string[]
  readonly publish: 'partitions' | 'manifest'
  readonly format: 'ndjson' | 'csv' | 'tsv'
  readonly header: boolean
  keyTime(key: string): Date | undefined
}

/** The partition column of a compacted table behind those of the contract: `20261124T1530Z-0`, window and sequence number. */
export const batchColumn = 'batch'

/** Windows before the last closed one that a run looks at, unless told otherwise. */
export const defaultSweep = 12

/**
 * Defines a compaction. Pure: nothing is created anywhere.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG` for an unknown option, a window that does not divide the table's partition, overlapping
 * folders; `PIPE_WINDOW` or `PIPE_LOCATION` for a bad window or place; `PIPE_ATHENA_NAME` for a table name that fails in Athena DDL (a hyphen).
 * @example
 * ```ts
 * const compaction = defineCompaction({ table: deviceLogs, source: 's3://lake/raw/', target: 's3://lake/compacted/', window: '5 minutes' })
 * ```
 */
export function defineCompaction(options: CompactionOptions): Compaction {
  checkOptions('defineCompaction', options, {
    required: ['table', 'source', 'target', 'window'],
    optional: ['grace', 'onLate', 'onOverwrite', 'sweep', 'keyTime', 'dedupe', 'publish', 'compactedTable', 'format', 'header'],
  })
  const {
    table,
    source,
    target,
    window,
    grace = '0 seconds',
    onLate = 'append',
    onOverwrite = 'quarantine',
    publish = 'partitions',
    sweep = defaultSweep,
    keyTime = timeOfKey,
  } = options
  checkFolders(source, target)
  const windowMs = windowLengthMs(window)
  if (table.partitions.lengthMs % windowMs !== 0) {
    const longer = windowMs > table.partitions.lengthMs
    throw new ConfigError(
      `A window of "${window}" does not fit the ${table.partitions.kind} partitions of ${table.name}: a window must lie in one partition.`,
      { hint: longer ? 'Give the table partitions: daily(), or take a shorter window.' : 'Take a window that divides an hour.' },
    )
  }
  checkPolicies({ onLate, onOverwrite, publish })
  if (!Number.isInteger(sweep) || sweep < 0 || sweep > 1000) {
    throw new ConfigError(`sweep must be a whole number of windows from 0 to 1000, not ${sweep}.`)
  }
  const { format = 'ndjson', header = false } = options
  checkFormat(table, format, header)
  const dedupeBy = options.dedupe?.by ?? []
  checkDedupe(table, options.dedupe)
  const { name, columns, eventTime, allowedLateness, allowedSkew, partitions } = table
  if (Object.hasOwn(columns, batchColumn)) {
    throw new ConfigError(`${name} has a column "${batchColumn}", which is a partition column of every compacted table.`, {
      hint: 'Rename the column.',
    })
  }
  const compactedTable = options.compactedTable ?? `${name}_compacted`
  // Both are named in ALTER TABLE: refused here rather than when the first window has been committed.
  quoteIdentifier(`${name}_lines`, 'hive')
  quoteIdentifier(compactedTable, 'hive')
  return Object.freeze({
    kind: 'compaction' as const,
    table,
    compacted: defineTable(compactedTable, {
      columns,
      eventTime: eventTime as never,
      allowedLateness,
      allowedSkew,
      partitions,
    }),
    linesTable: `${name}_lines`,
    source,
    target,
    window,
    windowMs,
    graceMs: durationMs(grace),
    onLate,
    onOverwrite,
    sweep,
    dedupeBy,
    publish,
    format,
    header,
    keyTime,
  })
}

/**
 * The statements that create the tables of a compaction once, at deployment: the compacted table and, for the Athena engine, the raw-line
 * table over the source. Both are `CREATE EXTERNAL TABLE IF NOT EXISTS`, so running them again does nothing.
 *
 * @param options `database`: qualifies the names (default: the database of the session). `engine`: `'in-process'` leaves out the raw-line
 * table; default `'athena'`.
 */
export function compactionDdl(
  compaction: Compaction,
  options: { readonly database?: string | undefined; readonly engine?: 'athena' | 'in-process' | undefined } = {},
): string[] {
  checkOptions('compactionDdl', options, { optional: ['database', 'engine'] })
  const { database, engine = 'athena' } = options
  const { compacted, linesTable, source, target, table } = compaction
  const statements = [
    compaction.publish === 'manifest'
      ? symlinkTableDdl({
          database,
          name: compacted.name,
          location: `${target}manifest/` as S3Location,
          format: 'parquet',
          columns: compacted.columns,
          partitions: table.partitions.columns,
        })
      : tableDdl(compacted, { location: dataLocation(target), format: 'parquet', database, extraPartitions: [batchColumn] }),
  ]
  if (engine === 'athena') {
    statements.push(rawLineTableDdl({ database, name: linesTable, location: source, partitions: table.partitions.columns }))
  }
  return statements
}

function dataLocation(target: S3Location): S3Location {
  return `${target}data/` as S3Location
}

function checkPolicies(given: { readonly onLate: string; readonly onOverwrite: string; readonly publish: string }): void {
  if (!['partitions', 'manifest'].includes(given.publish)) {
    throw new ConfigError(`publish can be 'partitions' or 'manifest', not ${JSON.stringify(given.publish)}.`)
  }
  for (const name of ['onLate', 'onOverwrite'] as const) {
    if (!['append', 'recompact', 'quarantine'].includes(given[name])) {
      throw new ConfigError(`${name} can be 'append', 'recompact' or 'quarantine', not ${JSON.stringify(given[name])}.`)
    }
    if (given[name] === 'recompact' && given.publish !== 'manifest') {
      throw new ConfigError(`${name}: 'recompact' takes files away from readers, which partitions cannot do in one step.`, {
        hint: "Add publish: 'manifest', or use 'append'.",
      })
    }
  }
}

function checkDedupe(table: Table, dedupe: CompactionOptions['dedupe']): void {
  if (dedupe === undefined) return
  checkOptions('dedupe', dedupe, { required: ['by'] })
  if (!Array.isArray(dedupe.by) || dedupe.by.length === 0) throw new ConfigError('dedupe.by names no columns.')
  for (const name of dedupe.by) {
    const kind = table.columns[name]?.type.kind
    if (kind === undefined) throw new ConfigError(`dedupe.by: ${table.name} has no column "${name}".`)
    if (['array', 'map', 'struct', 'binary'].includes(kind)) {
      throw new ConfigError(`dedupe.by: "${name}" is of type ${kind}, by which rows cannot be compared.`)
    }
  }
}

function checkFormat(table: Table, format: string, header: boolean): void {
  if (!['ndjson', 'csv', 'tsv'].includes(format)) {
    throw new ConfigError(`defineCompaction cannot read the format ${JSON.stringify(format)}.`, {
      hint: "Use 'ndjson', 'csv' or 'tsv'.",
    })
  }
  if (header && format === 'ndjson') throw new ConfigError('defineCompaction: "header" belongs to CSV and TSV.')
  for (const [name, { type }] of Object.entries(table.columns)) {
    // Hive has no such type (a timestamp with zone), so no table could show the result: refused here rather than at deployment.
    typeName(type, 'hive')
    if (format !== 'ndjson' && ['array', 'map', 'struct'].includes(type.kind)) {
      throw new ConfigError(`${format.toUpperCase()} cannot hold "${name}" of ${table.name}, which is of type ${type.kind}.`, {
        hint: 'Write such rows as NDJSON.',
      })
    }
  }
}

function checkFolders(source: S3Location, target: S3Location): void {
  parseLocation(source)
  parseLocation(target)
  if (source.startsWith(target) || target.startsWith(source)) {
    throw new ConfigError(`The source ${source} and the target ${target} overlap: compacted files would be compacted again.`, {
      hint: 'Use two folders side by side, as s3://lake/raw/ and s3://lake/compacted/.',
    })
  }
}
