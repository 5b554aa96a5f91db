/** A JSON number with all its digits, where a double would not hold them. */
export interface ExactNumber {
  readonly [exactNumber]: string
}

const exactNumber: unique symbol = Symbol('exact number')

/** The digits of an exact number; `undefined` for every other value. */
export function exactDigits(value: unknown): string | undefined {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, exactNumber)
    ? (value as ExactNumber)[exactNumber]
    : undefined
}

/**
 * Reads JSON text that `JSON.parse` has already accepted, and keeps what `JSON.parse` drops: every digit of numbers with sixteen or more
 * (as {@link ExactNumber}), and whether a key stands twice in one object. (The source access of newer engines is not in Node 20.)
 *
 * @param text valid JSON text; the result is undefined otherwise.
 * @returns the value, and the first key that stands twice.
 */
export function readExactJson(text: string): { readonly value: unknown; readonly duplicateKey: string | undefined } {
  let at = 0
  let duplicateKey: string | undefined

  const skipBlanks = () => {
    while (at < text.length && text.charCodeAt(at) <= 32) at++
  }

  const readString = (): string => {
    const start = at++
    for (;;) {
      const code = text.charCodeAt(at)
      if (code === 34) break
      at += code === 92 ? 2 : 1
    }
    at++
    return JSON.parse(text.slice(start, at)) as string
  }

  const readNumber = (): unknown => {
    const start = at
    while (at < text.length && /[-+.eE\d]/.test(text[at]!)) at++
    const digits = text.slice(start, at)
    return digits.length < 16 ? Number(digits) : { [exactNumber]: digits }
  }

  const word = (length: number, value: unknown): unknown => {
    at += length
    return value
  }

  // An explicit stack: JSON.parse accepts nesting that would overflow a recursive reader.
  const stack: ({ kind: 'array'; items: unknown[] } | { kind: 'object'; entries: Map<string, unknown>; key: string })[] = []
  for (;;) {
    skipBlanks()
    let value: unknown
    const char = text[at]
    if (char === '[' || char === '{') {
      at++
      skipBlanks()
      const isEmpty = text[at] === (char === '[' ? ']' : '}')
      if (!isEmpty) {
        if (char === '[') stack.push({ kind: 'array', items: [] })
        else stack.push({ kind: 'object', entries: new Map(), key: readKey() })
        continue
      }
      at++
      value = char === '[' ? [] : {}
    } else if (char === '"') value = readString()
    else if (char === 't') value = word(4, true)
    else if (char === 'f') value = word(5, false)
    else if (char === 'n') value = word(4, null)
    else value = readNumber()

    for (;;) {
      const top = stack.at(-1)
      if (!top) return { value, duplicateKey }
      if (top.kind === 'array') top.items.push(value)
      else {
        if (top.entries.has(top.key)) duplicateKey ??= top.key
        top.entries.set(top.key, value)
      }
      skipBlanks()
      const separator = text[at++]
      if (separator === ',') {
        if (top.kind === 'object') {
          skipBlanks()
          top.key = readKey()
        }
        break
      }
      stack.pop()
      // fromEntries defines own properties, so the key "__proto__" is a key like any other.
      value = top.kind === 'array' ? top.items : Object.fromEntries(top.entries)
    }
  }

  function readKey(): string {
    const key = readString()
    skipBlanks()
    at++ // the colon
    return key
  }
}
