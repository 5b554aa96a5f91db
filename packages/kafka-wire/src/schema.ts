import { type ByteCursor, createByteCursor } from './byte-cursor'
import { type ByteWriter, createByteWriter } from './byte-writer'
import { WireError } from './wire-error'

// Messages of the Kafka protocol as tables: a field is a codec, its place in the object literal is its place on the wire. One table serves
// both directions and every version, so that a client and a broker cannot disagree.

/** What a field needs to know of the message around it. */
interface Context {
  readonly version: number
  /** Compact lengths and tagged fields (KIP-482). */
  readonly isFlexible: boolean
}

/** How one field is written and read. `T` is its TypeScript type. */
export interface Field<T> {
  readonly write: (writer: ByteWriter, value: T, context: Context) => void
  readonly read: (cursor: ByteCursor, context: Context) => T
  /** First and last version that has the field on the wire. */
  readonly from: number
  readonly to: number
  /** What a version without the field reads. */
  readonly absent: T | undefined
  /** Tag number, when the field stands among the tagged fields. */
  readonly tag: number | undefined
}

/** The fields of a message: exactly the keys of its TypeScript type, in the order of the wire. */
export type Fields<T> = { readonly [Name in keyof T]-?: Field<T[Name]> }

function field<T>(write: Field<T>['write'], read: Field<T>['read']): Field<T> {
  return { write, read, from: 0, to: Number.MAX_SAFE_INTEGER, absent: undefined, tag: undefined }
}

export const int8: Field<number> = field<number>(
  (writer, value) => writer.int8(value),
  (cursor) => cursor.int8(),
)
export const int16: Field<number> = field<number>(
  (writer, value) => writer.int16(value),
  (cursor) => cursor.int16(),
)
export const int32: Field<number> = field<number>(
  (writer, value) => writer.int32(value),
  (cursor) => cursor.int32(),
)
export const int64: Field<bigint> = field<bigint>(
  (writer, value) => writer.int64(value),
  (cursor) => cursor.int64(),
)
export const boolean: Field<boolean> = field<boolean>(
  (writer, value) => writer.boolean(value),
  (cursor) => cursor.boolean(),
)
/** 16 bytes as hexadecimal text without hyphens. */
export const uuid: Field<string> = field<string>(
  (writer, value) => writer.raw(Buffer.from(value, 'hex')),
  (cursor) => cursor.raw(16).toString('hex'),
)

function writeLength(writer: ByteWriter, length: number, isShort: boolean, { isFlexible }: Context): void {
  if (isFlexible) writer.unsignedVarint(length + 1)
  else if (isShort) writer.int16(length)
  else writer.int32(length)
}

function readLength(cursor: ByteCursor, isShort: boolean, { isFlexible }: Context): number {
  return isFlexible ? cursor.unsignedVarint() - 1 : isShort ? cursor.int16() : cursor.int32()
}

function readString(cursor: ByteCursor, context: Context): string | null {
  const length = readLength(cursor, true, context)
  return length < 0 ? null : cursor.utf8(length)
}

function writeString(writer: ByteWriter, value: string, context: Context): void {
  const byteLength = Buffer.byteLength(value)
  if (!context.isFlexible && byteLength > 0x7fff) throw new WireError(`A text of ${byteLength} bytes: at most 32 767 fit.`)
  writeLength(writer, byteLength, true, context)
  writer.utf8(value, byteLength)
}

function readBytes(cursor: ByteCursor, context: Context): Buffer | null {
  const length = readLength(cursor, false, context)
  return length < 0 ? null : cursor.raw(length)
}

function writeBytes(writer: ByteWriter, value: Uint8Array, context: Context): void {
  writeLength(writer, value.length, false, context)
  writer.raw(value)
}

function required<T>(value: T | null, what: string): T {
  if (value === null) throw new WireError(`${what} is null where the protocol has no null.`)
  return value
}

