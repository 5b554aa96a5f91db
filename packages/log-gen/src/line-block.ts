import type { Line, LineFault } from './line'
import type { FileId } from './shard'

/** Lines of a block. */
export const blockLines = 1024

/** Lines as columns: what is done to so many at a time has a loop of its own. The object is used again for the next lines: take what you need. */
export interface LineBlock {
  count: number
  readonly device: Uint32Array
  readonly tick: Float64Array
  readonly draws: Float64Array
  readonly eventTime: Float64Array
  readonly emitTime: Float64Array
  readonly copy: Uint8Array
  readonly malformed: (LineFault | undefined)[]
  /** Set by a writer: where each line ends in its bytes. */
  readonly end: Uint32Array
}

/** A block without lines. */
export function lineBlock(lines: number = blockLines): LineBlock {
  return {
    count: 0,
    device: new Uint32Array(lines),
    tick: new Float64Array(lines),
    draws: new Float64Array(lines),
    eventTime: new Float64Array(lines),
    emitTime: new Float64Array(lines),
    copy: new Uint8Array(lines),
    malformed: new Array<LineFault | undefined>(lines).fill(undefined),
    end: new Uint32Array(lines),
  }
}

/** A line to be filled by {@link setLine}. */
export function emptyLine(): Line {
  return {
    device: 0,
    tick: 0,
    draws: 0,
    eventTime: 0,
    emitTime: 0,
    copy: 0,
    duplicate: undefined,
    delay: undefined,
    clock: undefined,
    malformed: undefined,
  }
}

/** Makes `line` the i-th one of the block, but for why it is where it is (`duplicate`, `delay`, `clock`): no byte depends on that. */
export function setLine(line: Line, block: LineBlock, i: number): Line {
  line.device = block.device[i] as number
  line.tick = block.tick[i] as number
  line.draws = block.draws[i] as number
  line.eventTime = block.eventTime[i] as number
  line.emitTime = block.emitTime[i] as number
  line.copy = block.copy[i] as 0 | 1
  line.malformed = block.malformed[i]
  return line
}

/** Appends a line; the block has room for it. */
export function addLine(block: LineBlock, line: Line): void {
  const i = block.count++
  block.device[i] = line.device
  block.tick[i] = line.tick
  block.draws[i] = line.draws
  block.eventTime[i] = line.eventTime
  block.emitTime[i] = line.emitTime
  block.copy[i] = line.copy
  block.malformed[i] = line.malformed
}

/** Visits lines block by block. */
export function blockVisitor(
  visit: (file: FileId, visit: (line: Line) => void) => void,
): (file: FileId, take: (block: LineBlock) => void) => void {
  let open = { block: lineBlock(), take: (_: LineBlock): void => {} }
  // One function for all files: loops that call another one each time are compiled again and again.
  const add = (line: Line) => {
    const { block, take } = open
    addLine(block, line)
    if (block.count < blockLines) return
    take(block)
    block.count = 0
  }
  return (file, take) => {
    const outer = open
    open = { block: lineBlock(), take }
    try {
      visit(file, add)
      if (open.block.count > 0) take(open.block)
    } finally {
      open = outer
    }
  }
}
