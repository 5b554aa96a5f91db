/** A JSON document as the OpenX SerDe sees it: scalars keep their text, so that no digit of a number is lost. */
export type JsonValue = null | JsonScalar | JsonList | JsonObject

export interface JsonScalar {
  readonly kind: 'scalar'
  readonly text: string
  readonly quoted: boolean
}

export interface JsonList {
  readonly kind: 'list'
  readonly values: readonly JsonValue[]
}

export interface JsonObject {
  readonly kind: 'object'
  /** By key as written. */
  readonly entries: ReadonlyMap<string, JsonValue>
}

/** A line that is not a document. */
export class MalformedJson extends Error {
  constructor(message: string, position: number) {
    super(`${message} at character ${position + 1}`)
    this.name = 'MalformedJson'
  }
}

const maxDepth = 500

/**
 * Reads the document at the start of a line by the lenient rules of the OpenX SerDe: single-quoted and unquoted strings, `=` or `=>`
 * for `:`, `;` for `,`, comments, and anything after the document is left alone. A key that comes twice (compared without case) makes
 * the document malformed ("Duplicate key", Athena's documented error).
 *
 * @throws {@link MalformedJson}
 */
export function readJson(text: string): JsonValue {
  let at = 0
  let depth = 0

  const fail = (message: string) => new MalformedJson(message, at)

  const skipComment = () => {
    if (text[at] === '#' || text.startsWith('//', at)) {
      at = text.length
      return
    }
    const end = text.indexOf('*/', at + 2)
    if (end === -1) throw fail('Unterminated comment')
    at = end + 2
  }
  /** Moves to the next character that counts and returns it, or `undefined` at the end. */
  const peek = (): string | undefined => {
    for (; at < text.length; ) {
      const char = text[at] as string
      if (char === ' ' || char === '\t' || char === '\n' || char === '\r') at++
      else if (char === '#' || (char === '/' && (text[at + 1] === '/' || text[at + 1] === '*'))) skipComment()
      else return char
    }
    return undefined
  }

  const quoted = (quote: string): string => {
    at++
    let value = ''
    let start = at
    for (; at < text.length; at++) {
      const char = text[at]
      if (char === quote) {
        value += text.slice(start, at)
        at++
        return value
      }
      if (char === '\\') {
        value += text.slice(start, at)
        at++
        value += escaped()
        start = at + 1
      }
    }
    throw fail('Unterminated string')
  }
  /** `at` stands on the character after the backslash, and on the last character of the escape afterwards. */
  const escaped = (): string => {
    const char = text[at]
    if (char === undefined) throw fail('Unterminated escape sequence')
    if (char !== 'u') return simpleEscapes[char] ?? char
    const hex = text.slice(at + 1, at + 5)
    if (!/^[0-9a-fA-F]{4}$/.test(hex)) throw fail(`Invalid escape sequence \\u${hex}`)
    at += 4
    return String.fromCharCode(Number.parseInt(hex, 16))
  }

  const literal = (): JsonValue => {
    literalEnd.lastIndex = at
    const end = literalEnd.exec(text)?.index ?? text.length
    const value = text.slice(at, end)
    if (value === '') throw fail('Expected a value')
    at = end
    return value.toLowerCase() === 'null' ? null : { kind: 'scalar', text: value, quoted: false }
  }

  const object = (): JsonObject => {
    at++
    const entries = new Map<string, JsonValue>()
    const seen = new Set<string>()
    if (peek() === '}') {
      at++
      return { kind: 'object', entries }
    }
    for (;;) {
      const name = value()
      if (name === null || name.kind !== 'scalar') throw fail('Names must be strings')
      const separator = peek()
      if (separator !== ':' && separator !== '=') throw fail(`Expected a ':' after a key`)
      at++
      if (separator === '=' && text[at] === '>') at++
      const folded = name.text.toLowerCase()
      if (seen.has(folded)) throw fail(`Duplicate key "${name.text}"`)
      seen.add(folded)
      entries.set(name.text, value())
      const next = peek()
      if (next === '}') {
        at++
        return { kind: 'object', entries }
      }
      if (next !== ',' && next !== ';') throw fail("Expected a ',' or '}'")
      at++
    }
  }

  const list = (): JsonList => {
    at++
    const values: JsonValue[] = []
    let afterSeparator = false
    for (;;) {
      const next = peek()
      if (next === undefined) throw fail('Unterminated array')
      if (next === ']') {
        if (afterSeparator) values.push(null)
        at++
        return { kind: 'list', values }
      }
      if (next === ',' || next === ';') {
        // A separator without a value before it stands for null.
        values.push(null)
        afterSeparator = true
        at++
        continue
      }
      values.push(value())
      const after = peek()
      if (after === ']') {
        at++
        return { kind: 'list', values }
      }
      if (after !== ',' && after !== ';') throw fail("Expected a ',' or ']'")
      at++
      afterSeparator = true
    }
  }

  const value = (): JsonValue => {
    const next = peek()
    if (next === undefined) throw fail('End of input')
    if (next === '"' || next === "'") return { kind: 'scalar', text: quoted(next), quoted: true }
    if (next !== '{' && next !== '[') return literal()
    if (++depth > maxDepth) throw fail(`Nested more than ${maxDepth} levels deep`)
    const nested = next === '{' ? object() : list()
    depth--
    return nested
  }

  return value()
}

const simpleEscapes: Record<string, string> = { t: '\t', b: '\b', n: '\n', r: '\r', f: '\f', a: '\x07', v: '\t' }
const literalEnd = /[ \r\n\t\f{}[\]/\\:,=;#]/g

/** JSON text of a value without white space: what a nested value gives in a string column. */
export function jsonText(value: JsonValue): string {
  if (value === null) return 'null'
  switch (value.kind) {
    case 'scalar':
      return value.quoted ? JSON.stringify(value.text) : unquotedText(value.text)
    case 'list':
      return `[${value.values.map(jsonText).join(',')}]`
    case 'object':
      return `{${[...value.entries].map(([key, entry]) => `${JSON.stringify(key)}:${jsonText(entry)}`).join(',')}}`
  }
}

/** An unquoted scalar inside rendered JSON: boolean, number, or else a string. */
function unquotedText(text: string): string {
  const canonical = canonicalScalar(text)
  return canonical ?? JSON.stringify(text)
}

/** Canonical text of an unquoted boolean or number; `undefined` for anything else. */
export function canonicalScalar(text: string): string | undefined {
  const lower = text.toLowerCase()
  if (lower === 'true' || lower === 'false') return lower
  return decimalText(text)
}

/** A decimal number as Java's `BigDecimal.toString` prints it: digits kept as written, exponent only where the scale asks for it. */
export function decimalText(text: string): string | undefined {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(text)
  if (!match || (match[2] === '' && (match[3] ?? '') === '')) return undefined
  const fraction = match[3] ?? ''
  const digits = ((match[2] as string) + fraction).replace(/^0+(?=\d)/, '')
  const scale = fraction.length - Number(match[4] ?? 0)
  const sign = match[1] === '-' && /[1-9]/.test(digits) ? '-' : ''
  if (scale === 0) return sign + digits
  const adjusted = digits.length - 1 - scale
  if (scale > 0 && adjusted >= -6) {
    const padded = digits.padStart(scale + 1, '0')
    return `${sign}${padded.slice(0, -scale)}.${padded.slice(-scale)}`
  }
  const mantissa = digits.length > 1 ? `${digits[0]}.${digits.slice(1)}` : digits
  return `${sign}${mantissa}E${adjusted >= 0 ? '+' : ''}${adjusted}`
}
