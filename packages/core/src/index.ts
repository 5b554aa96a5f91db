export { anySignal, type Deadline, deadlineIn, sleep } from './abort'
export { type ByteBudget, createByteBudget } from './byte-budget'
export { type Clock, systemClock } from './clock'
export {
  type Column,
  type ColumnMap,
  type ColumnType,
  column,
  type TypeDialect,
  typeName,
  type ValueOf,
} from './column-type'
export { addPartitionsDdl, hiveString, rawLineTableDdl, type TableDdlOptions, type TableFormat, tableDdl } from './ddl'
export { type Duration, durationMs, formatDuration } from './duration'
export { readEnv } from './env'
export { ConfigError, PipeError, type PipeErrorOptions } from './error'
export type { ByteRanges } from './format/byte-ranges'
export { type DelimitedOptions, readCsv, readTsv, writeCsv, writeTsv } from './format/delimited'
export { readNdjson, writeNdjson } from './format/ndjson'
export { readParquet, type WriteParquetOptions, writeParquet } from './format/parquet'
export type { ReadOptions, RowBatch } from './format/row-batch'
export { type ReadRowsOptions, readRows } from './format/rows'
export type { FileFormat } from './format/sniff'
export { type IdentifierDialect, type IdentifierKind, quoteIdentifier, quoteName } from './identifier'
export { daily, hourly, type PartitionScheme, type RawKey, rawKey, timeOfKey } from './layout'
export { parseLocation, type S3Location } from './location'
export type {
  CreateOutcome,
  DeleteOutcome,
  ObjectBody,
  ObjectHead,
  ObjectStore,
  ObjectSummary,
  PutBody,
  PutOptions,
  ReplaceOutcome,
} from './object-store'
export { type Peeked, type PeekOptions, peek } from './peek'
export { encodeUnreadableRows, parseUnreadableRows, type UnreadableRow } from './quarantine'
export { isRetryable, type RetryOptions, retry } from './retry'
export { createObjectStore, type ObjectStoreOptions } from './s3-object-store'
export { defineTable, type RowOf, type RowOfColumns, type Table, type TableOptions } from './table'
export { fromJson, parseText, type ReadValue } from './value'
export { toJson, toText } from './value-text'
export { type Window, windowId, windowLengthMs, windowOf, windowsBetween } from './window'
