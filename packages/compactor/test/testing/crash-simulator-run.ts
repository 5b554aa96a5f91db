// npm run crash-simulator -- --schedules N [--seed S] [--break STEP]
import { parseArgs } from 'node:util'
import { type BreakableStep, breakableSteps, type SimulationReport, simulateCrashes } from '../../src/testing'
import { startLocalWorlds } from './local-world'

/** One schedule of so many runs on real services: HTTP, the local S3 and Athena, DuckDB. They take a hundred times as long. */
const oneRealIn = 100

function fail(text: string): never {
  console.error(text)
  process.exit(2)
}

const { values } = (() => {
  try {
    const text = { type: 'string' } as const
    return parseArgs({ options: { schedules: text, seed: text, break: text } })
  } catch (error) {
    return fail(`${(error as Error).message}. Use: npm run crash-simulator -- --schedules N [--seed S] [--break STEP]`)
  }
})()
const whole = (name: 'schedules' | 'seed', least: number, given: string): number => {
  if (!/^\d{1,9}$/.test(given) || Number(given) < least)
    fail(`--${name} must be a whole number, at least ${least}, not ${given}.`)
  return Number(given)
}
const schedules = whole('schedules', 1, values.schedules ?? '2000')
const seed = whole('seed', 0, values.seed ?? '1')
const breakStep = values.break as BreakableStep | undefined
if (breakStep !== undefined && !breakableSteps.includes(breakStep)) fail(`--break can be ${breakableSteps.join(', ')}.`)

const started = Date.now()
let lastLine = 0
const onProgress = (where: string) => (progress: { readonly done: number; readonly total: number }) => {
  if (Date.now() - lastLine < 10_000) return
  lastLine = Date.now()
  console.log(`  ${Math.round((Date.now() - started) / 1000)} s  ${where}: ${progress.done} of ${progress.total} schedules`)
}

function print(where: string, { scenarios, points, rows, requests, faults, failures, ...report }: SimulationReport): void {
  const struck = Object.entries(faults)
    .map(([fault, times]) => `${times} × ${fault}`)
    .join(', ')
  console.log(`\n${where}: ${report.schedules} schedules in ${scenarios.length} scenarios, seed ${report.seed}`)
  console.log(`  ${points} crash points, ${requests} requests, ${rows} rows; ${struck}`)
  console.log(`  lost ${report.lost} · doubled ${report.doubled} · orphans ${report.orphans}`)
  for (const { schedule, scenario, faults: found } of failures.slice(0, 5)) {
    console.log(`  schedule ${schedule} (${scenario})`)
    for (const fault of found.slice(0, 5)) console.log(`    ${fault}`)
  }
}

// Breaking a step shows what the simulation sees; that needs no real services.
const realSchedules = breakStep === undefined ? Math.ceil(schedules / oneRealIn) : 0
console.log(
  `Crash simulator: ${schedules - realSchedules} schedules in memory, ${realSchedules} on the local S3 and Athena with DuckDB.`,
)
const broken = breakStep === undefined ? {} : { breakStep }
const reports: SimulationReport[] = []
if (schedules > realSchedules) {
  const report = await simulateCrashes({
    schedules: schedules - realSchedules,
    seed,
    ...broken,
    onProgress: onProgress('in memory'),
  })
  print('In memory', report)
  reports.push(report)
}
if (realSchedules > 0) {
  const { world, scenarios, close } = await startLocalWorlds()
  try {
    const report = await simulateCrashes({
      schedules: realSchedules,
      seed,
      world,
      scenarios,
      onProgress: onProgress('local AWS'),
    })
    print('On the local S3 and Athena', report)
    reports.push(report)
  } finally {
    await close()
  }
}
const sum = (pick: (report: SimulationReport) => number) => reports.reduce((total, report) => total + pick(report), 0)
const totals = {
  lost: sum((report) => report.lost),
  doubled: sum((report) => report.doubled),
  orphans: sum((report) => report.orphans),
}
const seconds = ((Date.now() - started) / 1000).toFixed(0)
console.log(`\n${schedules} schedules in ${seconds} s: ${totals.lost} lost, ${totals.doubled} doubled, ${totals.orphans} orphans`)
// Clients of workers that died still wait for replies.
process.exit(totals.lost + totals.doubled + totals.orphans > 0 ? 1 : 0)
