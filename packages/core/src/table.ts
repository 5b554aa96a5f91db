import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { ColumnMap, ValueOf } from './column-type'
import { type Duration, durationMs } from './duration'
import { ConfigError } from './error'
import { checkColumnName, checkIdentifier } from './identifier'
import { hourly, type PartitionScheme } from './layout'
import { checkOptions } from './options'
import { standardSchema } from './schema'

/** What {@link defineTable} takes. */
export interface TableOptions<Columns extends ColumnMap> {
  /** In the order in which they are written. Names are lower case. */
  readonly columns: Columns
  /** The timestamp column that says when a record happened. */
  readonly eventTime?: TimestampColumn<Columns> | undefined
  /** How far event time may lie behind arrival. Default `'0 seconds'`. */
  readonly allowedLateness?: Duration | undefined
  /** How far event time may lie ahead of arrival (wrong clocks). Default `'0 seconds'`. */
  readonly allowedSkew?: Duration | undefined
  /** Default {@link hourly}. */
  readonly partitions?: PartitionScheme | undefined
}

type TimestampColumn<Columns extends ColumnMap> = {
  [Name in keyof Columns]: Date extends ValueOf<Columns[Name]> ? Name : never
}[keyof Columns] &
  string

/** One contract for a table, read by every stage: generator, file formats, DDL, compaction, typed query rows. */
export interface Table<Columns extends ColumnMap = ColumnMap> {
  readonly kind: 'table'
  readonly name: string
  readonly columns: Columns
  readonly eventTime: string | undefined
  readonly allowedLateness: Duration
  readonly allowedSkew: Duration
  readonly partitions: PartitionScheme
  /** Standard Schema (standardschema.dev): works wherever zod does. Validates one row. */
  readonly '~standard': StandardSchemaV1.Props<RowOfColumns<Columns>>
}

/** The TypeScript type of a row with these columns. */
export type RowOfColumns<Columns extends ColumnMap> = { -readonly [Name in keyof Columns]: ValueOf<Columns[Name]> }

/** The TypeScript type of the rows of a table. */
export type RowOf<T extends Table> = RowOfColumns<T['columns']>

/**
 * Defines a table contract. Pure: nothing is created anywhere.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG` or `PIPE_ATHENA_NAME` for a bad name, an unknown option, an event time that is not a
 * timestamp column, or a column that is also a partition.
 * @example
 * ```ts
 * const deviceLogs = defineTable('device_logs', {
 *   columns: { timestamp: column.timestamp(), device_name: column.string(), metric: column.double() },
 *   eventTime: 'timestamp',
 *   allowedLateness: '10 minutes',
 * })
 * type DeviceLog = RowOf<typeof deviceLogs> // { timestamp: Date; device_name: string; metric: number }
 * ```
 */
export function defineTable<const Columns extends ColumnMap>(name: string, options: TableOptions<Columns>): Table<Columns> {
  const where = `defineTable(${JSON.stringify(name)})`
  checkOptions(where, options, { required: ['columns'], optional: ['eventTime', 'allowedLateness', 'allowedSkew', 'partitions'] })
  checkIdentifier(name, 'table')
  const { columns, eventTime, allowedLateness = '0 seconds', allowedSkew = '0 seconds', partitions = hourly() } = options
  const names = Object.keys(columns)
  if (names.length === 0) throw new ConfigError(`${where} needs at least one column.`)
  for (const columnName of names) {
    checkColumnName(columnName)
    if (partitions.columns.includes(columnName)) {
      throw new ConfigError(`${where}: "${columnName}" is a partition column; it cannot also be a column of the files.`)
    }
  }
  if (eventTime !== undefined && columns[eventTime]?.type.kind !== 'timestamp') {
    throw new ConfigError(`${where}: eventTime "${eventTime}" is not a timestamp column.`)
  }
  durationMs(allowedLateness)
  durationMs(allowedSkew)
  return Object.freeze({
    kind: 'table' as const,
    name,
    columns,
    eventTime,
    allowedLateness,
    allowedSkew,
    partitions,
    '~standard': standardSchema<RowOfColumns<Columns>>(columns),
  })
}
