import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { measureConversion } from './compactor/conversion'
import { fewFiles, measureLake } from './compactor/lake'
import { fileCount, linesPerFile, writeFiles } from './compactor/small-files'
import type { BenchResult, BenchSuite } from './result'

const here = dirname(fileURLToPath(import.meta.url))
const limits = { threads: String(Math.min(2, cpus().length)), memoryMb: '1024' }

/** Conversion against bare DuckDB, whole runs from the local S3 against their floors, memory, requests, and what readers win. */
export const suite: BenchSuite = {
  name: 'compactor',
  async run(log): Promise<BenchResult> {
    const dir = mkdtempSync(join(tmpdir(), 'pipe-bench-'))
    // Built scripts stand inside the workspace, so that they find its packages.
    const scripts = join(here, 'node_modules', '.cache', 'compactor')
    mkdirSync(scripts, { recursive: true })
    try {
      await bundle(scripts)
      log(`${fileCount} files of ${linesPerFile} lines, clean and with 1 % bad lines`)
      const folders = { clean: join(dir, 'clean'), spoiled: join(dir, 'spoiled'), few: join(dir, 'few'), output: dir }
      writeFiles(folders.clean, false)
      writeFiles(folders.spoiled, true)
      writeFiles(folders.few, false, fewFiles)
      const { copy, ...conversion } = await measureConversion(join(scripts, 'convert.mjs'), folders, limits, log)
      const lake = await measureLake(scripts, folders, limits, copy, log)
      return { rows: [...conversion.rows, ...lake.rows], targets: [...conversion.targets, ...lake.targets] }
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  },
}

async function bundle(outdir: string): Promise<void> {
  const names = ['convert', 'lake-server', 'lake-run', 'lake-query', 'large-window']
  await build({
    entryPoints: Object.fromEntries(names.map((name) => [name, join(here, 'compactor', `${name}.ts`)])),
    outdir,
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    outExtension: { '.js': '.mjs' },
    conditions: ['pipe-source'],
    external: ['@aws-sdk/*', '@duckdb/*', 'esbuild'],
    // Of packages from the registry that are bundled, some are CommonJS.
    banner: { js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);" },
  })
}
