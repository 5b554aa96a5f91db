import { createReadStream } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { readCsv, readNdjson, readTsv, type Table } from '@pipe/core'
import { type DecodeFault, gunzipBytes, packingOf, unreadableRow } from '@pipe/core/internal'
import { type LineScanner, maxLineBytes, type ScanSink } from './line-scanner'

/** A raw file at hand: its bytes, or a path when it is large. */
export interface LoadedFile {
  /** Name for positions; its ending says how the file should be packed. */
  readonly name: string
  readonly content: Buffer | { readonly path: string }
  /** Rows by the producer's stamp. */
  readonly expectedRows?: number | undefined
}

/** How the rows of raw files are written. */
export interface RawFormat {
  readonly format: 'ndjson' | 'csv' | 'tsv'
  /** Whether the first row of a CSV or TSV file names its columns; else columns go by position. */
  readonly header: boolean
}

/** What became of a file's rows. */
export interface FileAccount {
  /** Rows to account for: lines of the file, or the stamped number when that is larger. */
  readonly rows: number
  readonly quarantinedRows: number
}

/** Compressed files up to this size are inflated in one call … */
const atOnceBytes = 16 * 1024 * 1024
/** … unless they hold more than this. */
const atOnceInflated = 64 * 1024 * 1024

/**
 * Reads a raw file into a sink: plain or gzip by its content. Whatever cannot be read goes to the sink as unreadable; content never
 * throws. The rules are those of core's readers; NDJSON has a fast way of its own.
 */
export async function scanFile(
  file: LoadedFile,
  table: Table,
  raw: RawFormat,
  scannerOf: (file: string, sink: ScanSink) => LineScanner,
  sink: ScanSink,
  signal: AbortSignal | undefined,
): Promise<FileAccount> {
  const { name, expectedRows } = file
  let quarantinedRows = 0
  let lastReason = ''
  const counting: ScanSink = {
    takeBytes: sink.takeBytes,
    takeRow: sink.takeRow,
    takeUnreadable(row) {
      quarantinedRows += row.rows
      lastReason = row.reason
      sink.takeUnreadable(row)
    },
  }
  if (raw.format !== 'ndjson') {
    const read = raw.format === 'csv' ? readCsv : readTsv
    const options = { table, file: name, expectedRows, header: raw.header, ...(signal && { signal }) }
    let readable = 0
    for await (const { rows, unreadable } of read(contentChunks(file), options)) {
      readable += rows.length
      rows.forEach(counting.takeRow)
      unreadable.forEach(counting.takeUnreadable)
    }
    return { rows: readable + quarantinedRows, quarantinedRows }
  }
  const start = await firstBytes(file)
  if (isMislabelled(start, name)) {
    for await (const { unreadable } of readNdjson(one(start), { table, file: name, expectedRows })) {
      unreadable.forEach(counting.takeUnreadable)
    }
    return { rows: quarantinedRows, quarantinedRows }
  }
  const scanner = scannerOf(name, counting)
  const whole = wholeContent(file, start)
  let fault: DecodeFault | undefined
  if (whole !== undefined) {
    const end = whole.lastIndexOf(10) + 1
    scanner.scan(whole.subarray(0, end))
    if (end < whole.length) scanner.scanLast(whole.subarray(end))
  } else fault = await scanStream(file, start, scanner, signal)

  const missing = expectedRows === undefined ? undefined : Math.max(0, expectedRows - scanner.lines)
  let extra = 0
  if (fault !== undefined) {
    // Without a stamp, a line that was cut in the middle already stands for the damage.
    const isCounted = missing === undefined && fault.mayCutLine && lastReason.endsWith(fault.reason)
    if (!isCounted && missing !== 0) {
      extra = missing ?? 1
      const known = missing === undefined ? 'the number of rows behind it is not known' : `${missing} rows behind it are lost`
      counting.takeUnreadable(unreadableRow({ file: name, reason: `${fault.reason}: ${known}`, rows: extra }))
    }
  } else if (missing !== undefined && missing > 0) {
    extra = missing
    const reason = `the producer wrote ${expectedRows} rows, the file holds ${scanner.lines}`
    counting.takeUnreadable(unreadableRow({ file: name, reason, rows: missing }))
  }
  return { rows: scanner.lines + extra, quarantinedRows }
}

