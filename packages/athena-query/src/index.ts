export { type Athena, type AthenaOptions, createAthena } from './athena'
export { type CtasOptions, type CtasSqlOptions, ctasSql } from './ctas'
export { eventTimeBetween } from './event-time'
export type { ExecutionReport, RunOptions } from './execution'
export { type AthenaFailureDetails, AthenaQueryError } from './failure'
export type { LiteralValue } from './literal'
export type { Query, QueryOptions, QueryRow } from './query'
export { maxStatementBytes, renderSql } from './render'
export type { ResultRoute, RouteOptions } from './result/query-statement'
export type { ResultDescription } from './result/read-result'
export type { ResultColumn, Returns } from './result/row-plan'
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
