import type { S3Client } from '@aws-sdk/client-s3'
import { createObjectStore, parseLocation, windowOf } from '@pipe/core'
import { assembleCompactor } from '../compactor'
import type { StateContext } from '../execute'
import { collectGarbage } from '../maintenance/collect-garbage'
import { stateKeys } from '../state'
import { gatedClient } from './gated-client'
import { emptyVerdict, judgeEnd, judgeRest, judgeView, type Verdict } from './judge'
import type { Random } from './random'
import type { Scenario } from './scenario'
import { createSources, type Sources } from './sources'
import { type BreakableStep, losingEngine, tamperWith } from './tamper'
import { createTurnstile, type Fault, type Turnstile, type Worker } from './turnstile'
import type { World, WorldFactory } from './world'

/** What is done to the workers of one schedule. */
export interface Schedule {
  readonly scenario: Scenario
  /** One worker each: its faults, by the number of the request. */
  readonly workers: readonly ReadonlyMap<number, Fault>[]
  /** Steps at which a late object comes, or an object is overwritten. */
  readonly late: readonly number[]
  readonly overwritten: readonly number[]
  /** Faults of the worker that collects garbage. */
  readonly collector: ReadonlyMap<number, Fault>
  /** Whether garbage is collected between the deaths and the recovery as well. */
  readonly collectsEarly: boolean
}

/** What came of a schedule. */
export interface ScheduleResult {
  readonly verdict: Verdict
  readonly counts: Turnstile['counts']
  /** Requests of the first worker. */
  readonly requests: number
  readonly rows: number
}

/** When the simulated window ends; the ticks come then. */
const start = new Date('2026-11-24T15:00:00Z')
const hourMs = 3_600_000

/** Runs one schedule in a world of its own, and judges it at every step and in the end. */
export async function runSchedule(
  schedule: Schedule,
  given: {
    readonly world: WorldFactory
    readonly random: Random
    readonly tempDir: string
    readonly breakStep?: BreakableStep | undefined
  },
): Promise<ScheduleResult> {
  const { compaction } = schedule.scenario
  const world = await given.world(compaction, { addsTwice: given.breakStep === 'publish' })
  try {
    return await play(schedule, world, given)
  } finally {
    await world.close()
  }
}

async function play(
  schedule: Schedule,
  world: World,
  { random, tempDir, breakStep }: Parameters<typeof runSchedule>[1],
): Promise<ScheduleResult> {
  const { scenario } = schedule
  const { compaction } = world
  const window = windowOf(compaction.window, start)
  const before = windowOf(compaction.window, start.getTime() + compaction.windowMs)
  // The second window of the partition is the one of the tick; the first has missed its own.
  const at = new Date(before.end.getTime() + compaction.graceMs)
  const source = createObjectStore({ location: compaction.source, client: world.s3 })
  const target = createObjectStore({ location: compaction.target, client: world.s3 })
  const context: StateContext = {
    compaction,
    athena: world.athena,
    source,
    target,
    keys: stateKeys(compaction),
    signal: undefined,
  }
  const sources = createSources(compaction, source, scenario.keyOf)
  await sources.put(window.start, 0)
  await sources.put(before.start, 0)
  await sources.put(before.start, 1, { spoiled: true })

  const verdict = emptyVerdict()
  const { prefix } = parseLocation(compaction.source)
  const tamper = tamperWith(breakStep, prefix)
  let step = 0
  let isCalm = false
  /** Objects that come, or change, at this step; at the end of the drive all that are still to come, so that the recovery sees them. */
  const disturb = async (isEnd: boolean) => {
    if (isCalm) return
    step++
    isCalm = isEnd
    const isDue = (steps: readonly number[]) => steps.filter((one) => (isEnd ? one >= step : one === step))
    for (const one of isDue(schedule.late)) await sources.put(before.start, 10 + one)
    for (const _ of isDue(schedule.overwritten)) await sources.put(before.start, 0)
  }
  const look = async () => {
    if (world.isFast) await judgeView(context, world, sources, verdict)
  }
  const turnstile = createTurnstile(random, async (isRead) => {
    await disturb(false)
    if (!isRead) await look()
  })

  // Random ones would sort differently in each run.
  let ids = 0
  const newId = () => (++ids).toString(16).padStart(12, '0')

  const work = (worker: Worker) => async () => {
    const athena = world.athenaOf(worker)
    const client = gatedClient<S3Client>(world.s3, worker, tamper)
    const engine = scenario.engine(athena, tempDir)
    const { lease } = scenario
    const options = {
      compaction,
      engine: breakStep === 'execute' ? losingEngine(engine) : engine,
      athena,
      client,
      ...(lease && { lease }),
    }
    const compactor = assembleCompactor(options, newId)
    // Each trigger is delivered twice; a failed invocation is tried again by the second.
    const failures: unknown[] = []
    for (let delivery = 0; delivery < 2; delivery++) {
      await compactor.run({ at }).catch((error: unknown) => failures.push(error))
      if (scenario.rollsUp) {
        const rollUpAt = new Date(at.getTime() + compaction.table.partitions.lengthMs)
        await compactor.rollUp({ at: rollUpAt }).catch((error: unknown) => failures.push(error))
      }
    }
    if (failures.length > 0) throw failures[0]
  }
  const collect = (worker: Worker) => async () => {
    const client = gatedClient<S3Client>(world.s3, worker, tamper)
    await collectGarbage({ compaction, athena: world.athenaOf(worker), client, apply: true, since: start })
  }
  const drive = (programs: readonly { readonly worker: Worker; run(): Promise<unknown> }[]) => turnstile.drive(programs)
  const drivenBy = async (faults: ReadonlyMap<number, Fault>, program: (worker: Worker) => () => Promise<void>) => {
    const worker = turnstile.worker(faults)
    const errors = await drive([{ worker, run: program(worker) }])
    return { worker, errors }
  }

  const workers = schedule.workers.map((faults) => turnstile.worker(faults))
  await drive(workers.map((worker) => ({ worker, run: work(worker) })))
  await disturb(true)
  if (schedule.collectsEarly) {
    await world.pass(25 * hourMs)
    await drivenBy(schedule.collector, collect)
  }
  // Leases of the dead run out.
  await world.pass(hourMs)
  const recovery = await drivenBy(new Map(), work)
  for (const error of recovery.errors) fail(verdict, `the recovery failed: ${(error as Error).message}`)
  await look()
  await judgeEnd(context, world, sources, verdict)

  await world.pass(25 * hourMs)
  await drivenBy(schedule.collector, collect)
  const cleaning = await drivenBy(new Map(), collect)
  for (const error of cleaning.errors) fail(verdict, `garbage collection failed: ${(error as Error).message}`)
  await judgeRest(context, world, verdict)
  await judgeEnd(context, world, sources, verdict)
  return { verdict, counts: turnstile.counts, requests: workers[0]?.requests ?? 0, rows: rowsOf(sources) }
}

/** A recovery that does not succeed leaves rows out for good. */
function fail(verdict: Verdict, what: string): void {
  verdict.lost++
  verdict.faults.push(what)
}

function rowsOf({ versions }: Sources): number {
  return versions.reduce((sum, { rows, unreadable }) => sum + rows.length + unreadable, 0)
}
