import { ConfigError } from '@pipe/core'
import { type CompiledBranch, compileBranch } from './compile'
import { type EventInput, eventOf } from './event-source'
import { type FieldTree, fieldTree, isList } from './field-tree'
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

interface IndexedBranch {
  readonly order: number
  readonly branch: PatternBranch
}

/** Branches that are tried together: the fields that they look at are read once. */
interface Bucket {
  readonly tree: FieldTree
  readonly branches: readonly { readonly order: number; readonly matches: CompiledBranch }[]
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
  const branches: IndexedBranch[] = rules.flatMap(({ name, pattern }, order) => {
    if (names.size === names.add(name).size) throw new ConfigError(`createRuleIndex: two rules are named "${name}".`)
    return parsePattern(pattern).branches.map((branch) => ({ order, branch }))
  })
  const frequency = frequencies(branches.map(({ branch }) => branch))
  const anchored = new Map<string, Map<string, IndexedBranch[]>>()
  const others: IndexedBranch[] = []
  for (const indexed of branches) {
    const anchor = anchorOf(indexed.branch, frequency)
    if (!anchor) {
      others.push(indexed)
      continue
    }
    const texts = anchored.get(anchor.path) ?? new Map<string, IndexedBranch[]>()
    anchored.set(anchor.path, texts)
    for (const text of anchor.texts) texts.set(text, [...(texts.get(text) ?? []), indexed])
  }
  const always = bucketOf(others)
  const anchors = fieldTree(anchored.keys())
  const buckets = anchors.paths.map((path) => new Map([...anchored.get(path)!].map(([text, list]) => [text, bucketOf(list)])))

  return {
    matching(given) {
      const event = eventOf(given)
      const found = new Set<number>()
      const attempt = (bucket: Bucket | undefined) => {
        if (!bucket) return
        const contents = bucket.tree.read(event)
        for (const { order, matches } of bucket.branches) if (!found.has(order) && matches(contents)) found.add(order)
      }
      anchors.read(event).forEach((content, slot) => {
        const texts = buckets[slot]!
        if (typeof content === 'string') attempt(texts.get(content))
        else if (isList(content))
          for (const text of new Set(content.map(({ value }) => value))) attempt(texts.get(text as string))
      })
      if (always.branches.length > 0) attempt(always)
      return [...found].sort((a, b) => a - b).map((order) => rules[order]!.name)
    },
  }
}

function bucketOf(branches: readonly IndexedBranch[]): Bucket {
  const tree = fieldTree(branches.flatMap(({ branch }) => [...branch.keys()]))
  const slots = new Map(tree.paths.map((path, slot) => [path, slot]))
  return {
    tree,
    branches: branches.map(({ order, branch }) => ({ order, matches: compileBranch(branch, (path) => slots.get(path)!) })),
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

/** The exact field that the fewest other rules share. A nested one counts double: it costs more to read, and may be a list that hits many. */
function anchorOf(branch: PatternBranch, frequency: ReadonlyMap<string, number>): Anchor | undefined {
  let best: { readonly anchor: Anchor; readonly cost: number } | undefined
  for (const anchor of exactFields(branch)) {
    const { path, texts } = anchor
    const shared = texts.reduce((sum, text) => sum + frequency.get(`${path}\n${text}`)!, 0)
    const cost = path.includes('.') ? 2 * shared : shared
    if (!best || cost < best.cost) best = { anchor, cost }
  }
  return best?.anchor
}
