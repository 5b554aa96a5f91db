import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createGunzip, gunzipSync } from 'node:zlib'
import { AthenaFailure } from './query-engine'

/** Longest line that Athena reads: 32 MB. */
export const maxLineBytes: number = 32 * 1024 * 1024

const newline = 0x0a
const carriageReturn = 0x0d

/** One text object to read. */
export interface TextFile {
  /** Local file with the bytes of the object. */
  readonly file: string
  /** `s3://bucket/key`, for errors. */
  readonly path: string
  /** Bytes of the object. */
  readonly size: number
  /** Gunzip it: decided by the ending of the key (`.gz`, lower case only), as Athena does. */
  readonly gzip: boolean
}

/**
 * Reads a text object line by line, as Hadoop's and Trino's line readers do: a line ends at `\n`, `\r\n` or a lone `\r`; a last line
 * without an end counts unless it is empty; a UTF-8 byte order mark at the very start is skipped; a gzip may have several members.
 * The buffer given to `onLine` is only valid during the call.
 *
 * @returns how many lines there were.
 * @throws {@link AthenaFailure} HIVE_CURSOR_ERROR for a damaged or truncated gzip and for a line over 32 MB, naming the object.
 */
export async function readLines(
  source: TextFile,
  onLine: (line: Buffer) => void | Promise<void>,
  signal?: AbortSignal,
): Promise<number> {
  const splitter = lineSplitter(source.path)
  let lines = 0
  const emit = async (found: readonly Buffer[]) => {
    for (const line of found) {
      lines++
      const pending = onLine(line)
      if (pending) await pending
    }
  }
  for await (const chunk of contentOf(source)) {
    signal?.throwIfAborted()
    await emit(splitter.push(chunk))
  }
  await emit(splitter.end())
  return lines
}

/** Objects up to this size are read in one go: a stream costs more than they do. */
const smallBytes = 256 * 1024
/** A small gzip that grows beyond this is streamed after all. */
const smallContentBytes = 16 * 1024 * 1024

/** The bytes of an object, unpacked. */
async function* contentOf(source: TextFile): AsyncGenerator<Buffer> {
  const whole = source.size <= smallBytes ? await smallContent(source) : undefined
  if (whole) {
    yield whole
    return
  }
  const raw = createReadStream(source.file, { highWaterMark: 256 * 1024 })
  const stream = source.gzip ? raw.pipe(createGunzip({ chunkSize: 256 * 1024 })) : raw
  // A failed pipe source does not destroy its target by itself.
  if (stream !== raw) raw.on('error', (error) => stream.destroy(error))
  try {
    for await (const chunk of stream) yield chunk as Buffer
  } catch (error) {
    throw asCursorError(error, source)
  } finally {
    raw.destroy()
    stream.destroy()
  }
}

async function smallContent(source: TextFile): Promise<Buffer | undefined> {
  const bytes = await readFile(source.file)
  if (!source.gzip) return bytes
  try {
    return gunzipSync(bytes, { maxOutputLength: smallContentBytes })
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE') return undefined
    throw asCursorError(error, source)
  }
}

function asCursorError(error: unknown, source: TextFile): unknown {
  const code = (error as { code?: unknown }).code
  if (typeof code === 'string' && code.startsWith('Z_')) {
    const reason = code === 'Z_BUF_ERROR' ? 'Unexpected end of input stream' : `not in gzip format (${(error as Error).message})`
    return new AthenaFailure(`HIVE_CURSOR_ERROR: Failed to read file at ${source.path}: ${reason}`, { type: 1100, cause: error })
  }
  return error
}

interface LineSplitter {
  push(chunk: Buffer): Buffer[]
  end(): Buffer[]
}

/** The line rule of {@link readLines} over chunks of any size. */
export function lineSplitter(path: string): LineSplitter {
  // Pieces of a line whose end has not come yet.
  let pending: Buffer[] = []
  let pendingBytes = 0
  // The last chunk ended in \r, so a \n at the start of the next belongs to it.
  let afterCarriageReturn = false
  // Bytes held back until it is clear whether the stream starts with a byte order mark.
  let head: Buffer | undefined = Buffer.alloc(0)

  const hold = (piece: Buffer) => {
    if (piece.length === 0) return
    pendingBytes += piece.length
    if (pendingBytes > maxLineBytes) {
      throw new AthenaFailure(`HIVE_CURSOR_ERROR: Failed to read file at ${path}: a line is longer than ${maxLineBytes} bytes`, {
        type: 1100,
      })
    }
    pending.push(piece)
  }
  const finish = (): Buffer => {
    const line = pending.length === 1 ? (pending[0] as Buffer) : Buffer.concat(pending)
    pending = []
    pendingBytes = 0
    return line
  }

  const split = (chunk: Buffer): Buffer[] => {
    const lines: Buffer[] = []
    let start = 0
    if (afterCarriageReturn && chunk.length > 0) {
      afterCarriageReturn = false
      if (chunk[0] === newline) start = 1
    }
    let nextNewline = chunk.indexOf(newline, start)
    let nextReturn = chunk.indexOf(carriageReturn, start)
    while (nextNewline !== -1 || nextReturn !== -1) {
      const isReturn = nextReturn !== -1 && (nextNewline === -1 || nextReturn < nextNewline)
      const end = isReturn ? nextReturn : nextNewline
      hold(chunk.subarray(start, end))
      lines.push(finish())
      start = end + 1
      if (isReturn) {
        if (start === chunk.length) afterCarriageReturn = true
        else if (chunk[start] === newline) start++
        nextReturn = chunk.indexOf(carriageReturn, start)
        if (nextNewline !== -1 && nextNewline < start) nextNewline = chunk.indexOf(newline, start)
      } else nextNewline = chunk.indexOf(newline, start)
    }
    hold(chunk.subarray(start))
    return lines
  }

  const isMark = (bytes: Buffer) => bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf
  return {
    push(chunk) {
      if (head === undefined) return split(chunk)
      head = head.length === 0 ? chunk : Buffer.concat([head, chunk])
      if (head.length < 3) return []
      const bytes = isMark(head) ? head.subarray(3) : head
      head = undefined
      return split(bytes)
    },
    end() {
      const lines = head === undefined ? [] : split(head)
      head = undefined
      if (pendingBytes > 0) lines.push(finish())
      return lines
    },
  }
}
