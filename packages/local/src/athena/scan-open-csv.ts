import type { CatalogColumn } from '../catalog/catalog-entry'
import { type HiveType, parseHiveType } from './hive-type'
import type { LineDecoder, LinePlace } from './line-decoder'
import { AthenaFailure } from './query-engine'
import { epochDateText, epochTimestampText, floatingText, integerText } from './scan-value'
import type { TableFormat } from './table-format'
import { toUtf8 } from './utf8'

type OpenCsvFormat = Extract<TableFormat, { kind: 'open-csv' }>

/**
 * Decodes lines of OpenCSVSerde. An empty line gives NULLs, missing fields are NULL, surplus ones are dropped, a field whose quote is never
 * closed is NULL. Dates are days and timestamps milliseconds since 1970; a value that is not of its type fails the query.
 *
 * @see Athena User Guide, "Open CSV SerDe for processing CSV"; the rules of quotes are those of Trino's CsvDeserializer
 */
export function openCsvLineDecoder(columns: readonly CatalogColumn[], format: OpenCsvFormat): LineDecoder {
  const types = columns.map((column) => parseHiveType(column.type))
  return (line, place) => {
    const fields = csvFields(toUtf8(line).toString(), format, columns.length)
    return types.map((type, index) => {
      const field = fields[index]
      return field === undefined ? null : fieldValue(field, type, index, place)
    })
  }
}

/** The fields of a line, at most `limit`. */
export function csvFields(
  line: string,
  { separator, quote, escape: escaping }: Omit<OpenCsvFormat, 'kind' | 'skipLines'>,
  limit: number,
): string[] {
  const fields: string[] = []
  if (line === '') return fields
  let field = ''
  let inQuotes = false
  let inField = false
  for (let at = 0; at < line.length && fields.length < limit; at++) {
    const char = line[at] as string
    const next = line[at + 1]
    if (char === escaping) {
      // Outside of a field the character is dropped, and inside it escapes itself and the quote only.
      if ((inQuotes || inField) && (next === quote || next === escaping)) {
        field += next
        at++
      }
    } else if (char === quote) {
      if ((inQuotes || inField) && next === quote) {
        field += next
        at++
      } else {
        if (at > 2 && line[at - 1] !== separator && next !== undefined && next !== separator) {
          // A quote in the middle of a field stands for itself, unless only blanks stand before it.
          field = field !== '' && /^[\s\x1c-\x1f]*$/.test(field) ? '' : field + char
        }
        inQuotes = !inQuotes
      }
      inField = !inField
    } else if (char === separator && !inQuotes) {
      fields.push(field)
      field = ''
      inField = false
    } else {
      field += char
      inField = true
    }
  }
  if (fields.length < limit && !inQuotes) fields.push(field)
  return fields
}

function fieldValue(text: string, type: HiveType, index: number, place: LinePlace): string {
  const value = type.kind === 'primitive' ? scalarOf(text, type.name) : undefined
  if (value !== undefined) return value
  throw new AthenaFailure(
    `HIVE_BAD_DATA: Error parsing field value '${text.slice(0, 200)}' for field ${index}: For input string: "${text.slice(0, 200)}" (${place.path}, line ${place.line()})`,
    { type: 1100 },
  )
}

function scalarOf(text: string, type: string): string | undefined {
  switch (type) {
    case 'string':
      return text
    case 'boolean':
      return /^(true|false)$/i.test(text) ? text.toLowerCase() : undefined
    case 'double':
      return floatingText(text, 'double')
    case 'date': {
      const days = integerText(text, 'int')
      return days === undefined ? undefined : epochDateText(Number(days))
    }
    case 'timestamp': {
      const ms = integerText(text, 'bigint')
      return ms === undefined ? undefined : epochTimestampText(Number(ms))
    }
    default:
      return integerText(text, type)
  }
}
