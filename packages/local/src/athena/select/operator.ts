import { notSupportedLocally } from '../query-engine'
import { convert, divisionByZero, instantSql, localSql, unify, zonedSql } from './cast'
import { asDecimal, commonType, isInteger, isNumeric } from './coercion'
import { duckType } from './duckdb-type'
import { AnalysisError, type Position, typeMismatch } from './failure'
import { zoneName } from './native/zone'
import { quoteText } from './sql-quote'
import { fieldName, type TrinoType, types, typeText } from './trino-type'
import { type Typed, typed } from './value'

export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%'
export type ComparisonOperator = '=' | '<>' | '<' | '<=' | '>' | '>='

function cannotApply(left: Typed, operator: string, right: Typed, at: Position | undefined): Error {
  return typeMismatch(`Cannot apply operator: ${typeText(left.type)} ${operator} ${typeText(right.type)}`, at)
}

function isInterval(type: TrinoType): boolean {
  return type.kind === 'interval-day' || type.kind === 'interval-year'
}

/** `left operator right` for numbers, dates and intervals. */
export function arithmetic(operator: ArithmeticOperator, left: Typed, right: Typed, at: Position | undefined): Typed {
  if (
    (operator === '+' || operator === '-') &&
    (isTemporal(left.type) || isTemporal(right.type) || isInterval(left.type) || isInterval(right.type))
  ) {
    return dateArithmetic(operator, left, right, at)
  }
  if (left.type.kind === 'unknown' && right.type.kind === 'unknown') throw cannotApply(left, operator, right, at)
  if ((left.type.kind !== 'unknown' && !isNumeric(left.type)) || (right.type.kind !== 'unknown' && !isNumeric(right.type))) {
    throw cannotApply(left, operator, right, at)
  }
  const common = commonType(left.type, right.type) as TrinoType
  if (common.kind === 'decimal') return decimalArithmetic(operator, left, right)
  const [a, b] = [convert(left, common) as Typed, convert(right, common) as Typed]
  if (common.kind === 'double' || common.kind === 'real') {
    // DuckDB's % on doubles is C's fmod, as Java's is.
    return typed(`(${a.sql} ${operator} ${b.sql})`, common, a, b)
  }
  const duck = duckType(common)
  if (operator === '/' || operator === '%') {
    const sign = operator === '/' ? '//' : '%'
    // Trino's quotient truncates and the remainder has the sign of the dividend; so have DuckDB's.
    const nonzero = typeof right.literal === 'bigint' && right.literal !== 0n
    const plain = `CAST((${a.sql} ${sign} ${b.sql}) AS ${duck})`
    if (nonzero) return { sql: plain, type: common, throws: a.throws || (right.literal === -1n && operator === '/') }
    return { sql: `(CASE WHEN ${b.sql} = 0 THEN ${divisionByZero(common)} ELSE ${plain} END)`, type: common, throws: true }
  }
  return { sql: `(${a.sql} ${operator} ${b.sql})`, type: common, throws: true }
}

