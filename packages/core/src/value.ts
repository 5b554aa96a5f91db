import type { Column, ColumnType } from './column-type'
import { formatDecimal, parseDecimal } from './decimal-text'
import { exactDigits } from './exact-json'
import { daysOfDateText, formatInstant, instantOfRegion, parseInstant, roundInstant } from './timestamp-text'

/** A value that was read, or why it could not be: a clause that completes `"metric" …`. */
export type ReadValue = { readonly value: unknown } | { readonly reason: string }

/**
 * Reads a value of a column type from text: a CSV cell, or a JSON string in a column that is no string. Nothing is guessed: text that is
 * not exactly a value of the type is refused, with the reason.
 *
 * Timestamps are `2026-11-24 15:31:00[.fff…]` or ISO 8601 with `Z` or an offset; without either they are UTC. Digits of a second beyond
 * the precision round half up, as a cast of Trino does.
 *
 * @example
 * ```ts
 * parseText({ kind: 'double' }, '1.5') // { value: 1.5 }
 * parseText({ kind: 'double' }, 'n/a') // { reason: 'is "n/a", not a double' }
 * ```
 */
export function parseText(type: ColumnType, text: string): ReadValue {
  const value = textReader(type)(text)
  return value === undefined ? { reason: `is ${show(text)}, not ${noun(type)}` } : { value }
}

/**
 * Reads a value of a column from parsed JSON. `undefined` stands for a missing key. A JSON string in a column that is no string is read
 * as {@link parseText} reads it, so `"1.5"` is a double and `"n/a"` is not; a number in a string column is a wrong type.
 *
 * A 64-bit integer beyond 2^53 must come as text, as `JSON.parse` has already lost its digits; the NDJSON reader keeps them.
 */
export function fromJson(column: Column, json: unknown): ReadValue {
  const value = jsonReader(column)(json)
  return value === undefined ? { reason: whyNot(column, json) } : { value }
}

/** A function that reads values of a column from parsed JSON. It returns `undefined` where {@link whyNot} has a reason. */
export type JsonReader = (json: unknown) => unknown

/** Compiles the reader of a column, so that a file's rows pay no switch over types. */
export function jsonReader(column: Column): JsonReader {
  const read = jsonReaderOf(column.type)
  if (column.isNullable) return (json) => (json === null || json === undefined ? null : read(json))
  return (json) => (json === null || json === undefined ? undefined : read(json))
}

function jsonReaderOf(type: ColumnType): JsonReader {
  const fromText = type.kind === 'array' || type.kind === 'map' || type.kind === 'struct' ? undefined : textReader(type)
  switch (type.kind) {
    case 'string':
      // JSON can spell half a surrogate pair ("\ud800"); UTF-8, and so every file and engine behind us, cannot hold one.
      return (json) => (typeof json === 'string' && json.isWellFormed() ? json : undefined)
    case 'boolean':
      return (json) => (typeof json === 'boolean' ? json : typeof json === 'string' ? fromText!(json) : undefined)
    case 'integer':
      return (json) => {
        // `| 0` is the number itself for 32-bit integers only; it also makes 0 of -0.
        if (typeof json === 'number') return (json | 0) === json ? json | 0 : undefined
        return fromText!(digitsOfWhole(json))
      }
    case 'bigint':
      return (json) => {
        if (typeof json === 'number') return Number.isSafeInteger(json) ? BigInt(json) : undefined
        return fromText!(digitsOfWhole(json))
      }
    case 'float':
    case 'double': {
      const isFloat = type.kind === 'float'
      return (json) => {
        if (typeof json === 'string') return fromText!(json)
        const exact = typeof json === 'number' ? json : Number(exactDigits(json) ?? Number.NaN)
        const number = isFloat ? Math.fround(exact) : exact
        return Number.isFinite(number) ? number : undefined
      }
    }
    case 'decimal':
      return (json) =>
        typeof json === 'number'
          ? fromText!(String(json))
          : fromText!(typeof json === 'string' ? json : (exactDigits(json) ?? ''))
    case 'array':
      return arrayReader(type.element)
    case 'map':
      return mapReader(type.key, type.value)
    case 'struct':
      return structReader(type.fields)
    default:
      return (json) => (typeof json === 'string' ? fromText!(json) : undefined)
  }
}

