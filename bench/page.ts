import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BenchResult } from './result'

/** A file of `bench/results`. */
export interface StoredResult extends BenchResult {
  readonly suite: string
  /** When it was measured, ISO. */
  readonly at: string
  readonly node: string
  readonly cores: number
}

const introduction = `# Benchmarks

Written by \`npm run bench\` from \`bench/results\`; not edited by hand. Each suite measures ours, the peers and a physical floor in the same run:
a process of its own for each round, rounds interleaved (ABCABC), the first not counted, digests compared before anything is timed. Judge
the ratios; milliseconds are those of one small machine. \`lossy\` is a peer whose output is not all of the input.

Again: \`npm run bench -- SUITE --check\`, which exits with 1 when a target is missed. Why a target is missed stands in the package's README.
`

/** The page of all results, in the order of their names. */
export function benchmarksPage(results: readonly StoredResult[]): string {
  const targets = results.flatMap((result) => result.targets)
  const missed = targets.filter(({ met }) => !met).length
  const summary = `${targets.length} targets, ${targets.length - missed} met, ${missed} missed.\n`
  return [introduction, summary, ...results.map(section)].join('\n')
}

function section({ suite, at, node, cores, rows, targets }: StoredResult): string {
  const measured = `Measured ${at.slice(0, 10)} on Node ${node.slice(1)}, ${cores} cores: \`npm run bench -- ${suite}\`.`
  return [
    `## ${suite}`,
    '',
    measured,
    '',
    table(
      ['target', 'measured', 'wanted', ''],
      targets.map(({ name, ratio, target, better, met }) => [
        name,
        String(ratio),
        `${better === 'lower' ? '≤' : '≥'} ${Math.round(target * 100) / 100}`,
        met ? 'met' : '**missed**',
      ]),
    ),
    table(
      ['implementation', 'kind', 'median ms', 'min–max', 'CPU ms', 'peak MB', 'verdict'],
      rows.map(({ name, kind, medianMs, minMs, maxMs, cpuMs, peakRssMb, verdict }) => [
        name,
        kind,
        String(medianMs),
        `${minMs}–${maxMs}`,
        String(cpuMs),
        String(Math.round(peakRssMb)),
        verdict,
      ]),
    ),
  ].join('\n')
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return `${[line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n')}\n`
}

/** Reads the stored results of a folder and writes the page. */
export function writeBenchmarksPage(folder: string, page: string): void {
  const names = readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .sort()
  const results = names.map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as StoredResult)
  writeFileSync(page, benchmarksPage(results))
}
