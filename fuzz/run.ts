import { fork } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { inputOf } from './mutate'
import type { FuzzTarget } from './target'
import { targets } from './targets'
import type { Work, WorkDone } from './worker'

const usage = `npm run fuzz -- [--inputs N] [--seed S] [--target NAME]… [--number I]

Damaged input for every parser that reads foreign bytes: no crash, no hang, bounded memory.

  --inputs N     inputs in all, spread over the parsers (default 1000000)
  --seed S       another set of inputs (default 1)
  --target NAME  this parser only; may be repeated: ${targets.map(({ name }) => name).join(', ')}
  --number I     this one input only, written as it is read; needs one --target`

/** One input may take so long before it counts as a hang, on a machine that does other things, too. */
const hangMs = 20_000
/** Heap of the parser's process. */
const maxHeapMb = 512

interface Outcome extends WorkDone {
  readonly target: FuzzTarget
  readonly inputs: number
  readonly seconds: number
}

/** Runs a range of inputs in a process of its own, which is ended when it hangs or grows. */
async function runRange(target: FuzzTarget, seed: number, from: number, to: number): Promise<WorkDone> {
  const folder = await mkdtemp(join(tmpdir(), 'pipe-fuzz-'))
  const place = join(folder, 'number')
  const work: Work = { target: target.name, seed, from, to, place }
  const child = fork(new URL('./worker.ts', import.meta.url), [JSON.stringify(work)], {
    execArgv: [...process.execArgv, `--max-old-space-size=${maxHeapMb}`],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  // Before the first input there is no file.
  const numberNow = async () => Number(await readFile(place, 'utf8').catch(() => '-1'))
  const failed = async (error: string): Promise<WorkDone> => {
    return { taken: 0, refused: 0, peakMb: 0, crashes: [{ number: Math.max(from, await numberNow()), error }] }
  }
  let last = ''
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    last = (last + text).slice(-4000)
  })
  let seen = -1
  let since = Date.now()
  const watch = setInterval(async () => {
    const now = await numberNow()
    if (now < 0 || now !== seen) since = Date.now()
    else if (Date.now() - since > hangMs) child.kill('SIGKILL')
    seen = now
  }, 500)
  try {
    const done = await new Promise<WorkDone | string>((resolve) => {
      child.once('message', (message) => resolve(message as WorkDone))
      // Also a rejection that nobody handled, and a heap that is full.
      child.once('exit', (code, signal) =>
        resolve(
          signal === 'SIGKILL'
            ? `hangs: not read within ${hangMs / 1000} s`
            : `the process ended with ${code ?? signal}: ${last}`,
        ),
      )
    })
    return typeof done === 'string' ? await failed(done) : done
  } finally {
    clearInterval(watch)
    await rm(folder, { recursive: true, force: true })
  }
}

async function runTarget(target: FuzzTarget, seed: number, inputs: number): Promise<Outcome> {
  const started = performance.now()
  const done = await runRange(target, seed, 0, inputs)
  return { ...done, target, inputs, seconds: (performance.now() - started) / 1000 }
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      inputs: { type: 'string', default: '1000000' },
      seed: { type: 'string', default: '1' },
      target: { type: 'string', multiple: true },
      number: { type: 'string' },
      help: { type: 'boolean' },
    },
  })
  if (values.help) {
    console.log(usage)
    return 0
  }
  const seed = wholeNumber('--seed', values.seed)
  const chosen = (values.target ?? targets.map(({ name }) => name)).map(targetOf)
  if (values.number !== undefined) return readOne(chosen, seed, wholeNumber('--number', values.number))
  const shares = chosen.reduce((sum, { perMillion }) => sum + perMillion, 0)
  const inputs = wholeNumber('--inputs', values.inputs)

  const outcomes: Outcome[] = []
  console.log(
    `${'parser'.padEnd(22)}${'inputs'.padStart(9)}${'taken'.padStart(9)}${'refused'.padStart(9)}${'failed'.padStart(8)}${'s'.padStart(7)}`,
  )
  for (const target of chosen) {
    const outcome = await runTarget(target, seed, Math.ceil((inputs * target.perMillion) / shares))
    outcomes.push(outcome)
    const { taken, refused, crashes, seconds } = outcome
    const cells = [outcome.inputs, taken, refused].map((count) => String(count).padStart(9)).join('')
    console.log(`${target.name.padEnd(22)}${cells}${String(crashes.length).padStart(8)}${seconds.toFixed(1).padStart(7)}`)
    for (const { number, error } of crashes.slice(0, 3)) {
      console.log(`  input ${number}: ${error.split('\n').slice(0, 6).join('\n    ')}`)
      console.log(`  npm run fuzz -- --target ${target.name} --seed ${seed} --number ${number}`)
    }
  }
  const total = outcomes.reduce((sum, one) => sum + one.inputs, 0)
  const failed = outcomes.reduce((sum, one) => sum + one.crashes.length, 0)
  const peakMb = Math.max(...outcomes.map((one) => one.peakMb))
  console.log(`${total} inputs, ${failed} failed, seed ${seed}, peak memory ${peakMb} MB`)
  // A parser that refuses everything was tested in its first line only.
  const idle = outcomes.filter(({ inputs, taken }) => inputs >= 100 && taken === 0)
  for (const { target } of idle) console.log(`${target.name}: no input was taken`)
  return failed + idle.length === 0 ? 0 : 1
}

async function readOne(chosen: readonly FuzzTarget[], seed: number, number: number): Promise<number> {
  const [target] = chosen
  if (target === undefined || chosen.length > 1) throw new Error('--number needs one --target.')
  const input = inputOf({ seed, target: target.name, number }, await target.corpus(), target.words ?? [])
  console.log(JSON.stringify(input.toString('latin1')))
  console.log(await target.read(input))
  return 0
}

function targetOf(name: string): FuzzTarget {
  const target = targets.find((one) => one.name === name)
  if (target === undefined)
    throw new Error(`There is no parser "${name}". There are: ${targets.map((one) => one.name).join(', ')}.`)
  return target
}

function wholeNumber(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Error(`${name} must be a whole number, not "${text}".`)
  return Number(text)
}

process.exitCode = await main()
