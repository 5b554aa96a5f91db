import { ConfigError } from '@pipe/core'
import { isFragment, type SqlFragment, sql, sqlError } from '../sql'

/** How an instant is written: ISO 8601, a number since 1970, or a pattern of `date_parse` like `'%d.%m.%Y %H:%i:%s'`. */
export type TimeFormat = 'iso8601' | 'epoch seconds' | 'epoch milliseconds' | { readonly pattern: string }

/**
 * The expression that reads an instant as `timestamp(3)`, UTC, of text or numbers: what a transform of the time format selects.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG` for an unknown format.
 * @example
 * ```ts
 * const parsed = sql`SELECT ${parseTime(sql`raw_time`, 'epoch milliseconds')} AS "timestamp", device_name FROM raw`
 * ```
 */
export function parseTime(expression: SqlFragment, format: TimeFormat): SqlFragment {
  const value = checkExpression('parseTime', expression)
  switch (format) {
    case 'iso8601':
      return sql`CAST(at_timezone(from_iso8601_timestamp(${value}), 'UTC') AS timestamp(3))`
    case 'epoch seconds':
      return sql`CAST(at_timezone(from_unixtime(${value}), 'UTC') AS timestamp(3))`
    case 'epoch milliseconds':
      return sql`CAST(at_timezone(from_unixtime(CAST(${value} AS double) / 1E3), 'UTC') AS timestamp(3))`
    default:
      return sql`CAST(date_parse(${value}, ${patternOf('parseTime', format)}) AS timestamp(3))`
  }
}

/** The expression that writes a `timestamp` as text or as a number. */
export function formatTime(expression: SqlFragment, format: TimeFormat): SqlFragment {
  const value = checkExpression('formatTime', expression)
  switch (format) {
    case 'iso8601':
      return sql`date_format(${value}, '%Y-%m-%dT%H:%i:%sZ')`
    case 'epoch seconds':
      return sql`CAST(floor(to_unixtime(${value})) AS bigint)`
    case 'epoch milliseconds':
      return sql`CAST(round(to_unixtime(${value}) * 1E3) AS bigint)`
    default:
      return sql`date_format(${value}, ${patternOf('formatTime', format)})`
  }
}

function checkExpression(where: string, expression: SqlFragment): SqlFragment {
  if (!isFragment(expression))
    throw sqlError(`${where}: the expression is not a fragment.`, { hint: "Write sql`column` or identifier('column')." })
  return expression
}

function patternOf(where: string, format: TimeFormat): string {
  if (typeof format === 'object' && typeof format?.pattern === 'string') return format.pattern
  throw new ConfigError(`${where}: ${JSON.stringify(format)} is no format of time.`, {
    hint: "Use 'iso8601', 'epoch seconds', 'epoch milliseconds', or { pattern: '%Y-%m-%d %H:%i:%s' }.",
  })
}
