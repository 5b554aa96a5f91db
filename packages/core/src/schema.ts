import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Column, ColumnMap } from './column-type'

/** A Standard Schema that validates rows of these columns: exact TypeScript values, no coercion, unknown columns refused. */
export function standardSchema<Row>(columns: ColumnMap): StandardSchemaV1.Props<Row> {
  return {
    version: 1,
    vendor: 'pipe',
    validate: (value) => {
      const issues: StandardSchemaV1.Issue[] = []
      checkFields(columns, value, [], issues)
      return issues.length > 0 ? { issues } : { value: value as Row }
    },
  }
}

type Path = readonly PropertyKey[]

function checkFields(columns: ColumnMap, value: unknown, path: Path, issues: StandardSchemaV1.Issue[]): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    issues.push({ message: `${describe(value)} is not an object`, path })
    return
  }
  for (const name of Object.keys(value)) {
    if (!Object.hasOwn(columns, name)) issues.push({ message: `"${name}" is not a column`, path: [...path, name] })
  }
  for (const [name, column] of Object.entries(columns)) {
    checkValue(column, (value as Record<string, unknown>)[name], [...path, name], issues)
  }
}

function checkValue(column: Column, value: unknown, path: Path, issues: StandardSchemaV1.Issue[]): void {
  if (value === null || value === undefined) {
    if (!column.isNullable) issues.push({ message: `${describe(value)} in a column that is not nullable`, path })
    else if (value === undefined) issues.push({ message: 'missing: write null', path })
    return
  }
  const { type } = column
  const wrong = () => issues.push({ message: `${describe(value)} is not of type ${type.kind}`, path })
  switch (type.kind) {
    case 'array':
      if (!Array.isArray(value)) wrong()
      else value.forEach((element, i) => void checkValue(type.element, element, [...path, i], issues))
      return
    case 'map':
      if (!(value instanceof Map)) wrong()
      else
        for (const [key, item] of value) {
          checkValue(type.key, key, [...path, String(key)], issues)
          checkValue(type.value, item, [...path, String(key)], issues)
        }
      return
    case 'struct':
      checkFields(type.fields, value, path, issues)
      return
    default:
      if (!isScalar(column, value)) wrong()
  }
}

function isScalar({ type }: Column, value: unknown): boolean {
  switch (type.kind) {
    case 'boolean':
      return typeof value === 'boolean'
    case 'integer':
      return typeof value === 'number' && Number.isInteger(value) && value >= -(2 ** 31) && value < 2 ** 31
    case 'bigint':
      return typeof value === 'bigint' && BigInt.asIntN(64, value) === value
    case 'float':
    case 'double':
      return typeof value === 'number'
    case 'decimal':
      return typeof value === 'string' && isDecimalText(value, type.precision, type.scale)
    case 'string':
      return typeof value === 'string'
    case 'binary':
      return value instanceof Uint8Array
    case 'date':
      return typeof value === 'string' && isDateText(value)
    case 'timestamp':
      return !type.zone && type.precision <= 3
        ? value instanceof Date && !Number.isNaN(value.getTime())
        : typeof value === 'string'
    default:
      return false
  }
}

/** Whether text is a decimal number that fits precision and scale without rounding. */
export function isDecimalText(text: string, precision: number, scale: number): boolean {
  const match = /^-?(\d+)(?:\.(\d+))?$/.exec(text)
  if (!match) return false
  const whole = match[1]!.replace(/^0+(?=\d)/, '')
  const wholeDigits = whole === '0' ? 0 : whole.length
  return (match[2]?.length ?? 0) <= scale && wholeDigits <= precision - scale
}

/** Whether text is a day of the calendar, `2026-11-24`. */
export function isDateText(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false
  const at = new Date(`${text}T00:00:00.000Z`)
  return !Number.isNaN(at.getTime()) && at.toISOString().slice(0, 10) === text
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (typeof value === 'object') return Array.isArray(value) ? 'an array' : `a ${value.constructor?.name ?? 'object'}`
  return JSON.stringify(typeof value === 'bigint' ? `${value}n` : value).slice(0, 60)
}
