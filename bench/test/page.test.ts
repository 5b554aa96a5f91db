import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { benchmarksPage, type StoredResult } from '../page'
import { benchRow, benchTarget } from '../result'

const round = { ms: 10, cpuMs: 8, peakRssMb: 50.4, digest: 'd' }
const result: StoredResult = {
  suite: 'x',
  at: '2026-11-28T17:00:00.000Z',
  node: 'v20.20.2',
  cores: 2,
  rows: [benchRow('a|b', 'ours', [round]), benchRow('peer', 'peer', [round], 'lossy')],
  targets: [
    benchTarget('faster', 2, 'higher', 3),
    benchTarget('smaller', 1, 'lower', 1 / 3),
    benchTarget('good', 4, 'higher', 3),
  ],
}

test('each target stands beside what was measured, missed ones marked', () => {
  const page = benchmarksPage([result])
  expect(page).toContain('3 targets, 1 met, 2 missed.')
  expect(page).toContain('| faster | 2 | ≥ 3 | **missed** |')
  expect(page).toContain('| smaller | 1 | ≤ 0.33 | **missed** |')
  expect(page).toContain('| good | 4 | ≥ 3 | met |')
  expect(page).toContain('Measured 2026-11-28 on Node 20.20.2, 2 cores: `npm run bench -- x`.')
  expect(page).toContain('| a\\|b | ours | 10 | 10–10 | 8 | 50 | ok |')
  expect(page).toContain('| peer | peer | 10 | 10–10 | 8 | 50 | lossy |')
})

test('the page in docs is that of the stored results', () => {
  const folder = fileURLToPath(new URL('../results/', import.meta.url))
  const stored = readdirSync(folder).sort()
  const results = stored.map((file) => JSON.parse(readFileSync(`${folder}${file}`, 'utf8')) as StoredResult)
  const page = readFileSync(fileURLToPath(new URL('../../docs/benchmarks.md', import.meta.url)), 'utf8')
  expect(benchmarksPage(results)).toBe(page)
})
