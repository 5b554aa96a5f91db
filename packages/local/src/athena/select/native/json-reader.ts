/** Text that is not JSON. */
export class JsonSyntaxError extends Error {
  constructor() {
    super('not JSON')
    this.name = 'JsonSyntaxError'
  }
}

/** Kinds of values, by their first character. */
export type JsonKind = 'object' | 'array' | 'string' | 'integer' | 'float' | 'true' | 'false' | 'null'

/**
 * Reads JSON text step by step, as Jackson does for Trino: what stands behind the wanted value is not looked at. Positions are indexes
 * into the text.
 */
export interface JsonReader {
  /** Kind of the value that comes; the reader stands on its first character afterwards. */
  kind(): JsonKind
  /** Reads a string and returns its value. */
  string(): string
  /** Reads a number and returns its text. */
  number(): string
  /** Reads over one value. */
  skip(): void
  /** Enters an object or array. */
  open(): void
  /** Whether another member or element comes; leaves the container when not. `first` = none was read yet. */
  more(first: boolean, close: '}' | ']'): boolean
  /** Reads the name of a member and the colon. */
  key(): string
  /** Whether only white space follows. */
  atEnd(): boolean
}

const numberPattern = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y
const plainString = /[^"\\\u0000-\u001f]*/y
const escapes: Readonly<Record<string, string>> = { '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }

/**
 * Begins to read a text; what was read before is dropped.
 *
 * @throws {@link JsonSyntaxError} from its methods when the text read so far is not JSON.
 */
export function readJson(text: string): JsonReader {
  reader.restart(text)
  return reader
}

// One reader for all texts: they are read one after the other, and making its functions anew costs more than reading a short text.
const reader = createJsonReader()

function createJsonReader(): JsonReader & { restart(text: string): void } {
  let text = ''
  let at = 0
  let depth = 0
  const space = (): void => {
    for (;;) {
      const code = text.charCodeAt(at)
      if (code === 32 || code === 10 || code === 13 || code === 9) at++
      else return
    }
  }
  const fail = (): never => {
    throw new JsonSyntaxError()
  }
  const word = (expected: string): void => {
    if (!text.startsWith(expected, at)) fail()
    at += expected.length
    // `truex` is no token: Jackson checks the character behind a word.
    if (/[A-Za-z0-9_$]/.test(text[at] ?? '')) fail()
  }
  const string = (): string => {
    if (text[at] !== '"') fail()
    at++
    let value = ''
    for (;;) {
      plainString.lastIndex = at
      const run = (plainString.exec(text) as RegExpExecArray)[0]
      value += run
      at += run.length
      const char = text[at]
      if (char === '"') {
        at++
        return value
      }
      if (char !== '\\') fail()
      const escaped = text[at + 1] ?? ''
      if (escaped === 'u') {
        const hex = text.slice(at + 2, at + 6)
        if (!/^[0-9a-fA-F]{4}$/.test(hex)) fail()
        value += String.fromCharCode(Number.parseInt(hex, 16))
        at += 6
      } else {
        const plain = escapes[escaped]
        if (plain === undefined) fail()
        value += plain
        at += 2
      }
    }
  }
  const number = (): string => {
    numberPattern.lastIndex = at
    const match = numberPattern.exec(text)
    if (match === null) return fail()
    at += match[0].length
    // `01`, `1.`, `1x` are no numbers.
    if (/[0-9A-Za-z_$.+-]/.test(text[at] ?? '')) fail()
    return match[0]
  }
  const kind = (): JsonKind => {
    space()
    const char = text[at]
    if (char === '{') return 'object'
    if (char === '[') return 'array'
    if (char === '"') return 'string'
    if (char === 't') return 'true'
    if (char === 'f') return 'false'
    if (char === 'n') return 'null'
    numberPattern.lastIndex = at
    const match = numberPattern.exec(text)
    if (match === null) return fail()
    return match[1] === undefined && match[2] === undefined ? 'integer' : 'float'
  }
  const more = (first: boolean, close: '}' | ']'): boolean => {
    space()
    if (text[at] === close) {
      at++
      depth--
      return false
    }
    if (!first) {
      if (text[at] !== ',') fail()
      at++
      space()
    }
    return true
  }
  const open = (): void => {
    at++
    // Jackson's limit (StreamReadConstraints).
    if (++depth > 1000) fail()
  }
  const key = (): string => {
    const name = string()
    space()
    if (text[at] !== ':') fail()
    at++
    return name
  }
  const skip = (): void => {
    switch (kind()) {
      case 'object':
        open()
        for (let first = true; more(first, '}'); first = false) {
          key()
          skip()
        }
        return
      case 'array':
        open()
        for (let first = true; more(first, ']'); first = false) skip()
        return
      case 'string':
        string()
        return
      case 'integer':
      case 'float':
        number()
        return
      case 'true':
        word('true')
        return
      case 'false':
        word('false')
        return
      case 'null':
        word('null')
        return
    }
  }
  return {
    restart(next) {
      text = next
      at = 0
      depth = 0
    },
    kind,
    string,
    number,
    skip,
    open,
    more,
    key,
    atEnd() {
      space()
      return at >= text.length
    },
  }
}
