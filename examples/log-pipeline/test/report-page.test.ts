import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { chromiumPath, launchChromium } from '../../../scripts/chromium.mjs'
import type { Findings } from '../src/report'
import { reportPage } from '../src/report-page'

const minutes = Array.from({ length: 10 }, (_, i) => new Date(Date.UTC(2026, 10, 24, 15, i)))
const stamp = (at: Date) =>
  at
    .toISOString()
    .replace(/[-:]|:00\.000Z/g, '')
    .slice(0, 13)
const raw = minutes.map((at, i) => ({
  key: `raw/dt=2026-11-24/hour=15/device_logs-${stamp(at)}Z-0of1-abc.ndjson.gz`,
  size: 1000 + i,
}))
const windowOf = (window: string, inputs: typeof raw) => ({
  window,
  inputs,
  outputs: [{ key: 'data/a.parquet', size: 900 }],
  outputRows: 490,
  quarantinedRows: 10,
})
const findings: Findings = {
  report: {
    generatedRows: 1000,
    compactedRows: 980,
    quarantinedRows: 20,
    queriedRows: 980,
    rawFiles: 10,
    compactedFiles: 2,
    windows: 2,
    lost: 0,
    duplicated: 0,
    elapsedMs: 5000,
    devices: { d1: { count: 980, min: 1, max: 2, sum: 1470 } },
  },
  raw,
  rawBytes: 10_045,
  compactedBytes: 1800,
  windows: [windowOf('20261124T1500Z', raw.slice(0, 5)), windowOf('20261124T1505Z', raw.slice(5))],
  lag: minutes.map((at, i) => ({ at, consumer: i % 3, sink: 100 * i })),
  comparison: {} as Findings['comparison'],
  cutFiles: [],
  broken: [],
}
const answer = { answer: 'd1 1.500', scannedBytes: 10_045, elapsedMs: 12 }
const answers = { raw: answer, compacted: { ...answer, scannedBytes: 1800 } }

describe.skipIf(chromiumPath() === undefined)('the report in Chromium', () => {
  let folder: string
  let browser: Awaited<ReturnType<typeof launchChromium>>
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pipe-report-'))
    browser = await launchChromium()
  })
  afterAll(async () => {
    await browser.close()
    await rm(folder, { recursive: true })
  })

  /** Opens a page; gives what the browser complained about and what it asked for besides the page. */
  async function open(html: string) {
    const file = join(folder, 'report.html')
    await writeFile(file, html)
    const page = await browser.newPage()
    const complaints: string[] = []
    const requests: string[] = []
    page.on('console', (message) => complaints.push(message.text()))
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('request', (request) => requests.push(request.url()))
    await page.goto(pathToFileURL(file).href)
    return { page, complaints, others: requests.filter((url) => !/^(file|data):/.test(url)) }
  }

  it('shows files, windows, query and lag, and asks nobody for anything', async () => {
    const { page, complaints, others } = await open(reportPage(findings, answers))
    expect(complaints).toEqual([])
    expect(others).toEqual([])
    expect(await page.locator('script').count()).toBe(0)
    const charts = page.locator('figure')
    expect(await charts.nth(0).locator('rect').count()).toBe(10)
    expect(await charts.nth(2).locator('rect').count()).toBe(4)
    expect(await page.locator('polyline').count()).toBe(2)
    expect(await page.locator('.tile.good').count()).toBe(2)
    expect(await page.locator('td', { hasText: '$0.000052' }).count()).toBe(2)
    // The tallest bar fills its chart, and the page does not scroll sideways.
    const [tallest, plot] = [
      await charts.nth(0).locator('rect').first().boundingBox(),
      await charts.nth(0).locator('svg').boundingBox(),
    ]
    expect(tallest!.height / plot!.height).toBeGreaterThan(0.6)
    expect(await page.evaluate('document.documentElement.scrollWidth <= window.innerWidth')).toBe(true)
  })

  it('names what does not hold, as text', async () => {
    const broken = ['1 row is missing: <script>alert(1)</script> & "more"']
    const { page } = await open(reportPage({ ...findings, broken, lag: [], report: { ...findings.report, lost: 1 } }, undefined))
    expect(await page.locator('li').textContent()).toBe(broken[0])
    expect(await page.locator('.tile.bad').count()).toBe(1)
    expect(await page.locator('script, polyline').count()).toBe(0)
  })
})
