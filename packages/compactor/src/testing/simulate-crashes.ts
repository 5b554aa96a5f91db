import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigError, type Duration } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import type { Compaction } from '../define'
import { type Random, seededRandom } from './random'
import { builtInScenarios, type Scenario, scenariosOf } from './scenario'
import { runSchedule, type Schedule } from './schedule'
import type { KeyOf } from './sources'
import type { BreakableStep } from './tamper'
import type { Fault } from './turnstile'
import { memoryWorld, type WorldFactory } from './world'

/** What {@link simulateCrashes} takes. */
export interface SimulationOptions {
  /**
   * How many schedules are played. Half of them walk through every crash point, half interleave workers at random; on services of your own
   * all do the latter.
   */
  readonly schedules: number
  /** The same seed plays the same schedules. Default 1. */
  readonly seed?: number | undefined
  /** The configuration to be tried. Default: a set that covers each way of publishing and each policy. */
  readonly compaction?: Compaction | undefined
  /** Leases of the workers, as `createCompactor` takes them. Default none. */
  readonly lease?: Duration | undefined
  /** Whether workers also roll up. Default `false`; the built-in set has its own. */
  readonly rollsUp?: boolean | undefined
  /** Keys of the simulated objects, for a compaction with a `keyTime` of its own. Default: as `rawKey` gives them. */
  readonly keyOf?: KeyOf | undefined
  /** Engines to try, for other services than those in memory. */
  readonly scenarios?: readonly Scenario[] | undefined
  /** Services that the schedules run against. Default: S3 and Athena in memory. */
  readonly world?: WorldFactory | undefined
  /** Breaks a step on purpose: the result must then show it. */
  readonly breakStep?: BreakableStep | undefined
  /** An abort ends the work and rejects with its own `reason`. */
  readonly signal?: AbortSignal | undefined
  /** Told how far the work is. */
  readonly onProgress?:
    | ((progress: { readonly phase: 'play'; readonly done: number; readonly total: number; readonly unit: 'schedules' }) => void)
    | undefined
}

/** A schedule that went wrong. */
export interface FailedSchedule {
  /** Counted from 0, for the seed. */
  readonly schedule: number
  readonly scenario: string
  readonly faults: readonly string[]
}

/** What all schedules came to. `lost`, `doubled` and `orphans` must be 0. */
export interface SimulationReport {
  readonly schedules: number
  readonly seed: number
  readonly scenarios: readonly string[]
  /** Crash points to walk through: requests times faults, over all scenarios; 0 on services of your own. */
  readonly points: number
  /** Rows of the sources that readers did not get. */
  readonly lost: number
  /** Rows that a reader saw twice, or from nowhere, at any moment. */
  readonly doubled: number
  /** Objects and tables that garbage collection left although nobody needs them. */
  readonly orphans: number
  readonly rows: number
  readonly requests: number
  /** How often each fault struck. */
  readonly faults: Readonly<Record<Fault, number>>
  /** At most 20. */
  readonly failures: readonly FailedSchedule[]
}

const allFaults: readonly Fault[] = ['dies-before', 'dies-after', 'request-lost', 'reply-lost', 'sent-twice']

/** How many failed schedules a report names. */
const maxFailures = 20

/**
 * Plays a compaction through crashes: every request to S3 and Athena is numbered; the process dies before or after it, its request or its
 * reply is lost, or it is done twice; triggers come twice, up to three workers interleave, objects come late and are overwritten meanwhile.
 * Readers are asked after every request. In the end the visible rows must be the rows of the sources less the quarantined ones, and after
 * garbage collection nothing may be left over.
 *
 * @throws {@link ConfigError} for options that make no sense, and a compaction with `dedupe`, whose duplicates the judge cannot tell from
 * lost rows.
 * @example
 * ```ts
 * const { lost, doubled, orphans, failures } = await simulateCrashes({ compaction, schedules: 300 })
 * ```
 */
