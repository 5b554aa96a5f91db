import type { CatalogColumn } from '../catalog/catalog-entry'
import { type HiveType, parseHiveType } from './hive-type'
import type { LineDecoder } from './line-decoder'
import { cutText, dateText, numberText, timestampText } from './scan-value'
import type { TableFormat } from './table-format'
import { toUtf8 } from './utf8'

/**
 * Decodes lines of LazySimpleSerDe (`ROW FORMAT DELIMITED`): no quotes; one-byte delimiter; `\N` (or the given text) is NULL; a value that
 * is not of its type is NULL; missing columns are NULL, surplus ones are dropped. Only strings keep an empty value.
 */
export function delimitedLineDecoder(
  columns: readonly CatalogColumn[],
  format: Extract<TableFormat, { kind: 'delimited' }>,
): LineDecoder {
  const types = columns.map((column) => parseHiveType(column.type))
  const nullText = Buffer.from(format.nullText)
  return (line) => {
    const row: (string | Buffer | null)[] = new Array(types.length).fill(null)
    for (const [index, field] of splitFields(line, format.delimiter, format.escape, types.length).entries()) {
      if (!field.equals(nullText)) row[index] = fieldValue(field, types[index] as HiveType, format.escape)
    }
    return row
  }
}

function splitFields(line: Buffer, delimiter: number, escapeByte: number | undefined, limit: number): Buffer[] {
  const fields: Buffer[] = []
  let start = 0
  if (escapeByte === undefined) {
    while (fields.length < limit) {
      const end = line.indexOf(delimiter, start)
      if (end === -1) break
      fields.push(line.subarray(start, end))
      start = end + 1
    }
  } else {
    for (let at = 0; at < line.length && fields.length < limit; at++) {
      if (line[at] === delimiter) {
        fields.push(line.subarray(start, at))
        start = at + 1
      } else if (line[at] === escapeByte) at++
    }
  }
  if (fields.length < limit) fields.push(line.subarray(start))
  return fields
}

function fieldValue(field: Buffer, type: HiveType, escapeByte: number | undefined): string | Buffer | null {
  if (type.kind === 'varchar' || (type.kind === 'primitive' && type.name === 'string')) {
    const text = toUtf8(escapeByte === undefined ? field : withoutEscapes(field, escapeByte))
    return type.kind === 'varchar' ? cutText(text.toString(), type.length) : text
  }
  const text = field.toString('latin1')
  return scalarOf(text, type) ?? null
}

function scalarOf(text: string, type: HiveType): string | undefined {
  if (type.kind === 'primitive') {
    switch (type.name) {
      case 'boolean': {
        const lower = text.toLowerCase()
        return lower === 'true' || lower === 'false' ? lower : undefined
      }
      case 'date':
        return dateText(text)
      case 'timestamp':
        return timestampText(text)
      case 'tinyint':
      case 'smallint':
      case 'int':
      case 'bigint':
        // The part behind a decimal point must be digits and is cut off.
        return numberText(text.replace(/\.\d*$/, ''), type)
      default:
    }
  }
  return numberText(text, type)
}

function withoutEscapes(field: Buffer, escapeByte: number): Buffer {
  if (!field.includes(escapeByte)) return field
  const bytes: number[] = []
  for (let at = 0; at < field.length; at++) {
    if (field[at] === escapeByte && at + 1 < field.length) {
      at++
      const byte = field[at] as number
      // LazySimpleSerDe writes line ends inside a value as \n and \r.
      bytes.push(byte === 0x6e ? 0x0a : byte === 0x72 ? 0x0d : byte)
    } else bytes.push(field[at] as number)
  }
  return Buffer.from(bytes)
}
