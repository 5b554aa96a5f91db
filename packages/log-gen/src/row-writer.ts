import { type ByteWriter, byteWriter, writeBytes, writeScaled, writeShort } from './byte-writer'
import { type Cell, type CellForm, nullDraw } from './cell'
import { instantWriter, rowStart } from './instant-text'
import type { Line } from './lines'
import type { RowFormat } from './row-format'

/** A column with what fills it: a cell, the event time, or the name of the device. */
export type Filling =
  | { readonly kind: 'cell'; readonly cell: Cell }
  | { readonly kind: 'event-time' }
  | { readonly kind: 'device' }

type Step = (writer: ByteWriter, line: Line) => void
type Part =
  | { readonly kind: 'text'; readonly text: string }
  /** The same in all records of a device. */
  | { readonly kind: 'device'; textOf(device: number): string }
  | { readonly kind: 'event-time' }
  | { readonly kind: 'shared'; readonly cell: Cell; readonly form: ScaledForm }
  | { readonly kind: 'step'; readonly step: Step }

type ScaledForm = Extract<CellForm, { readonly kind: 'scaled' }>

/**
 * Compiles the columns of a log into a function that appends one row. All text known beforehand (names of columns and devices, tags,
 * choices) is bytes already, so a row costs copies and the printing of its numbers.
 */
export function compileRow(
  fillings: ReadonlyMap<string, Filling>,
  devices: readonly string[],
  format: RowFormat,
): (writer: ByteWriter, line: Line) => void {
  const parts: Part[] = []
  let index = 0
  for (const [name, filling] of fillings) {
    parts.push({ kind: 'text', text: format.before(name, index++) })
    if (filling.kind === 'device')
      parts.push({ kind: 'device', textOf: (device) => format.text(name, devices[device] as string) })
    else if (filling.kind === 'event-time') {
      const quote: Part = { kind: 'text', text: format.quote }
      parts.push(quote, { kind: 'event-time' }, quote)
    } else parts.push(...cellParts(name, filling.cell, format))
  }
  parts.push({ kind: 'text', text: format.lineEnd })
  return inOrder(joinConstants(parts, format, devices.length))
}

const nothingToDo: Step = () => {}

/** Steps one after the other. Six a time are called by name, as the engine compiles such calls into one piece, but not those of a loop. */
function inOrder(steps: readonly Step[]): Step {
  const [a = nothingToDo, b = nothingToDo, c = nothingToDo, d = nothingToDo, e = nothingToDo, f = nothingToDo] = steps
  const six: Step = (writer, line) => {
    a(writer, line)
    b(writer, line)
    c(writer, line)
    d(writer, line)
    e(writer, line)
    f(writer, line)
  }
  if (steps.length <= 6) return six
  const rest = inOrder(steps.slice(6))
  return (writer, line) => {
    six(writer, line)
    rest(writer, line)
  }
}

function cellParts(name: string, cell: Cell, format: RowFormat): Part[] {
  const { form } = cell
  const nothing = Buffer.from(format.text(name, null))
  switch (form.kind) {
    case 'scaled':
      if (form.isShared) return [{ kind: 'shared', cell, form }]
      return [{ kind: 'step', step: scaledStep(cell, nothing, form) }]
    case 'device-value':
      return [{ kind: 'device', textOf: (device) => format.text(name, form.values[device]) }]
    case 'values': {
      const texts = form.values.map((value) => Buffer.from(format.text(name, value)))
      const step: Step = (writer, line) => {
        const drawn = cell.draw(line)
        writeBytes(writer, drawn === nullDraw ? nothing : (texts[drawn] as Buffer))
      }
      return [{ kind: 'step', step }]
    }
    case 'instant': {
      const write = instantWriter(format.quote, format.separators, format.quote)
      const step: Step = (writer, line) => {
        const drawn = cell.draw(line)
        if (drawn === nullDraw) writeBytes(writer, nothing)
        else write(writer, drawn)
      }
      return [{ kind: 'step', step }]
    }
    case 'text': {
      const step: Step = (writer, line) => {
        const drawn = cell.draw(line)
        writeBytes(writer, drawn === nullDraw ? nothing : Buffer.from(format.text(name, cell.value(drawn, line))))
      }
      return [{ kind: 'step', step }]
    }
  }
}

function scaledStep(cell: Cell, nothing: Buffer, { scale, fixedDigits }: ScaledForm): Step {
  return (writer, line) => {
    const drawn = cell.draw(line)
    if (drawn === nullDraw) writeBytes(writer, nothing)
    else writeScaled(writer, drawn, scale, fixedDigits)
  }
}

/** A number that the devices of one tick share: what was printed last, with the text behind it, is copied. */
function sharedStep(cell: Cell, { scale, fixedDigits }: ScaledForm, behind: string): Step {
  const end = Buffer.from(behind)
  let printed: Buffer = Buffer.alloc(0)
  let last = Number.NaN
  return (writer, line) => {
    const drawn = cell.draw(line)
    if (drawn !== last) {
      const text = byteWriter(32)
      writeScaled(text, drawn, scale, fixedDigits)
      writeBytes(text, end)
      printed = text.bytes.subarray(0, text.at)
      last = drawn
    }
    writeShort(writer, printed)
  }
}

/**
 * Neighbouring constants become one piece of bytes, joined with what belongs to a device, and this with the event time in front of it: what
 * of a row is the same in the next one of the device is copied at once.
 */
function joinConstants(parts: readonly Part[], format: RowFormat, devices: number): Step[] {
  const steps: Step[] = []
  let constant = ''
  let perDevice: ((device: number) => string) | undefined
  // An event time, and the text in front of it, that waits for what stands behind.
  let instant: { readonly lead: string } | undefined
  let shared: Extract<Part, { readonly kind: 'shared' }> | undefined
  const flush = () => {
    const before = perDevice
    const behind = constant
    const textOf = before ? (device: number) => before(device) + behind : () => behind
    if (shared && !before) steps.push(sharedStep(shared.cell, shared.form, behind))
    else {
      if (shared) steps.push(sharedStep(shared.cell, shared.form, ''))
      if (instant) steps.push(rowStart(instant.lead, format.separators, textOf, before ? devices : 1))
      else if (before) steps.push(deviceStep(textOf, devices))
      else if (behind !== '') steps.push(constantStep(Buffer.from(behind)))
    }
    constant = ''
    perDevice = undefined
    instant = undefined
    shared = undefined
  }
  for (const part of parts) {
    if (part.kind === 'text') constant += part.text
    else if (part.kind === 'device') {
      const before = perDevice
      const between = constant
      perDevice = (device) => (before ? before(device) : '') + between + part.textOf(device)
      constant = ''
    } else if (part.kind === 'event-time') {
      const isPlain = !perDevice && !instant && !shared
      const lead = isPlain ? constant : ''
      if (isPlain) constant = ''
      else flush()
      instant = { lead }
    } else {
      flush()
      if (part.kind === 'shared') shared = part
      else steps.push(part.step)
    }
  }
  flush()
  return steps
}

function constantStep(bytes: Buffer): Step {
  return (writer) => {
    if (bytes.length <= 8) writeShort(writer, bytes)
    else writeBytes(writer, bytes)
  }
}

function deviceStep(textOf: (device: number) => string, devices: number): Step {
  // Made when a device first writes: of a large fleet, a shard needs only its own.
  const pieces = new Array<Buffer | undefined>(devices)
  return (writer, { device }) => {
    let piece = pieces[device]
    if (!piece) {
      piece = Buffer.from(textOf(device))
      pieces[device] = piece
    }
    writeBytes(writer, piece)
  }
}
