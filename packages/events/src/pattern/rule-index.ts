import { ConfigError } from '@pipe/core'
import { type EventInput, eventOf } from './event-source'
import { fieldTree, isList } from './field-tree'
import { compilePattern } from './match'
import { type PatternBranch, type PatternInput, parsePattern } from './parse-pattern'

/** A pattern with a name. */
export interface PatternRule {
  readonly name: string
  readonly pattern: PatternInput
}

/** Finds the rules that match an event without trying all. */
export interface RuleIndex {
  /** Names of the matching rules, in the order in which they were given. @throws PipeError as `CompiledPattern.matches`. */
  matching(event: EventInput): readonly string[]
}

interface IndexedRule {
  readonly name: string
  readonly order: number
  readonly matches: (event: object) => boolean
}

/**
 * Compiles the rules of a bus. A rule is tried only for events that hold one of its exact texts, in the field where they are rarest among
 * the rules; rules without exact texts are tried for every event.
 *
 * @throws ConfigError `PIPE_PATTERN` for a wrong pattern, `PIPE_CONFIG` for two rules of one name.
 * @example
 * ```ts
 * const index = createRuleIndex([{ name: 'big', pattern: { source: ['shop'], detail: { total: [{ numeric: ['>', 100] }] } } }])
 * index.matching({ source: 'shop', detail: { total: 250 } }) // ['big']
 * ```
 */
export function createRuleIndex(rules: readonly PatternRule[]): RuleIndex {
  const names = new Set<string>()
  const parsed = rules.map(({ name, pattern }, order) => {
    if (names.size === names.add(name).size) throw new ConfigError(`createRuleIndex: two rules are named "${name}".`)
    const { matches } = compilePattern(pattern)
    return { rule: { name, order, matches } satisfies IndexedRule, branches: parsePattern(pattern).branches }
  })
  const frequency = frequencies(parsed.flatMap(({ branches }) => branches))
  const buckets = new Map<string, Map<string, IndexedRule[]>>()
  const always: IndexedRule[] = []
  for (const { rule, branches } of parsed) {
    const anchors = branches.map((branch) => anchorOf(branch, frequency))
    if (anchors.includes(undefined)) {
      always.push(rule)
      continue
    }
    for (const { path, texts } of anchors as Anchor[]) {
      const bucket = buckets.get(path) ?? new Map<string, IndexedRule[]>()
      buckets.set(path, bucket)
      for (const text of texts) bucket.set(text, [...(bucket.get(text) ?? []), rule])
    }
  }
  const tree = fieldTree(buckets.keys())
  const bucketOf = tree.paths.map((path) => buckets.get(path)!)

  return {
    matching(given) {
      const event = eventOf(given)
      const tried = new Set<IndexedRule>()
      const found: IndexedRule[] = []
      const attempt = (rule: IndexedRule) => {
        if (tried.has(rule)) return
        tried.add(rule)
        if (rule.matches(event)) found.push(rule)
      }
      tree.read(event).forEach((content, slot) => {
        const bucket = bucketOf[slot]!
        if (isList(content)) for (const { value } of content) for (const rule of bucket.get(value as string) ?? []) attempt(rule)
        else if (typeof content === 'string') for (const rule of bucket.get(content) ?? []) attempt(rule)
      })
      for (const rule of always) attempt(rule)
      return found.sort((a, b) => a.order - b.order).map(({ name }) => name)
    },
  }
}

interface Anchor {
  readonly path: string
  readonly texts: readonly string[]
}

/** The fields of a branch that only exact texts match. */
function exactFields(branch: PatternBranch): Anchor[] {
  return [...branch].flatMap(([path, matchers]) => {
    const texts = matchers.flatMap((matcher) => (matcher.kind === 'text' ? [matcher.text] : []))
    return texts.length === matchers.length ? [{ path, texts }] : []
  })
}

function frequencies(branches: readonly PatternBranch[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { path, texts } of branches.flatMap(exactFields)) {
    for (const text of texts) counts.set(`${path}\n${text}`, (counts.get(`${path}\n${text}`) ?? 0) + 1)
  }
  return counts
}

/** The exact field that the fewest other rules share. */
function anchorOf(branch: PatternBranch, frequency: ReadonlyMap<string, number>): Anchor | undefined {
  const shared = ({ path, texts }: Anchor) => texts.reduce((sum, text) => sum + frequency.get(`${path}\n${text}`)!, 0)
  let best: { readonly anchor: Anchor; readonly shared: number } | undefined
  for (const anchor of exactFields(branch)) {
    const candidate = { anchor, shared: shared(anchor) }
    if (!best || candidate.shared < best.shared) best = candidate
  }
  return best?.anchor
}
