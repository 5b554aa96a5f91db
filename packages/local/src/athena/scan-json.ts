import type { CatalogColumn } from '../catalog/catalog-entry'
import { type HiveType, hiveTypeText, parseHiveType, trinoTypeText } from './hive-type'
import { plainDocumentReader } from './json-plain'
import { canonicalScalar, type JsonObject, type JsonValue, jsonText, MalformedJson, readJson } from './json-value'
import type { LineDecoder } from './line-decoder'
import { AthenaFailure } from './query-engine'
import { cutText, dateText, jsonTimestampText, numberText } from './scan-value'
import type { TableFormat } from './table-format'
import { decodeUtf8 } from './utf8'

class BadValue extends Error {}

/**
 * Decodes lines of the OpenX JSON SerDe (and the Hive one, whose documents it reads too): keys match columns without case; a line that
 * is no document fails the query, or is a row of NULLs with `ignore.malformed.json`; a value that is not of the column's type fails the
 * query with HIVE_BAD_DATA, whatever `ignore.malformed.json` says. A blank line is a row of NULLs.
 */
export function jsonLineDecoder(columns: readonly CatalogColumn[], format: Extract<TableFormat, { kind: 'json' }>): LineDecoder {
  const fields = columns.map((column, index) => ({ index, name: column.name, type: parseHiveType(column.type) }))
  const byKey = new Map(fields.map((field) => [format.keys[field.name] ?? field.name, field]))
  const nothing: readonly null[] = columns.map(() => null)
  const readPlain = plainDocumentReader(fields, byKey)
  return (line, place) => {
    const text = decodeUtf8(line).trim()
    if (text === '') return nothing
    const plain = readPlain(text)
    if (plain) return plain
    let document: JsonValue
    try {
      if (text[0] !== '{' && text[0] !== '[') throw new MalformedJson("A JSONObject text must begin with '{'", 0)
      document = readJson(text)
    } catch (error) {
      if (!(error instanceof MalformedJson)) throw error
      if (format.ignoreMalformed) return nothing
      throw new AthenaFailure(
        `HIVE_CURSOR_ERROR: Row is not a valid JSON Object - JSONException: ${error.message} (${place.path}, line ${place.line()})`,
        { type: 1100, cause: error },
      )
    }
    const row: (string | null)[] = [...nothing]
    const set = (field: { index: number; name: string; type: HiveType } | undefined, value: JsonValue) => {
      if (!field || value === null) return
      try {
        row[field.index] = columnText(value, field.type)
      } catch (error) {
        if (!(error instanceof BadValue)) throw error
        throw new AthenaFailure(
          `HIVE_BAD_DATA: Error parsing field value for column ${field.name} (${hiveTypeText(field.type)}): ${error.message} (${place.path}, line ${place.line()})`,
          { type: 1100, cause: error },
        )
      }
    }
    // An array stands for a row by position.
    if (document?.kind === 'list') for (const [i, value] of document.values.entries()) set(fields[i], value)
    else if (document?.kind === 'object') for (const [key, value] of document.entries) set(byKey.get(key.toLowerCase()), value)
    return row
  }
}

/** A value of a column as text for DuckDB: scalars canonical, nested values as JSON of canonical texts. */
function columnText(value: Exclude<JsonValue, null>, type: HiveType): string | null {
  if (type.kind === 'array' || type.kind === 'map' || type.kind === 'struct') {
    const nested = nestedValue(value, type)
    return nested === null ? null : JSON.stringify(nested)
  }
  return scalarText(value, type)
}

function scalarText(value: Exclude<JsonValue, null>, type: HiveType): string {
  if (type.kind === 'varchar' || (type.kind === 'primitive' && type.name === 'string')) {
    const text =
      value.kind !== 'scalar' ? jsonText(value) : value.quoted ? value.text : (canonicalScalar(value.text) ?? value.text)
    return type.kind === 'varchar' ? cutText(text, type.length) : text
  }
  if (value.kind !== 'scalar') throw new BadValue(`a JSON ${value.kind} is not a ${trinoTypeText(type)}`)
  const text = scalarOf(value.text, value.quoted, type)
  if (text === undefined) throw new BadValue(`"${value.text.slice(0, 200)}" is not a ${trinoTypeText(type)}`)
  return text
}

function scalarOf(text: string, quoted: boolean, type: HiveType): string | undefined {
  if (type.kind !== 'primitive') return numberText(text, type)
  switch (type.name) {
    case 'boolean': {
      const lower = text.toLowerCase()
      return lower === 'true' || lower === 'false' ? lower : undefined
    }
    case 'date':
      return dateText(text)
    case 'timestamp':
      return jsonTimestampText(text)
    case 'binary':
      return quoted && /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text) ? text : undefined
    default:
      return numberText(text, type)
  }
}

function nestedValue(value: JsonValue, type: HiveType): unknown {
  if (value === null) return null
  switch (type.kind) {
    case 'array':
      if (value.kind === 'scalar' && value.text === '') return null
      return (value.kind === 'list' ? value.values : [value]).map((element) => nestedValue(element, type.element))
    case 'map': {
      if (value.kind === 'scalar' && value.text.trim() === '') return null
      if (value.kind !== 'object') throw new BadValue(`a JSON ${value.kind} is not a map`)
      const entries: [unknown, unknown][] = []
      for (const [key, entry] of value.entries) {
        entries.push([scalarText({ kind: 'scalar', text: key, quoted: true }, type.key), nestedValue(entry, type.value)])
      }
      // As a list of entries: JSON objects would order and merge keys that look like numbers.
      return entries.map(([key, entry]) => ({ key, value: entry }))
    }
    case 'struct': {
      if (value.kind === 'scalar' && value.text.trim() === '') return null
      if (value.kind === 'list') {
        return Object.fromEntries(type.fields.map((field, i) => [field.name, nestedValue(value.values[i] ?? null, field.type)]))
      }
      if (value.kind !== 'object') throw new BadValue(`a JSON ${value.kind} is not a struct`)
      const folded = foldKeys(value)
      return Object.fromEntries(type.fields.map((field) => [field.name, nestedValue(folded.get(field.name) ?? null, field.type)]))
    }
    default:
      return scalarText(value, type)
  }
}

function foldKeys(value: JsonObject): Map<string, JsonValue> {
  return new Map([...value.entries].map(([key, entry]) => [key.toLowerCase(), entry]))
}
