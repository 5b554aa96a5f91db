import { ConfigError, type PipeError, type Table } from '@pipe/core'
import { checkIdentifier, isDateText } from '@pipe/core/internal'
import { type LiteralValue, refuseLiteral } from './literal'

/** A piece of SQL made by the `sql` tag: text and values kept apart. Opaque. */
export interface SqlFragment {
  readonly kind: 'sql'
}

/** What may stand in `${…}` of the {@link sql} tag. Anything else is refused when the tag runs. */
export type SqlValue = LiteralValue | SqlFragment | Table

/** A flat part of a fragment. Only `text` reaches the statement as it is. */
export type SqlPart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'value'; readonly value: LiteralValue; readonly where: string }
  | { readonly kind: 'decimal' | 'date'; readonly text: string }
  | { readonly kind: 'list'; readonly values: readonly LiteralValue[] }
  | { readonly kind: 'name'; readonly parts: readonly string[]; readonly table?: Table }
  /** End of a nested fragment: a line comment in it must not swallow what follows. */
  | { readonly kind: 'end' }

// A symbol: data that came from JSON can never pass for a fragment. `Symbol.for`, so that the ESM and the CJS build agree.
const partsKey = Symbol.for('@pipe/athena-query/sql-parts')

function fragment(parts: readonly SqlPart[]): SqlFragment {
  return Object.freeze(Object.defineProperty({ kind: 'sql' as const }, partsKey, { value: Object.freeze(parts) }))
}

/** Whether a value was made by the `sql` tag or one of its helpers. */
export function isFragment(value: unknown): value is SqlFragment {
  return typeof value === 'object' && value !== null && Array.isArray((value as Record<symbol, unknown>)[partsKey])
}

/** The parts of a fragment. */
export function partsOf(value: SqlFragment): readonly SqlPart[] {
  if (!isFragment(value)) throw sqlError('This is not a fragment of the sql tag.', { hint: 'Write sql`…`.' })
  return (value as unknown as Record<symbol, readonly SqlPart[]>)[partsKey]!
}

/** A mistake in how a statement is put together. */
export function sqlError(message: string, options: { hint?: string; details?: object } = {}): PipeError {
  return new ConfigError(message, { code: 'PIPE_ATHENA_SQL', ...options })
}

function isTable(value: unknown): value is Table {
  // The validator is a function, so text of a user that was parsed as JSON can never name a table.
  const table = value as { kind?: unknown; name?: unknown; '~standard'?: { validate?: unknown } } | null
  return (
    typeof table === 'object' &&
    table !== null &&
    table.kind === 'table' &&
    typeof table.name === 'string' &&
    typeof table['~standard']?.validate === 'function'
  )
}

/**
 * Makes a piece of SQL. Each `${…}` becomes a literal of the statement's dialect, never text of the statement:
 *
 * | value | in a query (Trino) | in DDL (Hive) |
 * |---|---|---|
 * | string | `'it''s'` | `'it\'s'` |
 * | number | `42`, `0.5E0`, `nan()`, `infinity()` | `42`, `0.5` |
 * | bigint | `42`, past 64 bits `DECIMAL '…'` | `42` |
 * | boolean, null | `true`, `NULL` | same |
 * | Date | `TIMESTAMP '2026-11-24 15:31:00.000'` (UTC) | refused |
 * | Uint8Array | `X'00ff'` | refused |
 * | array | `ARRAY[…]` | refused |
 * | {@link list}, {@link decimal}, {@link date} | `(1, 2)`, `DECIMAL '1.50'`, `DATE '2026-11-24'` | refused, but lists |
 * | {@link identifier}, a table contract | `"my-db"."t"` | `` `db`.`t` `` |
 * | another fragment | its own SQL | its own SQL |
 *
 * @throws {@link ConfigError} `PIPE_ATHENA_SQL` for `undefined` and every other value, naming its position.
 * @example
 * ```ts
 * const busy = sql`SELECT device_name, avg(metric) AS mean FROM ${deviceLogs} WHERE device_name IN ${list(names)} GROUP BY 1`
 * ```
 */
export function sql(strings: TemplateStringsArray, ...values: readonly SqlValue[]): SqlFragment {
  const parts: SqlPart[] = []
  strings.forEach((text, i) => {
    if (text === undefined) {
      throw sqlError(`sql: the text before value ${i + 1} holds an invalid escape: ${JSON.stringify(strings.raw[i])}.`, {
        hint: 'Write a backslash as \\\\.',
      })
    }
    if (text !== '') parts.push({ kind: 'text', text })
    if (i < values.length)
      parts.push(...partsOfValue(values[i], `value ${i + 1} of the sql tag, after ${JSON.stringify(tail(text))},`))
  })
  return fragment(parts)
}

function tail(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ')
  return line.length > 40 ? `…${line.slice(-40)}` : line
}

function partsOfValue(value: unknown, where: string): readonly SqlPart[] {
  if (isFragment(value)) return [...partsOf(value), { kind: 'end' }]
  if (isTable(value)) return [{ kind: 'name', parts: [value.name], table: value }]
  const problem = refuseLiteral(value)
  if (problem) throw sqlError(`${where} ${problem.text}.`, problem.hint ? { hint: problem.hint } : {})
  return [{ kind: 'value', value: value as LiteralValue, where }]
}

