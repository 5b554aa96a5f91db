import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'

/** One cell of a result: text, or `null` for NULL. */
export type Cell = string | null

/** Rows between two remembered offsets of a result file; also the most that one GetQueryResults page can ask for. */
const rowsPerMark = 1000

/** Where rows start in a result CSV, so that a page can be read from the middle. */
export interface ResultIndex {
  /** Data rows, without the header. */
  readonly rows: number
  /** Byte offset of row 0, 1000, 2000 … */
  readonly marks: readonly number[]
}

/** Writes a result in Athena's CSV: header and values quoted, NULL nothing at all, `"` doubled, `\n` behind every row. */
export interface ResultWriter {
  write(rows: readonly (readonly Cell[])[]): Promise<void>
  /** Completes the file. */
  close(): Promise<ResultIndex>
  /** Gives up the file handle. Harmless after `close`. */
  abandon(): Promise<void>
}

const cellText = (cell: Cell) => (cell === null ? '' : `"${cell.replaceAll('"', '""')}"`)

/** One row of the CSV, with its line end. */
export function csvLine(row: readonly Cell[]): string {
  return `${row.map(cellText).join(',')}\n`
}

/** Starts a result file with its header. */
export async function createResultWriter(file: string, names: readonly string[]): Promise<ResultWriter> {
  const handle = await open(file, 'w')
  const marks: number[] = []
  let rows = 0
  let offset = 0
  let closed = false

  const write = async (text: string) => {
    const bytes = Buffer.from(text)
    let done = 0
    while (done < bytes.length) done += (await handle.write(bytes, done, bytes.length - done)).bytesWritten
    offset += bytes.length
  }
  await write(csvLine(names))
  return {
    async write(batch) {
      let text = ''
      for (const row of batch) {
        if (rows % rowsPerMark === 0) {
          await write(text)
          text = ''
          marks.push(offset)
        }
        text += csvLine(row)
        rows++
      }
      await write(text)
    },
    async close() {
      closed = true
      await handle.close()
      return { rows, marks }
    },
    async abandon() {
      if (closed) return
      closed = true
      await handle.close()
    },
  }
}

/** Reads `count` rows (at most) from row `from` of a result file. */
export async function readResultRows(file: string, index: ResultIndex, from: number, count: number): Promise<Cell[][]> {
  if (count <= 0 || from >= index.rows) return []
  const mark = Math.floor(from / rowsPerMark)
  const skip = from - mark * rowsPerMark
  const rows: Cell[][] = []
  const wanted = Math.min(skip + count, index.rows - mark * rowsPerMark)
  const reader = csvReader((row) => rows.push(row))
  const stream = createReadStream(file, { start: index.marks[mark] as number, encoding: 'utf8', highWaterMark: 256 * 1024 })
  for await (const chunk of stream) {
    reader(chunk as string)
    if (rows.length >= wanted) break
  }
  return rows.slice(skip, wanted)
}

/** Reads the dialect that {@link csvLine} writes, in chunks of any size. */
function csvReader(onRow: (row: Cell[]) => void): (chunk: string) => void {
  let row: Cell[] = []
  let cell: string | undefined
  let inQuotes = false
  // The last character was a quote inside a quoted cell: either half of a doubled quote or the end of the cell.
  let quotePending = false

  const endCell = () => {
    row.push(cell ?? null)
    cell = undefined
  }
  return (chunk) => {
    for (let at = 0; at < chunk.length; at++) {
      if (inQuotes && !quotePending) {
        const quote = chunk.indexOf('"', at)
        cell += quote === -1 ? chunk.slice(at) : chunk.slice(at, quote)
        if (quote === -1) return
        quotePending = true
        at = quote
        continue
      }
      const char = chunk[at]
      if (quotePending) {
        quotePending = false
        if (char === '"') {
          cell += '"'
          continue
        }
        inQuotes = false
      }
      if (char === '"') {
        inQuotes = true
        cell = ''
      } else if (char === ',') endCell()
      else if (char === '\n') {
        endCell()
        onRow(row)
        row = []
      }
    }
  }
}
