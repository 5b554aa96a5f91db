import { type CellText, hugeText, type Pick } from './malformed-cell'
import type { MalformedKind, Targets } from './malformed-kind'

/** Spoils a line of NDJSON. Returns the bytes without line end; only those of `split-line` hold one. */
export function malformedJson(kind: MalformedKind, cells: readonly CellText[], targets: Targets, pick: Pick): Buffer {
  const choose = (names: readonly string[]) => names[pick(names.length)] as string
  const replace = (name: string, text: string) =>
    Buffer.from(joinJson(cells.map((cell) => (cell.name === name ? { name, text } : cell))))
  switch (kind) {
    case 'truncated': {
      const whole = Buffer.from(joinJson(cells))
      // The closing brace is always lost, and the first byte always stays.
      return whole.subarray(0, 1 + pick(whole.length - 1))
    }
    case 'not-json':
      return Buffer.from(`*** watchdog reset, code 0x${pick(65_536).toString(16).padStart(4, '0')} ***`)
    case 'wrong-type':
      return replace(choose(targets.typed), '"n/a"')
    case 'null-column':
      return replace(choose(targets.required), 'null')
    case 'bare-nan':
      return replace(choose(targets.floating), 'NaN')
    case 'bare-infinity':
      return replace(choose(targets.floating), pick(2) === 0 ? 'Infinity' : '-Infinity')
    case 'integer-overflow':
      // 2^63: one more than the largest 64-bit integer.
      return replace(choose(targets.whole), '9223372036854775808')
    case 'missing-column': {
      const gone = choose(targets.required)
      return Buffer.from(joinJson(cells.filter(({ name }) => name !== gone)))
    }
    case 'unknown-column':
      return Buffer.from(joinJson([...cells, { name: unknownName(cells), text: String(pick(1000)) }]))
    case 'duplicate-key':
      return Buffer.from(joinJson([...cells, cells[pick(cells.length)] as CellText]))
    case 'blank-line':
      return Buffer.alloc(0)
    case 'invalid-utf8': {
      const target = choose(targets.text)
      const marked = replace(target, '"@"')
      const at = marked.indexOf(`${JSON.stringify(target)}:"@"`) + Buffer.byteLength(JSON.stringify(target)) + 2
      // 0xff stands in no UTF-8 text.
      marked[at] = 0xff
      return marked
    }
    case 'nul-byte':
      return replace(choose(targets.text), '"a\u0000b"')
    case 'unescaped-quote':
      return replace(choose(targets.text), '"say "hello" twice"')
    case 'split-line':
      return replace(choose(targets.text), '"line\nbreak"')
    case 'huge-line':
      return Buffer.from(joinJson([...cells, { name: unknownName(cells), text: `"${hugeText}"` }]))
    case 'repeated-header':
      throw new RangeError('NDJSON has no header')
  }
}

/** A line in which one column has another name. */
export function renamedJson(cells: readonly CellText[], rename: string, to: string): Buffer {
  return Buffer.from(joinJson(cells.map(({ name, text }) => ({ name: name === rename ? to : name, text }))))
}

function joinJson(cells: readonly CellText[]): string {
  return `{${cells.map(({ name, text }) => `${JSON.stringify(name)}:${text}`).join(',')}}`
}

function unknownName(cells: readonly CellText[]): string {
  let name = 'unexpected'
  while (cells.some((cell) => cell.name === name)) name += '_'
  return name
}
