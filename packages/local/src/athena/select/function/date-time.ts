import { notSupportedLocally } from '../../query-engine'
import { convert, instantSql, localSql, zonedSql } from '../cast'
import { AnalysisError, typeMismatch } from '../failure'
import { atTimeZone, withTimeZone } from '../operator'
import { type TrinoType, types, typeText } from '../trino-type'
import { raise, type Typed } from '../value'
import { type CallSite, overload, overloaded, type ScalarFunction } from './signature'

const fails = { throws: true }

// The unit must be a literal; Trino takes any case.
function unitOf(item: Typed | undefined, units: readonly string[], site: CallSite): string {
  if (typeof item?.literal !== 'string') throw notSupportedLocally(`${site.name}() with a unit that is not a literal`)
  const unit = item.literal.toLowerCase()
  if (!units.includes(unit))
    throw new AnalysisError('INVALID_FUNCTION_ARGUMENT', `'${item.literal}' is not a valid unit for ${site.name}()`, site.at)
  return unit
}

const dayUnits = ['day', 'week', 'month', 'quarter', 'year']
const timeUnits = ['millisecond', 'second', 'minute', 'hour', ...dayUnits]

function requireUtc(value: Typed, what: string): void {
  if (value.type.kind === 'timestamptz' && value.type.zone !== 'UTC') {
    throw notSupportedLocally(`${what} of a timestamp with a time zone that is not known to be UTC (add AT TIME ZONE 'UTC')`)
  }
}

// Prints an operation on local time for date, timestamp and (UTC) timestamp with a zone, and gives back the type of its argument.
function onLocal(value: Typed, print: (timestamp: string) => string): Typed {
  if (value.type.kind === 'date')
    return { sql: `CAST(${print(`CAST(${value.sql} AS TIMESTAMP)`)} AS DATE)`, type: value.type, throws: value.throws }
  if (value.type.kind === 'timestamp') return { sql: print(value.sql), type: value.type, throws: value.throws }
  return { sql: zonedSql(print(instantSql(value)), `'UTC'`), type: value.type, throws: value.throws }
}

function temporal(item: Typed | undefined): Typed | undefined {
  if (item?.type.kind === 'unknown') return convert(item, types.timestamp)
  return item !== undefined && ['date', 'timestamp', 'timestamptz'].includes(item.type.kind) ? item : undefined
}

const dateTrunc: ScalarFunction = (items, site) => {
  const value = temporal(items[1])
  if (items.length !== 2 || value === undefined) return undefined
  const unit = unitOf(items[0], value.type.kind === 'date' ? dayUnits : timeUnits, site)
  requireUtc(value, 'date_trunc()')
  return onLocal(value, (timestamp) => `CAST(date_trunc('${unit}', ${timestamp}) AS TIMESTAMP)`)
}

const dateAdd: ScalarFunction = (items, site) => {
  const amount = items[1] && convert(items[1], types.bigint)
  const value = temporal(items[2])
  if (items.length !== 3 || amount === undefined || value === undefined) return undefined
  const unit = unitOf(items[0], value.type.kind === 'date' ? dayUnits : timeUnits, site)
  requireUtc(value, 'date_add()')
  const [step, factor] = unit === 'week' ? ['days', 7] : unit === 'quarter' ? ['months', 3] : [`${unit}s`, 1]
  const added = onLocal(
    value,
    (timestamp) =>
      `(${timestamp} + to_${step}(${step === 'hours' || step === 'minutes' || step === 'milliseconds' ? amount.sql : `CAST(${amount.sql} AS ${step === 'seconds' ? 'DOUBLE' : 'INTEGER'})`}${factor === 1 ? '' : ` * ${factor}`}))`,
  )
  const { type } = added
  // Trino keeps the precision of the timestamp, which loses the milliseconds; Athena's has three digits everywhere.
  if (unit === 'millisecond' && (type.kind === 'timestamp' || type.kind === 'timestamptz') && type.precision < 3)
    throw notSupportedLocally(`date_add() of milliseconds to ${typeText(type)}`)
  return { ...added, throws: true }
}