function decimalArithmetic(operator: ArithmeticOperator, left: Typed, right: Typed): Typed {
  const a = asDecimal(left.type) ?? (asDecimal(right.type) as ReturnType<typeof asDecimal> & object)
  const b = asDecimal(right.type) ?? a
  const whole = Math.max(a.precision - a.scale, b.precision - b.scale)
  const scale = operator === '*' ? a.scale + b.scale : Math.max(a.scale, b.scale)
  const digits =
    operator === '*'
      ? a.precision + b.precision
      : operator === '/'
        ? a.precision + b.scale + Math.max(b.scale - a.scale, 0)
        : operator === '%'
          ? Math.min(a.precision - a.scale, b.precision - b.scale) + scale
          : whole + scale + 1
  const type: TrinoType = { kind: 'decimal', precision: Math.min(38, digits), scale }
  if (scale > 38)
    throw typeMismatch(`DECIMAL scale must be at most 38: ${typeText(left.type)} ${operator} ${typeText(right.type)}`)
  const [x, y] = [convert(left, a) as Typed, convert(right, b) as Typed]
  if (operator === '/') {
    // Trino rounds the quotient half away from zero to the scale of the result.
    const up = scale - a.scale + b.scale
    const quotient = `t_decimal_divide(CAST(${x.sql} AS VARCHAR), CAST(${y.sql} AS VARCHAR), ${up}, ${scale})`
    return { sql: `CAST(${quotient} AS ${duckType(type)})`, type, throws: true }
  }
  if (operator === '%') {
    const wide = `DECIMAL(38,${scale})`
    const rest = `CAST((CAST(${x.sql} AS ${wide}) % CAST(${y.sql} AS ${wide})) AS ${duckType(type)})`
    return { sql: `(CASE WHEN ${y.sql} = 0 THEN ${divisionByZero(type)} ELSE ${rest} END)`, type, throws: true }
  }
  if (operator === '*') {
    // DuckDB multiplies in the width of its operands; the wide form cannot overflow before it is checked.
    return {
      sql: `CAST((CAST(${x.sql} AS DECIMAL(${Math.min(38, digits)},${a.scale})) * CAST(${y.sql} AS DECIMAL(${Math.min(38, digits)},${b.scale}))) AS ${duckType(type)})`,
      type,
      throws: true,
    }
  }
  const wide = duckType(type)
  return { sql: `CAST((CAST(${x.sql} AS ${wide}) ${operator} CAST(${y.sql} AS ${wide})) AS ${wide})`, type, throws: true }
}

function isTemporal(type: TrinoType): boolean {
  return type.kind === 'date' || type.kind === 'timestamp' || type.kind === 'timestamptz'
}

function dateArithmetic(operator: '+' | '-', left: Typed, right: Typed, at: Position | undefined): Typed {
  if (operator === '+' && isInterval(left.type) && isTemporal(right.type)) return dateArithmetic(operator, right, left, at)
  if (isTemporal(left.type) && isInterval(right.type)) {
    if (left.type.kind === 'date') {
      // Trino adds only whole days to a date. An interval literal knows what it holds.
      if (right.type.kind === 'interval-day' && right.literal !== 'days')
        throw notSupportedLocally('date ± an interval of hours, minutes or seconds')
      return typed(`CAST((${left.sql} ${operator} ${right.sql}) AS DATE)`, types.date, left, right)
    }
    if (left.type.kind === 'timestamp') return typed(`(${left.sql} ${operator} ${right.sql})`, widen(left.type), left, right)
    // Days and shorter count on the time line, months on the local clock.
    if (right.type.kind === 'interval-day') {
      return typed(
        zonedSql(`${instantSql(left)} ${operator} ${right.sql}`, `struct_extract(${left.sql}, 'zone')`),
        widen(left.type),
        left,
        right,
      )
    }
    if (left.type.kind === 'timestamptz' && left.type.zone === 'UTC') {
      return typed(zonedSql(`${instantSql(left)} ${operator} ${right.sql}`, `'UTC'`), left.type, left, right)
    }
    throw notSupportedLocally('months ± a timestamp with a time zone other than UTC')
  }
  if (operator === '-' && isTemporal(left.type) && isTemporal(right.type)) {
    throw notSupportedLocally('the difference of two dates or times (an interval; use date_diff)')
  }
  if (isInterval(left.type) && isInterval(right.type)) throw notSupportedLocally('arithmetic of intervals')
  throw cannotApply(left, operator, right, at)
}

// An interval counts milliseconds, so that the sum has at least three digits.
function widen(type: TrinoType): TrinoType {
  return (type.kind === 'timestamp' || type.kind === 'timestamptz') && type.precision < 3 ? { ...type, precision: 3 } : type
}

/** Unary minus. */
export function negate(value: Typed, at: Position | undefined): Typed {
  if (typeof value.literal === 'bigint') {
    const negated = -value.literal
    return { sql: `CAST(${negated} AS ${duckType(value.type)})`, type: value.type, throws: false, literal: negated }
  }
  if (!isNumeric(value.type)) throw typeMismatch(`Cannot negate ${typeText(value.type)}`, at)
  return { sql: `(-${value.sql})`, type: value.type, throws: value.throws || isInteger(value.type) }
}

