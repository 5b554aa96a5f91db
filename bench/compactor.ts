import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { DuckDBInstance } from '@duckdb/node-api'
import { build } from 'esbuild'
import { type BenchResult, type BenchSuite, benchRow, benchTarget, interleave, median, type Round } from './result'

const here = dirname(fileURLToPath(import.meta.url))
const fileCount = 5000
const linesPerFile = 250
const devices = 100
const rounds = 9
const threads = String(Math.min(2, cpus().length))
const memoryMb = '1024'

/** The in-process engine's conversion of small gzip files at hand against the COPY of bare DuckDB, which trusts its input. */
export const suite: BenchSuite = {
  name: 'compactor',
  async run(log): Promise<BenchResult> {
    const dir = mkdtempSync(join(tmpdir(), 'pipe-bench-'))
    // The built script stands inside the workspace, so that it finds its packages.
    const scripts = join(here, 'node_modules', '.cache', 'compactor')
    mkdirSync(scripts, { recursive: true })
    try {
      const script = join(scripts, 'convert.mjs')
      await build({
        entryPoints: [join(here, 'compactor', 'convert.ts')],
        outfile: script,
        bundle: true,
        platform: 'node',
        target: 'node20',
        format: 'esm',
        conditions: ['pipe-source'],
        external: ['@aws-sdk/*', '@duckdb/*', 'hyparquet*', 'p-limit', 'p-retry', 'citty'],
      })
      log(`${fileCount} files of ${linesPerFile} lines, clean and with 1 % bad lines`)
      const clean = join(dir, 'clean')
      const spoiled = join(dir, 'spoiled')
      writeFiles(clean, false)
      writeFiles(spoiled, true)

      const output = (name: string) => join(dir, `${name}.parquet`)
      const convert = (kind: 'ours' | 'floor', folder: string, name: string) => () =>
        runConvert(script, [kind, folder, output(name), threads, memoryMb])
      const measured = await interleave(
        {
          floor: convert('floor', clean, 'floor'),
          clean: convert('ours', clean, 'clean'),
          spoiled: convert('ours', spoiled, 'spoiled'),
        },
        rounds,
        (line) => log(line),
      )
      // What came out of the last round is compared row by row, as a multiset.
      const expected = await digestOf(output('floor'), '')
      const expectedOfGood = await digestOf(output('floor'), `WHERE device_name <> '${spoiledDevice}'`)
      const isClean = (await digestOf(output('clean'), '')) === expected
      const isSpoiled = (await digestOf(output('spoiled'), '')) === expectedOfGood
      const wall = (name: keyof typeof measured) => median(measured[name].map(({ ms }) => ms))
      return {
        rows: [
          benchRow('convertFiles, clean', 'ours', measured.clean, isClean ? 'ok' : 'wrong'),
          benchRow('convertFiles, 1 % bad lines', 'ours', measured.spoiled, isSpoiled ? 'ok' : 'wrong'),
          benchRow('DuckDB COPY with the schema given, clean', 'floor', measured.floor),
        ],
        targets: [
          benchTarget('clean conversion against bare DuckDB COPY', wall('clean') / wall('floor'), 'lower', 1.3),
          benchTarget(
            'conversion with 1 % bad lines against bare DuckDB COPY of clean ones',
            wall('spoiled') / wall('floor'),
            'lower',
            2.5,
          ),
        ],
      }
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  },
}

/** The device whose lines are spoiled: one of a hundred, so one line of a hundred. */
const spoiledDevice = 'device-007'

const spoil: readonly ((line: string) => string)[] = [
  (line) => line.replace(/"metric":.*\}/, '"metric":"n/a"}'),
  (line) => line.slice(0, 40),
  (line) => `${line.slice(0, -1)},"extra":1}`,
  (line) => `${line.slice(0, -1)},"metric":1}`,
]

/** Deterministic: the same bytes in every run. */
function writeFiles(folder: string, isSpoiled: boolean): void {
  mkdirSync(folder)
  let state = 1
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  const start = Date.UTC(2026, 10, 24, 15, 30)
  for (let file = 0; file < fileCount; file++) {
    let text = ''
    for (let i = 0; i < linesPerFile; i++) {
      const number = file * linesPerFile + i
      const timestamp = new Date(start + ((number * 37) % 300_000)).toISOString().replace('T', ' ').replace('Z', '')
      const device = `device-${String(number % devices).padStart(3, '0')}`
      const line = JSON.stringify({ timestamp, device_name: device, metric: random() * 100 })
      text += `${isSpoiled && device === spoiledDevice ? spoil[Math.floor(number / devices) % spoil.length]!(line) : line}\n`
    }
    const name = `device_logs-20261124T1530Z-${String(file).padStart(4, '0')}of5000-0badcafe.ndjson.gz`
    writeFileSync(join(folder, name), gzipSync(text))
  }
}

async function runConvert(script: string, args: readonly string[]): Promise<Round> {
  const child = spawn(process.execPath, [script, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_NO_WARNINGS: '1' },
  })
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk
  })
  const [code] = (await once(child, 'close')) as [number]
  if (code !== 0) throw new Error(`${args[0]} ended with code ${code}`)
  const { ms, cpuMs, peakRssMb, rows } = JSON.parse(text) as { ms: number; cpuMs: number; peakRssMb: number; rows: string }
  return { ms, cpuMs, peakRssMb, digest: rows }
}

/** Count and sum of the rows' hashes: equal for equal multisets. */
async function digestOf(file: string, where: string): Promise<string> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const reader = await connection.runAndReadAll(
    `SELECT count(*) || ' ' || sum(hash("timestamp", device_name, metric)::HUGEINT) FROM read_parquet('${file}') ${where}`,
  )
  const [[digest]] = reader.getRows() as [[string]]
  connection.closeSync()
  instance.closeSync()
  return digest
}
