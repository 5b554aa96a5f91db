import type { Column, ColumnType } from '../column-type'
import { formatDecimal, parseDecimal } from '../decimal-text'
import { daysOfDateText, formatInstant, instantOfRegion, parseInstant, roundInstant } from '../timestamp-text'
import { ownValue, textReader } from '../value'
import { toText } from '../value-text'

/**
 * What hyparquet is told to make of timestamps, dates and texts, so that nothing is lost on the way: instants as nanoseconds since 1970 (a
 * number of milliseconds where that is exact), dates as text.
 */
export const exactParsers: {
  timestampFromMilliseconds(ms: bigint): unknown
  timestampFromMicroseconds(micros: bigint): unknown
  timestampFromNanoseconds(nanos: bigint): unknown
  dateFromDays(days: number): unknown
  stringFromBytes(bytes: Uint8Array): unknown
} = {
  timestampFromMilliseconds: (ms) => (ms === undefined || ms === null ? ms : Number(ms)),
  timestampFromMicroseconds: (micros) => {
    if (micros === undefined || micros === null) return micros
    return micros % 1000n === 0n ? Number(micros / 1000n) : micros * 1000n
  },
  timestampFromNanoseconds: (nanos) => {
    if (nanos === undefined || nanos === null) return nanos
    return nanos % 1_000_000n === 0n ? Number(nanos / 1_000_000n) : nanos
  },
  dateFromDays: (days) => (days === undefined || days === null ? days : formatInstant(days * 86_400_000, 0, 0).slice(0, 10)),
  stringFromBytes: (bytes) => bytes && utf8(bytes),
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Text of UTF-8 bytes; the bytes themselves when they are none, which a string column then refuses. */
function utf8(bytes: Uint8Array): string | Uint8Array {
  try {
    return decoder.decode(bytes)
  } catch {
    return bytes
  }
}

/** Compiles the reader of a column's values from Parquet; it returns `undefined` for a value that is not of the column's type. */
export function parquetReader(column: Column): (value: unknown) => unknown {
  const read = readerOf(column.type)
  if (column.isNullable) return (value) => (value === null || value === undefined ? null : read(value))
  return (value) => (value === null || value === undefined ? undefined : read(value))
}

function readerOf(type: ColumnType): (value: unknown) => unknown {
  switch (type.kind) {
    case 'boolean':
      return (value) => (typeof value === 'boolean' ? value : undefined)
    case 'integer':
    case 'bigint': {
      const read = textReader(type)
      const isInteger = type.kind === 'integer'
      return (value) => {
        if (typeof value === 'bigint')
          return isInteger ? read(String(value)) : BigInt.asIntN(64, value) === value ? value : undefined
        if (typeof value !== 'number' || !Number.isSafeInteger(value)) return undefined
        return isInteger ? ((value | 0) === value ? value : undefined) : BigInt(value)
      }
    }
    case 'float':
      return (value) => (typeof value === 'number' && (Math.fround(value) === value || Number.isNaN(value)) ? value : undefined)
    case 'double':
      return (value) => (typeof value === 'number' ? value : undefined)
    case 'decimal':
      return (value) => {
        const unscaled = unscaledOf(value)
        // Unscaled integers of the file's own scale; the reader of files makes sure that it is the column's.
        return unscaled === undefined ? undefined : textReader(type)(formatDecimal(unscaled, type.scale))
      }
    case 'string':
      return (value) => {
        const text = value instanceof Uint8Array ? utf8(value) : value
        return typeof text === 'string' ? text : undefined
      }
    case 'binary':
      return (value) => (value instanceof Uint8Array ? new Uint8Array(value) : undefined)
    case 'date':
      return (value) => (typeof value === 'string' && value.length === 10 ? value : undefined)
    case 'timestamp':
      return (value) => timestampOf(value, type.precision, type.zone)
    case 'array': {
      const read = parquetReader(type.element)
      return (value) => (Array.isArray(value) ? allOf(value, read) : undefined)
    }
    case 'map': {
      const readKey = parquetReader(type.key)
      const readItem = parquetReader(type.value)
      return (value) => mapOf(value, readKey, readItem)
    }
    case 'struct': {
      const fields = Object.entries(type.fields).map(([name, field]) => ({ name, read: parquetReader(field) }))
      return (value) => {
        if (typeof value !== 'object' || value === null) return undefined
        const entries: [string, unknown][] = []
        for (const { name, read } of fields) {
          const item = read(ownValue(value as Record<string, unknown>, name))
          if (item === undefined) return undefined
          entries.push([name, item])
        }
        return Object.fromEntries(entries)
      }
    }
  }
}

function allOf(values: readonly unknown[], read: (value: unknown) => unknown): unknown[] | undefined {
  const out: unknown[] = []
  for (const value of values) {
    const item = read(value)
    if (item === undefined) return undefined
    out.push(item)
  }
  return out
}

/** A map arrives as `{ key_value: [{ key, value }] }`, as its annotation is taken off before reading (see `plainMaps`). */
function mapOf(value: unknown, readKey: (value: unknown) => unknown, readItem: (value: unknown) => unknown): unknown {
  const pairs = typeof value === 'object' && value !== null ? Object.values(value)[0] : undefined
  if (!Array.isArray(pairs)) return undefined
  const map = new Map<unknown, unknown>()
  for (const pair of pairs as { key?: unknown; value?: unknown }[]) {
    const key = readKey(pair.key)
    const item = readItem(pair.value)
    if (key === undefined || item === undefined || map.has(key)) return undefined
    map.set(key, item)
  }
  return map
}

function unscaledOf(value: unknown): bigint | undefined {
  if (typeof value === 'bigint') return value
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : undefined
  if (!(value instanceof Uint8Array)) return undefined
  let unscaled = 0n
  for (const byte of value) unscaled = (unscaled << 8n) | BigInt(byte)
  return BigInt.asIntN(8 * value.length, unscaled)
}

function timestampOf(value: unknown, precision: number, zone: boolean): unknown {
  let ms: number
  let nanos = 0
  if (typeof value === 'number') ms = value
  else if (typeof value === 'bigint') {
    nanos = Number(((value % 1_000_000n) + 1_000_000n) % 1_000_000n)
    ms = Number((value - BigInt(nanos)) / 1_000_000n)
  } else return undefined
  const rounded = roundInstant(ms, nanos, precision)
  if (!zone && precision <= 3) return new Date(rounded.ms)
  return `${formatInstant(rounded.ms, rounded.nanos, precision)}${zone ? ' UTC' : ''}`
}

/**
 * Compiles the writer of a column's values: what hyparquet-writer wants for {@link parquetSchemaOf}. The zone of a timestamp with zone is
 * not kept, as Parquet stores the instant only.
 *
 * @throws {@link PipeError} `PIPE_FORMAT_VALUE` when a value is not of the type.
 */
export function parquetWriter(column: Column): (value: unknown) => unknown {
  const { type } = column
  const write = writerOf(type)
  return (value) => (value === null && column.isNullable ? null : write(value))
}

function writerOf(type: ColumnType): (value: unknown) => unknown {
  // toText throws for values that are not of the type.
  switch (type.kind) {
    case 'decimal':
      return (value) => parseDecimal(toText(type, value), type.precision, type.scale)!
    case 'date':
      return (value) => daysOfDateText(toText(type, value))
    case 'timestamp':
      if (!type.zone && type.precision <= 3) {
        return (value) =>
          value instanceof Date && !Number.isNaN(value.getTime()) ? BigInt(value.getTime()) : toText(type, value)
      }
      return (value) => instantUnits(toText(type, value), type.precision)
    case 'array': {
      const write = parquetWriter(type.element)
      return (value) => (Array.isArray(value) ? value.map(write) : toText(type, value))
    }
    case 'map': {
      const writeKey = parquetWriter(type.key)
      const writeItem = parquetWriter(type.value)
      return (value) =>
        value instanceof Map
          ? Array.from(value, ([key, item]) => ({ key: writeKey(key), value: writeItem(item) }))
          : toText(type, value)
    }
    case 'struct': {
      const fields = Object.entries(type.fields).map(([name, field]) => ({ name, write: parquetWriter(field) }))
      return (value) => {
        if (typeof value !== 'object' || value === null) return toText(type, value)
        return Object.fromEntries(
          fields.map(({ name, write }) => [name, write(ownValue(value as Record<string, unknown>, name))]),
        )
      }
    }
    case 'string':
    case 'double':
      return (value) => (typeof value === (type.kind === 'string' ? 'string' : 'number') ? value : toText(type, value))
    case 'float':
      return (value) => (typeof value === 'number' ? Math.fround(value) : toText(type, value))
    case 'binary':
      return (value) => (value instanceof Uint8Array ? value : toText(type, value))
    default:
      return (value) => {
        toText(type, value)
        return value
      }
  }
}

/** Milliseconds, microseconds or nanoseconds since 1970, by the precision, of a timestamp text that has been checked. */
function instantUnits(text: string, precision: number): bigint {
  const { ms, nanos, zone } = parseInstant(text)!
  const isRegion = zone !== '' && zone !== 'Z' && zone[0] !== '+' && zone[0] !== '-'
  const instant = BigInt(isRegion ? instantOfRegion(ms, zone)! : ms)
  if (precision <= 3) return instant
  if (precision <= 6) return instant * 1000n + BigInt(Math.floor(nanos / 1000))
  return instant * 1_000_000n + BigInt(nanos)
}
