const widest = 60

/** Text of a cell for a terminal: control characters of hostile data are spelled out, long texts cut. */
function cellText(value: string | null): string {
  if (value === null) return 'NULL'
  const safe = value.replaceAll(
    /[\u0000-\u001f\u007f-\u009f]/g,
    (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
  )
  return safe.length <= widest ? safe : `${safe.slice(0, widest - 1)}…`
}

/** Rows in columns under their names, numbers to the right. */
export function textTable(
  names: readonly string[],
  rows: readonly (readonly (string | null)[])[],
  isNumber: readonly boolean[],
): string {
  const lines = [names, ...rows].map((row) => names.map((_, i) => cellText(row[i] ?? (row === names ? '' : null))))
  const widths = names.map((_, i) => Math.max(...lines.map((line) => line[i]!.length)))
  return lines
    .map((line) =>
      line
        .map((cell, i) => (isNumber[i] ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
