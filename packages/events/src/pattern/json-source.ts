/** One JSON value with its place in the text. `at` counts UTF-16 units from 0. */
export type JsonNode =
  | { readonly kind: 'object'; readonly at: number; readonly members: readonly JsonMember[] }
  | { readonly kind: 'array'; readonly at: number; readonly items: readonly JsonNode[] }
  | { readonly kind: 'string'; readonly at: number; readonly value: string }
  | { readonly kind: 'number'; readonly at: number; readonly text: string }
  | { readonly kind: 'literal'; readonly at: number; readonly value: boolean | null }

/** A key of an object with its value. A key may stand twice: nothing is dropped. */
export interface JsonMember {
  readonly key: string
  readonly at: number
  readonly value: JsonNode
}

/** Why a text is no JSON, and where. */
export interface JsonFault {
  readonly at: number
  readonly problem: string
}

/** Thrown inside {@link readJsonSource} only. */
class Fault extends Error {
  readonly at: number
  constructor(at: number, problem: string) {
    super(problem)
    this.at = at
  }
}

const numberPattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const stringPattern = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y
const literalPattern = /true|false|null/y
const literals: Readonly<Record<string, boolean | null>> = { true: true, false: false, null: null }
// EventBridge refuses deeper events (PutEvents: nesting ≤ 1100); patterns are far shorter.
const maxDepth = 1100

/** Reads JSON with places: numbers keep their digits, every key is kept. `fault` instead of `node` for what is no JSON. */
export function readJsonSource(text: string): { readonly node: JsonNode } | { readonly fault: JsonFault } {
  try {
    return { node: parse(text) }
  } catch (error) {
    if (error instanceof Fault) return { fault: { at: error.at, problem: error.message } }
    throw error
  }
}

function parse(text: string): JsonNode {
  let at = 0
  const blanks = () => {
    while (at < text.length && ' \t\n\r'.includes(text[at]!)) at++
  }
  const found = (): string => (at < text.length ? `unexpected ${JSON.stringify(text[at])}` : 'unexpected end of the text')
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    const match = pattern.exec(text)?.[0]
    if (match) at += match.length
    return match
  }
  const string = (): string => {
    const start = at
    const match = take(stringPattern)
    if (match === undefined)
      throw new Fault(start, text[at] === '"' ? 'a text that does not end, or with a wrong escape' : found())
    return JSON.parse(match) as string
  }
  /** Entries up to `close`, with commas between them. */
  const entries = (close: string, entry: () => void): void => {
    at++
    blanks()
    if (text[at] === close) {
      at++
      return
    }
    for (;;) {
      entry()
      blanks()
      const end = text[at]
      if (end !== ',' && end !== close) throw new Fault(at, `${found()}, not "," or "${close}"`)
      at++
      if (end === close) return
      blanks()
    }
  }
  const value = (depth: number): JsonNode => {
    if (depth > maxDepth) throw new Fault(at, `nesting deeper than ${maxDepth}`)
    blanks()
    const start = at
    switch (text[at]) {
      case '{': {
        const members: JsonMember[] = []
        entries('}', () => {
          const keyAt = at
          const key = string()
          blanks()
          if (text[at] !== ':') throw new Fault(at, `${found()}, not ":"`)
          at++
          members.push({ key, at: keyAt, value: value(depth + 1) })
        })
        return { kind: 'object', at: start, members }
      }
      case '[': {
        const items: JsonNode[] = []
        entries(']', () => items.push(value(depth + 1)))
        return { kind: 'array', at: start, items }
      }
      case '"':
        return { kind: 'string', at: start, value: string() }
      default: {
        const number = take(numberPattern)
        if (number !== undefined) return { kind: 'number', at: start, text: number }
        const literal = take(literalPattern)
        if (literal === undefined) throw new Fault(at, found())
        return { kind: 'literal', at: start, value: literals[literal]! }
      }
    }
  }
  const node = value(0)
  blanks()
  if (at < text.length) throw new Fault(at, `${found()} behind the end of the value`)
  return node
}

/** Line and column of a place, both from 1. */
export function positionOf(text: string, at: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, at).split('\n')
  return { line: before.length, column: before.at(-1)!.length + 1 }
}