/** Text of a whole number that came as a string or with all its digits (`9007199254740993.0` is whole); else empty. */
function digitsOfWhole(json: unknown): string {
  if (typeof json === 'string') return json
  const digits = exactDigits(json)
  const whole = digits === undefined ? undefined : parseDecimal(digits, 38, 0)
  return whole === undefined ? '' : String(whole)
}

function arrayReader(element: Column): JsonReader {
  const read = jsonReader(element)
  return (json) => {
    if (!Array.isArray(json)) return undefined
    const values = new Array<unknown>(json.length)
    for (let i = 0; i < json.length; i++) {
      const value = read(json[i])
      if (value === undefined) return undefined
      values[i] = value
    }
    return values
  }
}

function isJsonObject(json: unknown): json is Record<string, unknown> {
  return typeof json === 'object' && json !== null && !Array.isArray(json) && exactDigits(json) === undefined
}

function mapReader(key: Column, item: Column): JsonReader {
  const readKey = textReader(key.type)
  const readItem = jsonReader(item)
  return (json) => {
    if (!isJsonObject(json)) return undefined
    const values = new Map<unknown, unknown>()
    const names = Object.keys(json)
    for (const name of names) {
      const itemKey = readKey(name)
      const value = readItem(json[name])
      if (itemKey === undefined || value === undefined) return undefined
      values.set(itemKey, value)
    }
    // "1" and "01" are one integer: such a map holds a key twice.
    return values.size === names.length ? values : undefined
  }
}

/** Own value of a key; a key that is missing must not find `constructor` on the prototype. */
export function ownValue(json: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(json, name) ? json[name] : undefined
}

function structReader(fields: Readonly<Record<string, Column>>): JsonReader {
  const readers = Object.entries(fields).map(([name, field]) => ({ name, read: jsonReader(field) }))
  return (json) => {
    if (!isJsonObject(json)) return undefined
    for (const name of Object.keys(json)) if (!Object.hasOwn(fields, name)) return undefined
    const entries: [string, unknown][] = []
    for (const { name, read } of readers) {
      const value = read(ownValue(json, name))
      if (value === undefined) return undefined
      entries.push([name, value])
    }
    return Object.fromEntries(entries)
  }
}

/** Compiles the reader of text of a type; it returns `undefined` for text that is not exactly a value of it. */
export function textReader(type: ColumnType): (text: string) => unknown {
  switch (type.kind) {
    case 'string':
      return (text) => text
    case 'boolean':
      return (text) => (/^true$/i.test(text) ? true : /^false$/i.test(text) ? false : undefined)
    case 'integer':
      return (text) => {
        const number = /^-?\d{1,32}$/.test(text) ? Number(text) + 0 : Number.NaN
        return (number | 0) === number ? number : undefined
      }
    case 'bigint':
      return (text) => {
        if (!/^-?\d{1,64}$/.test(text)) return undefined
        const number = BigInt(text)
        return BigInt.asIntN(64, number) === number ? number : undefined
      }
    case 'float':
    case 'double': {
      const isFloat = type.kind === 'float'
      return (text) => {
        if (text === 'NaN' || text === 'Infinity' || text === '-Infinity') return Number(text)
        if (!/^-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)) return undefined
        const number = isFloat ? Math.fround(Number(text)) : Number(text)
        return Number.isFinite(number) ? number : undefined
      }
    }
    case 'decimal':
      return (text) => {
        const unscaled = parseDecimal(text, type.precision, type.scale)
        return unscaled === undefined ? undefined : formatDecimal(unscaled, type.scale)
      }
    case 'binary':
      return (text) =>
        /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)
          ? new Uint8Array(Buffer.from(text, 'base64'))
          : undefined
    case 'date':
      return (text) => (text.length === 10 && daysOfDateText(text) !== -1e9 ? text : undefined)
    case 'timestamp':
      return type.zone ? zonedReader(type.precision) : timestampReader(type.precision)
    default:
      return () => undefined
  }
}