/** `left || right`. */
export function concat(left: Typed, right: Typed, at: Position | undefined): Typed {
  if (left.type.kind === 'array' || right.type.kind === 'array') return concatArrays(left, right, at)
  if (left.type.kind === 'varbinary' && right.type.kind === 'varbinary')
    return typed(`(${left.sql} || ${right.sql})`, types.varbinary, left, right)
  const [a, b] = [convert(left, types.varchar), convert(right, types.varchar)]
  if (a === undefined || b === undefined)
    throw new AnalysisError(
      'FUNCTION_NOT_FOUND',
      `Unexpected parameters (${typeText(left.type)}, ${typeText(right.type)}) for function concat`,
      at,
    )
  return typed(`(${a.sql} || ${b.sql})`, types.varchar, a, b)
}

function concatArrays(left: Typed, right: Typed, at: Position | undefined): Typed {
  const isEmpty = ({ type }: Typed) => type.kind === 'array' && type.element.kind === 'unknown'
  if (isEmpty(left) !== isEmpty(right)) throw notSupportedLocally('|| of an array without a type')
  const pair = unify(left, right)
  if (pair === undefined) throw notSupportedLocally('|| of an array and an element')
  const [a, b] = pair
  if (a.type.kind !== 'array') throw typeMismatch(`Unexpected parameters for function concat`, at)
  // list_concat reads NULL as an empty list, Trino gives NULL.
  return typed(
    `(CASE WHEN (${a.sql}) IS NULL OR (${b.sql}) IS NULL THEN NULL ELSE list_concat(${a.sql}, ${b.sql}) END)`,
    a.type,
    a,
    b,
  )
}

/** `left operator right` as a boolean. */
export function comparison(operator: ComparisonOperator, left: Typed, right: Typed, at: Position | undefined): Typed {
  const pair = unify(left, right)
  if (pair === undefined) throw cannotApply(left, operator, right, at)
  const [a, b] = pair
  return {
    sql: comparisonSql(operator, a, b, () => cannotApply(left, operator, right, at)),
    type: types.boolean,
    throws: a.throws || b.throws,
  }
}

function comparisonSql(operator: ComparisonOperator, a: Typed, b: Typed, impossible: () => Error): string {
  const { type } = a
  switch (type.kind) {
    case 'unknown':
      return 'CAST(NULL AS BOOLEAN)'
    case 'double':
    case 'real':
      return floatComparison(operator, a, b)
    case 'timestamptz':
      return `(${instantSql(a)} ${operator} ${instantSql(b)})`
    case 'row':
      return rowComparison(operator, a, b, impossible)
    case 'json':
      if (operator === '=' || operator === '<>') return `(${a.sql} ${operator} ${b.sql})`
      throw impossible()
    case 'array':
    case 'map':
      throw notSupportedLocally(`comparison of two ${type.kind}s`)
    default:
      return `(${a.sql} ${operator} ${b.sql})`
  }
}

// DuckDB orders NaN above all and equal to itself; in Trino every comparison with NaN but <> is false.
function floatComparison(operator: ComparisonOperator, a: Typed, b: Typed): string {
  const numbers = [a, b].filter((value) => value.literal === undefined)
  const guards = numbers.map((value) => `isnan(${value.sql})`)
  const plain = `(${a.sql} ${operator} ${b.sql})`
  if (guards.length === 0) return plain
  // A test that cannot be true for NaN needs no guard: `x < 5`, `x <= 5`, `5 > x`.
  if (
    numbers.length === 1 &&
    ((numbers[0] === a && operator.startsWith('<') && operator !== '<>') || (numbers[0] === b && operator.startsWith('>')))
  )
    return plain
  if (numbers.length === 1 && operator === '=') return plain
  if (operator === '<>') return `(${plain} OR ${guards.join(' OR ')})`
  return `(${plain} AND NOT (${guards.join(' OR ')}))`
}

function rowComparison(operator: ComparisonOperator, a: Typed, b: Typed, impossible: () => Error): string {
  if (operator !== '=' && operator !== '<>') throw notSupportedLocally('ordering of rows')
  const parts = rowFields(a).map((field, index) => comparisonSql('=', field, rowFields(b)[index] as Typed, impossible))
  const equal = `(${parts.join(' AND ')})`
  return operator === '=' ? equal : `(NOT ${equal})`
}

