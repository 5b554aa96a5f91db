import type { ColumnMap } from '@pipe/core'
import type { MalformedKind } from './fault'

/** One cell of a line in text. */
export interface CellText {
  readonly name: string
  /** JSON text, or the text of a CSV or TSV cell with its quotes. */
  readonly text: string
}

/** Columns that each kind may spoil. */
export interface Targets {
  readonly typed: readonly string[]
  readonly required: readonly string[]
  readonly floating: readonly string[]
  readonly text: readonly string[]
}

/** Which columns of a table can be spoilt in which way. */
export function targetsOf(columns: ColumnMap): Targets {
  const names = Object.keys(columns)
  const kindOf = (name: string) => columns[name]?.type.kind
  return {
    typed: names.filter((name) => !['string', 'array', 'map', 'struct', 'binary'].includes(kindOf(name) as string)),
    required: names.filter((name) => !columns[name]?.isNullable),
    floating: names.filter((name) => kindOf(name) === 'float' || kindOf(name) === 'double'),
    text: names.filter((name) => kindOf(name) === 'string'),
  }
}

/** Kinds that are possible in the table. */
export function possibleKinds(targets: Targets): ReadonlySet<MalformedKind> {
  const kinds = new Set<MalformedKind>(['truncated', 'not-json', 'unknown-column', 'blank-line'])
  if (targets.typed.length > 0) kinds.add('wrong-type')
  if (targets.required.length > 0) kinds.add('missing-column').add('null-column')
  if (targets.floating.length > 0) kinds.add('bare-nan')
  if (targets.text.length > 0) kinds.add('invalid-utf8')
  return kinds
}

/** Spoils a line of NDJSON. `pick(n)` gives a seeded number below n. Returns the bytes without line end; they hold none. */
export function malformedJson(
  kind: MalformedKind,
  cells: readonly CellText[],
  targets: Targets,
  pick: (below: number) => number,
): Buffer {
  const join = (list: readonly CellText[]) => `{${list.map(({ name, text }) => `${JSON.stringify(name)}:${text}`).join(',')}}`
  const choose = (names: readonly string[]) => names[pick(names.length)] as string
  const replace = (name: string, text: string) =>
    Buffer.from(join(cells.map((cell) => (cell.name === name ? { name, text } : cell))))
  switch (kind) {
    case 'truncated': {
      const whole = Buffer.from(join(cells))
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
    case 'missing-column': {
      const gone = choose(targets.required)
      return Buffer.from(join(cells.filter(({ name }) => name !== gone)))
    }
    case 'unknown-column':
      return Buffer.from(join([...cells, { name: unknownName(cells), text: String(pick(1000)) }]))
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
  }
}

function unknownName(cells: readonly CellText[]): string {
  let name = 'unexpected'
  while (cells.some((cell) => cell.name === name)) name += '_'
  return name
}
