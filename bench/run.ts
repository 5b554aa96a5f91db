// npm run bench [-- SUITE …] [--check]
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type StoredResult, writeBenchmarksPage } from './page'
import type { BenchResult, BenchSuite } from './result'

const here = dirname(fileURLToPath(import.meta.url))
const known = readdirSync(here)
  .filter((file) => file.endsWith('.ts') && !['run.ts', 'result.ts', 'page.ts'].includes(file))
  .map((file) => file.slice(0, -3))

const args = process.argv.slice(2)
const check = args.includes('--check')
const asked = args.filter((arg) => !arg.startsWith('--'))
for (const option of args) {
  if (option.startsWith('-') && option !== '--check') {
    console.error(`bench has no option "${option}". Use: npm run bench -- [SUITE …] [--check]`)
    process.exit(2)
  }
}
for (const name of asked) {
  if (!known.includes(name)) {
    console.error(`There is no suite "${name}". Suites: ${known.join(', ')}.`)
    process.exit(2)
  }
}

function print(name: string, { rows, targets }: BenchResult): void {
  console.log(`\n${name}`)
  console.table(
    rows.map(({ name, kind, medianMs, minMs, maxMs, cpuMs, peakRssMb, verdict }) => ({
      name,
      kind,
      'median ms': medianMs,
      'min–max ms': `${minMs}–${maxMs}`,
      'cpu ms': cpuMs,
      'peak MB': peakRssMb,
      verdict,
    })),
  )
  for (const { name, ratio, target, better, met } of targets) {
    console.log(`${met ? 'met   ' : 'MISSED'}  ${name}: ${ratio} (target ${better === 'lower' ? '≤' : '≥'} ${target})`)
  }
}

let missed = 0
for (const name of asked.length > 0 ? asked : known) {
  const { suite } = (await import(`./${name}.ts`)) as { suite: BenchSuite }
  const started = Date.now()
  console.log(`bench ${suite.name} …`)
  const result = await suite.run((line) => console.log(`  ${((Date.now() - started) / 1000).toFixed(0)} s  ${line}`))
  print(suite.name, result)
  missed += result.targets.filter(({ met }) => !met).length
  missed += result.rows.filter(({ kind, verdict }) => kind === 'ours' && verdict !== 'ok').length
  const results = join(here, 'results')
  if (!existsSync(results)) mkdirSync(results)
  const report: StoredResult = {
    suite: suite.name,
    at: new Date().toISOString(),
    node: process.version,
    cores: cpus().length,
    ...result,
  }
  writeFileSync(join(results, `${suite.name}.json`), `${JSON.stringify(report, null, 2)}\n`)
}
writeBenchmarksPage(join(here, 'results'), join(dirname(here), 'docs', 'benchmarks.md'))
if (missed > 0) console.log(`\n${missed} targets missed`)
process.exit(check && missed > 0 ? 1 : 0)