// Whole units between two times: an hour short of a day is no day.
const dateDiff: ScalarFunction = (items, site) => {
  const [left, right] = [temporal(items[1]), temporal(items[2])]
  if (items.length !== 3 || left === undefined || right === undefined) return undefined
  const bothDates = left.type.kind === 'date' && right.type.kind === 'date'
  const unit = unitOf(items[0], bothDates ? dayUnits : timeUnits, site)
  const target: TrinoType = [left, right].some((item) => item.type.kind === 'timestamptz')
    ? { kind: 'timestamptz', precision: 6, zone: undefined }
    : { kind: 'timestamp', precision: 6 }
  const [from, to] = [
    convert(left, bothDates ? types.date : target) as Typed,
    convert(right, bothDates ? types.date : target) as Typed,
  ]
  if (target.kind === 'timestamptz' && !bothDates) {
    requireUtc(left, 'date_diff()')
    requireUtc(right, 'date_diff()')
  }
  const sqlOf = (value: Typed): string =>
    value.type.kind === 'timestamptz' ? instantSql(value) : `CAST(${value.sql} AS TIMESTAMP)`
  return { sql: `datesub('${unit}', ${sqlOf(from)}, ${sqlOf(to)})`, type: types.bigint, throws: left.throws || right.throws }
}

/** Fields of EXTRACT and the functions of their names, each as SQL over a local TIMESTAMP. */
const fields: Readonly<Record<string, (timestamp: string) => string>> = {
  year: (timestamp) => `year(${timestamp})`,
  quarter: (timestamp) => `quarter(${timestamp})`,
  month: (timestamp) => `month(${timestamp})`,
  week: (timestamp) => `week(${timestamp})`,
  day: (timestamp) => `day(${timestamp})`,
  day_of_month: (timestamp) => `day(${timestamp})`,
  day_of_week: (timestamp) => `isodow(${timestamp})`,
  dow: (timestamp) => `isodow(${timestamp})`,
  day_of_year: (timestamp) => `dayofyear(${timestamp})`,
  doy: (timestamp) => `dayofyear(${timestamp})`,
  year_of_week: (timestamp) => `isoyear(${timestamp})`,
  yow: (timestamp) => `isoyear(${timestamp})`,
  hour: (timestamp) => `hour(${timestamp})`,
  minute: (timestamp) => `minute(${timestamp})`,
  second: (timestamp) =>
    `(epoch_us(date_trunc('second', ${timestamp})) // 1000000 - epoch_us(date_trunc('minute', ${timestamp})) // 1000000)`,
}
const timeFields = ['hour', 'minute', 'second']

/** extract(field FROM value), also written field(value). */
export function extractField(field: string, item: Typed, site: CallSite): Typed | undefined {
  const print = fields[field]
  const value = temporal(item)
  if (print === undefined) throw new AnalysisError('SYNTAX_ERROR', `Invalid EXTRACT field: ${field}`, site.at)
  if (value === undefined) {
    if (item.type.kind.startsWith('interval')) throw notSupportedLocally(`${field} of an interval`)
    return undefined
  }
  if (value.type.kind === 'date' && timeFields.includes(field))
    throw typeMismatch(`Cannot extract ${field.toUpperCase()} from date`, site.at)
  const local =
    value.type.kind === 'timestamptz'
      ? localSql(value)
      : value.type.kind === 'date'
        ? `CAST(${value.sql} AS TIMESTAMP)`
        : value.sql
  return { sql: `CAST(${print(local)} AS BIGINT)`, type: types.bigint, throws: value.throws }
}

const fieldFunctions = Object.fromEntries(
  Object.keys(fields).map((field): [string, ScalarFunction] => [
    field,
    (items, site) => (items.length === 1 ? extractField(field, items[0] as Typed, site) : undefined),
  ]),
)

const toUnixtime: ScalarFunction = (items) => {
  const value = temporal(items[0])
  if (items.length !== 1 || value === undefined) return undefined
  const stamp =
    value.type.kind === 'timestamptz'
      ? instantSql(value)
      : value.type.kind === 'date'
        ? `CAST(${value.sql} AS TIMESTAMP)`
        : value.sql
  return { sql: `(CAST(epoch_us(${stamp}) AS DOUBLE) / 1000000)`, type: types.double, throws: value.throws }
}

