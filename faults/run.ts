// npm run faults: see `usage` in arguments.ts.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PipeError } from '@pipe/core'
import { type Arguments, readArguments, usage } from './arguments'
import { defectTable, differences, measureDefects, readGuide } from './defects'
import { startEmbeddedCluster } from './embedded-cluster'
import { startRealCluster } from './real-cluster'
import { scenarios } from './scenarios'
import { runSuite } from './suite'
import { summaryOf, summaryTable } from './summary'
import type { FaultTarget } from './target'
import type { FaultRow } from './verdict'

const startedAt = Date.now()
/** Progress goes beside the result, so that `--json` can be piped. */
const progress = (line: string) => console.error(`${((Date.now() - startedAt) / 1000).toFixed(0).padStart(4)} s  ${line}`)

const interrupt = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    // Asked twice: the guard of the cluster ends the brokers behind us.
    if (interrupt.signal.aborted) process.exit(130)
    progress('interrupted: closing everything')
    interrupt.abort(new Error('interrupted'))
  })
}

/** A client that leaves a rejection to nobody would end its application: as bad as a broken promise, but no reason to stop counting. */
const unhandled: string[] = []
process.on('unhandledRejection', (reason) => {
  unhandled.push(reason instanceof Error ? (reason.stack ?? reason.message) : String(reason))
  progress(`UNHANDLED REJECTION: ${unhandled.at(-1)}`)
})

/** Embedded clusters cost milliseconds and their scenarios mostly wait: several go side by side. */
const embeddedClusters = 6

async function startTargets({ target, seeds }: Arguments): Promise<FaultTarget[]> {
  if (target === 'real') return [await startRealCluster(interrupt.signal)]
  return Promise.all(Array.from({ length: Math.min(embeddedClusters, seeds.length) }, startEmbeddedCluster))
}

async function runFaults(asked: Arguments): Promise<number> {
  const { seeds, only, sabotage, json } = asked
  const chosen = scenarios.filter(({ name }) => only.length === 0 || only.includes(name))
  progress(`starting three brokers (${asked.target})`)
  const targets = await startTargets(asked)
  const { name } = targets[0]!
  const beside = targets.length > 1 ? ` on ${targets.length} clusters` : ''
  progress(`${name} is ready: ${chosen.length} scenarios, ${seeds.length} seeds${beside}`)
  const rows: FaultRow[] = []
  const onRow = (row: FaultRow) => {
    rows.push(row)
    const { scenario, guarantee, seed, elapsedMs, note, broken } = row
    const verdict = broken.length > 0 ? `BROKEN: ${broken.join('; ')}` : 'kept'
    const what = `${scenario} (${guarantee ?? 'no result'})`
    progress(
      `seed ${seed}  ${what.padEnd(28)} ${(elapsedMs / 1000).toFixed(1).padStart(5)} s  ${guarantee === 'leader' && broken.length === 0 ? `shown: ${row.lost} lost, ${row.duplicated} twice` : verdict}${note && `  (${note})`}`,
    )
  }
  try {
    const run = (target: FaultTarget, lane: number) => {
      const own = seeds.filter((_, i) => i % targets.length === lane)
      return runSuite({ target, scenarios: chosen, seeds: own, sabotage, signal: interrupt.signal, onRow })
    }
    await Promise.all(targets.map(run))
  } catch (error) {
    if (!interrupt.signal.aborted) throw error
  } finally {
    await Promise.all(targets.map((target) => target.close()))
  }
  const places = new Map(scenarios.map(({ name }, i) => [name, i]))
  rows.sort((one, other) => places.get(one.scenario)! - places.get(other.scenario)! || one.seed - other.seed)
  const summary = summaryOf(rows)
  const extent = interrupt.signal.aborted ? `interrupted before the end of ${seeds.length} seeds` : `${seeds.length} seeds`
  const isBroken = unhandled.length > 0 || rows.some(({ broken }) => broken.length > 0)
  const result = {
    target: name,
    at: new Date(startedAt).toISOString(),
    node: process.version,
    sabotage,
    summary,
    unhandled,
    rows,
  }
  const folder = join(dirname(fileURLToPath(import.meta.url)), 'results')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, `${asked.target}.json`), `${JSON.stringify(result, null, 2)}\n`)
  console.log(json ? JSON.stringify(result, null, 2) : `\n${name}, ${extent}\n\n${summaryTable(summary)}`)
  return isBroken ? 1 : 0
}

async function runDefects({ check }: Arguments): Promise<number> {
  const rows = await measureDefects(check ? 2 : 10, ({ id, client }) => progress(`${id}, ${client}`))
  console.log(defectTable(rows))
  if (!check) return 0
  const found = differences(rows, await readGuide())
  for (const difference of found) console.log(difference)
  console.log(found.length === 0 ? 'The guide says what was measured.' : `${found.length} differences from the guide.`)
  return found.length === 0 ? 0 : 1
}

function askedFor(): Arguments | undefined {
  try {
    return readArguments(process.argv.slice(2))
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`)
    return undefined
  }
}

const asked = askedFor()
if (asked === undefined) process.exitCode = 2
else if (asked.mode === 'help') console.log(usage)
else {
  try {
    process.exitCode = await (asked.mode === 'defects' ? runDefects(asked) : runFaults(asked))
  } catch (error) {
    if (!PipeError.isInstance(error) && !interrupt.signal.aborted) throw error
    console.error((error as Error).message)
    process.exitCode = 1
  }
  // Clients that are still closing would wait for brokers that are gone.
  if (interrupt.signal.aborted) process.exit(130)
}
