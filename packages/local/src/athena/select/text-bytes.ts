import { quoteName, quoteText } from './sql-quote'
import { fieldName, type TrinoType } from './trino-type'

/**
 * SQL that gives a value with every text in it as its UTF-8 bytes. DuckDB's client decodes a VARCHAR without its byte order mark; bytes
 * come as they are.
 */
export function textAsBytes(sql: string, type: TrinoType, depth = 0): string {
  if (!holdsText(type)) return sql
  const item = `b${depth}`
  switch (type.kind) {
    case 'array':
      return `list_transform(${sql}, lambda ${item}: ${textAsBytes(item, type.element, depth + 1)})`
    case 'map': {
      const keys = `list_transform(map_keys(${sql}), lambda ${item}: ${textAsBytes(item, type.key, depth + 1)})`
      const values = `list_transform(map_values(${sql}), lambda ${item}: ${textAsBytes(item, type.value, depth + 1)})`
      return `(CASE WHEN ${sql} IS NULL THEN NULL ELSE map(${keys}, ${values}) END)`
    }
    case 'row': {
      const fields = type.fields.map((field, index) => {
        const name = fieldName(field, index)
        return `${quoteName(name)} := ${textAsBytes(`struct_extract(${sql}, ${quoteText(name)})`, field.type, depth + 1)}`
      })
      return `(CASE WHEN ${sql} IS NULL THEN NULL ELSE struct_pack(${fields.join(', ')}) END)`
    }
    default:
      return `encode(${sql})`
  }
}

/** Whether values of the type hold text that came from data. */
export function holdsText(type: TrinoType): boolean {
  switch (type.kind) {
    case 'varchar':
    case 'json':
      return true
    case 'array':
      return holdsText(type.element)
    case 'map':
      return holdsText(type.key) || holdsText(type.value)
    case 'row':
      return type.fields.some((field) => holdsText(field.type))
    default:
      return false
  }
}
