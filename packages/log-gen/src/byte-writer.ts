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
