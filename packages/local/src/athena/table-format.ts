import type { CatalogTable } from '../catalog/catalog-entry'
import { type HiveType, parseHiveType } from './hive-type'
import { javaPattern } from './java-pattern'
import { AthenaFailure, notSupportedLocally } from './query-engine'

export const serdes = {
  lazySimple: 'org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe',
  openxJson: 'org.openx.data.jsonserde.JsonSerDe',
  hiveJson: 'org.apache.hive.hcatalog.data.JsonSerDe',
  regex: 'org.apache.hadoop.hive.serde2.RegexSerDe',
  openCsv: 'org.apache.hadoop.hive.serde2.OpenCSVSerde',
  parquet: 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe',
} as const

export const fileFormats = {
  textInput: 'org.apache.hadoop.mapred.TextInputFormat',
  symlinkInput: 'org.apache.hadoop.hive.ql.io.SymlinkTextInputFormat',
  textOutput: 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat',
  parquetInput: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat',
  parquetOutput: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat',
} as const

/** How the objects of a table are read. */
export type TableFormat =
  | { readonly kind: 'parquet' }
  | { readonly kind: 'raw-lines'; readonly skipLines: number }
  | {
      readonly kind: 'json'
      readonly skipLines: number
      readonly ignoreMalformed: boolean
      /** Key of the document by column name, where `mapping.<column>` says so. Lower case. */
      readonly keys: Readonly<Record<string, string>>
    }
  | {
      readonly kind: 'delimited'
      readonly skipLines: number
      /** One byte each. */
      readonly delimiter: number
      readonly escape: number | undefined
      readonly nullText: string
    }
  | {
      readonly kind: 'open-csv'
      readonly skipLines: number
      /** One character each; `'\0'` switches it off. */
      readonly separator: string
      readonly quote: string
      readonly escape: string
    }
  | { readonly kind: 'regex'; readonly skipLines: number; readonly pattern: RegExp }

/** What decides the format of a table. */
export type FormatSource = Pick<CatalogTable, 'columns' | 'serde' | 'serdeProperties' | 'inputFormat' | 'properties'>

/**
 * Works out how to read a table from its SerDe, formats and properties.
 *
 * @throws {@link AthenaFailure} naming whatever is not known to be read as on Athena: SerDe, property or column type.
 */
export function tableFormat(table: FormatSource): TableFormat {
  checkProperties(table.properties)
  const types = table.columns.map((column) => ({ name: column.name, type: parseHiveType(column.type) }))
  if (table.serde === serdes.parquet) {
    if (table.inputFormat !== fileFormats.parquetInput && !holdsLinks(table))
      throw notSupportedLocally(`INPUTFORMAT ${table.inputFormat} with the Parquet SerDe`)
    return { kind: 'parquet' }
  }
  if (table.inputFormat !== fileFormats.textInput && !holdsLinks(table))
    throw notSupportedLocally(`INPUTFORMAT ${table.inputFormat}`)
  const skipLines = headerLines(table.properties)
  switch (table.serde) {
    case serdes.regex:
      return rawLines(table, types, skipLines)
    case serdes.openxJson:
    case serdes.hiveJson:
      if (holdsLinks(table)) throw notSupportedLocally('SymlinkTextInputFormat with a JSON SerDe')
      return json(table, skipLines)
    case serdes.lazySimple:
      return delimited(table, types, skipLines)
    case serdes.openCsv:
      return openCsv(table, types, skipLines)
    default:
      throw notSupportedLocally(`SerDe ${table.serde}`)
  }
}

/** Whether the objects below the table's places are lists of the objects to read, one `s3://…` a line. */
export function holdsLinks({ inputFormat }: Pick<FormatSource, 'inputFormat'>): boolean {
  return inputFormat === fileFormats.symlinkInput
}

function headerLines(properties: Readonly<Record<string, string>>): number {
  const text = properties['skip.header.line.count'] ?? '0'
  if (!/^\d+$/.test(text))
    throw new AthenaFailure(`HIVE_INVALID_METADATA: Invalid value for skip.header.line.count property: ${text}`)
  return Number(text)
}

// Properties of these families change what a query returns, and none of them is modelled yet.
const resultProperties =
  /^(storage\.(?!location\.template$)|skip\.footer|serialization\.|textfile[._]|csv[._]|orc[._]|avro[._]|parquet\.column|transactional|table_type$|vacuum_|optimize_|exclude|read_restored|hive\.|timestamp\.)/i

function checkProperties(properties: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(properties)) {
    if (resultProperties.test(name)) throw notSupportedLocally(`table property '${name}'='${value}'`)
    if (name === 'has_encrypted_data' && value.toLowerCase() === 'true')
      throw notSupportedLocally(`table property '${name}'='true'`)
  }
}

/** Everything that a SerDe does not know is refused: it might change results. `serialization.format` is noise that Glue adds. */
function checkSerdeProperties(table: FormatSource, known: (name: string, value: string) => boolean): void {
  for (const [name, value] of Object.entries(table.serdeProperties)) {
    if (name !== 'serialization.format' && !known(name, value)) {
      throw notSupportedLocally(`SerDe property '${name}'='${value}' of ${table.serde}`)
    }
  }
}

