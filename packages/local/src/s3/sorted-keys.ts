/**
 * Keys in the order of S3: by the bytes of their UTF-8 form. JavaScript compares UTF-16 units, which differs for characters beyond
 * U+FFFF, so keys are held in an order-preserving form ({@link utf8Order}).
 */

/** Maps a key to a string whose native `<` order is the UTF-8 byte order of the key. Nearly every key maps to itself. */
export function utf8Order(key: string): string {
  // Surrogates (parts of the highest characters) move above U+E000–U+FFFF; these move down. One to one, so it can be undone.
  return /[\ud800-\uffff]/.test(key) ? shift(key, (unit) => (unit >= 0xe000 ? unit - 0x800 : unit + 0x2000)) : key
}

/** Undoes {@link utf8Order}. */
export function fromUtf8Order(ordered: string): string {
  return /[\ud800-\uffff]/.test(ordered) ? shift(ordered, (unit) => (unit >= 0xf800 ? unit - 0x2000 : unit + 0x800)) : ordered
}

function shift(text: string, map: (unit: number) => number): string {
  let result = ''
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    result += String.fromCharCode(unit < 0xd800 ? unit : map(unit))
  }
  return result
}

/** A position in the sorted keys. Valid until the next change. */
export interface KeyCursor {
  /** The key here, in ordered form, or undefined behind the last one. */
  key(): string | undefined
  next(): void
}

/** A sorted set of strings (ordered form). */
export interface SortedKeys {
  readonly size: number
  add(ordered: string): void
  delete(ordered: string): void
  /** A cursor on the first key at or after `ordered`. */
  seek(ordered: string): KeyCursor
}

const maxBlock = 512

/** Returns a sorted set, filled with `initial` (in any order, without repeats). Insertion and removal cost a binary search and a move in a block of at most 512. */
export function createSortedKeys(initial: string[] = []): SortedKeys {
  const sorted = [...initial].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
  const blocks: string[][] = []
  for (let at = 0; at < sorted.length; at += maxBlock / 2) blocks.push(sorted.slice(at, at + maxBlock / 2))
  let size = sorted.length

  // The last block whose first key is not after `ordered`.
  function blockOf(ordered: string): number {
    let low = 0
    let high = blocks.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if (blocks[middle]![0]! <= ordered) low = middle
      else high = middle - 1
    }
    return low
  }

  return {
    get size() {
      return size
    },
    add(ordered) {
      if (blocks.length === 0) blocks.push([])
      const index = blockOf(ordered)
      const block = blocks[index]!
      const at = lowerBound(block, ordered)
      if (block[at] === ordered) return
      block.splice(at, 0, ordered)
      size++
      if (block.length > maxBlock) blocks.splice(index + 1, 0, block.splice(maxBlock / 2))
    },
    delete(ordered) {
      if (blocks.length === 0) return
      const index = blockOf(ordered)
      const block = blocks[index]!
      const at = lowerBound(block, ordered)
      if (block[at] !== ordered) return
      block.splice(at, 1)
      size--
      if (block.length === 0) blocks.splice(index, 1)
    },
    seek(ordered) {
      let index = blocks.length === 0 ? 0 : blockOf(ordered)
      let at = blocks.length === 0 ? 0 : lowerBound(blocks[index]!, ordered)
      const settle = () => {
        while (index < blocks.length && at >= blocks[index]!.length) {
          index++
          at = 0
        }
      }
      settle()
      return {
        key: () => blocks[index]?.[at],
        next() {
          at++
          settle()
        },
      }
    },
  }
}

function lowerBound(block: readonly string[], ordered: string): number {
  let low = 0
  let high = block.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (block[middle]! < ordered) low = middle + 1
    else high = middle
  }
  return low
}

/** The smallest ordered string behind every string that starts with `ordered`; undefined when there is none. */
export function behindPrefix(ordered: string): string | undefined {
  for (let at = ordered.length - 1; at >= 0; at--) {
    const unit = ordered.charCodeAt(at)
    if (unit < 0xffff) return ordered.slice(0, at) + String.fromCharCode(unit + 1)
  }
  return undefined
}
