import { isUtf8 } from 'node:buffer'
import type { Table, UnreadableRow } from '@pipe/core'
import { rowReader, unreadableRow } from '@pipe/core/internal'
import { objectPattern } from './line-pattern'

/** Where a scanner puts what it reads. */
export interface ScanSink {
  /** Whole lines that can be taken as they are. The memory belongs to the caller: copy or write it before returning. */
  takeBytes(bytes: Uint8Array, longestLine: number): void
  /** A row that was read the slow way. */
  takeRow(row: Readonly<Record<string, unknown>>): void
  takeUnreadable(row: UnreadableRow): void
}

/** Splits a file into lines that are fine as they are, rows and unreadable lines, by the rules of core's NDJSON reader. */
export interface LineScanner {
  /** Lines so far, readable or not. */
  readonly lines: number
  /** Complete lines, each with its line end. */
  scan(block: Buffer): void
  /** The rest of the file, a last line without line end. `cut` says why the line is not whole. */
  scanLast(rest: Buffer, cut?: string): void
  /** A line longer than {@link maxLineBytes}: its beginning, its length, and whether a line end stood behind it. */
  skip(start: Buffer, length: number, isTerminated: boolean): void
}

/** Limit of one line, as in Athena and in core's readers. */
export const maxLineBytes: number = 32 * 1024 * 1024

const tooLong = `the line is longer than ${maxLineBytes} bytes`

/** Sets of keys and their orders that are remembered: producers write few. */
const maxPatterns = 8
/** Lines that are looked at for a new order; a table whose lines all differ must not pay for more. */
const maxLessons = 256

/** A compiled line pattern; `undefined` for a table none of whose lines can do without the slow way. */
type Pattern = RegExp | undefined

/**
 * Compiles scanners for a table. One pass over the bytes, one regular expression a line: three times as fast as inflating them, so that
 * certainty costs little. A line that does not match goes to core's reader, whose verdict counts.
 */
export function lineScanners(table: Table): (file: string, sink: ScanSink) => LineScanner {
  const read = rowReader(table)
  const patterns: RegExp[] = []
  const known = new Set<string>()
  let lessons = 0
  learn(Object.keys(table.columns))

  /** Compiles a pattern for a key order seen in a line that the slow way accepted, so that the next one is read the fast way. */
  function learn(order: readonly string[]): Pattern {
    const id = order.join(' ')
    if (known.has(id)) return undefined
    known.add(id)
    const source = objectPattern(table.columns, order, 'bytes')
    if (source === undefined) return undefined
    const pattern = new RegExp(`${source}\\r?(?:\\n|$)`, 'y')
    patterns.push(pattern)
    return pattern
  }

  return (file, sink) => {
    let lines = 0
    let offset = 0
    let isStart = true
    let pattern: Pattern = patterns[0]

    return {
      get lines() {
        return lines
      },
      scan: (block) => scan(block, true, undefined),
      scanLast: (rest, cut) => scan(rest, false, cut),
      skip(start, length, isTerminated) {
        lines++
        isStart = false
        failLine(start, offset, tooLong)
        offset += length + (isTerminated ? 1 : 0)
      },
    }

    function scan(given: Buffer, isTerminated: boolean, cut: string | undefined): void {
      let block = given
      if (isStart && block.length > 0) {
        isStart = false
        if (block[0] === 0xef && block[1] === 0xbb && block[2] === 0xbf) {
          block = block.subarray(3)
          offset = 3
        }
      }
      if (block.length === 0) return
      const text = block.toString('latin1')
      const isValid = isUtf8(block)
      // Of the bytes that wait to be taken as they are.
      let from = 0
      let longest = 0
      let at = 0
      while (at < text.length) {
        const end = cut === undefined ? fastEnd(text, at) : 0
        if (end > 0 && (isValid || isUtf8(block.subarray(at, end)))) {
          if (end - at > longest) longest = end - at
          at = end
        } else {
          if (at > from) sink.takeBytes(block.subarray(from, at), longest)
          longest = 0
          const found = text.indexOf('\n', at)
          const lineEnd = found < 0 ? text.length : found
          lines++
          takeLine(block.subarray(at, lineEnd), found >= 0, offset + at, cut)
          at = found < 0 ? text.length : found + 1
          from = at
          continue
        }
        lines++
      }
      if (at > from) sink.takeBytes(block.subarray(from, at), longest)
      offset += isTerminated ? block.length : 0
    }

    /** End of a line that some pattern matches, behind its line end; 0 when none does. */
    function fastEnd(text: string, at: number): number {
      if (pattern !== undefined) {
        pattern.lastIndex = at
        if (pattern.test(text)) return pattern.lastIndex
      }
      for (const other of patterns) {
        if (other === pattern) continue
        other.lastIndex = at
        if (other.test(text)) {
          pattern = other
          return other.lastIndex
        }
      }
      return 0
    }

    function takeLine(line: Buffer, isTerminated: boolean, at: number, cut: string | undefined): void {
      const raw = isTerminated && line.at(-1) === 13 ? line.subarray(0, -1) : line
      const row = readLine(line, raw, cut)
      if (typeof row === 'string') {
        failLine(raw, at, row)
        return
      }
      sink.takeRow(row)
      if (patterns.length === 0 || patterns.length >= maxPatterns || ++lessons > maxLessons) return
      pattern = learn(Object.keys(JSON.parse(raw.toString()) as object)) ?? pattern
    }

    /** The row of a line, or why there is none. */
    function readLine(line: Buffer, raw: Buffer, cut: string | undefined): Record<string, unknown> | string {
      if (cut !== undefined) return `the line is cut: ${cut}`
      if (line.length > maxLineBytes) return tooLong
      if (!isUtf8(raw)) return 'the line is not UTF-8'
      return read(raw.toString())
    }

    function failLine(line: Buffer, at: number, reason: string): void {
      sink.takeUnreadable(unreadableRow({ file, line: lines, offset: at, reason, raw: line.subarray(0, 8192).toString() }))
    }
  }
}
