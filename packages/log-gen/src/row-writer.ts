import { type ByteWriter, copyPiece, type Piece, pieceOf, reserve, writeText } from './byte-writer'
import { type Cell, fillCell, nullDraw } from './cell'
import { type InstantSeparators, minuteText } from './instant-text'
import { blockLines, emptyLine, type LineBlock, setLine } from './line-block'
import type { Line } from './lines'
import { numberRoom, writeScaled, writeSeconds } from './number-text'
import type { RowFormat } from './row-format'
import { type Filling, type RowPart, rowParts } from './row-part'

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
const empty = pieceOf('')

/** A part with what has been prepared of it. One shape for all kinds: the loop over them is one piece of machine code. */
interface Step {
  readonly kind: RowPart['kind']
  readonly part: RowPart
  readonly separators: InstantSeparators
  /** Numbers of its cell for the lines of the block. */
  readonly draws: Float64Array
  /** Prepared pieces: by device or by drawn number; of a constant the first one. Made when they are first written. */
  readonly pieces: (Piece | undefined)[]
  /** Stands for null. */
  readonly nothing: Piece
  readonly scale: number
  readonly fixedDigits: number
  /** Where the seconds of an instant stand in its piece; −1 for no instant. */
  readonly secondsAt: number
  /** Minute that was printed into each piece. */
  readonly minutes: Float64Array
  /** Start of the minute of the last instant, milliseconds. */
  minute: number
  /** Minute that `minuteBytes` shows. */
  shownMinute: number
  minuteBytes: Buffer
  /** The number that was printed last, for one that lines have in common. */
  last: number
  lastPiece: Piece
  /** Used again for each text. */
  readonly line: Line
}

function makeStep(part: RowPart, separators: InstantSeparators, draws: Float64Array): Step {
  const isInstant = part.kind === 'instant'
  return {
    kind: part.kind,
    part,
    separators,
    draws,
    pieces: new Array<Piece | undefined>(part.places).fill(undefined),
    nothing: pieceOf(part.nothing),
    scale: part.scale,
    fixedDigits: part.fixedDigits,
    // Ten bytes of date, six of hour and minute.
    secondsAt: isInstant ? Buffer.byteLength(part.lead) + 16 + Buffer.byteLength(separators[0]) : -1,
    minutes: new Float64Array(isInstant ? part.places : 0).fill(Number.NaN),
    minute: Number.NaN,
    shownMinute: Number.NaN,
    minuteBytes: Buffer.alloc(0),
    last: Number.NaN,
    lastPiece: empty,
    line: emptyLine(),
  }
}

function writeRow(writer: ByteWriter, steps: readonly Step[], block: LineBlock, i: number): void {
  const device = block.device[i] as number
  let { view, at } = writer
  for (let s = 0; s < steps.length; s++) {
    const step = steps[s] as Step
    let piece = step.nothing
    let rest = -1
    switch (step.kind) {
      case 'constant':
        break
      case 'device':
        piece = step.pieces[device] ?? makePiece(step, device)
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
        piece = value === step.last ? step.lastPiece : printCommon(step, value)
        break
      }
      case 'value': {
        const place = step.draws[i] as number
        if (place !== nullDraw) piece = step.pieces[place] ?? makePiece(step, place)
        break
      }
      case 'instant': {
        const time = step.draws === noDraws ? (block.eventTime[i] as number) : (step.draws[i] as number)
        if (time === nullDraw) break
        rest = time - step.minute
        if (!(rest >= 0 && rest < 60_000)) rest = time - turnMinute(step, time)
        const place = step.pieces.length === 1 ? 0 : device
        piece = step.minutes[place] === step.minute ? (step.pieces[place] as Piece) : datePiece(step, place)
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
    const room = piece.bytes.length
    if (at + room > view.byteLength) view = grow(writer, at, room)
    const from = at
    at = copyPiece(writer, from, piece)
    if (rest >= 0) writeSeconds(view, from + step.secondsAt, rest)
  }
  writer.at = at
}

function grow(writer: ByteWriter, at: number, room: number): DataView {
  writer.at = at
  reserve(writer, room)
  return writer.view
}

function makePiece(step: Step, place: number): Piece {
  const piece = pieceOf(step.part.textOf(place))
  step.pieces[place] = piece
  return piece
}

function printCommon(step: Step, value: number): Piece {
  const bytes = Buffer.alloc(numberRoom)
  const length = writeScaled(new DataView(bytes.buffer, bytes.byteOffset), 0, value, step.scale, step.fixedDigits)
  step.last = value
  step.lastPiece = pieceOf(bytes.toString('latin1', 0, length) + step.part.textOf(0))
  return step.lastPiece
}

function turnMinute(step: Step, time: number): number {
  step.minute = Math.floor(time / 60_000) * 60_000
  return step.minute
}

/** The piece of an instant, with the minute printed into it. */
function datePiece(step: Step, place: number): Piece {
  const { minute, separators } = step
  const { lead } = step.part
  if (minute !== step.shownMinute) {
    step.shownMinute = minute
    step.minuteBytes = Buffer.from(minuteText(minute, separators[0]))
  }
  const piece = step.pieces[place] ?? pieceOf(`${lead}${step.minuteBytes}00.000${separators[1]}${step.part.textOf(place)}`)
  piece.bytes.set(step.minuteBytes, Buffer.byteLength(lead))
  step.pieces[place] = piece
  step.minutes[place] = minute
  return piece
}
