import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { deflateRawSync } from 'node:zlib'
import { build } from 'esbuild'
import type { EventsMeasurement } from './events/measure'
import { type BenchResult, type BenchSuite, benchRow, benchTarget, median, type Round } from './result'

const here = dirname(fileURLToPath(import.meta.url))
const scripts = join(here, 'node_modules', '.cache', 'events')

/** The compiled matcher against an interpreter, many rules against few, and the weight of a handler beyond the SDK. */
export const suite: BenchSuite = {
  name: 'events',
  async run(log): Promise<BenchResult> {
    mkdirSync(scripts, { recursive: true })
    const script = join(scripts, 'measure.mjs')
    await build({
      entryPoints: [join(here, 'events', 'measure.ts')],
      outfile: script,
      bundle: true,
      platform: 'node',
      target: 'node20',
      format: 'esm',
      conditions: ['pipe-source'],
      external: ['@aws-sdk/*', 'hyparquet*', 'p-limit', 'p-retry', 'citty'],
    })
    log('matching')
    const measured = await measure(script)
    const { interpreted, compiled, ten, thousand } = measured
    const cpu = (rounds: readonly Round[]) => median(rounds.map(({ cpuMs }) => cpuMs))
    log('bundles')
    const [handlerBytes, sdkBytes] = [await zippedBytes('handler.ts'), await zippedBytes('sdk-only.ts')]
    log(`handler ${handlerBytes} bytes zipped, the SDK alone ${sdkBytes}`)
    const same = compiled[0]!.digest === interpreted[0]!.digest
    return {
      rows: [
        benchRow('compiled patterns', 'ours', compiled, same ? 'ok' : 'wrong'),
        benchRow('interpreter', 'floor', interpreted),
        benchRow('bus of 10 rules, an event meets 10', 'ours', ten, measured.agrees ? 'ok' : 'wrong'),
        benchRow('bus of 1 000 rules, an event meets 10', 'ours', thousand, measured.agrees ? 'ok' : 'wrong'),
      ],
      targets: [
        benchTarget('CPU time of an interpreter against compiled patterns', cpu(interpreted) / cpu(compiled), 'higher', 1.8),
        benchTarget('CPU time of an event on a bus of 1 000 rules against 10', cpu(thousand) / cpu(ten), 'lower', 5),
        benchTarget('KB of a zipped handler beyond the SDK parts that it uses', (handlerBytes - sdkBytes) / 1024, 'lower', 40),
      ],
    }
  },
}

/** Bytes of a minified bundle in a zip. */
async function zippedBytes(entry: string): Promise<number> {
  const { outputFiles } = await build({
    entryPoints: [join(here, 'events', entry)],
    bundle: true,
    minify: true,
    write: false,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    mainFields: ['module', 'main'],
    conditions: ['pipe-source'],
  })
  return deflateRawSync(outputFiles[0]!.contents, { level: 9 }).length
}

async function measure(script: string): Promise<EventsMeasurement> {
  const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk
  })
  const [code] = (await once(child, 'close')) as [number]
  if (code !== 0) throw new Error(`the measurement ended with code ${code}`)
  return JSON.parse(text) as EventsMeasurement
}
