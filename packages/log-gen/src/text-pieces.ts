/** Texts that are copied often, side by side in one memory. */
export interface TextPieces {
  bytes: Buffer
  /** The same bytes. */
  view: DataView
  used: number
  readonly start: Int32Array
  /** In bytes; −1 where there is no text yet. */
  readonly length: Int32Array
}

/** Bytes that a copy may touch behind the text. */
export const copySlack = 8

/** Room for so many texts. */
export function textPieces(places: number): TextPieces {
  return { ...memory(64), used: 0, start: new Int32Array(places), length: new Int32Array(places).fill(-1) }
}

function memory(size: number): Pick<TextPieces, 'bytes' | 'view'> {
  const bytes = Buffer.alloc(size)
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, size) }
}

/** Puts a text in its place. One that is there already is written over where it stands if it is not longer. */
export function setPiece(pieces: TextPieces, place: number, text: string): void {
  const length = Buffer.byteLength(text)
  if (length > (pieces.length[place] as number)) {
    const needed = pieces.used + length + copySlack
    if (needed > pieces.bytes.length) {
      const larger = memory(2 * needed)
      larger.bytes.set(pieces.bytes)
      Object.assign(pieces, larger)
    }
    pieces.start[place] = pieces.used
    pieces.used += length
  }
  pieces.length[place] = length
  pieces.bytes.write(text, pieces.start[place] as number)
}

/**
 * Copies a text, and up to {@link copySlack} bytes behind it. Returns where it ends.
 *
 * It goes by numbers of eight bytes, which measured faster than a loop over bytes or a call of set up to a few hundred bytes. They come
 * through unchanged: only a NaN might not, and no eight bytes of UTF-8 are one (its last two would be a first byte of four, 0xf0 or more,
 * and behind it 0x7f or 0xff, which cannot follow).
 */
export function copyPiece(target: DataView, at: number, { view, start, length }: TextPieces, place: number): number {
  const from = start[place] as number
  const size = length[place] as number
  for (let i = 0; i < size; i += 8) target.setFloat64(at + i, view.getFloat64(from + i, true), true)
  return at + size
}
