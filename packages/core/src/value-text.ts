import type { Column, ColumnType } from './column-type'
import { PipeError } from './error'
import { formatInstant } from './timestamp-text'
import { noun, ownValue, show, textReader } from './value'

/**
 * Text of a value, as a CSV cell holds it and `parseText` reads it back. `null` has no text of its own here: each format has its
 * own sign for it.
 *
 * @throws {@link PipeError} `PIPE_FORMAT_VALUE` when the value is not of the type.
 */
export function toText(type: ColumnType, value: unknown): string {
  switch (type.kind) {
    case 'string':
      return typeof value === 'string' ? value : refuse(type, value)
    case 'binary':
      return value instanceof Uint8Array
        ? Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')
        : refuse(type, value)
    case 'timestamp': {
      if (type.zone || type.precision > 3) return checkedText(type, value)
      if (!(value instanceof Date) || Number.isNaN(value.getTime())) return refuse(type, value)
      return formatInstant(value.getTime(), 0, Math.max(type.precision, 3))
    }
    case 'array':
    case 'map':
    case 'struct':
      return refuse(type, value)
    default:
      return checkedText(type, value)
  }
}

function checkedText(type: ColumnType, value: unknown): string {
  const text = Object.is(value, -0) ? '-0' : String(value)
  const expected = type.kind === 'boolean' || type.kind === 'bigint' ? type.kind : isNumberKind(type) ? 'number' : 'string'
  return typeof value === expected && textReader(type)(text) !== undefined ? text : refuse(type, value)
}

function isNumberKind(type: ColumnType): boolean {
  return type.kind === 'integer' || type.kind === 'float' || type.kind === 'double'
}

function refuse(type: ColumnType, value: unknown): never {
  const shown = typeof value === 'bigint' ? `${value}n` : value instanceof Date ? String(value) : show(value)
  throw new PipeError('PIPE_FORMAT_VALUE', `${shown} is not ${noun(type)}, so it cannot be written.`, {
    hint: 'Give values of the TypeScript type of the column (RowOf<typeof table>).',
  })
}

/**
 * The JSON form of a value: what `fromJson` reads back. Integers beyond 2^53, decimals, NaN and the infinities become strings;
 * {@link jsonText} writes the first two as numbers with all their digits.
 *
 * @throws {@link PipeError} `PIPE_FORMAT_VALUE` when the value is not of the type.
 */
export function toJson(column: Column, value: unknown): unknown {
  const { type } = column
  if (value === null && column.isNullable) return null
  switch (type.kind) {
    case 'boolean':
    case 'string':
    case 'integer':
      toText(type, value)
      return value
    case 'float':
    case 'double':
      return Number.isFinite(value) ? value : toText(type, value)
    case 'bigint':
      return Number.isSafeInteger(Number(value)) && typeof value === 'bigint' ? Number(value) : toText(type, value)
    case 'array':
      return Array.isArray(value) ? value.map((element) => toJson(type.element, element)) : refuse(type, value)
    case 'map':
      if (!(value instanceof Map)) return refuse(type, value)
      return Object.fromEntries(Array.from(value, ([key, item]) => [toText(type.key.type, key), toJson(type.value, item)]))
    case 'struct':
      if (typeof value !== 'object' || value === null) return refuse(type, value)
      return Object.fromEntries(
        Object.entries(type.fields).map(([name, field]) => [
          name,
          toJson(field, ownValue(value as Record<string, unknown>, name)),
        ]),
      )
    default:
      return toText(type, value)
  }
}

/** JSON text of a value, with 64-bit integers and decimals as numbers that keep every digit. */
export function jsonText(column: Column, value: unknown): string {
  const { type } = column
  if (value === null && column.isNullable) return 'null'
  switch (type.kind) {
    case 'bigint':
    case 'decimal':
      return toText(type, value)
    case 'array':
      if (!Array.isArray(value)) return refuse(type, value)
      return `[${value.map((element) => jsonText(type.element, element)).join(',')}]`
    case 'map': {
      if (!(value instanceof Map)) return refuse(type, value)
      const pairs = Array.from(
        value,
        ([key, item]) => `${JSON.stringify(toText(type.key.type, key))}:${jsonText(type.value, item)}`,
      )
      return `{${pairs.join(',')}}`
    }
    case 'struct': {
      if (typeof value !== 'object' || value === null) return refuse(type, value)
      const pairs = Object.entries(type.fields).map(
        ([name, field]) => `${JSON.stringify(name)}:${jsonText(field, ownValue(value as Record<string, unknown>, name))}`,
      )
      return `{${pairs.join(',')}}`
    }
    default:
      return Object.is(value, -0) ? '-0' : JSON.stringify(toJson(column, value))
  }
}
