import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { measureCsv } from './athena/csv-rows'
import { type BenchResult, type BenchRow, type BenchSuite, benchRow, benchTarget, type Round } from './result'

const here = dirname(fileURLToPath(import.meta.url))

/** Results to rows by all three routes, against floors and peers; the engine of the local Athena against bare DuckDB. Ratios of CPU time, but the engine's. */
export const suite: BenchSuite = {
  name: 'athena',
  async run(log): Promise<BenchResult> {
    const dir = mkdtempSync(join(tmpdir(), 'pipe-bench-'))
    // Built scripts stand inside the workspace, so that they find its packages.
    const scripts = join(here, 'node_modules', '.cache', 'athena')
    mkdirSync(scripts, { recursive: true })
    try {
      await bundle(scripts)
      const csvResult = await measureCsv(join(scripts, 'read-csv.mjs'), dir, log)
      log('pages of 20 000 rows against the SDK')
      const pages = await pair(join(scripts, 'read-pages.mjs'), [])
      log('Parquet of 50 000 rows against hyparquet')
      const parquet = await pair(join(scripts, 'read-parquet.mjs'), [join(dir, 'rows.parquet')])
      log('1 000 files of 100 rows against DuckDB')
      const files = await pair(join(scripts, 'many-files.mjs'), [dir])
      return {
        rows: [
          ...csvResult.rows,
          ...rowsOf(pages, 'Pages to typed rows', 'Pages by the bare SDK', 'peer'),
          ...rowsOf(parquet, 'Parquet to rows', 'Parquet to rows by hyparquet', 'peer'),
          ...(files.first ? [benchRow('1 000 files, local Athena, first run', 'ours', files.first)] : []),
          ...rowsOf(files, '1 000 files, local Athena, later runs', '1 000 files, bare DuckDB', 'floor'),
        ],
        targets: [
          ...csvResult.targets,
          benchTarget('pages against the bare SDK (CPU)', pages.ratio, 'lower', 1.15),
          benchTarget('Parquet to rows against hyparquet (CPU)', parquet.ratio, 'lower', 1.05),
          benchTarget('1 000 files on the local Athena against DuckDB, later runs (time)', files.ratio, 'lower', 1.5),
        ],
      }
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  },
}

interface Pair {
  readonly ours: readonly Round[]
  readonly peer: readonly Round[]
  readonly first?: readonly Round[]
  readonly ratio: number
}

function rowsOf({ ours, peer }: Pair, name: string, peerName: string, kind: 'peer' | 'floor'): BenchRow[] {
  const same = ours.every(({ digest }, i) => digest === peer[i]!.digest)
  return [benchRow(name, 'ours', ours, same ? 'ok' : 'wrong'), benchRow(peerName, kind, peer)]
}

async function pair(script: string, args: readonly string[]): Promise<Pair> {
  const child = spawn(process.execPath, ['--expose-gc', script, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_NO_WARNINGS: '1' },
  })
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk
  })
  const [code] = (await once(child, 'close')) as [number]
  if (code !== 0) throw new Error(`${script} ended with code ${code}`)
  return JSON.parse(text) as Pair
}

async function bundle(outdir: string): Promise<void> {
  const names = ['read-csv', 'read-pages', 'read-parquet', 'many-files']
  await build({
    entryPoints: Object.fromEntries(names.map((name) => [name, join(here, 'athena', `${name}.ts`)])),
    outdir,
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    outExtension: { '.js': '.mjs' },
    conditions: ['pipe-source'],
    external: ['@aws-sdk/*', '@duckdb/*', 'esbuild', 'papaparse', 'udsv', 'hyparquet', 'hyparquet-compressors'],
    banner: { js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);" },
  })
}
