/** Text as it stands in HTML and SVG. */
export const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

/** One series of a chart: a value for each label of the chart. */
export interface Series {
  readonly name: string
  /** A class of the page's style sheet. */
  readonly tone: string
  readonly values: readonly number[]
}

/** A chart and what stands beside its axes. */
export interface Chart {
  readonly title: string
  /** One for each value; the first, the middle and the last are written. */
  readonly labels: readonly string[]
  readonly series: readonly Series[]
  readonly tell: (value: number) => string
}

const width = 720
const height = 180
const plot = { left: 56, right: width - 8, top: 14, bottom: height - 22 }

/** Bars beside each other, one group a label. */
export function barChart(chart: Chart): string {
  const slot = (plot.right - plot.left) / chart.labels.length
  const bar = (slot * 0.8) / chart.series.length
  const scale = scaleOf(chart)
  const bars = chart.series.flatMap(({ name, tone, values }, at) =>
    values.map((value, i) => {
      const y = scale(value)
      const x = plot.left + i * slot + slot * 0.1 + at * bar
      const title = `<title>${escaped(`${chart.labels[i]}: ${chart.tell(value)} ${name}`)}</title>`
      return `<rect class="${tone}" x="${x.toFixed(1)}" y="${y.toFixed(1)}" width="${bar.toFixed(2)}" height="${(plot.bottom - y).toFixed(1)}">${title}</rect>`
    }),
  )
  return frame(chart, bars.join(''))
}

/** A line a series. */
export function lineChart(chart: Chart): string {
  const step = (plot.right - plot.left) / Math.max(1, chart.labels.length - 1)
  const scale = scaleOf(chart)
  const lines = chart.series.map(({ tone, values }) => {
    const points = values.map((value, i) => `${(plot.left + i * step).toFixed(1)},${scale(value).toFixed(1)}`)
    return `<polyline class="line ${tone}" points="${points.join(' ')}"/>`
  })
  return frame(chart, lines.join(''))
}

/** From values to the height at which they are drawn; 0 is the axis. */
function scaleOf(chart: Chart): (value: number) => number {
  const most = greatest(chart) || 1
  return (value) => plot.bottom - (value / most) * (plot.bottom - plot.top)
}

const greatest = ({ series }: Chart): number => Math.max(0, ...series.flatMap(({ values }) => values))

function frame(chart: Chart, marks: string): string {
  const { title, labels, series, tell } = chart
  const places = [
    { x: plot.left, label: labels[0], anchor: 'start' },
    { x: (plot.left + plot.right) / 2, label: labels[Math.floor(labels.length / 2)], anchor: 'middle' },
    { x: plot.right, label: labels.at(-1), anchor: 'end' },
  ]
  const below = places.map(
    ({ x, label, anchor }) => `<text x="${x}" y="${height - 6}" text-anchor="${anchor}">${escaped(label ?? '')}</text>`,
  )
  const legend = series.map(({ name, tone }) => `<span class="key ${tone}">${escaped(name)}</span>`).join(' ')
  return `<figure><figcaption>${escaped(title)} ${legend}</figcaption>
<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(title)}">
<text x="${plot.left - 6}" y="${plot.top + 4}" text-anchor="end">${escaped(tell(greatest(chart)))}</text><text x="${plot.left - 6}" y="${plot.bottom}" text-anchor="end">${escaped(tell(0))}</text>
<path class="axis" d="M${plot.left} ${plot.top}V${plot.bottom}H${plot.right}"/>
${marks}${below.join('')}
</svg></figure>`
}
