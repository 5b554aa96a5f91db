import type { DuckDBValue } from '@duckdb/node-api'
import { instantText, roundMicros, timestampText } from './native/date-time'
import { decimalText, javaNumberText } from './native/number-text'
import { fieldName, type TrinoType } from './trino-type'

type CellText = (value: DuckDBValue) => string | null

/** A function that writes values of a type, with texts as bytes (see text-bytes), as Athena's results show them; `null` stays NULL. */
export function cellText(type: TrinoType): CellText {
  const write = writer(type)
  return (value) => (value === null ? null : write(value))
}

// Inside an array, map or row NULL is the word null.
function inner(type: TrinoType): (value: DuckDBValue) => string {
  const write = writer(type)
  return (value) => (value === null ? 'null' : write(value))
}

function writer(type: TrinoType): (value: NonNullable<DuckDBValue>) => string {
  switch (type.kind) {
    case 'varchar':
    case 'json':
      return (value) => bufferOf(value).toString()
    case 'double':
      return (value) => javaNumberText(value as number)
    case 'real':
      return (value) => javaNumberText(value as number, true)
    case 'decimal':
      return (value) => decimalText((value as { value: bigint }).value, type.scale)
    case 'date':
      return (value) => timestampText(BigInt((value as { days: number }).days) * 86_400_000_000n, 0).slice(0, -9)
    // Results carry milliseconds, whatever the precision of the type (athena.md §3).
    case 'timestamp':
      return (value) => timestampText(roundMicros((value as { micros: bigint }).micros, 3), 3)
    case 'timestamptz':
      return (value) => {
        const { entries } = value as unknown as { entries: { instant: { micros: bigint }; zone: string } }
        return instantText(roundMicros(entries.instant.micros, 3), entries.zone, 3)
      }
    case 'varbinary':
      return (value) =>
        bufferOf(value)
          .toString('hex')
          .replace(/..(?=.)/g, '$& ')
    case 'array': {
      const element = inner(type.element)
      return (value) => `[${(value as { items: readonly DuckDBValue[] }).items.map(element).join(', ')}]`
    }
    case 'map': {
      const [key, item] = [inner(type.key), inner(type.value)]
      return (value) =>
        `{${(value as { entries: readonly { key: DuckDBValue; value: DuckDBValue }[] }).entries.map((entry) => `${key(entry.key)}=${item(entry.value)}`).join(', ')}}`
    }
    case 'row': {
      const fields = type.fields.map((field, index) => ({ name: fieldName(field, index), write: inner(field.type) }))
      return (value) => {
        const { entries } = value as { entries: Readonly<Record<string, DuckDBValue>> }
        return `{${fields.map((field) => `${field.name}=${field.write(entries[field.name] as DuckDBValue)}`).join(', ')}}`
      }
    }
    default:
      return (value) => String(value)
  }
}

function bufferOf(value: DuckDBValue): Buffer {
  const { bytes } = value as { bytes: Uint8Array }
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