function timestampReader(precision: number): (text: string) => unknown {
  return (text) => {
    const instant = parseInstant(text)
    if (instant === undefined) return undefined
    const { zone } = instant
    if (zone !== '' && zone !== 'Z' && zone[0] !== '+' && zone[0] !== '-') return undefined
    if (precision === 3 && instant.nanos === 0) return new Date(instant.ms)
    const { ms, nanos } = roundInstant(instant.ms, instant.nanos, precision)
    return precision <= 3 ? new Date(ms) : formatInstant(ms, nanos, precision)
  }
}

function zonedReader(precision: number): (text: string) => unknown {
  return (text) => {
    const instant = parseInstant(text)
    if (instant === undefined) return undefined
    const { zone } = instant
    const isRegion = zone !== '' && zone !== 'Z' && zone[0] !== '+' && zone[0] !== '-'
    if (isRegion && instantOfRegion(instant.ms, zone) === undefined) return undefined
    // The local time is kept as it was written, the zone behind it.
    const local = zone === '' || zone === 'Z' || isRegion ? instant.ms : instant.ms + offsetMs(zone)
    const { ms, nanos } = roundInstant(local, instant.nanos, precision)
    return `${formatInstant(ms, nanos, precision)} ${zone === '' || zone === 'Z' ? 'UTC' : normalZone(zone)}`
  }
}

function offsetMs(zone: string): number {
  const match = /^([+-])(\d{2}):?(\d{2})?$/.exec(zone)!
  return (match[1] === '-' ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3] ?? '0')) * 60_000
}

function normalZone(zone: string): string {
  const match = /^([+-])(\d{2}):?(\d{2})?$/.exec(zone)
  return match ? `${match[1]}${match[2]}:${match[3] ?? '00'}` : zone
}

/** Why {@link jsonReader} refuses a value: the innermost place that is wrong, as a clause that completes `"metric" …`. */
export function whyNot(column: Column, json: unknown): string {
  if (json === undefined) return 'is missing'
  if (json === null) return 'is null, but the column is not nullable'
  const { type } = column
  if (type.kind === 'array' && Array.isArray(json)) {
    const read = jsonReader(type.element)
    const index = json.findIndex((element) => read(element) === undefined)
    return `[${index}] ${whyNot(type.element, json[index])}`
  }
  if (type.kind === 'map' && isJsonObject(json)) {
    const readKey = textReader(type.key.type)
    const read = jsonReader(type.value)
    for (const [name, item] of Object.entries(json)) {
      if (readKey(name) === undefined) return `has the key ${show(name)}, not ${noun(type.key.type)}`
      if (read(item) === undefined) return `[${show(name)}] ${whyNot(type.value, item)}`
    }
    return 'holds one key in two spellings'
  }
  if (type.kind === 'struct' && isJsonObject(json)) {
    const unknown = Object.keys(json).find((name) => !Object.hasOwn(type.fields, name))
    if (unknown !== undefined) return `has the unknown field ${show(unknown)}`
    for (const [name, field] of Object.entries(type.fields)) {
      const item = ownValue(json, name)
      if (jsonReader(field)(item) === undefined) return `field ${show(name)} ${whyNot(field, item)}`
    }
  }
  return `is ${show(exactDigits(json) ?? json)}, not ${noun(type)}`
}

/** A value for a message: JSON, cut to 60 characters. */
export function show(value: unknown): string {
  let text: string
  try {
    text = JSON.stringify(value) ?? String(value)
  } catch (error) {
    // Hostile nesting that JSON.parse accepts and JSON.stringify does not.
    if (!(error instanceof RangeError)) throw error
    text = 'a deeply nested value'
  }
  return text.length <= 60 ? text : `${text.slice(0, 57)}…`
}

/** What a value of a type is called in a message: `an integer of 32 bits`. */
export function noun(type: ColumnType): string {
  switch (type.kind) {
    case 'integer':
      return 'an integer of 32 bits'
    case 'bigint':
      return 'an integer of 64 bits'
    case 'decimal':
      return `a decimal(${type.precision},${type.scale})`
    case 'binary':
      return 'base64'
    case 'date':
      return 'a date like 2026-11-24'
    case 'timestamp':
      return type.zone ? 'a timestamp like 2026-11-24 15:31:00.000 Europe/Berlin' : 'a timestamp like 2026-11-24 15:31:00.000'
    case 'array':
      return 'an array'
    case 'map':
    case 'struct':
      return 'an object'
    default:
      return `a ${type.kind}`
  }
}
