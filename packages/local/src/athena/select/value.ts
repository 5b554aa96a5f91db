import { runtimeErrorText } from './native/failure'
import { quoteText, type TrinoType, types } from './trino-type'

/** An expression that has been typed and printed. */
export interface Typed {
  /** DuckDB SQL: a complete term, in parentheses where precedence could matter. */
  readonly sql: string
  readonly type: TrinoType
  /** Whether evaluating it may fail; then it must not be evaluated where Trino would not. */
  readonly throws: boolean
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
