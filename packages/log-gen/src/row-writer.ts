import { type ByteWriter, reserve, writeText } from './byte-writer'
import { type Cell, fillCell, nullDraw } from './cell'
import { type InstantSeparators, minuteText } from './instant-text'
import { blockLines, emptyLine, type LineBlock, setLine } from './line-block'
import type { Line } from './lines'
import { numberRoom, writeScaled, writeSeconds } from './number-text'
import type { RowFormat } from './row-format'
import { type Filling, type RowPart, rowParts } from './row-part'
import { copyPiece, copySlack, setPiece, type TextPieces, textPieces } from './text-pieces'

/**
 * Compiles the columns of a log into a function that appends the rows of a block. All text known beforehand (names of columns and devices,
 * tags, choices) is bytes already, so a row costs copies and the printing of its numbers. Malformed lines are left to `writeSpoilt`.
 */
export function compileRows(
  fillings: ReadonlyMap<string, Filling>,
  devices: readonly string[],
  format: RowFormat,
  writeSpoilt: (writer: ByteWriter, line: Line) => void,
): (writer: ByteWriter, block: LineBlock) => void {
  const parts = rowParts(fillings, devices, format)
  const cells = parts.flatMap(({ cell }) => (cell ? [cell] : []))
  const draws = cells.map(() => new Float64Array(blockLines))
  const { separators } = format
  const steps = parts.map((part) =>
    makeStep(part, separators, part.cell ? (draws[cells.indexOf(part.cell)] as Float64Array) : noDraws),
  )
  const line = emptyLine()
  return (writer, block) => {
    for (let c = 0; c < cells.length; c++) fillCell(cells[c] as Cell, block, draws[c] as Float64Array)
    const { count, malformed, end } = block
    for (let i = 0; i < count; i++) {
      if (malformed[i] === undefined) writeRow(writer, steps, block, i)
      else writeSpoilt(writer, setLine(line, block, i))
      end[i] = writer.at
    }
  }
}

const noDraws = new Float64Array(0)

/** A part with the texts that have been made of it. One shape for all kinds: the loop over them is one piece of machine code. */
interface Step {
  readonly kind: RowPart['kind']
  readonly part: RowPart
  readonly separators: InstantSeparators
  /** Numbers of its cell for the lines of the block. */
  readonly draws: Float64Array
  /** Texts by device or by drawn number, made when they are first written; behind them the one of a constant, or for null. */
  readonly pieces: TextPieces
  /** Place of the constant, or of null. */
  readonly nothing: number
  readonly scale: number
  readonly fixedDigits: number
  /** Where the seconds of an instant stand in its text; −1 for no instant. */
  readonly secondsAt: number
  /** Minute that was printed into each text. */
  readonly minutes: Float64Array
  /** Start of the minute of the last instant, milliseconds. */
  minute: number
  /** Minute that `minuteBytes` shows. */
  shownMinute: number
  minuteBytes: Buffer
  /** The number that was printed last, for one that lines have in common. */
  last: number
  /** Used again for each text that is made for its line. */
  readonly line: Line
}

function makeStep(part: RowPart, separators: InstantSeparators, draws: Float64Array): Step {
  const isInstant = part.kind === 'instant'
  const pieces = textPieces(part.places + 1)
  setPiece(pieces, part.places, part.nothing)
  return {
    kind: part.kind,
    part,
    separators,
    draws,
    pieces,
    nothing: part.places,
    scale: part.scale,
    fixedDigits: part.fixedDigits,
    // Ten bytes of date, six of hour and minute.
    secondsAt: isInstant ? Buffer.byteLength(part.lead) + 16 + Buffer.byteLength(separators[0]) : -1,
    minutes: new Float64Array(isInstant ? part.places : 0).fill(Number.NaN),
    minute: Number.NaN,
    shownMinute: Number.NaN,
    minuteBytes: Buffer.alloc(0),
    last: Number.NaN,
    line: emptyLine(),
  }
}

function writeRow(writer: ByteWriter, steps: readonly Step[], block: LineBlock, i: number): void {
  const device = block.device[i] as number
  let { view, at } = writer
  for (let s = 0; s < steps.length; s++) {
    const step = steps[s] as Step
    const { pieces } = step
    let place = step.nothing
    let rest = -1
    switch (step.kind) {
      case 'constant':
        break
      case 'device':
        place = device
        if ((pieces.length[place] as number) < 0) setPiece(pieces, place, step.part.textOf(place))
        break
      case 'number': {
        const value = step.draws[i] as number
        if (value === nullDraw) break
        if (at + numberRoom > view.byteLength) view = grow(writer, at, numberRoom)
        at = writeScaled(view, at, value, step.scale, step.fixedDigits)
        continue
      }
      case 'common-number': {
        const value = step.draws[i] as number
        if (value !== step.last) printCommon(step, value)
        place = 0
        break
      }
      case 'value': {
        const drawn = step.draws[i] as number
        if (drawn === nullDraw) break
        place = drawn
        if ((pieces.length[place] as number) < 0) setPiece(pieces, place, step.part.textOf(place))
        break
      }
      case 'instant': {
        const time = step.draws === noDraws ? (block.eventTime[i] as number) : (step.draws[i] as number)
        if (time === nullDraw) break
        rest = time - step.minute
        if (!(rest >= 0 && rest < 60_000)) rest = time - turnMinute(step, time)
        place = step.nothing === 1 ? 0 : device
        if (step.minutes[place] !== step.minute) setMinute(step, place)
        break
      }
      case 'text': {
        writer.at = at
        writeText(writer, step.part.textAt(step.draws[i] as number, setLine(step.line, block, i)))
        view = writer.view
        at = writer.at
        continue
      }
    }
    const room = (pieces.length[place] as number) + copySlack
    if (at + room > view.byteLength) view = grow(writer, at, room)
    const from = at
    at = copyPiece(view, at, pieces, place)
    if (rest >= 0) writeSeconds(view, from + step.secondsAt, rest)
  }
  writer.at = at
}

function grow(writer: ByteWriter, at: number, room: number): DataView {
  writer.at = at
  reserve(writer, room)
  return writer.view
}

const printed = Buffer.alloc(numberRoom)
const printedView = new DataView(printed.buffer, printed.byteOffset, numberRoom)

function printCommon(step: Step, value: number): void {
  const length = writeScaled(printedView, 0, value, step.scale, step.fixedDigits)
  setPiece(step.pieces, 0, printed.toString('latin1', 0, length) + step.part.textOf(0))
  step.last = value
}

function turnMinute(step: Step, time: number): number {
  step.minute = Math.floor(time / 60_000) * 60_000
  return step.minute
}

/** Prints the minute into the text of an instant. */
function setMinute(step: Step, place: number): void {
  const { minute, separators, pieces } = step
  const { lead } = step.part
  if (minute !== step.shownMinute) {
    step.shownMinute = minute
    step.minuteBytes = Buffer.from(minuteText(minute, separators[0]))
  }
  if ((pieces.length[place] as number) < 0) {
    setPiece(pieces, place, `${lead}${step.minuteBytes}00.000${separators[1]}${step.part.textOf(place)}`)
  }
  pieces.bytes.set(step.minuteBytes, (pieces.start[place] as number) + Buffer.byteLength(lead))
  step.minutes[place] = minute
}
