import { PipeError } from '@pipe/core'
import { ByteWriter, type ParquetWriter } from 'hyparquet-writer'
import { writePageHeader } from 'hyparquet-writer/src/datapage.js'
import { writeRleBitPackedHybrid } from 'hyparquet-writer/src/encoding.js'
import { nullDraw } from './cell'
import { dictionaryOf, type FlatColumn, type NumberRange, rangeOf } from './flat-column'

/** An element of a Parquet schema, and other parts of its metadata, as hyparquet-writer has them. */
export type SchemaElement = ParquetWriter['schema'][number]
type ColumnChunk = ParquetWriter['pendingIndexes'][number]['chunk']
type ColumnMetaData = NonNullable<ColumnChunk['meta_data']>
type Encoding = ColumnMetaData['encodings'][number]
type PageHeader = Parameters<typeof writePageHeader>[1]

/** What pages are compressed with. */
export interface PageCodec {
  readonly name: 'GZIP' | 'ZSTD' | 'UNCOMPRESSED'
  compress(bytes: Uint8Array): Uint8Array
}

/**
 * Writes a column chunk: the bytes that hyparquet-writer makes of the same values, from arrays of numbers and with one page, as a row group
 * is small enough. Texts have no statistics: least and greatest one of a file that holds all devices keep no reader from it.
 */
export function writeFlatColumn(out: ByteWriter, element: SchemaElement, column: FlatColumn, codec: PageCodec): ColumnChunk {
  const start = out.offset
  const rows = column.values.length
  const levels = levelsOf(element, column)
  const page = new ByteWriter(65_536)
  const range = rangeOf(column)
  if (element.type === 'INT32') checkInteger(element.name, range)
  const dictionary = dictionaryOf(column, range)
  let uncompressed = 0
  if (dictionary) {
    const size = dictionary.values.length
    uncompressed += writePage(out, codec, noBytes, plainBytes(element, { ...column, values: dictionary.values }, 0), {
      type: 'DICTIONARY_PAGE',
      dictionary_page_header: { num_values: size, encoding: 'PLAIN' },
    })
    const bitWidth = Math.ceil(Math.log2(size))
    page.appendUint8(bitWidth)
    writeRleBitPackedHybrid(page, dictionary.places, bitWidth)
  }
  const encoding: Encoding = dictionary ? 'RLE_DICTIONARY' : 'PLAIN'
  const bytes = dictionary ? page.getBytes() : plainBytes(element, column, levels.nulls)
  const dataStart = out.offset
  uncompressed += writePage(out, codec, levels.bytes, bytes, {
    type: 'DATA_PAGE_V2',
    data_page_header_v2: {
      num_values: rows,
      num_nulls: levels.nulls,
      num_rows: rows,
      encoding,
      definition_levels_byte_length: levels.bytes.length,
      repetition_levels_byte_length: 0,
      is_compressed: true,
    },
  })
  const meta_data: ColumnMetaData = {
    type: element.type as NonNullable<SchemaElement['type']>,
    encodings: dictionary ? ['PLAIN', encoding] : [encoding],
    path_in_schema: [element.name],
    codec: codec.name,
    num_values: BigInt(rows),
    total_compressed_size: BigInt(out.offset - start),
    total_uncompressed_size: BigInt(uncompressed),
    data_page_offset: BigInt(dataStart),
    ...(dictionary && { dictionary_page_offset: BigInt(start) }),
    ...(!column.texts && {
      statistics: statisticsOf(element, range, column.power, levels.nulls),
      encoding_stats: [
        ...(dictionary ? [{ page_type: 'DICTIONARY_PAGE', encoding: 'PLAIN', count: 1 } as const] : []),
        { page_type: 'DATA_PAGE_V2', encoding, count: 1 },
      ],
    }),
  }
  return { meta_data, file_offset: BigInt(start) }
}

const noBytes = new Uint8Array(0)

/** Which rows have a value. */
function levelsOf(
  { repetition_type }: SchemaElement,
  { values }: FlatColumn,
): { readonly bytes: Uint8Array; readonly nulls: number } {
  if (repetition_type === 'REQUIRED') return { bytes: noBytes, nulls: 0 }
  const levels = new Uint8Array(values.length)
  let present = 0
  for (let i = 0; i < values.length; i++) {
    if (values[i] === nullDraw) continue
    levels[i] = 1
    present++
  }
  const writer = new ByteWriter()
  writeRleBitPackedHybrid(writer, levels, 1)
  return { bytes: writer.getBytes(), nulls: values.length - present }
}

/** Returns the size of the page before compression, with its header. */
function writePage(
  out: ByteWriter,
  codec: PageCodec,
  levels: Uint8Array,
  bytes: Uint8Array,
  header: Omit<PageHeader, 'uncompressed_page_size' | 'compressed_page_size'>,
): number {
  const packed = codec.compress(bytes)
  const start = out.offset
  writePageHeader(out, {
    ...header,
    uncompressed_page_size: levels.length + bytes.length,
    compressed_page_size: levels.length + packed.length,
  })
  const headerSize = out.offset - start
  out.appendBytes(levels)
  out.appendBytes(packed)
  return headerSize + levels.length + bytes.length
}

/** Plain encoding (https://parquet.apache.org/docs/file-format/data-pages/encodings/): little-endian numbers, texts behind their lengths. */
function plainBytes({ type }: SchemaElement, { values, power, texts, numberBytes }: FlatColumn, nulls: number): Buffer {
  if (texts) return plainTexts(values, texts.texts)
  const bytes = Buffer.allocUnsafe((values.length - nulls) * numberBytes)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let at = 0
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number
    if (value === nullDraw) continue
    if (type === 'DOUBLE') view.setFloat64(at, value / power, true)
    else {
      // A store takes a number modulo 2^32.
      view.setInt32(at, value, true)
      if (type === 'INT64') view.setInt32(at + 4, Math.floor(value / 4_294_967_296), true)
    }
    at += numberBytes
  }
  return bytes
}

function plainTexts(places: Float64Array, texts: readonly string[]): Buffer {
  const parts: Buffer[] = []
  for (const place of places) {
    if (place === nullDraw) continue
    const text = Buffer.from(texts[place] as string)
    const length = Buffer.allocUnsafe(4)
    length.writeUInt32LE(text.length)
    parts.push(length, text)
  }
  return Buffer.concat(parts)
}

function statisticsOf(
  { type }: SchemaElement,
  { least, greatest }: NumberRange,
  power: number,
  nulls: number,
): NonNullable<ColumnMetaData['statistics']> {
  const shown = (value: number, zero: number) => {
    if (type === 'INT64') return BigInt(value)
    return value === 0 ? zero : value / power
  }
  return {
    // Zeros have the signs that make them least and greatest.
    ...(least <= greatest && { min_value: shown(least, -0), max_value: shown(greatest, 0) }),
    null_count: BigInt(nulls),
    ...(type === 'DOUBLE' && { nan_count: 0n }),
  }
}

function checkInteger(name: string, { least, greatest }: NumberRange): void {
  const wrong = least < -2_147_483_648 ? least : greatest
  if (least > greatest || (wrong >= -2_147_483_648 && wrong <= 2_147_483_647)) return
  throw new PipeError('PIPE_FORMAT_VALUE', `"${name}" is ${wrong}, which is no integer of 32 bits, so it cannot be written.`, {
    hint: 'Make it a bigint column, or keep the measure within "min" and "max".',
  })
}
