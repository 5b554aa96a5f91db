export { type Athena, type AthenaOptions, createAthena, type SubmitOptions } from './athena'
export { type InsertOptions, insertSql } from './builder/insert'
export { type ProjectionOptions, projectionSql } from './builder/projection'
export { createViewSql, deallocateSql, dropViewSql, executeSql, prepareSql } from './builder/statements'
export type { InsertReport, PeekTableOptions, TableWork, WriteReport } from './builder/table-work'
export { formatTime, parseTime, type TimeFormat } from './builder/time-format'
export { type UnloadOptions, type UnloadSqlOptions, unloadSql } from './builder/unload'
export { type AthenaPrices, type AthenaSpending, athenaPrices, type CostBasis, estimateDollars } from './cost'
export { type CtasOptions, type CtasSqlOptions, ctasSql } from './ctas'
export { eventTimeBetween } from './event-time'
export { type AthenaFailureDetails, AthenaQueryError } from './failure'
export type { AthenaFailureKind } from './failure-kind'
export { columnOfHiveType } from './introspect/hive-type'
export { tableCode } from './introspect/table-code'
export type { DescribedColumn, TableDescription } from './introspect/table-description'
export type { LiteralValue } from './literal'
export type { PartitionFilterRule } from './partition-filter'
export type { Query, QueryOptions, QueryRow, ResumeOptions } from './query'
export { type RecordedCall, recordCalls, replayCalls } from './recorder'
export { maxStatementBytes, renderSql } from './render'
export type { ExecutionReport } from './report'
export type { ResultRoute, RouteOptions } from './result/query-statement'
export type { ResultDescription } from './result/read-result'
export { type ResultCsvOptions, readResultCsv } from './result/result-csv'
export type { ResultColumn, Returns } from './result/row-plan'
export type { FollowOptions, RunOptions } from './run-options'
export {
  date,
  decimal,
  identifier,
  joinSql,
  list,
  type SqlFragment,
  type SqlSeparator,
  type SqlValue,
  sql,
  unsafeRaw,
} from './sql'
