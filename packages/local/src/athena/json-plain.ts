import type { HiveType } from './hive-type'
import { dateText, integerText, jsonTimestampText } from './scan-value'

/** A column of a JSON table. */
export interface JsonField {
  readonly index: number
  readonly name: string
  readonly type: HiveType
}

/** Values of a line by column, or `undefined` when the careful reader has to look at it. */
export type PlainDocumentReader = (text: string) => readonly (string | null)[] | undefined

/**
 * Reads the lines that most logs consist of several times as fast as the careful reader: strict JSON, one flat object, no escapes, no
 * key twice, and only values whose text `JSON.parse` does not change. For everything else, every error included, it answers
 * `undefined`. It never decides anything: whatever it returns, the careful reader would return, too.
 */
export function plainDocumentReader(fields: readonly JsonField[], byKey: ReadonlyMap<string, JsonField>): PlainDocumentReader {
  const shapes = new Map<string, readonly (JsonField | undefined)[] | undefined>()
  const convert = fields.map(({ type }) => converter(type))
  const nothing: readonly null[] = fields.map(() => null)
  return (text) => {
    // Without a backslash every quote is a delimiter, so `":` stands behind keys only, or opens a string that starts with a colon.
    if (text[0] !== '{' || text.includes('\\') || blankBeforeColon.test(text)) return undefined
    let document: Record<string, unknown>
    try {
      document = JSON.parse(text) as Record<string, unknown>
    } catch {
      return undefined
    }
    const keys = Object.keys(document)
    // More of them than keys: a key that came twice, or a nested object, or such a string.
    if (occurrences(text, '":') !== keys.length) return undefined
    const shape = keys.join('\0')
    if (!shapes.has(shape) && shapes.size < maxShapes) shapes.set(shape, columnsOf(keys, byKey))
    const columns = shapes.get(shape)
    if (!columns) return undefined
    const row: (string | null)[] = [...nothing]
    for (let i = 0; i < keys.length; i++) {
      const value = document[keys[i] as string]
      if (value === null) continue
      if (typeof value === 'object') return undefined
      const field = columns[i]
      if (!field) continue
      const converted = (convert[field.index] as Converter)(value as string | number | boolean, keys[i] as string, text)
      if (converted === undefined) return undefined
      row[field.index] = converted
    }
    return row
  }
}

const blankBeforeColon = /"\s+:/
/** Different sets of keys that are remembered; lines of further ones are read carefully. */
const maxShapes = 1000

function occurrences(text: string, part: string): number {
  let count = 0
  for (let at = text.indexOf(part); at !== -1; at = text.indexOf(part, at + part.length)) count++
  return count
}

/** The column of each key; `undefined` when two keys differ only in case, which is an error, or order and text of keys are unsure. */
function columnsOf(
  keys: readonly string[],
  byKey: ReadonlyMap<string, JsonField>,
): readonly (JsonField | undefined)[] | undefined {
  const folded = keys.map((key) => key.toLowerCase())
  if (new Set(folded).size < folded.length || keys.some((key) => key.includes('\0') || key === '__proto__')) return undefined
  return folded.map((key) => byKey.get(key))
}

type Converter = (value: string | number | boolean, key: string, text: string) => string | undefined

function converter(type: HiveType): Converter {
  if (type.kind !== 'primitive') return () => undefined
  switch (type.name) {
    case 'string':
      return (value) => (typeof value === 'string' ? value : undefined)
    case 'double':
      // A double printed and read again is the same double.
      return (value) => (typeof value !== 'number' ? undefined : Object.is(value, -0) ? '-0.0' : String(value))
    case 'tinyint':
    case 'smallint':
    case 'int':
    case 'bigint': {
      const { name } = type
      return (value, key, text) => {
        if (!Number.isSafeInteger(value)) return undefined
        // Written as 1.0 or 1e3 it is no integer; only the text can tell.
        const written = `"${key}":${value}`
        const after = text[text.indexOf(written) + written.length]
        return text.includes(written) && (after === ',' || after === '}') ? integerText(String(value), name) : undefined
      }
    }
    case 'boolean':
      return (value) => (typeof value === 'boolean' ? String(value) : undefined)
    case 'date':
      return (value) => (typeof value === 'string' ? dateText(value) : undefined)
    case 'timestamp': {
      let last = ''
      let lastText: string | undefined
      return (value) => {
        if (typeof value !== 'string') return undefined
        if (value !== last) {
          last = value
          lastText = jsonTimestampText(value)
        }
        return lastText
      }
    }
    default:
      return () => undefined
  }
}
