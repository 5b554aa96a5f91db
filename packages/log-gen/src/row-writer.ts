import { type ByteWriter, reserve, writeBytes, writeScaled } from './byte-writer'
import { type Cell, nullDraw } from './cell'
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
  | { readonly kind: 'instant'; timeOf(line: Line): number }
  | { readonly kind: 'step'; readonly step: Step }

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
    else if (filling.kind === 'event-time') parts.push(...instant(format, (line) => line.eventTime))
    else parts.push(...cellParts(name, filling.cell, format))
  }
  parts.push({ kind: 'text', text: format.lineEnd })
  const steps = joinConstants(parts, format, devices.length)
  return (writer, line) => {
    for (let i = 0; i < steps.length; i++) (steps[i] as Step)(writer, line)
  }
}

function instant(format: RowFormat, timeOf: (line: Line) => number): Part[] {
  const quote: Part = { kind: 'text', text: format.quote }
  return [quote, { kind: 'instant', timeOf }, quote]
}

function cellParts(name: string, cell: Cell, format: RowFormat): Part[] {
  const { form } = cell
  const nothing = Buffer.from(format.text(name, null))
  switch (form.kind) {
    case 'scaled':
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
      const write = format.instant(format.quote)
      const quote = Buffer.from(format.quote)
      const step: Step = (writer, line) => {
        const drawn = cell.draw(line)
        if (drawn === nullDraw) return writeBytes(writer, nothing)
        write(writer, drawn)
        writeBytes(writer, quote)
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

function scaledStep(cell: Cell, nothing: Buffer, form: { readonly scale: number; readonly fixedDigits: number }): Step {
  // The devices of one tick have the same sequence: what was printed last is copied.
  const printed = Buffer.alloc(32)
  let length = 0
  let last = Number.NaN
  return (writer, line) => {
    const drawn = cell.draw(line)
    if (drawn === last) {
      reserve(writer, 32)
      const { bytes, at } = writer
      for (let i = 0; i < length; i++) bytes[at + i] = printed[i] as number
      writer.at = at + length
      return
    }
    if (drawn === nullDraw) return writeBytes(writer, nothing)
    const start = writer.at
    writeScaled(writer, drawn, form.scale, form.fixedDigits)
    length = writer.at - start
    for (let i = 0; i < length; i++) printed[i] = writer.bytes[start + i] as number
    last = drawn
  }
}

/** Neighbouring constants become one piece of bytes, joined with what belongs to a device, or with the instant behind them. */
function joinConstants(parts: readonly Part[], format: RowFormat, devices: number): Step[] {
  const steps: Step[] = []
  let constant = ''
  let perDevice: ((device: number) => string) | undefined
  const flush = () => {
    if (perDevice) {
      const before = perDevice
      const behind = constant
      steps.push(deviceStep((device) => before(device) + behind, devices))
    } else if (constant !== '') steps.push(constantStep(Buffer.from(constant)))
    constant = ''
    perDevice = undefined
  }
  for (const part of parts) {
    if (part.kind === 'text') constant += part.text
    else if (part.kind === 'device') {
      const before = perDevice
      const between = constant
      perDevice = (device) => (before ? before(device) : '') + between + part.textOf(device)
      constant = ''
    } else if (part.kind === 'instant') {
      const lead = perDevice ? '' : constant
      if (perDevice) flush()
      constant = ''
      const write = format.instant(lead)
      steps.push((writer, line) => write(writer, part.timeOf(line)))
    } else {
      flush()
      steps.push(part.step)
    }
  }
  flush()
  return steps
}

function constantStep(bytes: Buffer): Step {
  return (writer) => {
    reserve(writer, bytes.length)
    writer.bytes.set(bytes, writer.at)
    writer.at += bytes.length
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
