import type { ColumnMap } from '@pipe/core'
import { jsonText } from '@pipe/core/internal'
import { type ByteWriter, instantWriter, reserve, writeBytes, writeScaled } from './byte-writer'
import { type Cell, nullDraw } from './cell'
import type { Line } from './lines'

/** A column with what fills it: a cell, the event time, or the name of the device. */
export type Filling =
  | { readonly kind: 'cell'; readonly cell: Cell }
  | { readonly kind: 'event-time' }
  | { readonly kind: 'device' }

/** How a text format frames cells. */
export interface RowFormat {
  /** In front of the cell of a column. */
  before(name: string, index: number): string
  readonly lineEnd: string
  /** Text of a value, with its quotes. */
  text(name: string, value: unknown): string
  /** Stand around an instant. */
  readonly quote: string
}

/** NDJSON of a table. */
export function jsonFormat(columns: ColumnMap): RowFormat {
  return {
    before: (name, index) => `${index === 0 ? '{' : ','}${JSON.stringify(name)}:`,
    lineEnd: '}\n',
    text: (name, value) => (value === null ? 'null' : jsonText(columns[name] as ColumnMap[string], value)),
    quote: '"',
  }
}

type Step = (writer: ByteWriter, line: Line) => void
type Part = string | readonly string[] | Step

/**
 * Compiles the columns of a log into a function that appends one row. All text known beforehand (names of columns and devices, choices)
 * is bytes already, so a row costs copies and the printing of its numbers.
 */
export function compileRow(
  fillings: ReadonlyMap<string, Filling>,
  devices: readonly string[],
  format: RowFormat,
): (writer: ByteWriter, line: Line) => void {
  const parts: Part[] = []
  let index = 0
  for (const [name, filling] of fillings) {
    parts.push(format.before(name, index++))
    if (filling.kind === 'device') parts.push(devices.map((device) => format.text(name, device)))
    else if (filling.kind === 'event-time') parts.push(...instant(format, (line) => line.eventTime))
    else parts.push(...cellParts(name, filling.cell, format))
  }
  parts.push(format.lineEnd)
  const steps = joinConstants(parts)
  return (writer, line) => {
    for (const step of steps) step(writer, line)
  }
}

function instant(format: RowFormat, timeOf: (line: Line) => number): Part[] {
  // The text form of a timestamp has at least three digits, whatever the precision of its column.
  const write = instantWriter(3)
  return [format.quote, (writer, line) => write(writer, timeOf(line)), format.quote]
}

function cellParts(name: string, cell: Cell, format: RowFormat): Part[] {
  const { form } = cell
  const nothing = Buffer.from(format.text(name, null))
  switch (form.kind) {
    case 'scaled':
      return [
        (writer, line) => {
          const drawn = cell.draw(line.device, line.tick, line.emitTime)
          if (drawn === nullDraw) writeBytes(writer, nothing)
          else writeScaled(writer, drawn, form.scale, form.fixedDigits)
        },
      ]
    case 'values': {
      const texts = form.values.map((value) => Buffer.from(format.text(name, value)))
      return [
        (writer, line) => {
          const drawn = cell.draw(line.device, line.tick, line.emitTime)
          writeBytes(writer, drawn === nullDraw ? nothing : (texts[drawn] as Buffer))
        },
      ]
    }
    case 'instant': {
      const write = instantWriter(3)
      const quote = Buffer.from(format.quote)
      return [
        (writer, line) => {
          const drawn = cell.draw(line.device, line.tick, line.emitTime)
          if (drawn === nullDraw) return writeBytes(writer, nothing)
          writeBytes(writer, quote)
          write(writer, drawn)
          writeBytes(writer, quote)
        },
      ]
    }
    case 'text':
      return [
        (writer, line) => {
          const drawn = cell.draw(line.device, line.tick, line.emitTime)
          writeBytes(writer, Buffer.from(format.text(name, cell.value(drawn, line.device, line.tick))))
        },
      ]
  }
}

// Neighbouring constants become one piece of bytes, and stand with the name of the device where they touch it.
function joinConstants(parts: readonly Part[]): Step[] {
  const steps: Step[] = []
  let constant = ''
  let perDevice: readonly string[] | undefined
  const flush = () => {
    if (perDevice) {
      const bytes = perDevice.map((text) => Buffer.from(text + constant))
      steps.push((writer, line) => writeBytes(writer, bytes[line.device] as Buffer))
    } else if (constant !== '') {
      const bytes = Buffer.from(constant)
      steps.push((writer) => {
        reserve(writer, bytes.length)
        writer.bytes.set(bytes, writer.at)
        writer.at += bytes.length
      })
    }
    constant = ''
    perDevice = undefined
  }
  for (const part of parts) {
    if (typeof part === 'string') constant += part
    else if (typeof part === 'function') {
      flush()
      steps.push(part)
    } else {
      const before = perDevice ? '' : constant
      if (perDevice) flush()
      perDevice = part.map((text) => before + text)
      constant = ''
    }
  }
  flush()
  return steps
}
