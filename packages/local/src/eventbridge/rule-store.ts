import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { PipeError } from '@pipe/core'
import { localAccount, localRegion } from '../service'
import type { TargetInput } from './target-input'

/** A target of a rule: a local function or queue. */
export interface RuleTarget {
  readonly id: string
  /** ARN of the function or the queue. */
  readonly arn: string
  /** What is sent instead of the event. */
  readonly input: TargetInput
  /** How often and how long a delivery is tried again. Default: 185 times within 24 hours. */
  readonly retry?: { readonly maxAttempts?: number; readonly maxAgeMs?: number }
  /** ARN of the queue for what could not be delivered. Default: it is dropped. */
  readonly deadLetterArn?: string
  /** Message group, for a FIFO queue. */
  readonly messageGroup?: string
}

/** A rule of a bus: with a schedule (default bus only), a pattern, or both. */
export interface Rule {
  readonly name: string
  readonly bus: string
  readonly arn: string
  readonly expression?: string
  /** JSON text. */
  readonly pattern?: string
  readonly description?: string
  readonly enabled: boolean
  /** When it got its schedule, milliseconds by the clock of the runtime: a rate counts from here. */
  readonly since: number
  /** Rules of one instant fire in this order: that of creation. */
  readonly order: number
  readonly targets: readonly RuleTarget[]
}

/** An event bus. */
export interface EventBus {
  readonly name: string
  readonly arn: string
}

/** The buses and rules of a runtime, kept in one file. */
export interface RuleStore {
  get(arn: string): Rule | undefined
  /** In order of creation. */
  list(): readonly Rule[]
  put(rule: Rule): void
  remove(arn: string): void
  bus(name: string): EventBus | undefined
  /** By name; the default bus is always there. */
  buses(): readonly EventBus[]
  putBus(bus: EventBus): void
  removeBus(name: string): void
  /** The order of the next new rule. */
  nextOrder(): number
}

const version = 2

/** `arn:aws:events:us-east-1:000000000000:event-bus/NAME` */
export function busArn(name: string): string {
  return `arn:aws:events:${localRegion}:${localAccount}:event-bus/${name}`
}

/** `…:rule/NAME` on the default bus, `…:rule/BUS/NAME` on another. */
export function ruleArn(name: string, bus = 'default'): string {
  return `arn:aws:events:${localRegion}:${localAccount}:rule/${bus === 'default' ? '' : `${bus}/`}${name}`
}

/** @throws PipeError `PIPE_LOCAL_RULES` when the file is not one that this version, or the one before it, wrote. */
export function openRuleStore(file: string): RuleStore {
  const stored = read(file)
  const rules = new Map<string, Rule>(stored.rules.map((rule) => [rule.arn, rule]))
  const buses = new Map<string, EventBus>(stored.buses.map((bus) => [bus.name, bus]))
  const list = () => [...rules.values()].sort((a, b) => a.order - b.order)
  const save = () => {
    mkdirSync(dirname(file), { recursive: true })
    // Renamed into place: a reader after a crash finds the old rules or the new ones.
    writeFileSync(`${file}.new`, JSON.stringify({ version, buses: [...buses.values()], rules: list() }, null, 2))
    renameSync(`${file}.new`, file)
  }
  const allBuses = () => [...buses.values(), { name: 'default', arn: busArn('default') }]
  return {
    get: (arn) => rules.get(arn),
    list,
    put(rule) {
      rules.set(rule.arn, rule)
      save()
    },
    remove(arn) {
      if (rules.delete(arn)) save()
    },
    bus: (name) => allBuses().find((bus) => bus.name === name),
    buses: () => allBuses().sort((a, b) => (a.name < b.name ? -1 : 1)),
    putBus(bus) {
      buses.set(bus.name, bus)
      save()
    },
    removeBus(name) {
      if (buses.delete(name)) save()
    },
    nextOrder: () => Math.max(0, ...list().map(({ order }) => order)) + 1,
  }
}

interface Stored {
  readonly buses: readonly EventBus[]
  readonly rules: readonly Rule[]
}

function read(file: string): Stored {
  if (!existsSync(file)) return { buses: [], rules: [] }
  const content = parse(readFileSync(file, 'utf8'))
  if (content?.version === version && Array.isArray(content.rules) && Array.isArray(content.buses)) return content as Stored
  if (content?.version === 1 && Array.isArray(content.rules)) return { buses: [], rules: content.rules.map(fromFirstVersion) }
  const hint = 'Move the file away to start without rules.'
  throw new PipeError('PIPE_LOCAL_RULES', `${file} does not hold rules of this version.`, { hint, details: { file } })
}

/** Rules of the first version lie on the default bus; their targets have an `input` or none. */
function fromFirstVersion(rule: Rule): Rule {
  const targets = rule.targets.map(({ id, arn, input }) => ({
    id,
    arn,
    input: input === undefined ? {} : { input: String(input) },
  }))
  return { ...rule, bus: 'default', targets }
}

function parse(text: string): { readonly version?: unknown; readonly rules?: unknown; readonly buses?: unknown } | undefined {
  try {
    return JSON.parse(text) as object
  } catch {
    // Not JSON: the caller refuses the file.
    return undefined
  }
}