// Rounded to milliseconds (Math.round: half up).
const fromUnixtime: ScalarFunction = (items) => {
  const seconds = items[0] && convert(items[0], types.double)
  if (seconds === undefined || items.length > 2) return undefined
  const millis = `CAST(floor(${seconds.sql} * 1000 + 0.5) AS BIGINT)`
  const checked = `(CASE WHEN NOT isfinite(${seconds.sql}) THEN ${raise('INVALID_FUNCTION_ARGUMENT', 'Invalid unix time', 'BIGINT')} ELSE ${millis} END)`
  const utc: Typed = {
    sql: zonedSql(`make_timestamp(${checked} * 1000)`, `'UTC'`),
    type: { kind: 'timestamptz', precision: 3, zone: 'UTC' },
    throws: true,
  }
  if (items.length === 1) return utc
  const zone = convert(items[1] as Typed, types.varchar)
  return zone && atTimeZone(utc, zone, undefined)
}

const fromIso: ScalarFunction = (items) => {
  const text = items[0] && convert(items[0], types.varchar)
  if (items.length !== 1 || text === undefined) return undefined
  return {
    sql: zonedSql(`make_timestamp(t_iso_instant(${text.sql}))`, `t_iso_zone(${text.sql})`),
    type: types.timestamptz,
    throws: true,
  }
}

const dateFormat: ScalarFunction = (items) => {
  const value = temporal(items[0])
  const format = items[1] && convert(items[1], types.varchar)
  if (items.length !== 2 || value === undefined || format === undefined) return undefined
  const local =
    value.type.kind === 'timestamptz'
      ? localSql(value)
      : value.type.kind === 'date'
        ? `CAST(${value.sql} AS TIMESTAMP)`
        : value.sql
  return { sql: `t_date_format(epoch_us(${local}), ${format.sql})`, type: types.varchar, throws: true }
}

const date: ScalarFunction = (items) => {
  const value = items[0]
  if (items.length !== 1 || value === undefined) return undefined
  if (value.type.kind === 'varchar')
    return { sql: `(DATE '1970-01-01' + CAST(t_to_day(${value.sql}) AS INTEGER))`, type: types.date, throws: true }
  if (value.type.kind === 'date') return value
  if (value.type.kind === 'timestamp') return { sql: `CAST(${value.sql} AS DATE)`, type: types.date, throws: value.throws }
  if (value.type.kind === 'timestamptz')
    return { sql: `CAST(${localSql(value)} AS DATE)`, type: types.date, throws: value.throws }
  return undefined
}

const zoned =
  (inner: (value: Typed, zone: Typed) => Typed): ScalarFunction =>
  (items) => {
    const zone = items[1] && convert(items[1], types.varchar)
    const value = items[0]
    return items.length === 2 && zone !== undefined && value !== undefined
      ? inner(value, { ...zone, literal: (items[1] as Typed).literal })
      : undefined
  }

/** Date and time functions. The time zone of the session is UTC. */
export const dateTimeFunctions: Readonly<Record<string, ScalarFunction>> = {
  ...fieldFunctions,
  date_trunc: dateTrunc,
  date_add: dateAdd,
  date_diff: dateDiff,
  to_unixtime: toUnixtime,
  from_unixtime: fromUnixtime,
  from_iso8601_timestamp: fromIso,
  from_iso8601_date: overloaded(
    overload(['varchar'], 'date', (text) => `(DATE '1970-01-01' + CAST(t_iso_day(${text}) AS INTEGER))`, fails),
  ),
  date_format: dateFormat,
  date_parse: overloaded(
    overload(['varchar', 'varchar'], 'timestamp(3)', (text, format) => `make_timestamp(t_date_parse(${text}, ${format}))`, fails),
  ),
  date,
  at_timezone: zoned((value, zone) => {
    if (value.type.kind !== 'timestamptz')
      throw typeMismatch(`Unexpected parameters (${typeText(value.type)}, varchar) for function at_timezone`)
    return atTimeZone(value, zone, undefined)
  }),
  with_timezone: zoned((value, zone) => {
    const stamp = convert(value, value.type.kind === 'timestamp' ? value.type : types.timestamp)
    if (stamp === undefined)
      throw typeMismatch(`Unexpected parameters (${typeText(value.type)}, varchar) for function with_timezone`)
    return withTimeZone(stamp, zone)
  }),
  last_day_of_month: (items) => {
    const value = temporal(items[0])
    if (items.length !== 1 || value === undefined) return undefined
    const local = value.type.kind === 'timestamptz' ? localSql(value) : value.sql
    return { sql: `last_day(${local})`, type: types.date, throws: value.throws }
  },
}
