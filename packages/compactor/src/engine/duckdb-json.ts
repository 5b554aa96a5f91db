import { type Column, type ColumnMap, type ColumnType, ConfigError, type Table, toJson, toText, typeName } from '@pipe/core'

/**
 * JSON text of rows as DuckDB's reader takes it without any loss, given {@link duckDbColumns}. Decimals, instants and big integers are
 * strings, which DuckDB casts exactly.
 *
 * @returns a function that gives one line, with its line end.
 */
export function duckDbLine(table: Table): (row: Readonly<Record<string, unknown>>) => string {
  const columns = Object.entries(table.columns).map(([name, column], i) => ({
    name,
    column,
    start: `${i === 0 ? '{' : ','}${JSON.stringify(name)}:`,
  }))
  return (row) => {
    let text = ''
    for (const { name, column, start } of columns) {
      // A nullable column whose key was missing.
      const value = Object.hasOwn(row, name) ? row[name] : null
      text += start + jsonOf(column, value ?? null)
    }
    return `${text}}\n`
  }
}

function jsonOf(column: Column, value: unknown): string {
  const { type } = column
  if (value === null) return 'null'
  switch (type.kind) {
    case 'array':
      return `[${(value as unknown[]).map((element) => jsonOf(type.element, element)).join(',')}]`
    case 'map': {
      const pairs = Array.from(value as Map<unknown, unknown>, ([key, item]) => {
        return `${JSON.stringify(toText(type.key.type, key))}:${jsonOf(type.value, item)}`
      })
      return `{${pairs.join(',')}}`
    }
    case 'struct': {
      const pairs = Object.entries(type.fields).map(([name, field]) => {
        return `${JSON.stringify(name)}:${jsonOf(field, (value as Record<string, unknown>)[name] ?? null)}`
      })
      return `{${pairs.join(',')}}`
    }
    case 'bigint':
    case 'decimal':
    case 'date':
    case 'timestamp':
      return JSON.stringify(toText(type, value))
    default:
      return Object.is(value, -0) ? '-0.0' : JSON.stringify(toJson(column, value))
  }
}

/** Types for DuckDB's JSON reader, and the expressions that make the columns of the table of what it has read. */
export interface DuckDbColumns {
  /** `{'timestamp': 'TIMESTAMP', …}` */
  readonly read: string
  /** `"timestamp", from_base64("payload") AS "payload", …` */
  readonly select: string
}

/**
 * The table's columns for DuckDB.
 *
 * @throws {@link ConfigError} `PIPE_COMPACT_COLUMN` for binary inside a nested type, which JSON cannot carry there.
 */
export function duckDbColumns(table: Table): DuckDbColumns {
  const read: string[] = []
  const select: string[] = []
  for (const [name, { type }] of Object.entries(table.columns)) {
    const quoted = `"${name}"`
    if (type.kind === 'binary') {
      read.push(`${sqlText(name)}: 'VARCHAR'`)
      select.push(`from_base64(${quoted}) AS ${quoted}`)
      continue
    }
    refuseInnerBinary(table.name, name, type)
    read.push(`${sqlText(name)}: ${sqlText(typeName(type, 'duckdb'))}`)
    select.push(quoted)
  }
  return { read: `{${read.join(', ')}}`, select: select.join(', ') }
}

/** A string literal of DuckDB. */
export function sqlText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

function refuseInnerBinary(table: string, column: string, type: ColumnType): void {
  const inner: readonly ColumnType[] =
    type.kind === 'array'
      ? [type.element.type]
      : type.kind === 'map'
        ? [type.key.type, type.value.type]
        : type.kind === 'struct'
          ? innerTypes(type.fields)
          : []
  for (const part of inner) {
    if (part.kind === 'binary') {
      throw new ConfigError(`The in-process engine cannot write "${column}" of ${table}: it holds binary inside a nested type.`, {
        code: 'PIPE_COMPACT_COLUMN',
        hint: 'Keep such a value as a column of its own, or as base64 in a string.',
      })
    }
    refuseInnerBinary(table, column, part)
  }
}

function innerTypes(fields: ColumnMap): ColumnType[] {
  return Object.values(fields).map(({ type }) => type)
}
