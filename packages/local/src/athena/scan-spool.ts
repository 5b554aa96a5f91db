import { type FileHandle, open } from 'node:fs/promises'
import { createThriftWriter, thrift } from './thrift'

/**
 * A Parquet file of text columns, written row by row with bounded memory: the form in which decoded text objects reach DuckDB. It
 * is exact for every string (quotes, newlines, zero bytes, 32 MB), which DuckDB's own text readers are not.
 */
export interface ScanSpool {
  readonly file: string
  /** Adds one row: the number of its object, then one value a column; `null` is NULL. Bytes must be valid UTF-8. Resolves to nothing when no flush is due. */
  add(object: number, values: readonly (Buffer | string | null)[]): Promise<void> | undefined
  /** Completes the file. Returns how many rows it has. */
  close(): Promise<number>
  /** Gives up the file handle without completing the file. Harmless after `close`. */
  abandon(): Promise<void>
}

/** A row group is written when its values pass this many bytes. */
const rowGroupBytes = 8 * 1024 * 1024
const rowGroupRows = 262_144

const magic = Buffer.from('PAR1')
/** Physical types, encodings and repetition of the Parquet format (parquet.thrift). */
const parquet = { int32: 1, byteArray: 6, plain: 0, rle: 3, required: 0, optional: 1, utf8: 0, dataPage: 0 } as const

interface Chunk {
  readonly offset: number
  readonly bytes: number
}

/** Starts a spool with columns `object` (INTEGER) and `c0` … `c<columns - 1>` (VARCHAR). */
export async function createScanSpool(file: string, columns: number): Promise<ScanSpool> {
  const handle = await open(file, 'w')
  const objects = growable()
  const values = Array.from({ length: columns }, growable)
  const present = Array.from({ length: columns }, () => [] as boolean[])
  const rowGroups: { rows: number; chunks: Chunk[] }[] = []
  let offset = 0
  let rows = 0
  let total = 0
  let bytes = 0

  const write = async (buffer: Buffer) => {
    await writeAll(handle, buffer)
    offset += buffer.length
  }
  const writePage = async (body: readonly Buffer[]): Promise<Chunk> => {
    const start = offset
    const size = body.reduce((sum, part) => sum + part.length, 0)
    await write(pageHeader(rows, size))
    for (const part of body) await write(part)
    return { offset: start, bytes: offset - start }
  }
  const flush = async () => {
    if (rows === 0) return
    const chunks = [await writePage([objects.bytes()])]
    for (const [column, buffer] of values.entries()) {
      chunks.push(await writePage([definitionLevels(present[column] as boolean[]), buffer.bytes()]))
    }
    rowGroups.push({ rows, chunks })
    objects.clear()
    for (const buffer of values) buffer.clear()
    for (const flags of present) flags.length = 0
    rows = 0
    bytes = 0
  }

  await write(magic)
  let open_ = true
  return {
    file,
    add(object, row) {
      objects.addInt32(object)
      for (let column = 0; column < columns; column++) {
        const value = row[column] ?? null
        ;(present[column] as boolean[]).push(value !== null)
        if (value !== null) bytes += (values[column] as Growable).addByteArray(value)
      }
      rows++
      total++
      return bytes >= rowGroupBytes || rows >= rowGroupRows ? flush() : undefined
    },
    async close() {
      await flush()
      const footer = fileMetadata(columns, total, rowGroups)
      const length = Buffer.alloc(4)
      length.writeInt32LE(footer.length)
      await write(Buffer.concat([footer, length, magic]))
      open_ = false
      await handle.close()
      return total
    },
    async abandon() {
      if (!open_) return
      open_ = false
      await handle.close()
    },
  }
}

async function writeAll(handle: FileHandle, buffer: Buffer): Promise<void> {
  let done = 0
  while (done < buffer.length) done += (await handle.write(buffer, done, buffer.length - done)).bytesWritten
}

interface Growable {
  addInt32(value: number): void
  /** Returns the bytes added. */
  addByteArray(value: Buffer | string): number
  bytes(): Buffer
  clear(): void
}

