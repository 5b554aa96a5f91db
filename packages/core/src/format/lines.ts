import { isAscii, isUtf8 } from 'node:buffer'

/** One line of text with its position. */
export interface Line {
  /** Without its line end. With replacement characters when the bytes are no UTF-8; cut when the line is too long. */
  readonly text: string
  /** 1-based. */
  readonly number: number
  /** Offset of its first byte. */
  readonly offset: number
  /** The line end behind it; only the last line may have none. */
  readonly end: '\n' | '\r\n' | ''
  /** Why the line cannot be read, a clause: `is not UTF-8`. */
  readonly fault?: string
}

/** Default of `maxLineBytes`, 32 MB: the limit of one line in Athena. */
export const defaultMaxLineBytes: number = 32 * 1024 * 1024

/** Bytes of an over-long line that are kept, to be shown. */
const shownBytes = 4096

/**
 * Splits UTF-8 bytes into lines, in batches. LF and CRLF end a line (a lone CR is part of it); a byte order mark at the very start is
 * dropped; a last line without line end counts. Lines that are no UTF-8 or longer than `maxLineBytes` come with a fault; the latter
 * are skipped without being held in memory.
 */
export async function* splitLines(
  source: AsyncIterable<Uint8Array>,
  options: { readonly maxLineBytes?: number } = {},
): AsyncGenerator<Line[]> {
  const maxLineBytes = options.maxLineBytes ?? defaultMaxLineBytes
  let number = 1
  let offset = 0
  let isStart = true
  // The beginning of a line whose end has not come yet.
  let pending: Buffer[] = []
  let pendingLength = 0
  // Bytes of the over-long line that is being skipped; 0 when none is.
  let skipped = 0

  for await (const bytes of source) {
    if (bytes.length === 0) continue
    let chunk: Buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    if (isStart) {
      // A mark may arrive in pieces.
      chunk = pendingLength > 0 ? Buffer.concat([...pending, chunk]) : chunk
      pending = []
      pendingLength = 0
      if (chunk.length < 3 && [0xef, 0xbb].every((byte, i) => chunk[i] === undefined || chunk[i] === byte)) {
        pending = [Buffer.from(chunk)]
        pendingLength = chunk.length
        continue
      }
      isStart = false
      if (chunk[0] === 0xef && chunk[1] === 0xbb && chunk[2] === 0xbf) {
        chunk = chunk.subarray(3)
        offset = 3
      }
    }
    const last = chunk.lastIndexOf(10)
    if (last < 0) {
      hold(chunk)
      continue
    }
    const lines: Line[] = []
    let start = 0
    if (pendingLength > 0 || skipped > 0) {
      const end = chunk.indexOf(10)
      hold(chunk.subarray(0, end))
      lines.push(takePending(true))
      start = end + 1
    }
    if (start <= last) addLines(chunk.subarray(start, last), lines)
    yield lines
    if (last + 1 < chunk.length) hold(chunk.subarray(last + 1))
  }
  if (pendingLength > 0 || skipped > 0) yield [takePending(false)]

  /** Adds the lines of complete text (the last line end cut off). */
  function addLines(block: Buffer, lines: Line[]): void {
    if (isAscii(block)) {
      // One decoding for the whole block, and offsets for nothing.
      for (const text of block.toString('latin1').split('\n')) addLine(text, text.length, lines)
    } else if (isUtf8(block)) {
      for (const text of block.toString().split('\n')) addLine(text, Buffer.byteLength(text), lines)
    } else {
      for (let start = 0; start <= block.length; ) {
        const found = block.indexOf(10, start)
        const end = found < 0 ? block.length : found
        const line = block.subarray(start, end)
        addLine(line.toString(), line.length, lines, isUtf8(line) ? undefined : 'is not UTF-8')
        start = end + 1
      }
    }
  }

  function addLine(text: string, length: number, lines: Line[], fault?: string): void {
    if (length > maxLineBytes) lines.push(makeLine(text.slice(0, shownBytes), '\n', tooLong()))
    else if (text.charCodeAt(text.length - 1) === 13) lines.push(makeLine(text.slice(0, -1), '\r\n', fault))
    else lines.push(makeLine(text, '\n', fault))
    number++
    offset += length + 1
  }

  function makeLine(text: string, end: Line['end'], fault: string | undefined): Line {
    return fault === undefined ? { text, number, offset, end } : { text, number, offset, end, fault }
  }

  function tooLong(): string {
    return `is longer than ${maxLineBytes} bytes`
  }

  function hold(bytes: Buffer): void {
    if (skipped === 0 && pendingLength + bytes.length > maxLineBytes) {
      skipped = pendingLength + bytes.length
      pending = [Buffer.concat([...pending, bytes]).subarray(0, shownBytes)]
      pending = [Buffer.from(pending[0]!)]
      pendingLength = pending[0]!.length
    } else if (skipped > 0) skipped += bytes.length
    else if (bytes.length > 0) {
      // A copy: the source may reuse its memory, and a slice would keep a whole chunk alive.
      pending.push(Buffer.from(bytes))
      pendingLength += bytes.length
    }
  }

  function takePending(isTerminated: boolean): Line {
    const bytes = pending.length === 1 ? pending[0]! : Buffer.concat(pending)
    const length = skipped > 0 ? skipped : bytes.length
    const fault = skipped > 0 ? tooLong() : isUtf8(bytes) ? undefined : 'is not UTF-8'
    const text = bytes.toString()
    const isCrLf = isTerminated && skipped === 0 && bytes[bytes.length - 1] === 13
    const line = makeLine(isCrLf ? text.slice(0, -1) : text, isCrLf ? '\r\n' : isTerminated ? '\n' : '', fault)
    pending = []
    pendingLength = 0
    skipped = 0
    number++
    offset += length + 1
    return line
  }
}