/**
 * A name, quoted part by part by where it stands: `"my-db"."t"` in a query, `` `db`.`t` `` in DDL.
 *
 * @throws {@link ConfigError} `PIPE_ATHENA_NAME` when no dialect can hold it; at rendering, when DDL cannot (a hyphen).
 * @example
 * ```ts
 * sql`SELECT * FROM ${identifier('my-db', 'device_logs')}`
 * ```
 */
export function identifier(...parts: readonly [string, ...string[]]): SqlFragment {
  if (parts.length === 0 || parts.some((part) => typeof part !== 'string')) {
    throw sqlError('identifier() takes one text a part of the name.', { hint: "For example identifier('my-db', 'table')." })
  }
  parts.forEach((part, i) => void checkIdentifier(part, i === parts.length - 1 ? 'table' : 'database'))
  return fragment([{ kind: 'name', parts: [...parts] }])
}

/**
 * A list in parentheses for `IN`: `(1, 2, 3)`.
 *
 * @throws {@link ConfigError} `PIPE_ATHENA_SQL` for an empty list (SQL has none) or a value that has no literal.
 */
export function list(values: readonly LiteralValue[]): SqlFragment {
  if (!Array.isArray(values)) throw sqlError('list() takes an array.')
  if (values.length === 0) {
    throw sqlError('list() got no values, and SQL has no empty list.', {
      hint: 'Leave the condition out, or write false, when there is nothing to look for.',
    })
  }
  values.forEach((value, i) => {
    const problem = refuseLiteral(value)
    if (problem) throw sqlError(`Value ${i + 1} of list() ${problem.text}.`, problem.hint ? { hint: problem.hint } : {})
  })
  return fragment([{ kind: 'list', values: [...values] }])
}

/**
 * An exact decimal: `DECIMAL '12.50'`. The scale is that of the text.
 *
 * @throws {@link ConfigError} `PIPE_ATHENA_SQL` unless it is a decimal number of at most 38 digits.
 */
export function decimal(text: string): SqlFragment {
  const digits = typeof text === 'string' ? /^-?(\d+)(?:\.(\d+))?$/.exec(text) : null
  if (!digits || (digits[1] + (digits[2] ?? '')).replace(/^0+/, '').length > 38 || (digits[2] ?? '').length > 38) {
    throw sqlError(`decimal(${JSON.stringify(text)}): not a decimal number of at most 38 digits.`, {
      hint: "Write it like decimal('12.50').",
    })
  }
  return fragment([{ kind: 'decimal', text }])
}

/**
 * A day: `DATE '2026-11-24'`.
 *
 * @throws {@link ConfigError} `PIPE_ATHENA_SQL` unless it is a day of the calendar.
 */
export function date(text: string): SqlFragment {
  if (typeof text !== 'string' || !isDateText(text)) {
    throw sqlError(`date(${JSON.stringify(text)}): not a day of the calendar.`, { hint: "Write it like date('2026-11-24')." })
  }
  return fragment([{ kind: 'date', text }])
}

/** What may stand between fragments of {@link joinSql} as plain text. */
export type SqlSeparator = ', ' | ',\n' | ',\n  ' | ' ' | '\n' | ' AND ' | ' OR ' | ' UNION ALL ' | '\nUNION ALL\n'

const separators: readonly string[] = [', ', ',\n', ',\n  ', ' ', '\n', ' AND ', ' OR ', ' UNION ALL ', '\nUNION ALL\n']

/**
 * Joins fragments. The separator is one of a few fixed texts (default `', '`) or a fragment.
 *
 * @throws {@link ConfigError} `PIPE_ATHENA_SQL` for no fragments or another separator.
 * @example
 * ```ts
 * sql`SELECT * FROM t WHERE ${joinSql(conditions, ' AND ')}`
 * ```
 */
export function joinSql(fragments: readonly SqlFragment[], separator: SqlSeparator | SqlFragment = ', '): SqlFragment {
  if (fragments.length === 0) {
    throw sqlError('joinSql() got no fragments.', { hint: 'Leave the clause out when there is nothing to join.' })
  }
  if (!isFragment(separator) && !separators.includes(separator)) {
    throw sqlError(`joinSql(): ${JSON.stringify(separator)} is no separator.`, {
      hint: `Use one of ${separators.map((text) => JSON.stringify(text)).join(' ')} or a fragment.`,
    })
  }
  const between = isFragment(separator) ? partsOf(separator) : [{ kind: 'text' as const, text: separator }]
  return fragment(
    fragments.flatMap((one, i) => {
      if (!isFragment(one))
        throw sqlError(`Item ${i + 1} of joinSql() is not a fragment.`, { hint: 'Wrap a value in a sql tag of its own.' })
      return [...(i === 0 ? [] : between), ...partsOf(one), { kind: 'end' as const }]
    }),
  )
}

/**
 * Text that goes into the statement as it is. The only way to do so: whoever writes the text can do anything the caller may do. Never
 * for anything that came from outside the program.
 */
export function unsafeRaw(text: string): SqlFragment {
  if (typeof text !== 'string') throw sqlError('unsafeRaw() takes text.')
  return fragment([{ kind: 'text', text }, { kind: 'end' }])
}