function growable(): Growable {
  let buffer = Buffer.allocUnsafe(4096)
  let length = 0
  const reserve = (more: number) => {
    if (length + more <= buffer.length) return
    const next = Buffer.allocUnsafe(Math.max(buffer.length * 2, length + more))
    buffer.copy(next, 0, 0, length)
    buffer = next
  }
  return {
    addInt32(value) {
      reserve(4)
      length = buffer.writeInt32LE(value, length)
    },
    addByteArray(value) {
      const size = typeof value === 'string' ? Buffer.byteLength(value) : value.length
      reserve(size + 4)
      length = buffer.writeInt32LE(size, length)
      length += typeof value === 'string' ? buffer.write(value, length) : value.copy(buffer, length)
      return size + 4
    },
    bytes: () => buffer.subarray(0, length),
    clear() {
      length = 0
      // One huge line must not keep its buffer for the rest of the scan.
      if (buffer.length > 2 * rowGroupBytes) buffer = Buffer.allocUnsafe(4096)
    },
  }
}

/** Definition levels of a flat optional column: RLE/bit-packed hybrid of width 1 behind a 4-byte length. */
function definitionLevels(present: readonly boolean[]): Buffer {
  const full = present.every(Boolean)
  const header = varint(full ? present.length * 2 : Math.ceil(present.length / 8) * 2 + 1)
  const body = Buffer.alloc(full ? 1 : Math.ceil(present.length / 8))
  if (full) body[0] = 1
  else for (const [i, flag] of present.entries()) if (flag) body[i >> 3] = (body[i >> 3] as number) | (1 << (i & 7))
  const length = Buffer.alloc(4)
  length.writeInt32LE(header.length + body.length)
  return Buffer.concat([length, header, body])
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  while (rest >= 0x80) {
    bytes.push((rest & 0x7f) | 0x80)
    rest = Math.floor(rest / 128)
  }
  bytes.push(rest)
  return Buffer.from(bytes)
}

function pageHeader(rows: number, size: number): Buffer {
  const writer = createThriftWriter()
  writer.struct([
    [1, thrift.i32, parquet.dataPage],
    [2, thrift.i32, size],
    [3, thrift.i32, size],
    [
      5,
      thrift.struct,
      [
        [1, thrift.i32, rows],
        [2, thrift.i32, parquet.plain],
        [3, thrift.i32, parquet.rle],
        [4, thrift.i32, parquet.rle],
      ],
    ],
  ])
  return writer.bytes()
}

function fileMetadata(columns: number, total: number, rowGroups: readonly { rows: number; chunks: readonly Chunk[] }[]): Buffer {
  const names = ['object', ...Array.from({ length: columns }, (_, i) => `c${i}`)]
  const writer = createThriftWriter()
  writer.struct([
    [1, thrift.i32, 1],
    [
      2,
      thrift.structs,
      [
        [
          [4, thrift.binary, 'scan'],
          [5, thrift.i32, names.length],
        ],
        ...names.map((name, i) =>
          i === 0
            ? ([
                [1, thrift.i32, parquet.int32],
                [3, thrift.i32, parquet.required],
                [4, thrift.binary, name],
              ] as const)
            : ([
                [1, thrift.i32, parquet.byteArray],
                [3, thrift.i32, parquet.optional],
                [4, thrift.binary, name],
                [6, thrift.i32, parquet.utf8],
              ] as const),
        ),
      ],
    ],
    [3, thrift.i64, total],
    [
      4,
      thrift.structs,
      rowGroups.map(
        (group) =>
          [
            [1, thrift.structs, group.chunks.map((chunk, i) => columnChunk(chunk, names[i] as string, i === 0, group.rows))],
            [2, thrift.i64, group.chunks.reduce((sum, chunk) => sum + chunk.bytes, 0)],
            [3, thrift.i64, group.rows],
          ] as const,
      ),
    ],
    [6, thrift.binary, 'pipe local athena'],
  ])
  return writer.bytes()
}

function columnChunk(chunk: Chunk, name: string, isObject: boolean, rows: number) {
  return [
    [2, thrift.i64, chunk.offset],
    [
      3,
      thrift.struct,
      [
        [1, thrift.i32, isObject ? parquet.int32 : parquet.byteArray],
        [2, thrift.i32s, [parquet.plain, parquet.rle]],
        [3, thrift.binaries, [name]],
        [4, thrift.i32, 0],
        [5, thrift.i64, rows],
        [6, thrift.i64, chunk.bytes],
        [7, thrift.i64, chunk.bytes],
        [9, thrift.i64, chunk.offset],
      ],
    ],
  ] as const
}