/** The decoded content when it is small and sound; else `undefined`, and the way in pieces finds out what is wrong. */
function wholeContent({ content }: LoadedFile, start: Buffer): Buffer | undefined {
  if (!Buffer.isBuffer(content)) return undefined
  if (packingOf(start) !== 'gzip') return content
  if (content.length > atOnceBytes || content.length < 18) return undefined
  // The length of the last member: with it as the size of its pieces, zlib makes one piece and need not join any.
  const inflated = content.readUInt32LE(content.length - 4)
  if (inflated > atOnceInflated) return undefined
  try {
    // `info` returns the engine beside the bytes; the types do not know that.
    const { buffer, engine } = gunzipSync(content, {
      info: true,
      chunkSize: Math.max(1024, inflated + 64),
      maxOutputLength: atOnceInflated,
    } as object) as unknown as { buffer: Buffer; engine: { bytesWritten: number } }
    // zlib says nothing of bytes behind the last member.
    return engine.bytesWritten === content.length ? buffer : undefined
  } catch (error) {
    if (error instanceof RangeError || typeof (error as { code?: unknown }).code === 'string') return undefined
    throw error
  }
}

/** Scans piece by piece, with the memory of a few pieces and one line. Returns why the file ended early, if it did. */
async function scanStream(
  file: LoadedFile,
  start: Buffer,
  scanner: LineScanner,
  signal: AbortSignal | undefined,
): Promise<DecodeFault | undefined> {
  const source = contentChunks(file)
  const decoded = packingOf(start) === 'gzip' ? gunzipBytes(source) : { chunks: source, fault: () => undefined }
  let held: Buffer[] = []
  let heldBytes = 0
  let skipped = 0
  const hold = (bytes: Buffer) => {
    if (skipped > 0 || heldBytes + bytes.length > maxLineBytes) {
      // Too long for a line: only its beginning is kept, to be shown.
      skipped += bytes.length + (skipped === 0 ? heldBytes : 0)
      held = [Buffer.concat([...held, bytes.subarray(0, 8192)]).subarray(0, 8192)]
      heldBytes = held[0]!.length
    } else if (bytes.length > 0) {
      // A copy: the decoder may use its memory again.
      held.push(Buffer.from(bytes))
      heldBytes += bytes.length
    }
  }
  for await (const bytes of decoded.chunks) {
    signal?.throwIfAborted()
    let chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    if (skipped > 0) {
      const end = chunk.indexOf(10)
      if (end < 0) {
        hold(chunk)
        continue
      }
      scanner.skip(held[0]!, skipped + end, true)
      held = []
      heldBytes = 0
      skipped = 0
      chunk = chunk.subarray(end + 1)
    }
    const end = chunk.lastIndexOf(10) + 1
    if (end > 0) {
      scanner.scan(heldBytes > 0 ? Buffer.concat([...held, chunk.subarray(0, end)]) : chunk.subarray(0, end))
      held = []
      heldBytes = 0
    }
    hold(chunk.subarray(end))
  }
  const fault = decoded.fault()
  if (skipped > 0) scanner.skip(held[0]!, skipped, false)
  else if (heldBytes > 0) scanner.scanLast(Buffer.concat(held), fault?.mayCutLine ? fault.reason : undefined)
  return fault
}

async function* contentChunks({ content }: LoadedFile): AsyncGenerator<Uint8Array> {
  if (Buffer.isBuffer(content)) yield content
  else yield* createReadStream(content.path, { highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>
}

async function firstBytes({ content }: LoadedFile): Promise<Buffer> {
  if (Buffer.isBuffer(content)) return content.subarray(0, 16)
  const chunks: Buffer[] = []
  for await (const chunk of createReadStream(content.path, { end: 15 }) as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** Whether core's reader refuses the file by its first bytes: it then says why. */
function isMislabelled(start: Buffer, name: string): boolean {
  const packing = packingOf(start)
  if (packing === 'gzip') return !/\.(?:gz|gzip)$/i.test(name)
  return packing !== 'plain' || start.subarray(0, 4).equals(Buffer.from('PAR1'))
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
