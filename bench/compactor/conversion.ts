import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { type BenchResult, benchRow, benchTarget, interleave, median, type Round } from '../result'
import { runScript } from './child'
import { spoiledDevice } from './small-files'

/** Threads and memory of DuckDB, in this suite and in bare DuckDB. */
export interface Limits {
  readonly threads: string
  readonly memoryMb: string
}

const rounds = 9

/**
 * The in-process engine's conversion of small gzip files at hand against the COPY of bare DuckDB, which trusts its input. Returns the rounds of the COPY too.
 */
export async function measureConversion(
  script: string,
  folders: { readonly clean: string; readonly spoiled: string; readonly output: string },
  { threads, memoryMb }: Limits,
  log: (line: string) => void,
): Promise<BenchResult & { readonly copy: readonly Round[] }> {
  const output = (name: string) => join(folders.output, `${name}.parquet`)
  const convert = (kind: 'ours' | 'hyparquet' | 'floor', folder: string, name: string) => () =>
    runScript(script, [kind, folder, output(name), threads, memoryMb])
  const measured = await interleave(
    {
      floor: convert('floor', folders.clean, 'floor'),
      clean: convert('ours', folders.clean, 'clean'),
      spoiled: convert('ours', folders.spoiled, 'spoiled'),
      hyparquet: convert('hyparquet', folders.clean, 'hyparquet'),
    },
    rounds,
    (line) => log(`conversion: ${line}`),
  )
  // What came out of the last round is compared row by row, as a multiset.
  const expected = await digestOf(output('floor'), '')
  const expectedOfGood = await digestOf(output('floor'), `WHERE device_name <> '${spoiledDevice}'`)
  const verdict = async (name: string, wanted: string) => ((await digestOf(output(name), '')) === wanted ? 'ok' : 'wrong')
  const wall = (name: keyof typeof measured) => median(measured[name].map(({ ms }) => ms))
  log(`without DuckDB (hyparquet-writer) a conversion takes ${(wall('hyparquet') / wall('floor')).toFixed(2)} times its COPY`)
  return {
    copy: measured.floor,
    rows: [
      benchRow('convertFiles, clean', 'ours', measured.clean, await verdict('clean', expected)),
      benchRow('convertFiles, 1 % bad lines', 'ours', measured.spoiled, await verdict('spoiled', expectedOfGood)),
      benchRow('convertFiles without DuckDB, clean', 'ours', measured.hyparquet, await verdict('hyparquet', expected)),
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
