import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { S3Client } from '@aws-sdk/client-s3'
import { byteReader } from './byte-reader'
import { ConfigError, PipeError } from './error'
import { type ByteRanges, fileRanges } from './format/byte-ranges'
import { gunzipBytes, packingOf } from './format/compression'
import { openParquet } from './format/parquet-file'
import { readRows } from './format/rows'
import { type FileFormat, formatOfName, formatOfText, isOrc, isParquet } from './format/sniff'
import { readUntyped, untypedParquet } from './format/untyped'
import type { S3Location } from './location'
import { checkOptions } from './options'
import type { UnreadableRow } from './quarantine'
import { createObjectStore } from './s3-object-store'
import type { Table } from './table'

/** What {@link peek} takes. */
export interface PeekOptions {
  /** Rows to return, at most. Default 10. */
  readonly rows?: number | undefined
  /** Only rows whose columns equal these values; a value is compared by its text, `null` with a missing one. Default all rows. */
  readonly where?: Readonly<Record<string, string | number | bigint | boolean | null>> | undefined
  /** Columns to return. Default all. */
  readonly columns?: readonly string[] | undefined
  /** Reads typed rows of this contract. Default: values as they stand in the file (text for CSV and TSV, whose first row names them). */
  readonly table?: Table | undefined
  /** Default: told by the bytes, and for text also by the name. */
  readonly format?: FileFormat | undefined
  /** Default: one made from the standard environment. */
  readonly client?: S3Client | undefined
  /** An abort ends the work and rejects with its own `reason`. */
  readonly signal?: AbortSignal | undefined
}

/** Bytes that are read to tell the format. */
const firstRangeBytes = 16 * 1024

/** Unreadable rows that are kept: a filter that nothing fits reads the whole file, of any size. */
const maxUnreadable = 100

/** The first rows of a file. */
export interface Peeked {
  readonly file: string
  readonly format: FileFormat
  readonly isGzip: boolean
  /** Bytes as stored. */
  readonly sizeBytes: number
  /** Rows of the whole file; only Parquet tells it without reading everything. */
  readonly totalRows?: number | undefined
  readonly rows: readonly Readonly<Record<string, unknown>>[]
  /** Rows that could not be read on the way to these: the first 100 entries. */
  readonly unreadable: readonly UnreadableRow[]
  /** Number of all rows that could not be read on the way to these. */
  readonly unreadableRows: number
}

/**
 * Shows the first rows of one file, on S3 or on disk, and reads no more of it than is needed: a text file until enough rows are found, a
 * Parquet file by ranges. The format is told by the bytes (Parquet, NDJSON, CSV, TSV; gzip).
 *
 * @throws {@link PipeError} `PIPE_FORMAT_UNSUPPORTED` for ORC and other formats, `PIPE_OBJECT_ABSENT` when there is no such file,
 * `PIPE_FORMAT_FILE` for a damaged Parquet footer.
 * @example
 * ```ts
 * const { rows } = await peek('s3://lake/raw/a.ndjson.gz', { rows: 3, where: { device_name: 'd1' } })
 * ```
 */
