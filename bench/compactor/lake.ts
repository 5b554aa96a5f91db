import { join } from 'node:path'
import { type BenchResult, benchRow, benchTarget, interleave, median, type Round } from '../result'
import { type Answering, runScript, startScript } from './child'
import type { Limits } from './conversion'
import { fileCount, linesPerFile } from './small-files'
import { hourFolder } from './table'

const rounds = 5

interface LakeRound extends Round {
  readonly requests: number
}

/** Files of the window whose requests are counted. */
export const fewFiles = 5

interface Usage {
  readonly cpuMs: number
  readonly peakRssMb: number
}

/** What a window costs from the local S3 and back: against the floors, in memory, in requests, and what its readers win. */
export async function measureLake(
  scripts: string,
  folders: { readonly clean: string; readonly few: string; readonly output: string },
  limits: Limits,
  copy: readonly Round[],
  log: (line: string) => void,
): Promise<BenchResult> {
  const large = join(folders.output, 'large')
  const written = await runScript<{ rows: number; rawBytes: number; files: number }>(join(scripts, 'large-window.mjs'), [large])
  log(`a window of ${written.files} files, ${written.rows} rows, ${Math.round(written.rawBytes / 1e6)} MB of lines`)
  const server = await startScript<object>(join(scripts, 'lake-server.mjs'), [
    join(folders.output, 'local'),
    folders.clean,
    `small/${hourFolder}`,
    folders.few,
    `few/${hourFolder}`,
    large,
    `large/${hourFolder}`,
  ])
  log('the windows lie on the local S3')
  try {
    const results = [
      await measureEndToEnd(scripts, server, limits, copy, log),
      await measureMemory(scripts, server, written, log),
      await measureQuery(scripts, server, log),
    ]
    return { rows: results.flatMap(({ rows }) => rows), targets: results.flatMap(({ targets }) => targets) }
  } finally {
    server.stop()
  }
}

/** Ratios are of CPU time of the process that compacts: S3 has one of its own, and the machine may be busy. */
async function measureEndToEnd(
  scripts: string,
  { first: aws }: Answering<object>,
  { threads, memoryMb }: Limits,
  copy: readonly Round[],
  log: (line: string) => void,
): Promise<BenchResult> {
  let run = 0
  const start = (kind: 'get' | 'run' | 'idle', source: string, target: string) =>
    runScript<LakeRound>(join(scripts, 'lake-run.mjs'), [kind, JSON.stringify(aws), source, target, threads, memoryMb])
  const measured = await interleave(
    { get: () => start('get', 'small/', ''), run: () => start('run', 'small/', `out/${run++}/`) },
    rounds,
    (line) => log(`from S3: ${line}`),
  )
  const middle = (measures: readonly Round[], pick: 'cpuMs' | 'ms') => median(measures.map((round) => round[pick]))
  const ratio = (pick: 'cpuMs' | 'ms') => middle(measured.run, pick) / Math.max(middle(measured.get, pick), middle(copy, pick))
  log(`from S3: ${ratio('ms').toFixed(2)} times the floor in time, ${ratio('cpuMs').toFixed(2)} times in CPU time`)
  const few = await start('run', 'few/', 'few-out/')
  const idle = await start('idle', 'few/', 'few-out/')
  return {
    rows: [
      benchRow('run from the local S3', 'ours', measured.run, isWhole(measured.run, smallRows) ? 'ok' : 'wrong'),
      benchRow('GET of each object, 24 at a time', 'floor', measured.get),
    ],
    targets: [
      benchTarget('run from the local S3 against the larger of GET and COPY', ratio('cpuMs'), 'lower', 1.25),
      // Data: a read of each object and one write.
      benchTarget('requests of a window beyond its data', few.requests - fewFiles - 1, 'lower', 12),
      benchTarget('requests of an idle tick', idle.requests, 'lower', 4),
    ],
  }
}

const smallRows = fileCount * linesPerFile

function isWhole(measures: readonly Round[], rows: number): boolean {
  return measures.every(({ digest }) => digest === `${rows} rows, 0 unreadable`)
}

/** Peak memory of a whole run over 1 GB of lines with one thread, and 256 MiB for DuckDB. */
async function measureMemory(
  scripts: string,
  { first: aws }: Answering<object>,
  { rows, rawBytes }: { readonly rows: number; readonly rawBytes: number },
  log: (line: string) => void,
): Promise<BenchResult> {
  const args = ['run', JSON.stringify(aws), 'large/', 'large-out/', '1', '256']
  const round = await runScript<LakeRound>(join(scripts, 'lake-run.mjs'), args)
  log(`${Math.round(rawBytes / 1e6)} MB of lines in ${Math.round(round.ms)} ms`)
  return {
    rows: [benchRow('run over 1 GB of lines, one thread', 'ours', [round], isWhole([round], rows) ? 'ok' : 'wrong')],
    targets: [benchTarget('peak memory over 1 GB of lines with one thread, MB', round.peakRssMb, 'lower', 400)],
  }
}

/** The same query over the raw and the compacted table. CPU time and memory are those of the server, which runs it. */
async function measureQuery(scripts: string, server: Answering<object>, log: (line: string) => void): Promise<BenchResult> {
  const args = [JSON.stringify(server.first), 'small/', 'query-out/']
  const reader = await startScript<string>(join(scripts, 'lake-query.mjs'), args)
  const objects: Record<string, number> = {}
  const query = (kind: 'raw' | 'compacted') => async (): Promise<Round> => {
    await server.ask<Usage>('usage')
    const answer = await reader.ask<{ ms: number; text: string; objects: number }>(kind)
    objects[kind] = answer.objects
    return { ms: answer.ms, ...(await server.ask<Usage>('usage')), digest: answer.text }
  }
  try {
    const measured = await interleave({ raw: query('raw'), compacted: query('compacted') }, rounds, (line) =>
      log(`query: ${line}`),
    )
    const isSame = [...measured.raw, ...measured.compacted].every(({ digest }) => digest === measured.raw[0]!.digest)
    const ratio = (pick: 'ms' | 'cpuMs') =>
      (median(measured.raw.map((round) => round[pick])) / median(measured.compacted.map((round) => round[pick]))).toFixed(1)
    log(
      `query: raw takes ${ratio('ms')} times as long, ${ratio('cpuMs')} times the CPU; ${objects['raw']} objects to read, not ${objects['compacted']}`,
    )
    return {
      rows: [
        benchRow('query over the compacted file', 'ours', named(measured.compacted), isSame ? 'ok' : 'wrong'),
        benchRow(`query over ${objects['raw']} raw files`, 'peer', named(measured.raw)),
      ],
      targets: [],
    }
  } finally {
    reader.stop()
  }
}

/** The rows of a query are no digest to print. */
function named(measures: readonly Round[]): Round[] {
  return measures.map((round) => ({ ...round, digest: `${round.digest.split('\n').length} groups` }))
}
