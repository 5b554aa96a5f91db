import { byteWriter, writeText } from './byte-writer'
import type { FileFaultKind } from './file-fault'
import type { LineBlock } from './line-block'
import type { LineLayout } from './line-layout'
import type { LineSource, LogSource } from './lines'
import type { LogFormat } from './log-format'
import { parquetFile } from './parquet-file'
import type { FileId } from './shard'

/** A file before compression. */
export interface EncodedFile {
  readonly bytes: Buffer
  /** Lines as a reader counts them; rows of a Parquet file. */
  readonly rows: number
  /** Bytes and rows in front of the cut; all of them when there is none. */
  readonly readableBytes: number
  readonly readableRows: number
  readonly fault: FileFaultKind | undefined
  /** A line end near the middle, for files of two members. */
  readonly middle: number
}

// Bytes to begin with, by what the last file of a source needed. No result depends on it.
const sizes = new WeakMap<LineSource, number>()

const nothing: Buffer = Buffer.alloc(0)

/** Encodes the lines of a file. */
export function encodeFile(
  source: LogSource,
  file: FileId,
  format: LogFormat | LineLayout = source['~lines'].format,
): EncodedFile {
  const lines = source['~lines']
  const fault = lines.fileFault(file)
  if (fault === 'missing' || fault === 'empty') {
    return { bytes: nothing, rows: 0, readableBytes: 0, readableRows: 0, fault, middle: 0 }
  }
  if (format === 'parquet') {
    const { bytes, rows } = parquetFile(source, file)
    return { bytes, rows, readableBytes: bytes.length, readableRows: rows, fault, middle: 0 }
  }
  const writer = byteWriter(sizes.get(lines))
  const { fileStart, write } = lines.writer(format)
  if (fileStart !== '') writeText(writer, fileStart)
  // Ends of lines are kept only where something is done to them.
  const ends: number[] | undefined = fault !== undefined || lines.rowsBeforeCut(file, 2) !== undefined ? [] : undefined
  let rows = 0
  lines.visitBlocks(file, (block) => {
    const from = writer.at
    write(writer, block)
    rows += block.count + noteEnds(writer.bytes, from, block, ends)
  })
  const bytes = writer.bytes.subarray(0, writer.at)
  // An eighth more than the last file needed, so that the next one need not grow.
  sizes.set(lines, Math.max(65_536, Math.ceil(bytes.length * 1.125)))
  const all = { bytes, rows, readableBytes: bytes.length, readableRows: rows, fault, middle: 0 }
  if (!ends) return all
  if (fault !== undefined) return spoil(all, ends)
  const readableRows = lines.rowsBeforeCut(file, rows)
  return readableRows === undefined ? all : { ...all, readableRows, readableBytes: ends[readableRows - 1] as number }
}

/**
 * Appends where the lines of a block end. Returns by how many they are more than the records: a split line is two. A function of its own, as
 * a loop in one that is made for each file is compiled again for each file.
 */
function noteEnds(bytes: Buffer, start: number, { count, malformed, end }: LineBlock, ends: number[] | undefined): number {
  let from = start
  let more = 0
  for (let i = 0; i < count; i++) {
    if (malformed[i] === 'split-line') {
      more++
      ends?.push(bytes.indexOf(10, from) + 1)
    }
    from = end[i] as number
    ends?.push(from)
  }
  return more
}

function spoil(file: EncodedFile, ends: readonly number[]): EncodedFile {
  const { bytes, rows, fault } = file
  const changed = (to: Buffer) => ({ ...file, bytes: to, readableBytes: to.length })
  switch (fault) {
    case 'byte-order-mark':
      return changed(Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), bytes]))
    case 'crlf':
      return changed(joinLines(bytes, ends, '', '\r\n', '\r\n'))
    case 'array':
      return changed(joinLines(bytes, ends, '[', ',\n', ']\n'))
    case 'cut-line': {
      const start = ends.at(-2) ?? 0
      const length = bytes.length - start
      // A blank last line has nothing to be cut.
      return length < 3 ? { ...file, fault: undefined } : changed(bytes.subarray(0, start + 1 + ((length - 2) >>> 1)))
    }
    case 'gzip-named-plain':
      return { ...file, readableBytes: 0, readableRows: 0 }
    case 'multi-member':
      return rows < 2 ? { ...file, fault: undefined } : { ...file, middle: ends[rows >>> 1] as number }
    default:
      return file
  }
}

function joinLines(bytes: Buffer, ends: readonly number[], start: string, between: string, end: string): Buffer {
  const parts: Buffer[] = [Buffer.from(start)]
  ends.forEach((at, i) => {
    parts.push(bytes.subarray(i === 0 ? 0 : (ends[i - 1] as number), at - 1), Buffer.from(i === ends.length - 1 ? end : between))
  })
  return Buffer.concat(parts)
}
