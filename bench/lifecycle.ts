import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { LifecycleMeasurement } from './lifecycle/measure'
import { type BenchResult, type BenchSuite, benchRow, benchTarget, median } from './result'

const here = dirname(fileURLToPath(import.meta.url))

/** The evaluator against a loop that only reads the fields, many rules against few, memory over ten million objects. */
export const suite: BenchSuite = {
  name: 'lifecycle',
  async run(log): Promise<BenchResult> {
    const scripts = join(here, 'node_modules', '.cache', 'lifecycle')
    mkdirSync(scripts, { recursive: true })
    const script = join(scripts, 'measure.mjs')
    await build({
      entryPoints: [join(here, 'lifecycle', 'measure.ts')],
      outfile: script,
      bundle: true,
      platform: 'node',
      target: 'node20',
      format: 'esm',
      conditions: ['pipe-source'],
      external: ['@aws-sdk/*', 'hyparquet*', 'p-limit', 'p-retry', 'citty'],
    })
    const speed = await measure(script, 'speed', log)
    const small = await measure(script, 'memory', log, '1000000')
    const large = await measure(script, 'memory', log, '10000000')
    const [floor10, ten, floor1000, thousand] = [speed['floor10']!, speed['ten']!, speed['floor1000']!, speed['thousand']!]
    const time = (rounds: typeof floor10) => median(rounds.map(({ ms }) => ms))
    const verdict = (rounds: typeof floor10, expected: string) => (rounds[0]!.digest === expected ? 'ok' : 'wrong')
    const [million, tenMillion] = [small['affected']!, large['affected']!]
    return {
      rows: [
        benchRow('evaluator, 10 rules', 'ours', ten, verdict(ten, speed['expected10']![0]!.digest)),
        benchRow('evaluator, 1 000 rules', 'ours', thousand, verdict(thousand, speed['expected1000']![0]!.digest)),
        benchRow('loop that reads the fields (keys of 10 prefixes)', 'floor', floor10),
        benchRow('loop that reads the fields (keys of 1 000 prefixes)', 'floor', floor1000),
        benchRow('wouldAffect, 1 M objects', 'ours', million, verdict(million, '1000000 500000')),
        benchRow('wouldAffect, 10 M objects', 'ours', tenMillion, verdict(tenMillion, '10000000 5000000')),
      ],
      targets: [
        benchTarget('speed with 10 rules against a loop that reads the fields', time(floor10) / time(ten), 'higher', 0.3),
        benchTarget('speed with 1 000 rules against 10 rules', time(ten) / time(thousand), 'higher', 0.25),
        benchTarget('peak memory over 10 M objects against 1 M', tenMillion[0]!.peakRssMb / million[0]!.peakRssMb, 'lower', 1.3),
      ],
    }
  },
}

async function measure(
  script: string,
  ...[what, log, ...args]: [string, (line: string) => void, ...string[]]
): Promise<LifecycleMeasurement> {
  log(`${what} ${args.join(' ')}`.trim())
  const child = spawn(process.execPath, [script, what, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk
  })
  const [code] = (await once(child, 'close')) as [number]
  if (code !== 0) throw new Error(`${what} ended with code ${code}`)
  return JSON.parse(text) as LifecycleMeasurement
}
