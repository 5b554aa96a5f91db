import { type Column, type ColumnType, typeName } from '@pipe/core'
import { date, decimal, joinSql, type SqlFragment, sql, sqlError, unsafeRaw } from '../sql'

/**
 * The literal of a contract's value, with its type: `CAST(NULL AS varchar)`, `DECIMAL '1.50'`, `CAST(ROW(…) AS row(…))`.
 *
 * @throws {@link ConfigError} `PIPE_ATHENA_SQL` when the value is not one of the column.
 */
export function valueSql(column: Column, value: unknown, where: string): SqlFragment {
  const type = typeSql(column.type)
  if (value === null || value === undefined) {
    if (!column.isNullable) throw sqlError(`${where} is ${String(value)}, but the column is not nullable.`)
    return sql`CAST(NULL AS ${type})`
  }
  return sql`CAST(${plainValue(column.type, value, where)} AS ${type})`
}

/** The name of a type, of names that a contract has checked. */
function typeSql(type: ColumnType): SqlFragment {
  return unsafeRaw(typeName(type, 'trino'))
}

function plainValue(type: ColumnType, value: unknown, where: string): SqlFragment {
  const refuse = (): never => {
    throw sqlError(`${where} is no value of type ${typeName(type, 'trino')}.`, {
      hint: `It is ${value instanceof Date ? 'a Date' : `of type ${typeof value}`}.`,
    })
  }
  switch (type.kind) {
    case 'boolean':
      return typeof value === 'boolean' ? sql`${value}` : refuse()
    case 'integer':
      return typeof value === 'number' && (value | 0) === value ? sql`${value}` : refuse()
    case 'bigint':
      return typeof value === 'bigint' && BigInt.asIntN(64, value) === value ? sql`${value}` : refuse()
    case 'float':
    case 'double':
      return typeof value === 'number' ? sql`${value}` : refuse()
    case 'string':
      return typeof value === 'string' ? sql`${value}` : refuse()
    case 'decimal':
      return typeof value === 'string' && fitsDecimal(value, type.precision, type.scale) ? decimal(value) : refuse()
    case 'date':
      return typeof value === 'string' ? date(value) : refuse()
    case 'binary':
      return value instanceof Uint8Array ? sql`${value}` : refuse()
    case 'timestamp':
      return timestampValue(type.zone, value, refuse)
    case 'array':
      return Array.isArray(value) ? arrayOf(value.map((item, i) => valueSql(type.element, item, `${where}[${i}]`))) : refuse()
    case 'map': {
      if (!(value instanceof Map)) return refuse()
      const keys = [...value.keys()].map((key: unknown) => valueSql(type.key, key, `a key of ${where}`))
      const items = [...value].map(([key, item]: [unknown, unknown]) => valueSql(type.value, item, `${where}[${String(key)}]`))
      return sql`MAP(${arrayOf(keys)}, ${arrayOf(items)})`
    }
    case 'struct': {
      if (typeof value !== 'object' || value === null) return refuse()
      const given = value as Record<string, unknown>
      const fields = Object.entries(type.fields).map(([name, field]) => valueSql(field, given[name], `${where}.${name}`))
      return sql`ROW(${joinSql(fields)})`
    }
  }
}

/** A cast would round a decimal of a larger scale, silently. */
function fitsDecimal(text: string, precision: number, scale: number): boolean {
  const digits = /^-?(\d+)(?:\.(\d+))?$/.exec(text)
  return digits !== null && (digits[2] ?? '').length <= scale && digits[1]!.replace(/^0+/, '').length <= precision - scale
}

function timestampValue(zone: boolean, value: unknown, refuse: () => never): SqlFragment {
  if (zone) return refuse()
  if (value instanceof Date) return sql`${value}`
  const isText = typeof value === 'string' && /^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(?:\.\d{1,6})?$/.test(value)
  // Digits, blanks, points and colons only.
  return isText ? unsafeRaw(`TIMESTAMP '${value}'`) : refuse()
}

// "The maximum number of arguments of an array constructor is 254" (Athena user guide, considerations for SQL queries).
const maxArguments = 254

function arrayOf(items: readonly SqlFragment[]): SqlFragment {
  if (items.length === 0) return unsafeRaw('ARRAY[]')
  const chunks: SqlFragment[] = []
  for (let i = 0; i < items.length; i += maxArguments) chunks.push(sql`ARRAY[${joinSql(items.slice(i, i + maxArguments))}]`)
  return chunks.length === 1 ? chunks[0]! : sql`(${joinSql(chunks, unsafeRaw(' || '))})`
}
