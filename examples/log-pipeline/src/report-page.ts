import { timeOfKey } from '@pipe/core'
import { bytes, count } from './amount'
import { barChart, escaped, lineChart } from './chart'
import type { Answers } from './print'
import type { Findings } from './report'

/** US-East price of Athena: 5 USD for each TB scanned, 10 MB a query at least (https://aws.amazon.com/athena/pricing/). */
const usdPerByte = 5 / 1e12
const leastBytes = 10 * 1024 ** 2

const style = `
:root { color-scheme: light; --ink: #1c2733; --soft: #64748b; --one: #2563eb; --two: #f59e0b; --three: #10b981; }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: #f6f8fa; margin: 0 auto; max-width: 1040px; padding: 24px; }
h1 { font-size: 24px; margin: 0 } h2 { font-size: 17px; margin: 28px 0 8px } p { margin: 4px 0 16px; color: var(--soft) }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px }
.tile { background: #fff; border: 1px solid #e2e8f0; border-radius: 8px; padding: 12px 14px } .tile b { display: block; font-size: 22px }
.tile.good { border-color: var(--three) } .tile.bad { border-color: #dc2626; color: #dc2626 }
figure { background: #fff; border: 1px solid #e2e8f0; border-radius: 8px; margin: 12px 0; padding: 12px 14px }
figcaption { font-weight: 600; margin-bottom: 4px } svg { width: 100%; height: auto } svg text { font-size: 11px; fill: var(--soft) }
.axis { fill: none; stroke: #cbd5e1 } .line { fill: none; stroke-width: 2 }
rect.one { fill: var(--one) } rect.two { fill: var(--two) } rect.three { fill: var(--three) }
.line.one { stroke: var(--one) } .line.two { stroke: var(--two) } .line.three { stroke: var(--three) }
.key { font-weight: 400; font-size: 13px; color: var(--soft); margin-left: 10px } .key::before { content: '■ ' }
.key.one::before { color: var(--one) } .key.two::before { color: var(--two) } .key.three::before { color: var(--three) }
table { border-collapse: collapse; background: #fff; width: 100%; font-variant-numeric: tabular-nums } th, td { border: 1px solid #e2e8f0; padding: 4px 10px; text-align: right }
th:first-child, td:first-child { text-align: left }`

