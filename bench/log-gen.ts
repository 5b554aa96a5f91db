import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { type BenchResult, type BenchRow, type BenchSuite, benchRow, benchTarget, interleave, median, type Round } from './result'

const here = dirname(fileURLToPath(import.meta.url))
const rounds = 5

/** Ways of `log-gen/write.ts`, and what they are called. */
const ways = {
  ours: 'NDJSON by encodeLog',
  stringify: 'NDJSON by JSON.stringify of values at hand',
  faker: 'NDJSON by JSON.stringify of values by faker',
  'ours-gzip-1': 'NDJSON by encodeLog, gzip level 1',
  'stringify-gzip-1': 'NDJSON by JSON.stringify of values at hand, gzip level 1',
  'gzip-1': 'gzip level 1 of the same lines at hand',
  'ours-gzip-6': 'NDJSON by encodeLog, gzip level 6',
  'stringify-gzip-6': 'NDJSON by JSON.stringify of values at hand, gzip level 6',
  'gzip-6': 'gzip level 6 of the same lines at hand',
  'ours-parquet': 'Parquet by encodeLog, gzip level 1',
  'duckdb-parquet': 'Parquet by DuckDB: data chunks of values at hand, COPY with zstd, 1 thread',
} as const

type Way = keyof typeof ways

/** The generator against JSON.stringify, faker and DuckDB. Ratios are of CPU time: every way has one thread, and the machine may be busy. */
export const suite: BenchSuite = {
  name: 'log-gen',
  async run(log): Promise<BenchResult> {
    const dir = mkdtempSync(join(tmpdir(), 'pipe-bench-'))
    // The built script stands inside the workspace, so that it finds its packages.
    const scripts = join(here, 'node_modules', '.cache', 'log-gen')
    mkdirSync(scripts, { recursive: true })
    try {
      const script = join(scripts, 'write.mjs')
      await build({
        entryPoints: [join(here, 'log-gen', 'write.ts')],
        outfile: script,
        bundle: true,
        platform: 'node',
        target: 'node20',
        format: 'esm',
        conditions: ['pipe-source'],
        external: ['@aws-sdk/*', '@duckdb/*', '@faker-js/*'],
      })
      const names = Object.keys(ways) as Way[]
      const runs = Object.fromEntries(
        names.map((way) => [way, () => runWay(script, way, join(dir, `${way}.parquet`))]),
      ) as Record<Way, () => Promise<Round>>
      const measured = await interleave(runs, rounds, log)
      const text = measured.stringify[0]?.digest
      const rows = names.map((way) => {
        const isText = !way.endsWith('parquet') && way !== 'faker'
        const isSame = measured[way].every(({ digest }) => digest === text)
        return benchRow(ways[way], kindOf(way), measured[way], isText && !isSame ? 'wrong' : 'ok')
      })
      const cpu = (way: Way) => median(measured[way].map(({ cpuMs }) => cpuMs))
      const target = (name: string, ours: Way, peer: Way, least: number) =>
        benchTarget(name, cpu(peer) / cpu(ours), 'higher', least)
      for (const level of [1, 6] as const) {
        const most = cpu(`stringify-gzip-${level}`) / cpu(`gzip-${level}`)
        log(`with gzip level ${level} lines that cost nothing would reach ${most.toFixed(2)} against JSON.stringify`)
      }
      return {
        rows,
        targets: [
          target('NDJSON bytes against JSON.stringify', 'ours', 'stringify', 8),
          target('NDJSON bytes against faker', 'ours', 'faker', 15),
          target('with gzip level 1 against JSON.stringify with the same', 'ours-gzip-1', 'stringify-gzip-1', 4.5),
          target('with gzip level 6 against JSON.stringify with the same', 'ours-gzip-6', 'stringify-gzip-6', 2.2),
          target('Parquet against DuckDB', 'ours-parquet', 'duckdb-parquet', 0.9),
        ],
      }
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  },
}

function kindOf(way: Way): BenchRow['kind'] {
  if (way.startsWith('gzip')) return 'floor'
  return way.startsWith('ours') ? 'ours' : 'peer'
}

async function runWay(script: string, way: Way, output: string): Promise<Round> {
  const child = spawn(process.execPath, ['--expose-gc', script, way, output], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_NO_WARNINGS: '1' },
  })
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk
  })
  const [code] = (await once(child, 'close')) as [number]
  if (code !== 0) throw new Error(`${way} ended with code ${code}`)
  return JSON.parse(text) as Round
}