export const string: Field<string> = field<string>(writeString, (cursor, context) =>
  required(readString(cursor, context), 'A text'),
)
export const nullableString: Field<string | null> = field<string | null>(
  (writer, value, context) => (value === null ? writeLength(writer, -1, true, context) : writeString(writer, value, context)),
  readString,
)
export const bytes: Field<Uint8Array> = field<Uint8Array>(writeBytes, (cursor, context) =>
  required(readBytes(cursor, context), 'A byte field'),
)
/** Also record sets. Reads a view into the message, not a copy. */
export const nullableBytes: Field<Uint8Array | null> = field<Uint8Array | null>(
  (writer, value, context) => (value === null ? writeLength(writer, -1, false, context) : writeBytes(writer, value, context)),
  readBytes,
)

function readArray<T>(cursor: ByteCursor, context: Context, element: Field<T>): T[] | null {
  const count = readLength(cursor, false, context)
  if (count < 0) return null
  // Every element takes at least a byte: a hostile count cannot make us allocate.
  if (count > cursor.remaining) throw new WireError(`A list of ${count} elements in ${cursor.remaining} bytes.`)
  const values: T[] = []
  for (let i = 0; i < count; i++) values.push(element.read(cursor, context))
  return values
}

function writeArray<T>(writer: ByteWriter, values: readonly T[], context: Context, element: Field<T>): void {
  writeLength(writer, values.length, false, context)
  for (const value of values) element.write(writer, value, context)
}

/** A list of primitive values. */
export function listOf<T>(element: Field<T>): Field<readonly T[]> {
  return field<readonly T[]>(
    (writer, values, context) => writeArray(writer, values, context, element),
    (cursor, context) => required(readArray(cursor, context, element), 'A list'),
  )
}

/** A list of primitive values that may be null (often with the meaning "all"). */
export function nullableListOf<T>(element: Field<T>): Field<readonly T[] | null> {
  return field<readonly T[] | null>(
    (writer, values, context) =>
      values === null ? writeLength(writer, -1, false, context) : writeArray(writer, values, context, element),
    (cursor, context) => readArray(cursor, context, element),
  )
}

/** A group of fields. */
export function struct<T extends object>(fields: Fields<T>): Field<T> {
  const entries = Object.entries(fields) as [keyof T & string, Field<unknown>][]
  const plain = entries.filter(([, item]) => item.tag === undefined)
  const tagged = entries.filter(([, item]) => item.tag !== undefined).sort(([, a], [, b]) => a.tag! - b.tag!)

  function writeTagged(writer: ByteWriter, value: T, context: Context): void {
    const present = tagged.filter(([name, item]) => {
      const own = value[name]
      return context.version >= item.from && context.version <= item.to && own !== undefined && own !== item.absent
    })
    writer.unsignedVarint(present.length)
    for (const [name, item] of present) {
      const inner = createByteWriter()
      item.write(inner, value[name], context)
      writer.unsignedVarint(item.tag!)
      writer.unsignedVarint(inner.bytes().length)
      writer.raw(inner.bytes())
    }
  }

  function readTagged(cursor: ByteCursor, value: Record<string, unknown>, context: Context): void {
    for (let count = cursor.unsignedVarint(); count > 0; count--) {
      const tag = cursor.unsignedVarint()
      const size = cursor.unsignedVarint()
      const known = tagged.find(([, item]) => item.tag === tag && context.version >= item.from && context.version <= item.to)
      // Unknown tags are there to be skipped: that is what they were made for.
      if (known) value[known[0]] = known[1].read(createByteCursor(cursor.raw(size), `The tagged field ${known[0]}`), context)
      else cursor.skip(size)
    }
  }

  return field<T>(
    (writer, value, context) => {
      for (const [name, item] of plain) {
        if (context.version < item.from || context.version > item.to) continue
        const own = value[name] ?? (item.absent === undefined ? value[name] : item.absent)
        if (own === undefined) throw new WireError(`The field ${name} is missing (version ${context.version}).`)
        item.write(writer, own, context)
      }
      if (context.isFlexible) writeTagged(writer, value, context)
    },
    (cursor, context) => {
      const value: Record<string, unknown> = {}
      for (const [name, item] of plain) {
        value[name] = context.version < item.from || context.version > item.to ? item.absent : item.read(cursor, context)
      }
      for (const [name, item] of tagged) value[name] = item.absent
      if (context.isFlexible) readTagged(cursor, value, context)
      return value as T
    },
  )
}

