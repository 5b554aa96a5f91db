import { compileBranch } from './compile'
import { type EventInput, eventOf } from './event-source'
import { fieldTree } from './field-tree'
import { type PatternInput, parsePattern } from './parse-pattern'

/** A pattern made ready for many events. */
export interface CompiledPattern {
  /** Its JSON text. */
  readonly text: string
  /**
   * Whether an event matches. Give the JSON text where numbers may pass 2^53.
   *
   * @throws PipeError `PIPE_EVENT_JSON` when the event is no JSON object; `PIPE_EVENT_NUMBER` when a number that the pattern looks at may
   * have lost digits in JavaScript.
   */
  matches(event: EventInput): boolean
}

/**
 * Checks and compiles an event pattern: once for many events.
 *
 * @param pattern an object, or its JSON text.
 * @throws ConfigError `PIPE_PATTERN` for whatever EventBridge refuses; `details` is `{ path, line, column, reason }`.
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
 * @example
 * ```ts
 * const big = compilePattern({ detail: { total: [{ numeric: ['>=', 100] }] } })
 * big.matches({ source: 'shop', detail: { total: 250 } }) // true
 * ```
 */
export function compilePattern(pattern: PatternInput): CompiledPattern {
  const { text, branches } = parsePattern(pattern)
  const tree = fieldTree(branches.flatMap((branch) => [...branch.keys()]))
  const slots = new Map(tree.paths.map((path, slot) => [path, slot]))
  const compiled = branches.map((branch) => compileBranch(branch, (path) => slots.get(path)!))
  const [only] = compiled
  return {
    text,
    matches(event) {
      const contents = tree.read(eventOf(event))
      return compiled.length === 1 ? only!(contents) : compiled.some((matches) => matches(contents))
    },
  }
}

/**
 * Whether an event matches a pattern, as EventBridge decides it. For many events, {@link compilePattern}.
 *
 * @throws ConfigError, PipeError as {@link compilePattern}.
 * @example
 * ```ts
 * matchesPattern({ source: [{ prefix: 'com.shop.' }] }, { source: 'com.shop.orders', detail: {} }) // true
 * ```
 */
export function matchesPattern(pattern: PatternInput, event: EventInput): boolean {
  return compilePattern(pattern).matches(event)
}
