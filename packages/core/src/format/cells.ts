/** One cell of delimited text. */
export interface Cell {
  readonly text: string
  /** Whether it stood in quotes: `""` is an empty text, nothing at all is no value. */
  readonly isQuoted: boolean
}

/** What a scanner makes of the text so far. */
export type Scanned =
  | { readonly state: 'complete'; readonly cells: Cell[] }
  /** A quote is open: the record goes on in the next line. */
  | { readonly state: 'open' }
  | { readonly state: 'wrong'; readonly reason: string }

/** Scans one record that may run over several lines. */
export interface RecordScanner {
  /** Adds a line (and, while the record is open, the line end that stood before it). */
  add(text: string): Scanned
}

/**
 * A scanner of RFC 4180: cells between delimiters, quotes around a cell that holds delimiters, quotes or line ends, `""` for a quote.
 * A quote inside a cell that does not begin with one is a character like any other.
 */
export function csvScanner(delimiter = ','): RecordScanner {
  const cells: Cell[] = []
  let quoted: string | undefined
  return {
    add(text) {
      let at = 0
      if (quoted === undefined && !text.includes('"')) {
        for (const cell of text.split(delimiter)) cells.push({ text: cell, isQuoted: false })
        return { state: 'complete', cells }
      }
      for (;;) {
        if (quoted === undefined) {
          if (text[at] !== '"') {
            const end = text.indexOf(delimiter, at)
            cells.push({ text: end < 0 ? text.slice(at) : text.slice(at, end), isQuoted: false })
            if (end < 0) return { state: 'complete', cells }
            at = end + 1
            continue
          }
          quoted = ''
          at++
        }
        const end = text.indexOf('"', at)
        if (end < 0) {
          quoted += text.slice(at)
          return { state: 'open' }
        }
        quoted += text.slice(at, end)
        at = end + 1
        if (text[at] === '"') {
          quoted += '"'
          at++
          continue
        }
        cells.push({ text: quoted, isQuoted: true })
        quoted = undefined
        if (at === text.length) return { state: 'complete', cells }
        if (text[at] !== delimiter)
          return { state: 'wrong', reason: `text stands behind the closing quote of cell ${cells.length}` }
        at++
      }
    },
  }
}

const escapes: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', '\\': '\\' }

/** A scanner of TSV: no quotes; `\t`, `\n`, `\r` and `\\` stand for the characters, `\N` alone for no value (as in Hive). */
export function tsvScanner(): RecordScanner {
  return {
    add(text) {
      const cells: Cell[] = []
      for (const cell of text.split('\t')) {
        if (cell === '\\N') cells.push({ text: '', isQuoted: false })
        else if (!cell.includes('\\')) cells.push({ text: cell, isQuoted: true })
        else {
          const wrong = /\\(?![tnr\\])/.exec(cell.replaceAll('\\\\', ''))
          if (wrong) return { state: 'wrong', reason: `cell ${cells.length + 1} holds a backslash that begins no escape` }
          cells.push({ text: cell.replaceAll(/\\([tnr\\])/g, (_, letter: string) => escapes[letter]!), isQuoted: true })
        }
      }
      return { state: 'complete', cells }
    },
  }
}

/** A cell of CSV: in quotes where it must be. `null` is nothing, an empty text is `""`. */
export function csvCell(text: string | null): string {
  if (text === null) return ''
  // A mark at the very start of a file would be taken for a byte order mark.
  return text === '' || /[",\r\n]|^\uFEFF/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** A cell of TSV; `null` is `\N`. */
export function tsvCell(text: string | null): string {
  if (text === null) return '\\N'
  return /[\\\t\r\n]/.test(text)
    ? text.replaceAll('\\', '\\\\').replaceAll('\t', '\\t').replaceAll('\r', '\\r').replaceAll('\n', '\\n')
    : text
}
