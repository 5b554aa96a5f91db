import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { PipeError } from '@pipe/core'

/** A target of a rule: a local function. */
export interface RuleTarget {
  readonly id: string
  /** ARN of the function. */
  readonly arn: string
  /** JSON text that is sent instead of the event. */
  readonly input?: string
}

/** A scheduled rule on the default bus. */
export interface Rule {
  readonly name: string
  readonly arn: string
  readonly expression: string
  readonly description?: string
  readonly enabled: boolean
  /** When it got its schedule, milliseconds by the clock of the runtime: a rate counts from here. */
  readonly since: number
  /** Rules of one instant fire in this order: that of creation. */
  readonly order: number
  readonly targets: readonly RuleTarget[]
}

/** The rules of a runtime, kept in one file. */
export interface RuleStore {
  get(name: string): Rule | undefined
  /** In order of creation. */
  list(): readonly Rule[]
  put(rule: Rule): void
  remove(name: string): void
  /** The order of the next new rule. */
  nextOrder(): number
}

/** @throws PipeError `PIPE_LOCAL_RULES` when the file is not one that this version wrote. */
export function openRuleStore(file: string): RuleStore {
  const rules = new Map<string, Rule>(read(file).map((rule) => [rule.name, rule]))
  const list = () => [...rules.values()].sort((a, b) => a.order - b.order)
  const save = () => {
    mkdirSync(dirname(file), { recursive: true })
    // Renamed into place: a reader after a crash finds the old rules or the new ones.
    writeFileSync(`${file}.new`, JSON.stringify({ version: 1, rules: list() }, null, 2))
    renameSync(`${file}.new`, file)
  }
  return {
    get: (name) => rules.get(name),
    list,
    put(rule) {
      rules.set(rule.name, rule)
      save()
    },
    remove(name) {
      if (rules.delete(name)) save()
    },
    nextOrder: () => Math.max(0, ...list().map(({ order }) => order)) + 1,
  }
}

function read(file: string): readonly Rule[] {
  if (!existsSync(file)) return []
  const content = parse(readFileSync(file, 'utf8'))
  if (content?.version !== 1 || !Array.isArray(content.rules)) {
    const hint = 'Move the file away to start without rules.'
    throw new PipeError('PIPE_LOCAL_RULES', `${file} does not hold rules of this version.`, { hint, details: { file } })
  }
  return content.rules as readonly Rule[]
}

function parse(text: string): { readonly version?: unknown; readonly rules?: unknown } | undefined {
  try {
    return JSON.parse(text) as object
  } catch {
    // Not JSON: the caller refuses the file.
    return undefined
  }
}
