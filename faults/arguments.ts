import { scenarios } from './scenarios'

/** What the command was asked for. */
export interface Arguments {
  readonly mode: 'faults' | 'defects' | 'help'
  readonly seeds: readonly number[]
  readonly only: readonly string[]
  readonly target: 'real' | 'embedded'
  readonly json: boolean
  readonly sabotage: boolean
  readonly check: boolean
}

export const usage = `npm run faults -- [--seeds N] [--seed S] [--only SCENARIO]… [--target real|embedded] [--json] [--sabotage]
npm run faults -- --defects [--check]

Kafka accidents on a cluster of three brokers, and what became of every record. Exits with 1 when a promise was broken.

  --seeds N      so many seeds, from 1 on (default 1)
  --seed S       this seed only
  --only NAME    this scenario only; may be repeated: ${scenarios.map(({ name }) => name).join(', ')}
  --target       real (default): Apache Kafka from Java; embedded: the cluster of @pipe/local
  --json         JSON instead of the table
  --sabotage     judge 'leader' rows by the promise of 'quorum': the run must then fail
  --defects      the table of docs/guides/why-not-bare-kafkajs.md instead, on stub brokers (no Java)
  --check        with --defects: compare it with the guide, exit with 1 where it differs`

/** Reads the arguments. @throws Error with a sentence for whoever typed them. */
export function readArguments(args: readonly string[]): Arguments {
  const rest = [...args]
  let seeds: readonly number[] = [1]
  const only: string[] = []
  let target: Arguments['target'] = 'real'
  const flags = new Set<string>()
  const valueFor = (name: string) => {
    const value = rest.shift()
    if (value === undefined || value.startsWith('--')) throw new Error(`${name} needs a value.`)
    return value
  }
  const numberOf = (name: string, min: number) => {
    const value = valueFor(name)
    if (!/^\d{1,9}$/.test(value) || Number(value) < min)
      throw new Error(`${name} must be a whole number from ${min}, not "${value}".`)
    return Number(value)
  }
  while (rest.length > 0) {
    const name = rest.shift()!
    if (name === '--seeds') seeds = Array.from({ length: numberOf(name, 1) }, (_, i) => i + 1)
    else if (name === '--seed') seeds = [numberOf(name, 0)]
    else if (name === '--only') only.push(scenarioOf(valueFor(name)))
    else if (name === '--target') target = targetOf(valueFor(name))
    else if (['--json', '--sabotage', '--defects', '--check', '--help'].includes(name)) flags.add(name)
    else throw new Error(`There is no option "${name}".`)
  }
  if (flags.has('--check') && !flags.has('--defects')) throw new Error('--check goes with --defects.')
  return {
    mode: flags.has('--help') ? 'help' : flags.has('--defects') ? 'defects' : 'faults',
    seeds,
    only,
    target,
    json: flags.has('--json'),
    sabotage: flags.has('--sabotage'),
    check: flags.has('--check'),
  }
}

function scenarioOf(name: string): string {
  const known = scenarios.map((scenario) => scenario.name)
  if (!known.includes(name)) throw new Error(`There is no scenario "${name}": one of ${known.join(', ')}.`)
  return name
}

function targetOf(name: string): Arguments['target'] {
  if (name === 'real' || name === 'embedded') return name
  throw new Error(`There is no target "${name}": real or embedded.`)
}
