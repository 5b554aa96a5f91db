import type { Column, ColumnMap } from '@pipe/core'

/**
 * Regular expressions of lines that need no second look: whoever reads such a line (core's reader, DuckDB, Athena) reads the same values.
 * They are narrower than what the readers accept; what does not match is not wrong, it is read the slow way.
 */

/** How a pattern is spelled: `bytes` for text decoded as latin1 in JavaScript, `sql` for `regexp_like` of Athena. */
export type PatternDialect = 'bytes' | 'sql'

const monthAndDay =
  '(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))'
const day = `[1-9][0-9]{3}-${monthAndDay}`
/**
 * A character of a JSON string that stands for itself: no quote, no backslash, no control character. For Athena it is spelled without
 * escapes, as its dialects of regular expressions differ in them: a blank, `!`, `#` to `[`, `]` to U+FFFC, and the other planes. U+FFFD is
 * left out because it stands where Athena's SerDe met bytes that are no UTF-8.
 */
const plainCharacters: Readonly<Record<PatternDialect, string>> = {
  bytes: '[^"\\\\\\x00-\\x1f]',
  sql: '[ !#-\\[\\]-\ufffc\u{10000}-\u{10fffd}]',
}

const time = '(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]'

/** Pattern of a JSON value of the column; `undefined` when the type has none (nested types, binary, decimals of many digits). */
export function valuePattern(column: Column, dialect: PatternDialect): string | undefined {
  const pattern = patternOf(column, dialect)
  return pattern !== undefined && column.isNullable ? `(?:null|${pattern})` : pattern
}

function patternOf({ type }: Column, dialect: PatternDialect): string | undefined {
  switch (type.kind) {
    case 'string': {
      const plain = plainCharacters[dialect]
      return `"${plain}*(?:\\\\["\\\\/bfnrt]${plain}*)*"`
    }
    case 'boolean':
      return '(?:true|false)'
    case 'integer':
      return '(?:0|-?[1-9][0-9]{0,8})'
    case 'bigint':
      return '(?:0|-?[1-9][0-9]{0,17})'
    case 'float':
      return '-?(?:0|[1-9][0-9]{0,14})(?:\\.[0-9]{1,20})?'
    case 'double':
      // Two digits of exponent: neither infinity nor the subnormal numbers are in reach.
      return '-?(?:0|[1-9][0-9]{0,14})(?:\\.[0-9]{1,20})?(?:[eE][-+]?[0-9]{1,2})?'
    case 'decimal': {
      // Up to fifteen digits a double holds every decimal, so a reader that goes through one loses nothing.
      if (type.precision > 15) return undefined
      const whole = type.precision - type.scale
      const digits = whole === 0 ? '0' : whole === 1 ? '[0-9]' : `(?:0|[1-9][0-9]{0,${whole - 1}})`
      return type.scale === 0 ? `-?${digits}` : `-?${digits}(?:\\.[0-9]{1,${type.scale}})?`
    }
    case 'date':
      return `"${day}"`
    case 'timestamp': {
      if (type.zone || type.precision > 6) return undefined
      const fraction = type.precision === 0 ? '' : `(?:\\.[0-9]{1,${type.precision}})?`
      return `"${day} ${time}${fraction}"`
    }
    default:
      return undefined
  }
}

/**
 * Pattern of a whole object with exactly these keys in this order. A blank may stand behind a colon and a comma, as Python writes it.
 *
 * @returns `undefined` when a column has no pattern.
 */
export function objectPattern(columns: ColumnMap, order: readonly string[], dialect: PatternDialect): string | undefined {
  const pairs: string[] = []
  for (const name of order) {
    const value = valuePattern(columns[name]!, dialect)
    if (value === undefined) return undefined
    pairs.push(`"${name}": ?${value}`)
  }
  return `\\{${pairs.join(', ?')}\\}`
}
