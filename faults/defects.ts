import { readFile } from 'node:fs/promises'
import {
  type Defect,
  type DefectClient,
  type DefectOutcome,
  defects,
  meet,
  type Range,
} from '../packages/kafka-kit/test/producer/defects'
import { markdownTable } from './summary'

/** Where the table stands. */
export const guide: URL = new URL('../docs/guides/why-not-bare-kafkajs.md', import.meta.url)

/** A line of the table: texts, and counts from the least to the most that was seen. */
export interface DefectRow {
  readonly id: string
  readonly client: string
  readonly accident: string
  readonly counts: readonly Range[]
}

const counted = ['sent', 'acknowledged', 'of these lost', 'stored twice', 'sends rejected'] as const
const head = ['defect', 'client', ...counted, 'accident']

/** Lets both clients meet each accident `runs` times. */
export async function measureDefects(runs: number, onRow: (row: DefectRow) => void): Promise<readonly DefectRow[]> {
  const rows: DefectRow[] = []
  for (const defect of defects) {
    for (const client of ['kafkajs', 'kit'] as const) {
      const outcomes: DefectOutcome[] = []
      for (let run = 0; run < runs; run++) outcomes.push(await meet(defect, client))
      const rangeOf = (count: keyof DefectOutcome): Range => {
        const counts = outcomes.map((outcome) => outcome[count])
        return [Math.min(...counts), Math.max(...counts)]
      }
      const row = rowOf(defect, client, rangeOf)
      rows.push(row)
      onRow(row)
    }
  }
  return rows
}

/** The rows as the defects declare them; the tests of the kit hold each run against that. */
export function declaredDefects(): readonly DefectRow[] {
  return defects.flatMap((defect) => {
    const sent = defect.sends.flat().length
    return [
      rowOf(defect, 'kafkajs', (count) => defect.bare[count]),
      rowOf(defect, 'kit', (count) => (count === 'acknowledged' ? [sent, sent] : [0, 0])),
    ]
  })
}

function rowOf(defect: Defect, client: DefectClient, rangeOf: (count: keyof DefectOutcome) => Range): DefectRow {
  const sent = defect.sends.flat().length
  return {
    id: defect.id,
    client: client === 'kit' ? '@pipe/kafka-kit' : 'kafkajs 2.2.4',
    accident: defect.accident,
    counts: [[sent, sent], rangeOf('acknowledged'), rangeOf('lost'), rangeOf('twice'), rangeOf('rejected')],
  }
}

/** The table as it stands in the guide. */
export function defectTable(rows: readonly DefectRow[]): string {
  return markdownTable(
    head,
    rows.map(({ id, client, counts, accident }) => [id, client, ...counts.map(rangeText), accident]),
  )
}

const rangeText = ([least, most]: Range) => (least === most ? `${least}` : `${least}–${most}`)

/**
 * Compares what was measured with the table of the guide: the same lines, and each count within what the guide says.
 *
 * @returns a sentence for each difference.
 */
export function differences(rows: readonly DefectRow[], text: string): readonly string[] {
  const lines = text.split('\n').filter((line) => /^\| (D\d|defect)/.test(line))
  const cells = lines.map((line) =>
    line
      .slice(1, -1)
      .split(' | ')
      .map((cell) => cell.trim()),
  )
  const [titles = [], ...written] = cells
  const found: string[] = []
  if (titles.join() !== head.join()) found.push(`The columns of the guide are ${titles.join(', ')}.`)
  if (written.length !== rows.length) found.push(`The guide has ${written.length} lines, measured were ${rows.length}.`)
  rows.forEach(({ id, client, counts, accident }, i) => {
    const [writtenId, writtenClient, ...rest] = written[i] ?? []
    const texts = [writtenId, writtenClient, rest.at(-1)].join()
    if (texts !== [id, client, accident].join()) found.push(`Line ${i + 1} of the guide is not ${id}, ${client}: ${accident}.`)
    else
      counts.forEach((range, column) => {
        const [least, most = least] = rest[column]!.split('–').map(Number)
        if (least === undefined || most === undefined || !(least <= range[0] && range[1] <= most))
          found.push(`${id}, ${client}, ${counted[column]}: the guide says ${rest[column]}, measured was ${rangeText(range)}.`)
      })
  })
  return found
}

/** The text of the guide. */
export function readGuide(): Promise<string> {
  return readFile(guide, 'utf8')
}
