import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { type BenchResult, benchRow, benchTarget, interleave, median, type Round } from '../result'
import { writeResultCsv } from './result-csv'

const rounds = 3
const timedRows = 200_000
/** What is held while streaming is measured over more: it must not grow with the size. */
const streamedRows = 1_000_000

const ways = {
  'byte-loop': 'CSV: byte loop over line feeds and quotes',
  ours: 'CSV to rows of texts',
  typed: 'CSV to typed rows',
  udsv: 'CSV to rows by udsv (stringObjs)',
  papaparse: 'CSV to rows by papaparse (step)',
} as const

type Way = keyof typeof ways
type CsvRound = Round & { readonly extraMb: number; readonly keptMb: number; readonly merged: string }

/** A result to row objects, against the byte loop and peers, and what is held while it streams from a file. */
export async function measureCsv(script: string, dir: string, log: (line: string) => void): Promise<BenchResult> {
  const file = join(dir, 'timed.csv')
  writeResultCsv(file, timedRows)
  const longFile = join(dir, 'streamed.csv')
  writeResultCsv(longFile, streamedRows)
  log(`CSV: ${timedRows} rows timed, ${streamedRows} streamed`)
  const names = Object.keys(ways) as Way[]
  const runs = Object.fromEntries(names.map((way) => [way, () => runWay(script, way, file)])) as Record<
    Way,
    () => Promise<CsvRound>
  >
  const measured = (await interleave(runs, rounds, log)) as unknown as Record<Way, CsvRound[]>
  const stream = await runWay(script, 'stream', longFile)
  const [reference] = measured.ours
  const verdictOf = (way: Way) => {
    const [round] = measured[way]
    if (way === 'byte-loop' || round!.digest === reference!.digest) return 'ok'
    return round!.merged === reference!.merged ? 'lossy' : 'wrong'
  }
  const rows = names.map((way) =>
    benchRow(
      ways[way],
      way === 'byte-loop' ? 'floor' : way === 'ours' || way === 'typed' ? 'ours' : 'peer',
      measured[way],
      verdictOf(way),
    ),
  )
  // Round by round, as the machine may be slower in one than in another.
  const ratio = (above: Way, below: Way) => median(measured[above].map(({ cpuMs }, i) => cpuMs / measured[below][i]!.cpuMs))
  return {
    rows: [...rows, benchRow('CSV to typed rows, streamed from a file', 'ours', [stream])],
    targets: [
      benchTarget('udsv against rows of texts (CPU)', ratio('udsv', 'ours'), 'higher', 2),
      benchTarget('rows of texts against the byte loop (CPU)', ratio('ours', 'byte-loop'), 'lower', 1.5),
      benchTarget('typed rows against the byte loop (CPU)', ratio('typed', 'byte-loop'), 'lower', 2),
      benchTarget('memory held while streaming, MB', stream.extraMb, 'lower', 150),
      benchTarget('memory behind 2 500 kept texts, MB', stream.keptMb, 'lower', 10),
    ],
  }
}

async function runWay(script: string, way: string, file: string): Promise<CsvRound> {
  const child = spawn(process.execPath, ['--expose-gc', script, way, file], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_NO_WARNINGS: '1' },
  })
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk
  })
  const [code] = (await once(child, 'close')) as [number]
  if (code !== 0) throw new Error(`${way} ended with code ${code}`)
  return JSON.parse(text) as CsvRound
}