export async function simulateCrashes(options: SimulationOptions): Promise<SimulationReport> {
  checkOptions('simulateCrashes', options, {
    required: ['schedules'],
    optional: ['seed', 'compaction', 'lease', 'rollsUp', 'keyOf', 'scenarios', 'world', 'breakStep', 'signal', 'onProgress'],
  })
  const { schedules, seed = 1, breakStep, signal, onProgress, world = memoryWorld } = options
  if (!Number.isInteger(schedules) || schedules < 1) {
    throw new ConfigError(`simulateCrashes: schedules must be a whole number, at least 1, not ${schedules}.`)
  }
  const scenarios = scenariosFor(options)
  const tempDir = await mkdtemp(join(tmpdir(), 'pipe-simulation-'))
  const totals = { lost: 0, doubled: 0, orphans: 0, rows: 0, requests: 0 }
  const faults = Object.fromEntries(allFaults.map((fault) => [fault, 0])) as Record<Fault, number>
  const failures: FailedSchedule[] = []
  try {
    // Measuring the requests of every scenario takes too long where services are real.
    const points = world === memoryWorld ? await knownPoints(scenarios, tempDir) : []
    // Walked through in an order that leaves no part out when there are fewer schedules than points.
    const stride = coprime(Math.floor(points.length * 0.618), points.length)
    for (let i = 0; i < schedules; i++) {
      signal?.throwIfAborted()
      const random = seededRandom(seed * 1_000_003 + i)
      const point = i % 2 === 0 ? points[((seed + i / 2) * stride) % points.length] : undefined
      const schedule = point ? pointSchedule(point, random) : randomSchedule(scenarios, random, points)
      const played = await runSchedule(schedule, { world, random, tempDir, breakStep })
      const { verdict, counts } = played
      totals.lost += verdict.lost
      totals.doubled += verdict.doubled
      totals.orphans += verdict.orphans
      totals.rows += played.rows
      totals.requests += counts.requests
      for (const fault of allFaults) faults[fault] += counts[fault]
      if (verdict.faults.length > 0 && failures.length < maxFailures) {
        failures.push({ schedule: i, scenario: schedule.scenario.name, faults: verdict.faults })
      }
      onProgress?.({ phase: 'play', done: i + 1, total: schedules, unit: 'schedules' })
    }
    const names = scenarios.map(({ name }) => name)
    return { schedules, seed, scenarios: names, points: points.length, ...totals, faults, failures }
  } finally {
    await rm(tempDir, { recursive: true, force: true })
  }
}

function scenariosFor(options: SimulationOptions): readonly Scenario[] {
  const { compaction, lease, rollsUp = false, keyOf, scenarios } = options
  if (scenarios !== undefined) {
    if (scenarios.length === 0) throw new ConfigError('simulateCrashes: "scenarios" is empty.')
    return scenarios
  }
  if (compaction === undefined) {
    if (lease !== undefined || options.rollsUp !== undefined || keyOf !== undefined) {
      throw new ConfigError('simulateCrashes: lease, rollsUp and keyOf belong to a compaction of your own.')
    }
    return builtInScenarios()
  }
  if (compaction.dedupeBy.length > 0) {
    throw new ConfigError('simulateCrashes cannot judge a compaction with "dedupe".', {
      hint: 'Try the same compaction without it: it changes the rows of a file, not the protocol.',
    })
  }
  return scenariosOf(compaction, { lease, rollsUp, keyOf })
}

interface Point {
  readonly scenario: Scenario
  readonly request: number
  readonly fault: Fault
}

// The same scenarios have the same points: they are walked through once.
const measured = new WeakMap<readonly Scenario[], readonly Point[]>()

async function knownPoints(scenarios: readonly Scenario[], tempDir: string): Promise<readonly Point[]> {
  const points = measured.get(scenarios) ?? (await crashPoints(scenarios, memoryWorld, tempDir))
  measured.set(scenarios, points)
  return points
}

/** Every request of a worker that nothing happens to, with every fault. */
async function crashPoints(scenarios: readonly Scenario[], world: WorldFactory, tempDir: string): Promise<Point[]> {
  const points: Point[] = []
  for (const scenario of scenarios) {
    const calm: Schedule = { ...quietSchedule, scenario, workers: [new Map()] }
    const { requests } = await runSchedule(calm, { world, random: seededRandom(0), tempDir })
    for (let request = 1; request <= requests; request++) {
      for (const fault of allFaults) points.push({ scenario, request, fault })
    }
  }
  return points
}

const quietSchedule = { late: [], overwritten: [], collector: new Map<number, Fault>(), collectsEarly: false }

function pointSchedule({ scenario, request, fault }: Point, random: Random): Schedule {
  return {
    scenario,
    workers: [new Map([[request, fault]])],
    late: [],
    overwritten: [],
    collector: randomFaults(random, 1, 20),
    collectsEarly: random.below(4) === 0,
  }
}

function randomSchedule(scenarios: readonly Scenario[], random: Random, points: readonly Point[]): Schedule {
  const scenario = random.pick(scenarios)
  const own = points.filter((point) => point.scenario === scenario)
  const longest = Math.max(60, ...own.map(({ request }) => request))
  const workers = Array.from({ length: 1 + random.below(3) }, () => randomFaults(random, 1 + random.below(3), longest))
  const steps = (count: number) => Array.from({ length: random.below(count + 1) }, () => 1 + random.below(longest))
  return {
    scenario,
    workers,
    late: [...new Set(steps(2))],
    overwritten: steps(1),
    collector: randomFaults(random, random.below(3), 25),
    collectsEarly: random.below(3) === 0,
  }
}

function randomFaults(random: Random, count: number, longest: number): Map<number, Fault> {
  return new Map(Array.from({ length: count }, () => [1 + random.below(longest), random.pick(allFaults)]))
}

/** The least number from `from` on that has no divisor in common with `size`, so that its multiples reach everything. */
function coprime(from: number, size: number): number {
  const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b))
  for (let candidate = Math.max(1, from); ; candidate++) if (divisor(candidate, size) === 1) return candidate
}
