import type { ClassPoint } from './class-timeline'
import { byteSize, dateText } from './figures'

/** Order of the layers, warmest first, with the letter and the colour of each. */
const layers: readonly (readonly [storageClass: string, letter: string, colour: string])[] = [
  ['STANDARD', 'S', '#d9480f'],
  ['INTELLIGENT_TIERING', 'T', '#f08c00'],
  ['STANDARD_IA', 'I', '#e8b923'],
  ['ONEZONE_IA', 'O', '#74b816'],
  ['GLACIER_IR', 'R', '#2b8a3e'],
  ['GLACIER', 'G', '#1971c2'],
  ['DEEP_ARCHIVE', 'D', '#3b2f8f'],
]

function layersOf(points: readonly ClassPoint[]): readonly (readonly [string, string, string])[] {
  const names = new Set(points.flatMap(({ bytes }) => Object.keys(bytes)))
  const others = [...names].filter((name) => !layers.some(([known]) => known === name)).sort()
  return [...layers.filter(([name]) => names.has(name)), ...others.map((name) => [name, '?', '#868e96'] as const)]
}

function totalOf({ bytes }: ClassPoint): number {
  return Object.values(bytes).reduce((sum, value) => sum + value, 0)
}

/**
 * Bytes per class over time as text: a line a moment, a letter a class.
 *
 * @param width characters of the longest bar. Default 60.
 */
export function chartText(points: readonly ClassPoint[], width: number = 60): string {
  const used = layersOf(points)
  const most = Math.max(1, ...points.map(totalOf))
  const lines = points.map((point) => {
    // Cut positions, not widths, are rounded: a bar is as long as its sum.
    let [sum, drawn, bar] = [0, 0, '']
    for (const [name, letter] of used) {
      sum += point.bytes[name] ?? 0
      const end = Math.round((sum / most) * width)
      bar += letter.repeat(end - drawn)
      drawn = end
    }
    return `${dateText(point.at)}  ${bar.padEnd(width)}  ${byteSize(totalOf(point))}`
  })
  return `${lines.join('\n')}\n${used.map(([name, letter]) => `${letter} ${name}`).join('  ')}`
}

/** Bytes per class over time as an SVG image: stacked areas with a scale and a legend, 800 × 360. */
export function chartSvg(points: readonly ClassPoint[]): string {
  const [width, height, left, top, right, bottom] = [800, 360, 80, 20, 170, 40]
  const used = layersOf(points)
  const most = Math.max(1, ...points.map(totalOf))
  const x = (i: number) => left + (i / Math.max(1, points.length - 1)) * (width - left - right)
  const y = (bytes: number) => height - bottom - (bytes / most) * (height - top - bottom)
  const at = (i: number, bytes: number) => `${x(i).toFixed(1)},${y(bytes).toFixed(1)}`
  const below = points.map(() => 0)
  const areas = used.map(([name, , colour]) => {
    const lower = points.map((_, i) => at(i, below[i]!))
    points.forEach(({ bytes }, i) => {
      below[i]! += bytes[name] ?? 0
    })
    const upper = points.map((_, i) => at(i, below[i]!))
    return `<polygon fill="${colour}" points="${[...lower, ...upper.reverse()].join(' ')}"><title>${escaped(name)}</title></polygon>`
  })
  const legend = used.map(([name, , colour], i) => {
    const line = top + 12 + i * 20
    return `<rect x="${width - right + 16}" y="${line - 10}" width="12" height="12" fill="${colour}"/><text x="${width - right + 34}" y="${line}">${escaped(name)}</text>`
  })
  const scale = [0, 0.5, 1].map(
    (share) => `<text x="${left - 8}" y="${y(most * share) + 4}" text-anchor="end">${byteSize(most * share)}</text>`,
  )
  const dates = [0, Math.floor((points.length - 1) / 2), points.length - 1]
    .filter((i, place, all) => i >= 0 && all.indexOf(i) === place)
    .map((i) => `<text x="${x(i)}" y="${height - bottom + 20}" text-anchor="middle">${dateText(points[i]!.at)}</text>`)
  const axes = `<path d="M${left} ${top}V${height - bottom}H${width - right}" fill="none" stroke="#495057"/>`
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" role="img" aria-label="Bytes per storage class over time">
${[...areas, axes, ...scale, ...dates, ...legend].join('\n')}
</svg>
`
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
