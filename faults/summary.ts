import type { FaultRow } from './verdict'

/** All seeds of one scenario and guarantee, added up. */
export interface SummaryRow {
  readonly scenario: string
  /** `undefined`: seeds that did not come to their end. */
  readonly guarantee: FaultRow['guarantee']
  readonly seeds: number
  readonly sent: number
  readonly acknowledged: number
  readonly stored: number
  readonly lost: number
  readonly duplicated: number | undefined
  readonly ambiguous: number
  readonly notWritten: number
  readonly phantoms: number
  readonly reordered: number
  readonly again: number | undefined
  /** Median of the seeds. */
  readonly seconds: number
  /** Seeds that broke a promise. */
  readonly broken: number
}

/** Adds up rows, in the order in which scenarios first appear. */
export function summaryOf(rows: readonly FaultRow[]): readonly SummaryRow[] {
  const groups = new Map<string, FaultRow[]>()
  for (const row of rows) {
    const key = `${row.scenario} ${row.guarantee}`
    groups.set(key, [...(groups.get(key) ?? []), row])
  }
  return [...groups.values()].map((group) => {
    const sum = (count: (row: FaultRow) => number) => group.reduce((total, row) => total + count(row), 0)
    const sumOfKnown = (count: (row: FaultRow) => number | undefined) =>
      count(group[0]!) === undefined ? undefined : sum((row) => count(row) ?? 0)
    const times = group.map(({ elapsedMs }) => elapsedMs).sort((a, b) => a - b)
    return {
      scenario: group[0]!.scenario,
      guarantee: group[0]!.guarantee,
      seeds: group.length,
      sent: sum(({ sent }) => sent),
      acknowledged: sum(({ acknowledged }) => acknowledged),
      stored: sum(({ stored }) => stored),
      lost: sum(({ lost }) => lost),
      duplicated: sumOfKnown(({ duplicated }) => duplicated),
      ambiguous: sum(({ ambiguous }) => ambiguous),
      notWritten: sum(({ notWritten }) => notWritten),
      phantoms: sum(({ phantoms }) => phantoms),
      reordered: sum(({ reordered }) => reordered),
      again: sumOfKnown(({ again }) => again),
      seconds: Math.round(times[times.length >> 1]! / 100) / 10,
      broken: group.filter(({ broken }) => broken.length > 0).length,
    }
  })
}

const columns: readonly (readonly [string, (row: SummaryRow) => string | number | undefined])[] = [
  ['scenario', ({ scenario }) => scenario],
  ['promise', ({ guarantee }) => guarantee],
  ['seeds', ({ seeds }) => seeds],
  ['sent', ({ sent }) => sent],
  ['acknowledged', ({ acknowledged }) => acknowledged],
  ['stored', ({ stored }) => stored],
  ['lost', ({ lost }) => lost],
  ['duplicated', ({ duplicated }) => duplicated],
  ['ambiguous', ({ ambiguous }) => ambiguous],
  ['not written', ({ notWritten }) => notWritten],
  ['of these stored', ({ phantoms }) => phantoms],
  ['reordered', ({ reordered }) => reordered],
  ['handled again', ({ again }) => again],
  ['median s', ({ seconds }) => seconds],
  [
    'verdict',
    ({ guarantee, broken, seeds }) =>
      broken > 0 ? `BROKEN in ${broken} of ${seeds}` : guarantee === 'leader' ? 'shown' : 'kept',
  ],
]

/** The summary as a table in Markdown, columns aligned. */
export function summaryTable(rows: readonly SummaryRow[]): string {
  return markdownTable(
    columns.map(([title]) => title),
    rows.map((row) => columns.map(([, cell]) => String(cell(row) ?? '–'))),
  )
}

/** A table in Markdown, columns aligned; columns of numbers to the right. */
export function markdownTable(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) => Math.max(title.length, ...lines.map((line) => line[i]!.length)))
  const isNumber = head.map((_, i) => lines.every((line) => /^[\d.–]+$/.test(line[i]!)))
  const text = (line: readonly string[]) =>
    `| ${line.map((cell, i) => (isNumber[i] ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!))).join(' | ')} |`
  const rule = `|${widths.map((width, i) => (isNumber[i] ? `${'-'.repeat(width + 1)}:` : '-'.repeat(width + 2))).join('|')}|`
  return [text(head), rule, ...lines.map(text)].join('\n')
}