const everyLine = /^\(\?s\)\(\.\*\)$|^\(\.\*\)$/

function rawLines(table: FormatSource, types: readonly { name: string; type: HiveType }[], skipLines: number): TableFormat {
  const regex = table.serdeProperties['input.regex']
  checkSerdeProperties(
    table,
    (name, value) => name === 'input.regex' || (name === 'input.regex.case.insensitive' && value === 'false'),
  )
  if (regex === undefined) throw new AthenaFailure("HIVE_INVALID_METADATA: Schema does not have required 'input.regex' property")
  for (const { name, type } of types) {
    if (type.kind !== 'primitive' || type.name !== 'string')
      throw notSupportedLocally(`column ${name} of a RegexSerDe table that is no string`)
  }
  if (everyLine.test(regex) && types.length === 1) return { kind: 'raw-lines', skipLines }
  return { kind: 'regex', skipLines, pattern: javaPattern(regex) }
}

function openCsv(table: FormatSource, types: readonly { name: string; type: HiveType }[], skipLines: number): TableFormat {
  checkSerdeProperties(table, (name) => ['separatorChar', 'quoteChar', 'escapeChar'].includes(name))
  // Athena User Guide, "Open CSV SerDe": other types are not recognised.
  const known = new Set(['string', 'boolean', 'int', 'bigint', 'double', 'date', 'timestamp'])
  for (const { name, type } of types) {
    if (type.kind !== 'primitive' || !known.has(type.name))
      throw notSupportedLocally(`column ${name} of its type in an OpenCSVSerde table`)
  }
  const char = (name: string, standard: string) => {
    const text = table.serdeProperties[name] ?? standard
    if (text.length !== 1) throw notSupportedLocally(`SerDe property '${name}'='${text}' of more or less than one character`)
    return text
  }
  const separator = char('separatorChar', ',')
  const quote = char('quoteChar', '"')
  const given = char('escapeChar', '\\')
  // Hive reads the escape character " as a backslash (Trino's CsvDeserializerFactory).
  const escaping = given === '"' ? '\\' : given
  const isClash = separator === quote || separator === escaping || separator === '\0' || (quote === escaping && quote !== '\0')
  if (isClash)
    throw new AthenaFailure('NOT_SUPPORTED: CSV not supported: separator, quote and escape character must differ', { type: 1007 })
  return { kind: 'open-csv', skipLines, separator, quote, escape: escaping }
}

function json(table: FormatSource, skipLines: number): TableFormat {
  const keys: Record<string, string> = {}
  checkSerdeProperties(table, (name, value) => {
    const truth = value.toLowerCase()
    if (name === 'ignore.malformed.json') return truth === 'true' || truth === 'false'
    // Only the default of each is modelled.
    if (name === 'case.insensitive') return truth === 'true'
    if (name === 'dots.in.keys' || name === 'explicit.null') return truth === 'false'
    if (name === 'paths') return true
    if (name.startsWith('mapping.') && table.serde === serdes.openxJson) {
      keys[name.slice('mapping.'.length).toLowerCase()] = value.toLowerCase()
      return true
    }
    return false
  })
  const ignoreMalformed = table.serdeProperties['ignore.malformed.json']?.toLowerCase() === 'true'
  return { kind: 'json', skipLines, ignoreMalformed, keys }
}

function delimited(table: FormatSource, types: readonly { name: string; type: HiveType }[], skipLines: number): TableFormat {
  checkSerdeProperties(table, (name, value) => {
    if (name === 'field.delim' || name === 'escape.delim') return Buffer.byteLength(value) === 1
    if (name === 'line.delim') return value === '\n'
    // These two only matter to nested columns, which are refused below.
    return (
      name === 'serialization.null.format' ||
      name === 'colelction.delim' ||
      name === 'collection.delim' ||
      name === 'mapkey.delim'
    )
  })
  for (const { name, type } of types) {
    if (
      type.kind === 'array' ||
      type.kind === 'map' ||
      type.kind === 'struct' ||
      (type.kind === 'primitive' && type.name === 'binary')
    ) {
      throw notSupportedLocally(
        `column ${name} of type ${type.kind === 'primitive' ? type.name : type.kind} in a delimited text table`,
      )
    }
  }
  const properties = table.serdeProperties
  const byte = (text: string | undefined) => (text === undefined ? undefined : Buffer.from(text)[0])
  return {
    kind: 'delimited',
    skipLines,
    delimiter: byte(properties['field.delim']) ?? byte(serializationDelimiter(properties['serialization.format'])) ?? 1,
    escape: byte(properties['escape.delim']),
    nullText: properties['serialization.null.format'] ?? '\\N',
  }
}

/** `serialization.format` is a delimiter as a character or as its number; `1` (and nothing) is Hive's default, \001. */
function serializationDelimiter(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  if (/^\d+$/.test(text)) return String.fromCharCode(Number(text))
  return text.length === 1 ? text : undefined
}