export async function peek(file: string, options: PeekOptions = {}): Promise<Peeked> {
  checkOptions('peek', options, { optional: ['rows', 'where', 'columns', 'table', 'format', 'client', 'signal'] })
  const { rows: limit = 10, where = {}, signal } = options
  if (!Number.isInteger(limit) || limit < 1) throw new ConfigError(`peek needs a whole number of rows, not ${limit}.`)
  const opened = await openFile(file, options)
  const input = byteReader(opened.stream())
  try {
    await input.fill(firstRangeBytes)
    const start = input.peek()
    if (isOrc(start)) throw unsupported(file, 'ORC')
    const packing = packingOf(start)
    if (packing === 'zstd' || packing === 'bzip2') throw unsupported(file, packing)
    const base = { file, isGzip: packing === 'gzip', sizeBytes: opened.sizeBytes }
    if (isParquet(start)) {
      await input.close()
      return { ...base, format: 'parquet', ...(await peekParquet(file, await opened.ranges(), limit, options)) }
    }
    const head = packing === 'gzip' ? await firstBytes(start) : start
    const format = options.format ?? textFormat(file, head)
    const source = restOf(input)
    const batches = options.table
      ? // The name is given an ending that fits, as peek goes by the bytes.
        readRows({
          table: options.table,
          file: base.isGzip ? `${file}.gz` : file,
          source,
          format,
          header: hasHeader(options.table, head),
          signal,
        })
      : readUntyped(source, { file, format, signal })
    const found: Record<string, unknown>[] = []
    const unreadable: UnreadableRow[] = []
    let unreadableRows = 0
    for await (const batch of batches) {
      for (const entry of batch.unreadable) {
        unreadableRows += entry.rows
        if (unreadable.length < maxUnreadable) unreadable.push({ ...entry, file })
      }
      for (const row of batch.rows as Record<string, unknown>[]) {
        if (found.length < limit && matches(row, where)) found.push(pick(row, options.columns))
      }
      if (found.length >= limit) break
    }
    return { ...base, format, rows: found, unreadable, unreadableRows }
  } finally {
    await input.close()
  }
}

function unsupported(file: string, what: string): PipeError {
  return new PipeError('PIPE_FORMAT_UNSUPPORTED', `${file} is ${what}, which cannot be read here.`, {
    hint: 'Parquet, NDJSON, CSV and TSV can, the last three also as gzip.',
  })
}

interface OpenFile {
  readonly sizeBytes: number
  stream(): AsyncIterable<Uint8Array>
  ranges(): Promise<ByteRanges>
}

async function openFile(file: string, options: PeekOptions): Promise<OpenFile> {
  const absent = (cause?: unknown) =>
    new PipeError('PIPE_OBJECT_ABSENT', `There is no file ${file}.`, { hint: 'Check bucket, key and path.', cause })
  if (!file.startsWith('s3://')) {
    const found = await stat(file).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'ENOENT' || error.code === 'ENOTDIR' ? absent(error) : error
    })
    if (found.isDirectory()) throw new ConfigError(`${file} is a folder.`, { hint: 'peek shows one file: name it.' })
    const sizeBytes = found.size
    return {
      sizeBytes,
      stream: () => createReadStream(file, options.signal ? { signal: options.signal } : {}),
      ranges: () => fileRanges(file),
    }
  }
  const match = /^(s3:\/\/[^/]+\/)(.+)$/s.exec(file)
  if (!match) throw new ConfigError(`${file} names no object.`, { code: 'PIPE_LOCATION', hint: 'Write s3://bucket/key.' })
  const location = match[1] as S3Location
  const key = match[2]!
  const store = createObjectStore({ location, ...(options.client && { client: options.client }) })
  const signal = options.signal ? { signal: options.signal } : {}
  const head = await store
    .head(key, signal)
    .then((found) => found ?? Promise.reject(absent()))
    .catch((error: unknown) => {
      if (!options.client) store.close()
      throw error
    })
  const read = async (range: { readonly start: number; readonly end: number }) => {
    const body = await store.get(key, { ...signal, ifMatch: head.etag, range })
    if (!body) throw absent()
    return body
  }
  return {
    sizeBytes: head.size,
    async *stream() {
      if (head.size === 0) return
      try {
        // The beginning tells the format; the rest is asked for only when it is wanted.
        const end = Math.min(head.size, firstRangeBytes)
        yield await (await read({ start: 0, end })).bytes()
        if (head.size > end) yield* (await read({ start: end, end: head.size })).stream() as AsyncIterable<Uint8Array>
      } finally {
        // The store of ranges is made again; this one has done its work.
        if (!options.client) store.close()
      }
    },
    async ranges() {
      const own = options.client ? store : createObjectStore({ location })
      return {
        byteLength: head.size,
        async read(start, end) {
          const body = await own.get(key, { ...signal, ifMatch: head.etag, range: { start, end } })
          if (!body) throw absent()
          return body.bytes()
        },
        close: async () => own.close(),
      }
    },
  }
}

