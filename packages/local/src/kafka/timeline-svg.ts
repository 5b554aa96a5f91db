import type { KafkaEvent } from './timeline'
import { brokerOf, chosen, type TimelineOptions, wordsOf } from './timeline-text'

const laneWidth = 230
const timeWidth = 70
const rowHeight = 18
const headHeight = 30

const colours: Readonly<Partial<Record<KafkaEvent['kind'], string>>> = {
  append: '#1a7f37',
  replicate: '#0969da',
  commit: '#6e7781',
  acknowledge: '#1a7f37',
  'in-sync': '#9a6700',
  leader: '#8250df',
  truncate: '#cf222e',
  broker: '#cf222e',
  link: '#cf222e',
  fault: '#cf222e',
}

/** The events as an SVG picture: time runs down, a lane for the controllers and one a broker; copies are arrows from leader to follower. */
export function timelineSvg(events: readonly KafkaEvent[], brokers: number, options: TimelineOptions = {}): string {
  const rows = chosen(events, options)
  const width = timeWidth + (brokers + 1) * laneWidth
  const height = headHeight + rows.length * rowHeight + 10
  const lane = (index: number) => timeWidth + index * laneWidth
  const names = ['controllers', ...Array.from({ length: brokers }, (_, index) => `broker ${index + 1}`)]
  const parts = names.map(
    (name, index) =>
      `<text x="${lane(index) + 8}" y="18" font-weight="bold">${name}</text>` +
      `<line x1="${lane(index)}" y1="${headHeight}" x2="${lane(index)}" y2="${height}" stroke="#d0d7de"/>`,
  )
  for (const [index, event] of rows.entries()) {
    const y = headHeight + (index + 1) * rowHeight - 5
    const column = brokerOf(event) ?? 0
    const colour = colours[event.kind] ?? '#24292f'
    parts.push(`<text x="${timeWidth - 8}" y="${y}" text-anchor="end" fill="#6e7781">${event.atMs.toFixed(1)}</text>`)
    parts.push(`<text x="${lane(column) + 8}" y="${y}" fill="${colour}">${escaped(wordsOf(event))}</text>`)
    if (event.kind !== 'replicate') continue
    // From the leader's lane to the follower's.
    const [from, to] = [lane(event.leader), lane(event.broker)]
    parts.push(
      `<line x1="${from}" y1="${y - rowHeight / 2}" x2="${to}" y2="${y - 4}" stroke="${colour}" marker-end="url(#arrow)"/>`,
    )
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="monospace" font-size="12">`,
    '<defs><marker id="arrow" markerWidth="6" markerHeight="6" refX="5" refY="3" orient="auto"><path d="M0,0 L6,3 L0,6 z" fill="#0969da"/></marker></defs>',
    '<rect width="100%" height="100%" fill="white"/>',
    ...parts,
    '</svg>',
  ].join('\n')
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
}
