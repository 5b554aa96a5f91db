import { notSupportedLocally } from '../query-engine'
import { cast, zonedSql } from './cast'
import { AnalysisError, type Position, typeMismatch } from './failure'
import { castToDay, readTimestamp } from './native/date-time'
import { RuntimeError, refusalCode } from './native/failure'
import { fromLocal, toLocal, zoneName } from './native/zone'
import { quoteText } from './sql-quote'
import type { Expression } from './syntax/tree'
import { resolveType, type TrinoType, types } from './trino-type'
import { integerLiteral, type Typed, textLiteral } from './value'

type LiteralNode = Extract<Expression, { kind: 'string' | 'binary' | 'integer' | 'decimal' | 'double' }>

/** A literal as written. */
export function literal(node: LiteralNode): Typed {
  switch (node.kind) {
    case 'string':
      return textLiteral(node.value)
    case 'integer': {
      const value = BigInt(node.value)
      if (value > 9223372036854775807n || value < -9223372036854775808n)
        throw new AnalysisError('SYNTAX_ERROR', `Invalid numeric literal: ${node.value}`, node.at)
      return integerLiteral(value)
    }
    case 'decimal':
      return decimalLiteral(node.value, node.at)
    case 'double': {
      const value = Number(node.value)
      const sql = Number.isFinite(value) ? `CAST('${node.value}' AS DOUBLE)` : `CAST('inf' AS DOUBLE)`
      return { sql, type: types.double, throws: false, literal: value }
    }
    case 'binary': {
      const digits = node.value.replace(/\s/g, '')
      if (!/^(?:[0-9a-fA-F]{2})*$/.test(digits))
        throw new AnalysisError('INVALID_LITERAL', 'Binary literal must contain an even number of hexadecimal digits', node.at)
      return { sql: `from_hex('${digits}')`, type: types.varbinary, throws: false }
    }
  }
}

function decimalLiteral(text: string, at: Position): Typed {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?$/.exec(text)
  if (match === null) throw new AnalysisError('INVALID_LITERAL', `Invalid decimal literal: ${text}`, at)
  const whole = (match[2] ?? '').replace(/^0+/, '')
  const fraction = match[3] ?? ''
  // `0.5` is decimal(1,1): leading zeros do not count, but there is at least one digit.
  const precision = Math.max(1, whole.length + fraction.length)
  if (precision > 38) throw new AnalysisError('INVALID_LITERAL', `Invalid decimal literal: ${text}`, at)
  const type: TrinoType = { kind: 'decimal', precision, scale: fraction.length }
  return {
    sql: `CAST('${match[1]}${whole || '0'}${fraction === '' ? '' : `.${fraction}`}' AS DECIMAL(${precision},${fraction.length}))`,
    type,
    throws: false,
    literal: text,
  }
}

/** `timestamp '2024-01-02 03:04:05 UTC'`, `date '…'`, `decimal '…'`, `bigint '…'`. A bad value is an error of the statement. */
export function typedLiteral(node: Extract<Expression, { kind: 'typed-literal' }>): Typed {
  const { name } = node.type
  if (name === 'timestamp') return timestampLiteral(node.value, node.at)
  if (name === 'decimal') return decimalLiteral(node.value, node.at)
  if (name === 'json') return { sql: `t_json_parse(${quoteText(node.value)})`, type: types.json, throws: true }
  if (name === 'varchar') return cast(textLiteral(node.value), types.varchar, node.at)
  const type = resolveType(node.type)
  if (type.kind === 'date') checkDate(node.value, node.at)
  return { ...cast(textLiteral(node.value), type, node.at) }
}

function checkDate(text: string, at: Position): void {
  try {
    castToDay(text)
  } catch (error) {
    if (error instanceof RuntimeError && error.code !== refusalCode)
      throw new AnalysisError('INVALID_LITERAL', `'${text}' is not a valid DATE literal`, at)
    throw error
  }
}

function timestampLiteral(text: string, at: Position): Typed {
  const parts = readTimestamp(text)
  if (parts === undefined) throw new AnalysisError('INVALID_LITERAL', `'${text}' is not a valid TIMESTAMP literal`, at)
  if (parts.precision > 6) throw notSupportedLocally(`timestamp(${parts.precision})`)
  if (parts.zone === undefined) {
    return {
      sql: `make_timestamp(${parts.micros})`,
      type: { kind: 'timestamp', precision: parts.precision },
      throws: false,
      literal: text,
    }
  }
  const zone = zoneName(parts.zone)
  if (zone === undefined) throw new AnalysisError('INVALID_LITERAL', `'${text}' is not a valid TIMESTAMP literal`, at)
  const instant = fromLocal(parts.micros, zone)
  // A time that the clocks of the zone skip.
  if (toLocal(instant, zone) !== parts.micros)
    throw new AnalysisError('INVALID_LITERAL', `'${text}' is not a valid TIMESTAMP literal`, at)
  return {
    sql: zonedSql(`make_timestamp(${instant})`, quoteText(zone)),
    type: { kind: 'timestamptz', precision: parts.precision, zone },
    throws: false,
  }
}

const dayUnits: Readonly<Record<string, string>> = { day: 'DAY', hour: 'HOUR', minute: 'MINUTE', second: 'SECOND' }
const yearUnits: Readonly<Record<string, string>> = { year: 'YEAR', month: 'MONTH' }

/** `interval '2' day`. Its literal is `days` when it can be added to a date. */
export function intervalLiteral(node: Extract<Expression, { kind: 'interval' }>): Typed {
  if (node.to !== undefined) throw notSupportedLocally(`an interval ${node.unit} to ${node.to}`)
  const match = /^\s*([+-]?\d{1,9})\s*$/.exec(node.value)
  const unit = dayUnits[node.unit] ?? yearUnits[node.unit]
  if (node.unit === 'week') throw notSupportedLocally('an interval of weeks')
  if (unit === undefined) throw new AnalysisError('SYNTAX_ERROR', `mismatched input '${node.unit}'`, node.at)
  if (match === null) throw notSupportedLocally(`the interval literal '${node.value}'`)
  const amount = node.negative ? -Number(match[1]) : Number(match[1])
  const type: TrinoType = { kind: node.unit in dayUnits ? 'interval-day' : 'interval-year' }
  // A day of Trino is 24 hours, as a day of DuckDB's timestamps without a zone is.
  return { sql: `INTERVAL (${amount}) ${unit}`, type, throws: false, literal: node.unit === 'day' ? 'days' : undefined }
}

/** current_timestamp and its like, for a query that starts at `now` (microseconds); the session's zone is UTC. */
export function currentTime(node: Extract<Expression, { kind: 'now' }>, nowMs: number): Typed {
  const precision = node.precision ?? 3
  if (precision > 6) throw notSupportedLocally(`${node.name}(${precision})`)
  const micros = BigInt(nowMs) * 1000n
  const stamp = `make_timestamp(${micros})`
  switch (node.name) {
    case 'current_date':
      return { sql: `CAST(${stamp} AS DATE)`, type: types.date, throws: false }
    case 'localtimestamp':
      return { sql: stamp, type: { kind: 'timestamp', precision }, throws: false }
    case 'current_timestamp':
      return { sql: zonedSql(stamp, `'UTC'`), type: { kind: 'timestamptz', precision, zone: 'UTC' }, throws: false }
    default:
      throw notSupportedLocally(node.name)
  }
}

export { typeMismatch }
