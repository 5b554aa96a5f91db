/** A column of a table: its heading, and whether it is set to the right. */
export type TableColumn = string | { readonly name: string; readonly align: 'right' }

/** Rows as text, in columns two spaces apart. Control characters are shown, not sent: keys may hold any. */
export function textTable(columns: readonly TableColumn[], rows: readonly (readonly (string | number | bigint)[])[]): string {
  const lines = [
    columns.map((column) => (typeof column === 'string' ? column : column.name)),
    ...rows.map((row) => row.map(cellText)),
  ]
  const widths = columns.map((_, at) => Math.max(...lines.map((line) => line[at]!.length)))
  return lines
    .map((line) =>
      line
        .map((cell, at) => (typeof columns[at] === 'string' ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function cellText(cell: string | number | bigint): string {
  return String(cell).replaceAll(
    /[\u0000-\u001f\u007f-\u009f]/g,
    (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
  )
}

/** JSON for programs: dates as ISO text, and what has no end as `"Infinity"`. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => (item === Number.POSITIVE_INFINITY ? 'Infinity' : item), 2)
}
