import type { CatalogTable } from '../catalog/catalog-entry'
import { duckdbIdentifier, duckdbTypeText, type HiveType, parseHiveType } from './hive-type'
import type { LineDecoder, LinePlace } from './line-decoder'
import type { Scan } from './query-engine'
import { delimitedLineDecoder } from './scan-delimited'
import { emptyRelation, type ScanFile, withPlaces } from './scan-file'
import { jsonLineDecoder } from './scan-json'
import { readLines } from './scan-lines'
import { openCsvLineDecoder } from './scan-open-csv'
import { regexLineDecoder } from './scan-regex'
import { createScanSpool } from './scan-spool'
import type { TableFormat } from './table-format'
import { toUtf8 } from './utf8'

/** What a scan of text objects needs. */
export interface TextScanOptions {
  readonly table: CatalogTable
  readonly format: Exclude<TableFormat, { kind: 'parquet' }>
  readonly files: readonly ScanFile[]
  /** File of this machine that the scan may create; it must stay until the query has ended. */
  readonly spoolFile: string
  readonly signal?: AbortSignal | undefined
}

/**
 * Reads text objects: lines are split and decoded here, spooled as Parquet, and DuckDB casts the canonical texts to the types of the
 * table. Exact for every input; DuckDB's own text readers differ on quotes, line ends, byte order marks and invalid UTF-8.
 *
 * @throws {@link AthenaFailure} naming the object (never the local file) that cannot be read.
 */
export async function scanText(options: TextScanOptions): Promise<Scan> {
  const { table, files, spoolFile } = options
  const decode = lineDecoder(table, options.format)
  const spool = await createScanSpool(spoolFile, table.columns.length)
  let bytes = 0
  let rows: number
  try {
    for (const [object, file] of files.entries()) {
      let line = 0
      const place: LinePlace = { path: file.path, line: () => line }
      await readLines(
        { file: file.file, path: file.path, size: file.size, gzip: file.path.endsWith('.gz') },
        (content) => {
          line++
          if (line > options.format.skipLines) return spool.add(object, decode(content, place))
        },
        options.signal,
      )
      bytes += file.size
    }
    rows = await spool.close()
  } finally {
    await spool.abandon()
  }
  if (rows === 0) return { sql: emptyRelation(table), files: files.length, bytes }
  const columns = table.columns.map(
    (column, i) => `${fromText(`r.c${i}`, parseHiveType(column.type))} AS ${duckdbIdentifier(column.name)}`,
  )
  return {
    sql: withPlaces({
      table,
      files,
      source: `read_parquet('${spoolFile.replaceAll("'", "''")}', hive_partitioning = false)`,
      columns,
      on: 'object',
    }),
    files: files.length,
    bytes,
  }
}

function lineDecoder(table: CatalogTable, format: TextScanOptions['format']): LineDecoder {
  switch (format.kind) {
    case 'raw-lines':
      return (line) => [toUtf8(line)]
    case 'json':
      return jsonLineDecoder(table.columns, format)
    case 'delimited':
      return delimitedLineDecoder(table.columns, format)
    case 'open-csv':
      return openCsvLineDecoder(table.columns, format)
    case 'regex':
      return regexLineDecoder(table.columns.length, format.pattern)
  }
}

function fromText(source: string, type: HiveType): string {
  if (type.kind === 'varchar') return source
  if (type.kind === 'primitive') {
    if (type.name === 'string') return source
    if (type.name === 'binary') return `from_base64(${source})`
  }
  if (type.kind === 'array' || type.kind === 'map' || type.kind === 'struct') return fromJson(`CAST(${source} AS JSON)`, type)
  return `CAST(${source} AS ${duckdbTypeText(type)})`
}

/** Nested values arrive as JSON in which a map is a list of `{key, value}` (see scan-json). */
function fromJson(source: string, type: HiveType): string {
  const carrier = `CAST(${source} AS ${carrierType(type)})`
  return fromCarrier(carrier, type)
}

function carrierType(type: HiveType): string {
  switch (type.kind) {
    case 'array':
      return `${carrierType(type.element)}[]`
    case 'map':
      return `STRUCT("key" ${carrierType(type.key)}, "value" ${carrierType(type.value)})[]`
    case 'struct':
      return `STRUCT(${type.fields.map((field) => `${duckdbIdentifier(field.name)} ${carrierType(field.type)}`).join(', ')})`
    case 'primitive':
      return type.name === 'binary' ? 'VARCHAR' : duckdbTypeText(type)
    default:
      return duckdbTypeText(type)
  }
}

const needsRebuild = (type: HiveType): boolean => {
  switch (type.kind) {
    case 'array':
      return needsRebuild(type.element)
    case 'map':
      return true
    case 'struct':
      return type.fields.some((field) => needsRebuild(field.type))
    default:
      return type.kind === 'primitive' && type.name === 'binary'
  }
}

function fromCarrier(source: string, type: HiveType, depth = 0): string {
  if (!needsRebuild(type)) return source
  const item = `x${depth}`
  switch (type.kind) {
    case 'array':
      return `list_transform(${source}, lambda ${item}: ${fromCarrier(item, type.element, depth + 1)})`
    case 'map': {
      const key = fromCarrier(`${item}."key"`, type.key, depth + 1)
      const value = fromCarrier(`${item}."value"`, type.value, depth + 1)
      return `map_from_entries(list_transform(${source}, lambda ${item}: {'key': ${key}, 'value': ${value}}))`
    }
    case 'struct': {
      const fields = type.fields.map(
        (field) =>
          `${duckdbIdentifier(field.name)} := ${fromCarrier(`${source}.${duckdbIdentifier(field.name)}`, field.type, depth + 1)}`,
      )
      return `CASE WHEN ${source} IS NULL THEN NULL ELSE struct_pack(${fields.join(', ')}) END`
    }
    default:
      return `from_base64(${source})`
  }
}
