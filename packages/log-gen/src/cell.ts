import type { Span } from './episode'
import type { Line } from './line'
import { emptyLine, type LineBlock, setLine } from './line-block'
import type { DrawKeys } from './random'

/** Stands for `null` in a drawn number. */
export const nullDraw: number = Number.MIN_SAFE_INTEGER

/** One field of a log, ready to run. What a record holds is first a whole number (`draw`), then a value or bytes. */
export interface Cell {
  /** Scaled number, position in `values`, sequence or milliseconds: a pure function of the line. {@link nullDraw} for null. */
  draw(line: Line): number
  /** The same numbers for all lines of a block, where a loop of its own is faster. */
  fill?(block: LineBlock, into: Float64Array): void
  /** The value of a drawn number as {@link RowOf} has it. */
  value(drawn: number, line: Line): unknown
  /** How the drawn number is printed. */
  readonly form: CellForm
  /** What happens to the measure of a device within a span. */
  episodes?(device: number, span: Span): CellEpisode[]
}

/** Something that happens to one measure of a device. */
export interface CellEpisode extends Span {
  readonly kind: 'spike' | 'shift' | 'stuck'
}

/** How a drawn number is printed. */
export type CellForm =
  | {
      readonly kind: 'scaled'
      readonly scale: number
      readonly fixedDigits: number
      /** Mostly the same for all devices of a tick, and never null. */
      readonly isShared?: boolean
    }
  | { readonly kind: 'values'; readonly values: readonly unknown[] }
  /** As `values`, but the same for all records of a device. */
  | { readonly kind: 'device-value'; readonly values: readonly unknown[] }
  | { readonly kind: 'instant'; readonly digits: number }
  | { readonly kind: 'text' }

/** What cells are made with. */
export interface CellContext {
  readonly devices: readonly string[]
  readonly slotMs: number
  /** Number of the device's record in a slot. */
  ordinalOf(device: number, tick: number): number
  /** When it happens, milliseconds. */
  timeOf(device: number, tick: number): number
  /** Keys of the field's own streams. */
  keysOf(part: string): DrawKeys
}

const filled = emptyLine()

/** Draws the numbers of a cell for all lines of a block. */
export function fillCell(cell: Cell, block: LineBlock, into: Float64Array): void {
  if (cell.fill) cell.fill(block, into)
  else for (let i = 0; i < block.count; i++) into[i] = cell.draw(setLine(filled, block, i))
}