/** The run as one page that needs nothing else: no script, no font, no address. */
export function reportPage(findings: Findings, answers: Answers | undefined): string {
  const { report, broken } = findings
  const sound = broken.length === 0
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>The log pipeline: one run</title>
<link rel="icon" href="data:,"><style>${style}</style></head><body>
<h1>The log pipeline: one run</h1>
<p>${count(report.generatedRows)} lines of ${Object.keys(report.devices).length} devices, ${report.rawFiles} files, ${report.windows} windows, every row read back through Athena and compared with the ground truth.</p>
<div class="tiles">
${tile('rows lost', count(report.lost), report.lost === 0)}${tile('rows doubled', count(report.duplicated), report.duplicated === 0)}
${tile('rows read back', count(report.queriedRows))}${tile('rows in quarantine', count(report.quarantinedRows))}
${tile('files before → after', `${report.rawFiles} → ${report.compactedFiles}`)}${tile('bytes before → after', `${bytes(findings.rawBytes)} → ${bytes(findings.compactedBytes)}`)}
</div>
${sound ? '' : `<h2>What does not hold</h2><ul>${broken.map((sentence) => `<li>${escaped(sentence)}</li>`).join('')}</ul>`}
<h2>Files landing</h2>${landing(findings)}
<h2>Windows</h2>${windowSizes(findings)}${windowTable(findings)}
${answers ? `<h2>The same question, before and after</h2>${questions(answers)}` : ''}
${findings.lag.length > 0 ? `<h2>Kafka</h2>${kafkaLag(findings)}` : ''}
</body></html>
`
}

const tile = (name: string, value: string, good?: boolean): string =>
  `<div class="tile${good === undefined ? '' : good ? ' good' : ' bad'}"><b>${escaped(value)}</b>${escaped(name)}</div>`

const clock = (at: Date): string => at.toISOString().slice(11, 16)

/** Raw objects by the time in their key: a file of the minute [15:31, 15:32) landed at 15:32. */
function landing({ raw }: Findings): string {
  const byTime = new Map<number, { files: number; size: number }>()
  for (const { key, size } of raw) {
    const at = timeOfKey(key)?.getTime()
    if (at === undefined) continue
    const sum = byTime.get(at) ?? { files: 0, size: 0 }
    byTime.set(at, { files: sum.files + 1, size: sum.size + size })
  }
  const landed = [...byTime].sort(([a], [b]) => a - b)
  const labels = landed.map(([at]) => clock(new Date(at)))
  const files = { name: 'files', tone: 'one', values: landed.map(([, sum]) => sum.files) }
  const sizes = { name: 'gzipped NDJSON', tone: 'two', values: landed.map(([, sum]) => sum.size) }
  return (
    barChart({ title: 'Files for each minute', labels, series: [files], tell: count }) +
    barChart({ title: 'Bytes for each minute', labels, series: [sizes], tell: bytes })
  )
}

const sumOf = (objects: readonly { readonly size: number }[]): number => objects.reduce((sum, { size }) => sum + size, 0)

function windowSizes({ windows }: Findings): string {
  const before = { name: 'before (raw files)', tone: 'two', values: windows.map(({ inputs }) => sumOf(inputs)) }
  const after = { name: 'after (one Parquet file)', tone: 'three', values: windows.map(({ outputs }) => sumOf(outputs)) }
  const labels = windows.map(({ window }) => timeOfWindow(window))
  return barChart({ title: 'Bytes for each window', labels, series: [before, after], tell: bytes })
}

const timeOfWindow = (id: string): string => id.replace(/^\d{8}T(\d\d)(\d\d)Z$/, '$1:$2')

function windowTable({ windows }: Findings): string {
  const shown = windows.slice(0, 24)
  const rows = shown.map(
    ({ window, inputs, outputs, outputRows, quarantinedRows }) =>
      `<tr><td>${escaped(window)}</td><td>${inputs.length}</td><td>${bytes(sumOf(inputs))}</td><td>${outputs.length}</td><td>${bytes(sumOf(outputs))}</td><td>${count(outputRows)}</td><td>${count(quarantinedRows)}</td></tr>`,
  )
  const more = windows.length > shown.length ? `<p>${windows.length - shown.length} more windows are not shown.</p>` : ''
  return `<table><tr><th>window</th><th>files</th><th>bytes</th><th>files after</th><th>bytes after</th><th>rows</th><th>quarantined</th></tr>${rows.join('')}</table>${more}`
}

function questions({ raw, compacted }: Answers): string {
  const usd = (scanned: number) => `$${(Math.max(scanned, leastBytes) * usdPerByte).toFixed(6)}`
  const row = (name: string, { answer, scannedBytes, elapsedMs }: Answers['raw']) =>
    `<tr><td>${name}</td><td>${escaped(answer)}</td><td>${bytes(scannedBytes)}</td><td>${usd(scannedBytes)}</td><td>${elapsedMs} ms</td></tr>`
  return `<table><tr><th>highest mean metric</th><th>answer</th><th>scanned</th><th>cost on AWS</th><th>time here</th></tr>${row('over raw files', raw)}${row('over compacted files', compacted)}</table>
<p>Athena bills 5 USD for each TB scanned and at least 10 MB a query, so an hour this small costs the minimum both times; the bytes are what grows.</p>`
}

function kafkaLag({ lag }: Findings): string {
  return lineChart({
    title: 'Messages behind, at each tick',
    labels: lag.map(({ at }) => clock(at)),
    series: [
      { name: 'dashboard', tone: 'one', values: lag.map(({ consumer }) => consumer) },
      { name: 'not yet on S3', tone: 'two', values: lag.map(({ sink }) => sink) },
    ],
    tell: count,
  })
}
