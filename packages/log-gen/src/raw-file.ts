import { createHash } from 'node:crypto'
import { ConfigError, rawKey, type Window, windowOf, windowsBetween } from '@pipe/core'
import type { ProducerStamp } from '@pipe/core/internal'
import { byteWriter } from './byte-writer'
import { gzipCut, gzipWhole } from './gzip'
import type { LogFormat, LogSource } from './lines'

/** A span of files: each file whose start lies in `from ≤ start < to`. Both ends lie on a boundary of files. */
export interface FileRange {
  readonly from: Date | string | number
  readonly to: Date | string | number
}

/** One raw file as it is stored. */
export interface RawFile extends ProducerStamp {
  /** Relative to the location: `dt=2026-11-24/hour=15/device_logs-20261124T1531Z-0of1-1a2b3c4d.ndjson.gz`. */
  readonly key: string
  /** The time whose records the file holds. */
  readonly window: Window
  /** Gzip. */
  readonly body: Buffer
  /** Rows behind the cut of the gzip; 0 when it is whole. */
  readonly cutRows: number
}

/** Lines of one file before compression. */
export interface EncodedFile {
  readonly bytes: Buffer
  readonly rows: number
  /** Bytes and rows in front of the cut; all of them when there is none. */
  readonly readableBytes: number
  readonly readableRows: number
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

/** Encodes the lines of the file that starts at the instant. */
export function encodeFile(source: LogSource, start: Date, format: LogFormat = 'ndjson'): EncodedFile {
  const lines = source['~lines']
  const writer = byteWriter()
  const ends: number[] = []
  lines.visit(start.getTime(), (line) => {
    lines.write(format, writer, line)
    ends.push(writer.at)
  })
  const bytes = writer.bytes.subarray(0, writer.at)
  const rows = ends.length
  const readableRows = lines.rowsBeforeCut(start.getTime(), rows) ?? rows
  return { bytes, rows, readableRows, readableBytes: readableRows === 0 ? 0 : (ends[readableRows - 1] as number) }
}

/** What the metadata of the object says of the lines. */
export function stampFor({ bytes, rows }: EncodedFile): ProducerStamp {
  return { rows, rawBytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }
}

/** Key of the file of a window, relative to its location. */
export function fileKey(source: LogSource, window: Window): string {
  return rawKey({
    prefix: '',
    partitions: source.table.partitions,
    stream: source.table.name,
    at: window.start,
    configHash: source.configHash,
    extension: 'ndjson.gz',
  })
}

/** Makes the file of a window; `undefined` when it has no line, for then nothing is written. */
export function makeFile(source: LogSource, window: Window): RawFile | undefined {
  const encoded = encodeFile(source, window.start)
  const { bytes, rows, readableRows, readableBytes } = encoded
  if (rows === 0) return undefined
  const body = readableRows < rows ? gzipCut(bytes.subarray(0, readableBytes)) : gzipWhole(bytes)
  return { ...stampFor(encoded), key: fileKey(source, window), window, body, cutRows: rows - readableRows }
}
