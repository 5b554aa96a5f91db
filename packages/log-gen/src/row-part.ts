import { type Cell, nullDraw } from './cell'
import type { Line } from './lines'
import type { RowFormat } from './row-format'

/** A column with what fills it: a cell, the event time, or the name of the device. */
export type Filling =
  | { readonly kind: 'cell'; readonly cell: Cell }
  | { readonly kind: 'event-time' }
  | { readonly kind: 'device' }

/** A part of every row, together with the constant text around it. */
export interface RowPart {
  /**
   * `device`: the same in all records of a device. `common-number`: one that the devices of a tick mostly share. `value`: one of some.
   * `text`: made for each row.
   */
  readonly kind: 'constant' | 'device' | 'number' | 'common-number' | 'value' | 'instant' | 'text'
  /** What it is drawn with. None for constants, devices and the event time. */
  readonly cell: Cell | undefined
  /** How many texts there are. */
  readonly places: number
  /** Text of a device or value; of an instant what stands behind it, by device or for all; behind a common number. */
  textOf(place: number): string
  /** Of a text: what a line has. */
  textAt(drawn: number, line: Line): string
  /** In front of an instant. */
  readonly lead: string
  /** For null; the text of a constant. */
  readonly nothing: string
  readonly scale: number
  readonly fixedDigits: number
}

const plain: RowPart = {
  kind: 'constant',
  cell: undefined,
  places: 1,
  textOf: () => '',
  textAt: () => '',
  lead: '',
  nothing: '',
  scale: 0,
  fixedDigits: -1,
}

/**
 * The parts of the rows of a log, in order. Constants are joined with what is beside them, so that what is the same in the next row of a
 * device is copied at once.
 */
export function rowParts(fillings: ReadonlyMap<string, Filling>, devices: readonly string[], format: RowFormat): RowPart[] {
  const parts: RowPart[] = []
  const add = (part: Partial<RowPart>) => {
    const next = { ...plain, ...part }
    const last = parts.at(-1)
    const both = last && joined(last, next)
    if (both) parts[parts.length - 1] = both
    else parts.push(next)
  }
  const { quote } = format
  const instant = { kind: 'instant', lead: quote, textOf: () => quote } as const
  let index = 0
  for (const [name, filling] of fillings) {
    add({ nothing: format.before(name, index++) })
    if (filling.kind === 'cell') add(cellPart(name, filling.cell, format, instant))
    else if (filling.kind === 'event-time') add(instant)
    else add({ kind: 'device', places: devices.length, textOf: (device) => format.text(name, devices[device] as string) })
  }
  add({ nothing: format.lineEnd })
  return parts
}

function cellPart(name: string, cell: Cell, format: RowFormat, instant: Partial<RowPart>): Partial<RowPart> {
  const { form } = cell
  const nothing = format.text(name, null)
  switch (form.kind) {
    case 'scaled': {
      const { scale, fixedDigits } = form
      return { kind: form.isShared ? 'common-number' : 'number', cell, nothing, scale, fixedDigits }
    }
    case 'device-value':
      return { kind: 'device', places: form.values.length, textOf: (device) => format.text(name, form.values[device]) }
    case 'values':
      return {
        kind: 'value',
        cell,
        nothing,
        places: form.values.length,
        textOf: (place) => format.text(name, form.values[place]),
      }
    case 'instant':
      return { ...instant, cell, nothing }
    case 'text':
      return {
        kind: 'text',
        cell,
        textAt: (drawn, line) => (drawn === nullDraw ? nothing : format.text(name, cell.value(drawn, line))),
      }
  }
}

/** Two neighbours as one part; `undefined` where they cannot be one. */
function joined(left: RowPart, right: RowPart): RowPart | undefined {
  const nothing = left.nothing + right.nothing
  if (right.kind === 'constant' && left.kind !== 'number' && left.kind !== 'text') {
    return { ...left, nothing, textOf: (place) => left.textOf(place) + right.nothing }
  }
  if (left.kind === 'constant') {
    if (right.kind === 'instant') return { ...right, nothing, lead: left.nothing + right.lead }
    if (right.kind === 'device' || right.kind === 'value') {
      return { ...right, nothing, textOf: (place) => left.nothing + right.textOf(place) }
    }
  }
  const isOfDevice = left.kind === 'device' || (left.kind === 'instant' && !left.cell)
  if (right.kind === 'device' && isOfDevice) {
    return { ...left, places: right.places, textOf: (place) => left.textOf(place) + right.textOf(place) }
  }
  return undefined
}