async function firstBytes(packed: Uint8Array): Promise<Uint8Array> {
  const { chunks } = gunzipBytes(
    (async function* () {
      yield packed
    })(),
    { maxBytes: 64 * 1024 },
  )
  for await (const chunk of chunks) return chunk
  return new Uint8Array()
}

function textFormat(file: string, head: Uint8Array): FileFormat {
  const text = Buffer.from(head.buffer, head.byteOffset, Math.min(head.byteLength, 4096)).toString()
  // An object is NDJSON whatever the name says; commas and tabs may stand in either format, so there the name decides.
  const seen = formatOfText(text)
  const named = formatOfName(file).format
  return seen === 'ndjson' || named === undefined || named === 'ndjson' || named === 'parquet' ? seen : named
}

/** Whether the first line names columns of the table. */
function hasHeader(table: Table, head: Uint8Array): boolean {
  const first = Buffer.from(head)
    .toString()
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/, 1)[0]!
    .toLowerCase()
  return first.split(/[,\t]/).every((name) => Object.hasOwn(table.columns, name.replaceAll('"', '')))
}

async function* restOf(input: ReturnType<typeof byteReader>): AsyncGenerator<Uint8Array> {
  while (await input.fill(1)) {
    const bytes = input.peek()
    input.take(bytes.length)
    yield bytes
  }
}

function matches(row: Readonly<Record<string, unknown>>, where: NonNullable<PeekOptions['where']>): boolean {
  for (const [name, wanted] of Object.entries(where)) {
    const value = row[name] ?? null
    if (value === null || wanted === null) {
      if (value !== wanted) return false
    } else if (value instanceof Date ? value.getTime() !== new Date(String(wanted)).getTime() : String(value) !== String(wanted))
      return false
  }
  return true
}

function pick(row: Record<string, unknown>, columns: readonly string[] | undefined): Record<string, unknown> {
  return columns ? Object.fromEntries(columns.map((name) => [name, row[name] ?? null])) : row
}

async function peekParquet(
  file: string,
  ranges: ByteRanges,
  limit: number,
  options: PeekOptions,
): Promise<Pick<Peeked, 'rows' | 'unreadable' | 'unreadableRows' | 'totalRows'>> {
  const { where = {}, columns, signal } = options
  try {
    const opened = await openParquet(ranges, signal)
    if ('reason' in opened) {
      throw new PipeError('PIPE_FORMAT_FILE', `${file}: ${opened.reason}.`, { hint: 'The file is damaged or was not finished.' })
    }
    const reader = untypedParquet(opened, options.table)
    for (const name of [...Object.keys(where), ...(columns ?? [])]) {
      if (!reader.names.includes(name)) {
        throw new ConfigError(`${file} has no column "${name}".`, { hint: `Its columns are ${reader.names.join(', ')}.` })
      }
    }
    const filters = Object.keys(where)
    const wanted = columns ?? reader.names
    const rows: Record<string, unknown>[] = []
    let start = 0
    for (const group of opened.metadata.row_groups) {
      const end = start + Number(group.num_rows)
      // Without a filter only the first pages; with one, the columns of the filter first.
      const until = filters.length === 0 ? Math.min(end, start + limit - rows.length) : end
      const tested = filters.length === 0 ? undefined : await reader.read(filters, start, until)
      const hits = Array.from({ length: until - start }, (_, i) => i).filter((i) => !tested || matches(tested[i]!, where))
      const taken = hits.slice(0, limit - rows.length)
      if (taken.length > 0) {
        const from = start + taken[0]!
        const found = await reader.read(wanted, from, start + taken.at(-1)! + 1)
        for (const i of taken) rows.push(found[start + i - from]!)
      }
      if (rows.length >= limit) break
      start = end
    }
    return { rows, unreadable: [], unreadableRows: 0, totalRows: Number(opened.metadata.num_rows) }
  } finally {
    await ranges.close()
  }
}
