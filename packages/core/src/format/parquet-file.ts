import type { AsyncBuffer, Compressors, FileMetaData, SchemaElement } from 'hyparquet'
import type { ByteRanges } from './byte-ranges'
import { pageFault } from './parquet-pages'
import { exactParsers } from './parquet-value'

/** Bytes read from the end for the footer; a larger footer costs one more read. */
const footerBytes = 64 * 1024

/** A Parquet file whose footer has been read. */
export interface OpenParquet {
  readonly metadata: FileMetaData
  /** Values of the named columns for rows `start ≤ i < end`, with nothing lost: see `exactParsers`. */
  readColumns(names: readonly string[], start: number, end: number): Promise<Record<string, unknown[]>>
}

/** Reads the footer; the reason when there is no sound one. Errors of reading the bytes are thrown. */
export async function openParquet(ranges: ByteRanges, signal?: AbortSignal): Promise<OpenParquet | { readonly reason: string }> {
  const { parquetMetadataAsync, parquetScan } = await import('hyparquet')
  /** The column chunks that were checked last: the decoder takes them from here. */
  let checked: { readonly start: number; readonly bytes: Uint8Array }[] = []
  const read = async (start: number, end: number): Promise<Uint8Array> => {
    const held = checked.find((chunk) => chunk.start <= start && end <= chunk.start + chunk.bytes.length)
    if (held !== undefined) return held.bytes.subarray(start - held.start, end - held.start)
    try {
      signal?.throwIfAborted()
      return await ranges.read(start, end)
    } catch (error) {
      if (typeof error === 'object' && error !== null) sourceErrors.add(error)
      throw error
    }
  }
  const file: AsyncBuffer = {
    byteLength: ranges.byteLength,
    async slice(start, end = ranges.byteLength) {
      // hyparquet counts a negative start from the end.
      const from = start < 0 ? Math.max(0, ranges.byteLength + start) : start
      const bytes = await read(from, Math.min(end, ranges.byteLength))
      return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer
    },
  }
  const checkChunks = async (name: string, rowStart: number, rowEnd: number) => {
    checked = []
    let row = 0
    for (const group of found.row_groups) {
      const [from, to] = [row, row + Number(group.num_rows)]
      row = to
      if (to <= rowStart || from >= rowEnd) continue
      for (const { meta_data } of group.columns) {
        if (meta_data?.path_in_schema[0] !== name) continue
        const start = Number(meta_data.dictionary_page_offset || meta_data.data_page_offset)
        const end = start + Number(meta_data.total_compressed_size)
        if (!(start >= 0 && start <= end && end <= ranges.byteLength))
          throw new Error(`the column "${name}" lies outside of the file`)
        const bytes = await read(start, end)
        const fault = pageFault(bytes, {
          values: Number(meta_data.num_values),
          unpackedBytes: Number(meta_data.total_uncompressed_size),
        })
        if (fault !== undefined) throw new Error(`the column "${name}" has ${fault}`)
        checked.push({ start, bytes })
      }
    }
  }
  let found: FileMetaData
  try {
    found = await parquetMetadataAsync(file, { geoparquet: false, initialFetchSize: footerBytes })
  } catch (error) {
    signal?.throwIfAborted()
    if (isSourceError(error)) throw error
    return { reason: `it is no readable Parquet file (${(error as Error).message})` }
  }
  const metadata: FileMetaData = { ...found, schema: found.schema.map(plainElement) }
  let compressors: Compressors | undefined
  return {
    // With its annotations, for schemas shown to people.
    metadata: found,
    async readColumns(names, start, end) {
      if (names.length === 0) return {}
      const codecs = new Set(found.row_groups.flatMap(({ columns }) => columns.map(({ meta_data }) => meta_data?.codec)))
      if ([...codecs].some((codec) => codec !== 'SNAPPY' && codec !== 'UNCOMPRESSED')) {
        compressors ??= (await import('hyparquet-compressors')).compressors
      }
      const scan = await parquetScan({
        file,
        metadata,
        columns: [...names],
        rowStart: start,
        rowEnd: end,
        parsers: exactParsers as never,
        utf8: false,
        geoparquet: false,
        ...(compressors && { compressors }),
      })
      const columns: Record<string, unknown[]> = {}
      for (const name of names) {
        await checkChunks(name, start, end)
        let values: unknown[] = []
        for (const { rowStart, rowEnd } of scan.ranges) {
          const part = (await scan.readColumn({ column: name, rowStart, rowEnd })) as unknown as ArrayLike<unknown>
          values = values.length === 0 && Array.isArray(part) ? part : values.concat(Array.from(part))
        }
        if (values.length !== end - start) throw new Error(`the column "${name}" has ${values.length} values, not ${end - start}`)
        columns[name] = values
      }
      checked = []
      return columns
    },
  }
}

/**
 * Takes off the annotations that hyparquet would lose something by: decimals become doubles there, and maps become objects, whose keys are
 * texts.
 */
function plainElement(element: SchemaElement): SchemaElement {
  const { converted_type, logical_type, ...rest } = element
  const isMap = converted_type === 'MAP' || converted_type === 'MAP_KEY_VALUE' || logical_type?.type === 'MAP'
  return isDecimal(element) || isMap ? rest : element
}

/** Whether a column of the schema holds decimals. */
export function isDecimal({ converted_type, logical_type }: SchemaElement): boolean {
  return converted_type === 'DECIMAL' || logical_type?.type === 'DECIMAL'
}

/** The elements of the top level by name. */
export function topElements(schema: readonly SchemaElement[]): Map<string, SchemaElement> {
  const top = new Map<string, SchemaElement>()
  let at = 1
  const skip = (): void => {
    let left = schema[at++]?.num_children ?? 0
    while (left-- > 0) skip()
  }
  while (at < schema.length) {
    top.set(schema[at]!.name, schema[at]!)
    skip()
  }
  return top
}

/** An error of reading bytes, not of what they hold. */
export function isSourceError(error: unknown): boolean {
  return typeof error === 'object' && error !== null && sourceErrors.has(error)
}

const sourceErrors = new WeakSet<object>()
