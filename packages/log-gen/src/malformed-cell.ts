import type { MalformedKind, Targets } from './malformed-kind'

/** One cell of a line in text. */
export interface CellText {
  readonly name: string
  /** JSON text, or the text of a CSV or TSV cell with its quotes. */
  readonly text: string
}

/** Gives a seeded number below n. */
export type Pick = (below: number) => number

/** A little more than a megabyte. */
export const hugeText: string = 'x'.repeat(1_048_577)

/** Spoils a line of delimited text. Returns the bytes without line end; only those of `split-line` hold one. */
export function malformedCells(
  kind: MalformedKind,
  cells: readonly CellText[],
  { targets, delimiter, nothing }: { readonly targets: Targets; readonly delimiter: string; readonly nothing: string },
  pick: Pick,
): Buffer {
  const choose = (names: readonly string[]) => names[pick(names.length)] as string
  const texts = cells.map(({ text }) => text)
  const join = (list: readonly string[]) => Buffer.from(list.join(delimiter))
  const replace = (name: string, text: string) => join(cells.map((cell) => (cell.name === name ? text : cell.text)))
  switch (kind) {
    case 'truncated':
      // Cut at a delimiter: a cell that is cut in its middle may still be one.
      return join(texts.slice(0, 1 + pick(texts.length - 1)))
    case 'not-json':
      return Buffer.from(`*** watchdog reset, code 0x${pick(65_536).toString(16).padStart(4, '0')} ***`)
    case 'wrong-type':
      return replace(choose(targets.typed), 'n/a')
    case 'null-column':
      return replace(choose(targets.neverEmpty), nothing)
    case 'integer-overflow':
      return replace(choose(targets.whole), '9223372036854775808')
    case 'missing-column': {
      const gone = pick(texts.length)
      return join(texts.filter((_, place) => place !== gone))
    }
    case 'unknown-column':
      return join([...texts, String(pick(1000))])
    case 'blank-line':
      return Buffer.alloc(0)
    case 'invalid-utf8': {
      const target = choose(targets.text)
      const place = cells.findIndex(({ name }) => name === target)
      const marked = replace(target, '@')
      const before = Buffer.byteLength(texts.slice(0, place).join(delimiter)) + (place === 0 ? 0 : delimiter.length)
      // 0xff stands in no UTF-8 text.
      marked[before] = 0xff
      return marked
    }
    case 'unescaped-quote':
      return replace(choose(targets.text), '"say "hello" twice"')
    case 'split-line':
      return replace(choose(targets.middleText), 'line\nbreak')
    case 'huge-line':
      return join([...texts, hugeText])
    case 'repeated-header':
      return Buffer.from(cells.map(({ name }) => name).join(delimiter))
    default:
      throw new RangeError(`delimited text has no "${kind}"`)
  }
}
