import { runtimeErrorText } from './native/failure'
import { quoteText } from './sql-quote'
import { type TrinoType, types } from './trino-type'

/** An expression that has been typed and printed. */
export interface Typed {
  /** DuckDB SQL: a complete term, in parentheses where precedence could matter. */
  readonly sql: string
  readonly type: TrinoType
  /** Whether evaluating it may fail; then it must not be evaluated where Trino would not. */
  readonly throws: boolean
  /**
   * SQL that gives NULL wherever `sql` fails, for TRY: DuckDB's own TRY is slow once a value has failed (see native/register). Only for
   * what `throws`; absent when there is no such SQL.
   */
  readonly quiet?: string | undefined
  /** As `quiet`, but only what this operation adds is forgiven, not its operands: for TRY_CAST. */
  readonly lenient?: string | undefined
  /** Its value, when it is a literal. */
  readonly literal?: string | number | bigint | boolean | undefined
  /** A row written out: its fields, so that comparisons need not take the row apart. */
  readonly fields?: readonly Typed[] | undefined
  /** json_parse(text): the text, for casts that read it directly as Trino does. */
  readonly jsonText?: Typed | undefined
}

export function typed(sql: string, type: TrinoType, ...parts: readonly Typed[]): Typed {
  return { sql, type, throws: parts.some((part) => part.throws) }
}

/** Same as {@link typed}, for what may fail by itself. */
export function fallible(sql: string, type: TrinoType): Typed {
  return { sql, type, throws: true }
}

/** SQL that gives NULL where the value fails; `undefined` when there is none. */
export function quietSql(value: Typed): string | undefined {
  return value.throws ? value.quiet : value.sql
}

/**
 * A call of a native function, and what stands around it. `print` gets the name and the arguments as SQL; it must give NULL when any
 * argument or the call is NULL, and add nothing that may fail by itself.
 */
export function nativeCall(
  name: `t_${string}`,
  items: readonly Typed[],
  type: TrinoType,
  print: (name: string, ...items: readonly string[]) => string,
): Typed {
  const plain = items.map((item) => item.sql)
  const quiet = items.map(quietSql)
  return {
    sql: print(name, ...plain),
    type,
    throws: true,
    quiet: quiet.every((sql) => sql !== undefined) ? print(quietName(name), ...(quiet as string[])) : undefined,
    lenient: print(quietName(name), ...plain),
  }
}

/** Name of the form of a native function that gives NULL where the other fails. */
export function quietName(name: string): string {
  return name.replace(/^t_/, 'q_')
}

export function textLiteral(text: string): Typed {
  return {
    sql: `CAST(${quoteText(text)} AS VARCHAR)`,
    type: { kind: 'varchar', length: Array.from(text).length },
    throws: false,
    literal: text,
  }
}

export function integerLiteral(value: bigint): Typed {
  const type = value >= -2147483648n && value <= 2147483647n ? types.integer : types.bigint
  return { sql: `CAST(${value} AS ${type.kind.toUpperCase()})`, type, throws: false, literal: value }
}

export const nullValue: Typed = { sql: 'NULL', type: types.unknown, throws: false }

/** SQL that fails when it is evaluated, as a value of `duck` type. DuckDB's `error()` will not do: it is volatile and TRY refuses it. */
export function raise(code: string, message: string, duck: string): string {
  const failing = `CAST(${quoteText(runtimeErrorText(code, message))} AS INTEGER)`
  return duck === 'INTEGER' ? failing : `CAST(CAST(${failing} AS VARCHAR) AS ${duck})`
}

/** The text of a decimal. DuckDB leaves the zero before the point out where the type has no digit for it. */
export function decimalTextSql(sql: string): string {
  return `regexp_replace(CAST(${sql} AS VARCHAR), '^(-?)\\.', '\\10.')`
}