/** Fields of a row value. */
export function rowFields(value: Typed): readonly Typed[] {
  if (value.fields !== undefined) return value.fields
  if (value.type.kind !== 'row') return []
  return value.type.fields.map((field, index) => ({
    sql: `struct_extract(${value.sql}, ${quoteText(fieldName(field, index))})`,
    type: field.type,
    throws: value.throws,
  }))
}

/** IS DISTINCT FROM. */
export function isDistinct(left: Typed, right: Typed, negated: boolean, at: Position | undefined): Typed {
  const pair = unify(left, right)
  if (pair === undefined) throw cannotApply(left, 'IS DISTINCT FROM', right, at)
  const [a, b] = pair
  if (a.type.kind === 'array' || a.type.kind === 'map' || a.type.kind === 'row')
    throw notSupportedLocally(`IS DISTINCT FROM of ${a.type.kind}s`)
  const [x, y] = a.type.kind === 'timestamptz' ? [instantSql(a), instantSql(b)] : [a.sql, b.sql]
  return typed(`(${x} IS ${negated ? 'NOT ' : ''}DISTINCT FROM ${y})`, types.boolean, a, b)
}

/**
 * AND and OR. DuckDB evaluates all operands; Trino stops at the first that decides. An operand that may fail is therefore guarded by those
 * before it.
 */
export function connective(kind: 'and' | 'or', items: readonly Typed[], at: Position | undefined): Typed {
  for (const item of items) {
    if (item.type.kind !== 'boolean' && item.type.kind !== 'unknown')
      throw typeMismatch(`Logical expression term must evaluate to a boolean: actual type ${typeText(item.type)}`, at)
  }
  const terms = items.map((item) => (item.sql === 'NULL' ? 'CAST(NULL AS BOOLEAN)' : item.sql))
  const plain = `(${terms.join(kind === 'and' ? ' AND ' : ' OR ')})`
  if (items.every((item) => !item.throws)) return { sql: plain, type: types.boolean, throws: false }
  const decided = kind === 'and' ? (term: string) => `WHEN NOT ${term} THEN FALSE` : (term: string) => `WHEN ${term} THEN TRUE`
  return { sql: `(CASE ${terms.slice(0, -1).map(decided).join(' ')} ELSE ${plain} END)`, type: types.boolean, throws: true }
}

/** value AT TIME ZONE zone. */
export function atTimeZone(value: Typed, zone: Typed, at: Position | undefined): Typed {
  if (zone.type.kind !== 'varchar') throw notSupportedLocally('AT TIME ZONE with an interval')
  const source =
    value.type.kind === 'timestamp'
      ? (convert(value, { kind: 'timestamptz', precision: value.type.precision, zone: 'UTC' }) as Typed)
      : value
  if (source.type.kind !== 'timestamptz')
    throw typeMismatch(`Type of value must be a time or timestamp with or without time zone (actual ${typeText(value.type)})`, at)
  const known = typeof zone.literal === 'string' ? knownZone(zone.literal) : undefined
  const zoneSql = known === undefined ? `t_zone(${zone.sql})` : quoteText(known)
  const type: TrinoType = { ...source.type, zone: known }
  return { sql: zonedSql(instantSql(source), zoneSql), type, throws: source.throws || zone.throws || known === undefined }
}

/** with_timezone(timestamp, zone): the local time taken as one of that zone. */
export function withTimeZone(value: Typed, zone: Typed): Typed {
  const known = typeof zone.literal === 'string' ? knownZone(zone.literal) : undefined
  const zoneSql = known === undefined ? `t_zone(${zone.sql})` : quoteText(known)
  const precision = value.type.kind === 'timestamp' ? value.type.precision : 3
  const instant = known === 'UTC' ? value.sql : `make_timestamp(t_instant(epoch_us(${value.sql}), ${zoneSql}))`
  return { sql: zonedSql(instant, zoneSql), type: { kind: 'timestamptz', precision, zone: known }, throws: true }
}

function knownZone(text: string): string | undefined {
  return zoneName(text)
}

export { localSql }
