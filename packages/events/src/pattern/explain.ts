import { compileBranch } from './compile'
import { type EventInput, eventOf } from './event-source'
import { type FieldContent, fieldTree, isList } from './field-tree'
import { JsonNumber } from './json-number'
import { type PatternBranch, type PatternInput, parsePattern } from './parse-pattern'
import type { Leaf } from './value-matcher'

/** What one field of a pattern asks and what the event holds. */
export interface FieldVerdict {
  /** `detail.total` */
  readonly path: string
  /** The entries of the pattern, as JSON: any of them suffices. */
  readonly wanted: string
  /** The values of the event, as JSON; `nothing` when it has no value there. */
  readonly found: string
  readonly passes: boolean
}

/** Why an event matches a pattern or does not. */
export interface MatchExplanation {
  readonly matches: boolean
  /** The fields of the alternative that matched or, without a match, came nearest (patterns without `$or` have one). */
  readonly fields: readonly FieldVerdict[]
  /** True when every field passes by itself, but in different elements of an array of objects. */
  readonly apart: boolean
  /** The same in words. */
  readonly text: string
}

/**
 * Says why an event matches a pattern or does not: field by field, what was asked and what was found.
 *
 * @throws ConfigError, PipeError as `compilePattern`.
 * @example
 * ```ts
 * explainMatch({ detail: { total: [{ numeric: ['>=', 100] }] } }, { detail: { total: 40 } }).text
 * // 'No match: detail.total is 40, the pattern asks [{"numeric":[">=",100]}].'
 * ```
 */
export function explainMatch(pattern: PatternInput, event: EventInput): MatchExplanation {
  const { branches } = parsePattern(pattern)
  const tree = fieldTree(branches.flatMap((branch) => [...branch.keys()]))
  const contents = tree.read(eventOf(event))
  const slots = new Map(tree.paths.map((path, slot) => [path, slot]))
  const slotOf = (path: string) => slots.get(path)!
  const judged = branches.map((branch) => ({
    matches: compileBranch(branch, slotOf)(contents),
    fields: verdicts(branch, slotOf, contents),
  }))
  const failures = ({ fields }: (typeof judged)[number]) => fields.filter(({ passes }) => !passes).length
  const nearest =
    judged.find(({ matches }) => matches) ?? judged.reduce((best, other) => (failures(other) < failures(best) ? other : best))
  const { matches, fields } = nearest
  const apart = !matches && failures(nearest) === 0
  return { matches, fields, apart, text: textOf(matches, fields, branches.length) }
}

function verdicts(branch: PatternBranch, slotOf: (path: string) => number, contents: readonly FieldContent[]): FieldVerdict[] {
  return [...branch].map(([path, matchers]) => {
    const content = contents[slotOf(path)]
    return {
      path,
      wanted: `[${matchers.map(({ source }) => source).join(',')}]`,
      found: foundText(content),
      passes: compileBranch(new Map([[path, matchers]]), () => 0)([content]),
    }
  })
}

function foundText(content: FieldContent): string {
  if (content === undefined) return 'nothing'
  const leaves = isList(content) ? content.map(({ value }) => value) : [content]
  const texts = leaves
    .slice(0, 10)
    .map((leaf: Leaf) => (leaf instanceof JsonNumber ? leaf.text : (JSON.stringify(leaf) ?? 'null')))
  if (leaves.length > texts.length) texts.push(`… ${leaves.length - texts.length} more`)
  return texts.join(', ')
}

function textOf(matches: boolean, fields: readonly FieldVerdict[], alternatives: number): string {
  const which =
    alternatives === 1 ? '' : matches ? ` (one of ${alternatives} alternatives)` : ` (nearest of ${alternatives} alternatives)`
  if (matches) return `Match${which}: ${fields.map(({ path, found }) => `${path} is ${found}`).join('; ')}.`
  const failed = fields.filter(({ passes }) => !passes)
  if (failed.length > 0) {
    return `No match${which}: ${failed.map(({ path, found, wanted }) => `${path} is ${found}, the pattern asks ${wanted}`).join('; ')}.`
  }
  const paths = fields.map(({ path }) => path).join(' and ')
  return `No match${which}: ${paths} each match, but in different elements of an array.`
}
