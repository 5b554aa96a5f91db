/**
 * Cells of one line of CSV (RFC 4180), with quotes taken off. Recorded series have no line ends within cells, so a line is a record.
 *
 * @returns `undefined` when quotes do not close or stand in the middle of a cell.
 */
export function splitCsvLine(line: string): string[] | undefined {
  if (!line.includes('"')) return line.split(',')
  const cells: string[] = []
  let at = 0
  for (;;) {
    if (line[at] === '"') {
      let cell = ''
      for (at++; ; at++) {
        if (at >= line.length) return undefined
        if (line[at] !== '"') cell += line[at]
        else if (line[at + 1] === '"') cell += line[at++]
        else break
      }
      at++
      cells.push(cell)
      if (at === line.length) return cells
      if (line[at] !== ',') return undefined
    } else {
      const end = line.indexOf(',', at)
      const cell = end < 0 ? line.slice(at) : line.slice(at, end)
      if (cell.includes('"')) return undefined
      cells.push(cell)
      if (end < 0) return cells
      at = end
    }
    at++
  }
}
