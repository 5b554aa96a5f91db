import { createHash } from 'node:crypto'
import { ConfigError, rawKey, type Window, windowOf, windowsBetween } from '@pipe/core'
import type { ProducerStamp } from '@pipe/core/internal'
import { compress, gzipCut } from './compression'
import { type EncodedFile, encodeFile } from './encoded-file'
import type { LogSource } from './lines'
import { type LogMessage, messagesOf } from './messages'
import { type Shard, whole } from './shard'

/** A span of files: each file whose start lies in `from ≤ start < to`. Both ends lie on a boundary of files. */
export interface FileRange {
  readonly from: Date | string | number
  readonly to: Date | string | number
  /** Files that the devices of each time are divided into, 1 to 1024. Default 1. */
  readonly shards?: number | undefined
}

/** One raw file as it is stored. */
export interface RawFile extends ProducerStamp {
  /** Relative to the location: `dt=2026-11-24/hour=15/device_logs-20261124T1531Z-0of1-1a2b3c4d.ndjson.gz`. */
  readonly key: string
  /** The time whose records the file holds. */
  readonly window: Window
  readonly shard: Shard
  /** As stored: compressed, cut, spoilt. */
  readonly body: Buffer
  readonly contentType: string
  /** Rows that cannot be decoded: behind the cut of the gzip, or in a gzip file whose name says that it is none. */
  readonly cutRows: number
  /** Its lines one by one, for sinks of records: as they are before compression and cuts. */
  messages(): Iterable<LogMessage>
}

/** Time and shard of each file of a span, in order. */
export function* filesOf(source: LogSource, range: FileRange): Generator<{ readonly window: Window; readonly shard: Shard }> {
  const shards = shardsOf(range.shards ?? 1)
  for (const window of fileWindows(source, range)) for (const shard of shards) yield { window, shard }
}

/** The windows of the files of a span, in order. */
export function fileWindows(source: LogSource, range: FileRange): Iterable<Window> {
  const boundary = (name: 'from' | 'to'): Date => {
    const at = windowOf(source.file, range[name])
    if (at.start.getTime() !== new Date(range[name]).getTime()) {
      throw new ConfigError(
        `"${name}" is ${new Date(range[name]).toISOString()}, which is not the start of a file of "${source.file}".`,
        {
          hint: `Use ${at.start.toISOString()} or ${at.end.toISOString()}.`,
        },
      )
    }
    return at.start
  }
  return windowsBetween(source.file, boundary('from'), boundary('to'))
}

function shardsOf(count: number): readonly Shard[] {
  if (!Number.isInteger(count) || count < 1 || count > 1024) {
    throw new ConfigError(`"shards" must be a whole number from 1 to 1024, not ${count}.`)
  }
  return count === 1 ? [whole] : Array.from({ length: count }, (_, index) => ({ index, of: count }))
}

/**
 * Checks a shard.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG`
 */
export function checkShard({ index, of }: Shard): void {
  shardsOf(of)
  if (!Number.isInteger(index) || index < 0 || index >= of) {
    throw new ConfigError(`"shard" has the index ${index}, which must be a whole number from 0 to ${of - 1}.`)
  }
}

/** What the metadata of the object says of the lines. */
export function stampFor({ bytes, rows }: EncodedFile): ProducerStamp {
  return { rows, rawBytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }
}

/** Key of a file, relative to its location. */
function keyOf(source: LogSource, window: Window, shard: Shard, extension: string): string {
  return rawKey({
    prefix: '',
    partitions: source.table.partitions,
    stream: source.table.name,
    at: window.start,
    shard,
    configHash: source.configHash,
    extension,
  })
}

/** Keys under which a file is stored, relative to its location: none when it is missing, two when it is redelivered. */
export function keysOf(source: LogSource, window: Window, shard: Shard, { rows, fault }: EncodedFile): string[] {
  if (fault === 'missing' || (rows === 0 && fault !== 'empty')) return []
  const { extension } = source['~lines']
  const key = keyOf(source, window, shard, fault === 'gzip-named-plain' ? extension.replace(/\.gz$/, '') : extension)
  return fault === 'redelivered' ? [key, keyOf(source, window, shard, `again.${extension}`)] : [key]
}

/** Makes the files of a window and shard: none when it has no line (nothing is written then) or is missing, two when it is redelivered. */
export function makeFiles(source: LogSource, window: Window, shard: Shard = whole): RawFile[] {
  const file = { start: window.start.getTime(), shard }
  const encoded = encodeFile(source, file)
  const keys = keysOf(source, window, shard, encoded)
  if (keys.length === 0) return []
  const { rows, readableRows } = encoded
  const { format } = source['~lines']
  const body = bodyOf(source, encoded)
  const made = {
    ...stampFor(encoded),
    window,
    shard,
    body,
    contentType:
      body[0] === 0x1f && body[1] === 0x8b ? 'application/gzip' : contentTypes[typeof format === 'object' ? 'lines' : format],
    cutRows: rows - readableRows,
    messages: () => messagesOf(source, file),
  }
  return keys.map((key) => ({ ...made, key }))
}

const contentTypes = {
  ndjson: 'application/x-ndjson',
  csv: 'text/csv',
  tsv: 'text/tab-separated-values',
  lines: 'text/plain',
  parquet: 'application/vnd.apache.parquet',
} as const

function bodyOf(source: LogSource, { bytes, rows, readableRows, readableBytes, fault, middle }: EncodedFile): Buffer {
  const { format, compression, level } = source['~lines']
  if (format === 'parquet' || fault === 'plain-named-gzip') return bytes
  if (fault === 'multi-member') {
    const members = [bytes.subarray(0, middle), bytes.subarray(middle)]
    return Buffer.concat(members.map((member) => compress(member, 'gzip', level)))
  }
  if (fault === undefined && readableRows < rows) return gzipCut(bytes.subarray(0, readableBytes), level)
  return compress(bytes, compression, level)
}