/** A list of groups of fields. */
export function listOfStructs<T extends object>(fields: Fields<T>): Field<readonly T[]> {
  return listOf(struct(fields))
}

/** A list of groups of fields that may be null. */
export function nullableListOfStructs<T extends object>(fields: Fields<T>): Field<readonly T[] | null> {
  return nullableListOf(struct(fields))
}

/** A field that only versions from `version` on have; earlier ones read `absent`. */
export function since<T>(version: number, item: Field<T>, absent: T): Field<T> {
  return { ...item, from: version, absent }
}

/** A field that only versions from `from` to `to` have; the others read `absent`. */
export function between<T>(from: number, to: number, item: Field<T>, absent: T): Field<T> {
  return { ...item, from, to, absent }
}

/** A tagged field of a flexible version; not written when it equals `absent`. */
export function tagged<T>(tag: number, version: number, item: Field<T>, absent: T): Field<T> {
  return { ...item, tag, from: version, absent }
}

/** One API of the protocol: its number, the versions that the tables describe, and both messages in both directions. */
export interface Api<Request extends object, Response extends object> {
  readonly key: number
  readonly name: string
  readonly minVersion: number
  readonly maxVersion: number
  /** First flexible version (KIP-482); also decides the header version. */
  readonly flexibleFrom: number
  /** The body after the header. */
  encodeRequest(request: Request, version: number): Buffer
  /**
   * Passes over bytes behind the last field, as Kafka's brokers do: librdkafka 2.12 sends some when it asks for the metadata of all topics
   * (version 12: four bytes for a list whose length takes one).
   */
  decodeRequest(body: Uint8Array, version: number): Request
  /** The body after the header. */
  encodeResponse(response: Response, version: number): Buffer
  /** Refuses bytes that are left over. */
  decodeResponse(body: Uint8Array, version: number): Response
}

/** Defines an API by the tables of its two messages. */
export function defineApi<Request extends object, Response extends object>(definition: {
  readonly key: number
  readonly name: string
  readonly versions: readonly [number, number]
  readonly flexibleFrom?: number
  readonly request: Fields<Request>
  readonly response: Fields<Response>
}): Api<Request, Response> {
  const { key, name, versions, flexibleFrom = Number.MAX_SAFE_INTEGER } = definition
  const [minVersion, maxVersion] = versions
  const request = struct(definition.request)
  const response = struct(definition.response)

  function contextOf(version: number): Context {
    if (version < minVersion || version > maxVersion) {
      throw new WireError(`${name} version ${version} is not described here (${minVersion} to ${maxVersion} are).`)
    }
    return { version, isFlexible: version >= flexibleFrom }
  }

  function write<T>(item: Field<T>, value: T, version: number): Buffer {
    const writer = createByteWriter()
    item.write(writer, value, contextOf(version))
    return writer.bytes()
  }

  return {
    key,
    name,
    minVersion,
    maxVersion,
    flexibleFrom,
    encodeRequest: (value, version) => write(request, value, version),
    decodeRequest: (body, version) => request.read(createByteCursor(body, `A ${name} request`), contextOf(version)),
    encodeResponse: (value, version) => write(response, value, version),
    decodeResponse(body, version) {
      const cursor = createByteCursor(body, `A ${name} response`)
      const value = response.read(cursor, contextOf(version))
      if (cursor.remaining > 0) throw new WireError(`A ${name} response has ${cursor.remaining} bytes too many.`)
      return value
    },
  }
}
