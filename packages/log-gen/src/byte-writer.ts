/** Bytes that grow at the end. Hot loops write into `view` themselves, after {@link reserve}. */
export interface ByteWriter {
  bytes: Buffer
  /** The same bytes. */
  view: DataView
  /** Bytes written so far. */
  at: number
}

/** An empty writer. */
export function byteWriter(size = 65_536): ByteWriter {
  const bytes = Buffer.allocUnsafe(size)
  return { bytes, view: viewOf(bytes), at: 0 }
}

function viewOf({ buffer, byteOffset, length }: Buffer): DataView {
  return new DataView(buffer, byteOffset, length)
}

/** Makes room for `count` more bytes. */
export function reserve(writer: ByteWriter, count: number): void {
  const needed = writer.at + count
  if (needed <= writer.bytes.length) return
  const larger = Buffer.allocUnsafe(Math.max(needed, writer.bytes.length * 2))
  larger.set(writer.bytes.subarray(0, writer.at))
  writer.bytes = larger
  writer.view = viewOf(larger)
}

/** Appends prepared bytes. */
export function writeBytes(writer: ByteWriter, part: Uint8Array): void {
  reserve(writer, part.length)
  writer.bytes.set(part, writer.at)
  writer.at += part.length
}

/** Appends text. */
export function writeText(writer: ByteWriter, text: string): void {
  // A UTF-16 unit is three bytes at most.
  reserve(writer, text.length * 3)
  writer.at += writer.bytes.write(text, writer.at)
}

/** Bytes that are copied often. They are followed by up to three more, so that whole words can be copied. */
export interface Piece {
  /** All of them. */
  readonly bytes: Buffer
  readonly words: DataView
  /** Bytes that count. */
  readonly length: number
}

/** A piece of text. */
export function pieceOf(text: string): Piece {
  const length = Buffer.byteLength(text)
  const bytes = Buffer.allocUnsafe((length + 3) & ~3).fill(0, length)
  bytes.write(text)
  return { bytes, words: viewOf(bytes), length }
}

/** Up to this length a loop over words copies faster than a call of set. */
const shortBytes = 56

/** Copies a piece. Returns where it ends. */
export function copyPiece(writer: ByteWriter, at: number, { bytes, words, length }: Piece): number {
  const { view } = writer
  if (length > shortBytes) writer.bytes.set(bytes, at)
  else for (let i = 0; i < length; i += 4) view.setInt32(at + i, words.getInt32(i, true), true)
  return at + length
}
