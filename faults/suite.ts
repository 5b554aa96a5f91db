import { sleep } from '@pipe/core'
import { randomOf } from './random'
import { openScene, type Scenario } from './scenario'
import type { FaultTarget } from './target'
import { brokenPromises, type FaultRow, type Guarantee } from './verdict'
import { createWorkers, type Workers } from './worker'

/** What {@link runSuite} takes. */
export interface SuiteOptions {
  readonly target: FaultTarget
  readonly scenarios: readonly Scenario[]
  readonly seeds: readonly number[]
  /**
   * Judges what only the leader acknowledged as if a quorum had: the suite must then fail, which shows that it can. Default `false`.
   */
  readonly sabotage?: boolean
  readonly onRow?: (row: FaultRow) => void
  readonly signal: AbortSignal
}

/** A scenario may take so long; in quiet it takes some ten seconds. */
const scenarioMs = 300_000

/**
 * Runs every scenario for every seed. A scenario that throws breaks its promise; the next ones run on the cluster as it was healed.
 *
 * @throws the signal's reason.
 */
export async function runSuite(options: SuiteOptions): Promise<readonly FaultRow[]> {
  const { target, scenarios, seeds, signal } = options
  const rows: FaultRow[] = []
  const workers = createWorkers()
  const disturbing = (what: Scenario['disturbs']) => scenarios.filter(({ disturbs }) => disturbs === what)

  async function play(scenario: Scenario, seed: number): Promise<void> {
    for (const row of await runScenario(scenario, seed, options, workers)) {
      rows.push(row)
      options.onRow?.(row)
    }
  }
  async function oneByOne(list: readonly Scenario[], seed: number): Promise<void> {
    for (const scenario of list) {
      signal.throwIfAborted()
      await play(scenario, seed)
    }
  }

  try {
    for (const seed of seeds) {
      await oneByOne(disturbing('brokers'), seed)
      const others = [disturbing('proxies'), ...disturbing('nothing').map((scenario) => [scenario])]
      // Without proxies of its own a disturbance hits whoever is there.
      if (target.disturbedBootstrap === target.bootstrap) for (const list of others) await oneByOne(list, seed)
      else await Promise.all(others.map((list) => oneByOne(list, seed)))
    }
  } finally {
    await workers.close()
  }
  return rows
}

async function runScenario(
  scenario: Scenario,
  seed: number,
  { target, sabotage = false, signal }: SuiteOptions,
  workers: Workers,
): Promise<readonly FaultRow[]> {
  const { name } = scenario
  const startedAt = Date.now()
  const scene = openScene({
    target,
    random: randomOf(seed, name),
    signal: AbortSignal.any([signal, AbortSignal.timeout(scenarioMs)]),
    workers,
    prefix: `${name}-${seed}`,
  })
  const rowOf = (guarantee: Guarantee | undefined) => ({ scenario: name, guarantee, seed, elapsedMs: Date.now() - startedAt })
  const failed = (what: string, error: unknown): FaultRow => {
    const why = error instanceof Error ? error.message : String(error)
    return { ...rowOf(undefined), ...nothing, note: '', broken: [`${what}: ${why}`] }
  }
  const rows: FaultRow[] = []
  try {
    for (const { guarantee, counts, note } of await Promise.race([scenario.run(scene), aborted(scene.signal)])) {
      const judgedAs = sabotage && guarantee === 'leader' ? 'quorum' : guarantee
      rows.push({ ...rowOf(guarantee), ...counts, note, broken: brokenPromises(judgedAs, counts) })
    }
  } catch (error) {
    rows.push(failed('did not come to its end', error))
  }
  if (signal.aborted) {
    // The cluster is about to end: nothing of it needs to be whole.
    await Promise.race([scene.close({ heal: false }).catch(() => undefined), sleep(3000)])
    throw signal.reason
  }
  try {
    await scene.close({ heal: true })
  } catch (error) {
    rows.push(failed('could not be closed', error))
  }
  return rows
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const end = () => reject(signal.reason as Error)
    if (signal.aborted) end()
    else signal.addEventListener('abort', end, { once: true })
  })
}

const nothing = {
  sent: 0,
  acknowledged: 0,
  stored: 0,
  lost: 0,
  duplicated: undefined,
  ambiguous: 0,
  notWritten: 0,
  phantoms: 0,
  reordered: 0,
  again: undefined,
}
