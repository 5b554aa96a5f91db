import { isUtf8 } from 'node:buffer'
import { PipeError } from '@pipe/core'
import { type RowPlan, textPlan } from './row-plan'

/** What {@link csvRows} takes. */
export interface CsvRowsOptions<Row> {
  readonly plan: RowPlan<Row>
  /** Names of the columns: what the first row of the file must hold, whatever their case. */
  readonly header: readonly string[]
  /** Name of the file, for errors. */
  readonly file: string
  readonly signal?: AbortSignal | undefined
}

/** Rows of one batch come of at most so many bytes, unless one row has more. */
const pieceBytes = 64 * 1024

/**
 * Text is made of so many bytes at a time. A string that V8 cuts out of a text keeps the whole text alive: a caller who keeps one value
 * keeps 2 KB with it, not the block that came from the network.
 */
const slabBytes = 2 * 1024

/** Largest row: a row of Athena has 32 MB at most ("Considerations and limitations for SQL queries"), and doubled quotes double it. */
const maxRowBytes = 64 * 1024 * 1024

const quote = 34
const comma = 44
const newline = 10

/**
 * The rows of a result CSV of Athena, as it streams in. The dialect: every value is quoted, quotes in it are doubled, NULL is nothing at
 * all (so NULL differs from `''`, and a line with nothing is the row of one NULL), each row ends in a line feed, line feeds in values stand
 * as they are. The first row holds the names; a later row equal to it is data.
 *
 * Holds 64 KB and one row. The reader's pace is the pace of the source.
 *
 * @throws {@link PipeError} `PIPE_ATHENA_RESULT` for a file that is not that: cut off, damaged, or another result's. Rows before the damage
 * have been given by then.
 */
export async function* csvRows<Row>(source: AsyncIterable<Uint8Array>, options: CsvRowsOptions<Row>): AsyncGenerator<Row[]> {
  const { file, signal } = options
  const reader = createReader(options)
  let held: Uint8Array[] = []
  let heldBytes = 0
  // Below this it is not worth to look again: the row that is held was longer. Doubled each time, so that a long row is not read over and over.
  let worthBytes = 0
  const take = (): Row[] => {
    const bytes = held.length === 1 ? asBuffer(held[0]!) : Buffer.concat(held)
    const { rows, used } = reader.read(bytes)
    heldBytes = bytes.length - used
    held = heldBytes === 0 ? [] : [bytes.subarray(used)]
    worthBytes = used === 0 ? 2 * heldBytes : 0
    if (heldBytes > maxRowBytes) {
      throw damaged(file, `row ${reader.rowNumber()} has more than ${maxRowBytes} bytes`)
    }
    return rows
  }
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length; at += pieceBytes) {
      signal?.throwIfAborted()
      const piece = chunk.subarray(at, at + pieceBytes)
      held.push(piece)
      heldBytes += piece.length
      if (heldBytes < worthBytes) continue
      const rows = take()
      if (rows.length > 0) yield rows
    }
  }
  if (worthBytes > 0 && heldBytes > 0) {
    const rows = take()
    if (rows.length > 0) yield rows
  }
  if (heldBytes > 0) throw damaged(file, `it ends within row ${reader.rowNumber()}`)
  if (!reader.hasHeader()) throw damaged(file, 'it is empty, without even the names of the columns')
}

interface Reader<Row> {
  /** Reads the complete rows at the beginning of some bytes. */
  read(bytes: Buffer): { readonly rows: Row[]; readonly used: number }
  hasHeader(): boolean
  /** 1-based number of the row that is read next; 0 is the header. */
  rowNumber(): number
}

function createReader<Row>({ plan, header, file }: CsvRowsOptions<Row>): Reader<Row> {
  const headerPlan = textPlan(header.map((Name) => ({ Name, Type: 'varchar' })))
  const fail = (reason: string) => damaged(file, reason)
  const readHeader = createRowReader(headerPlan, fail, 1)
  const readRows = createRowReader(plan, fail, Number.POSITIVE_INFINITY)
  let headerSeen = false
  let done = 0

  function readText(text: string, rows: Row[]): number {
    let at = 0
    if (!headerSeen) {
      const found: (string | null)[][] = []
      at = readHeader(text, 0, found, 0)
      if (found.length === 0) return 0
      const wrong = header.findIndex((name, i) => found[0]![i]?.toLowerCase() !== name.toLowerCase())
      if (wrong !== -1) throw fail(`its column ${wrong + 1} is ${JSON.stringify(found[0]![wrong])}, not "${header[wrong]}"`)
      headerSeen = true
    }
    const before = rows.length
    at = readRows(text, at, rows, done + 1)
    done += rows.length - before
    return at
  }

  return {
    read(bytes) {
      const rows: Row[] = []
      let at = 0
      let size = slabBytes
      while (at < bytes.length) {
        // Cut behind a line feed, so never within a character, and nearly always behind a row.
        const end = bytes.lastIndexOf(newline, at + size - 1) + 1
        if (end <= at) {
          if (at + size >= bytes.length) break
          size *= 2
          continue
        }
        const text = bytes.toString('utf8', at, end)
        if (text.includes('\ufffd') && !isUtf8(bytes.subarray(at, end)))
          throw fail(`row ${done + 1} or one behind it is no UTF-8`)
        const used = readText(text, rows)
        if (used === 0) {
          if (at + size >= bytes.length) break
          size *= 2
          continue
        }
        at = used === text.length ? end : end - Buffer.byteLength(text.slice(used))
        size = slabBytes
      }
      return { rows, used: at }
    },
    hasHeader: () => headerSeen,
    rowNumber: () => (headerSeen ? done + 1 : 0),
  }
}

/**
 * Compiles the reader of rows in a text: it adds the complete rows from `at` on to `rows`, at most `maxRows`, and returns where it stopped.
 * `first` is the number of the first, for errors.
 */
function createRowReader<Row>(
  plan: RowPlan<Row>,
  fail: (reason: string) => PipeError,
  maxRows: number,
): (text: string, at: number, rows: Row[], first: number) => number {
  const { decoders, make } = plan
  const width = decoders.length
  const values = new Array<unknown>(width).fill(null)

  return (text, from, rows, first) => {
    const before = rows.length
    const number = () => first + rows.length - before
    const { length } = text
    let at = from
    while (at < length && rows.length - before < maxRows) {
      const start = at
      for (let i = 0; ; i++) {
        let code = text.charCodeAt(at)
        if (code === quote) {
          let end = text.indexOf('"', at + 1)
          if (end === -1) return start
          code = text.charCodeAt(end + 1)
          const decode = decoders[i]
          let value: unknown
          if (code === quote) {
            do {
              end = text.indexOf('"', end + 2)
              if (end === -1) return start
              code = text.charCodeAt(end + 1)
            } while (code === quote)
            const cell = text.slice(at + 1, end).replaceAll('""', '"')
            value = decode === undefined ? cell : decode(cell, 0, cell.length)
          } else value = decode === undefined ? text.slice(at + 1, end) : decode(text, at + 1, end)
          if (value === undefined) throw plan.badValue(i, number(), text.slice(at + 1, end).replaceAll('""', '"'))
          values[i] = value
          at = end + 2
        } else {
          if (code === comma || code === newline) values[i] = plan.nullOf(i, number())
          at++
        }
        if (code === comma) {
          if (i + 1 === width) throw fail(`row ${number()} has more than ${width} cells`)
        } else if (code === newline) {
          if (i + 1 < width) throw fail(`row ${number()} has ${i + 1} cells, not ${width}`)
          break
        } else throw fail(`row ${number()} has a cell that is not between quotes`)
      }
      rows.push(make(values))
    }
    return at
  }
}

function damaged(file: string, reason: string): PipeError {
  return new PipeError('PIPE_ATHENA_RESULT', `The result ${file} cannot be read: ${reason}.`, {
    hint: "Run the query again, or read it with route: 'pages'.",
    details: { file },
  })
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
