import { invalidArgument, RuntimeError } from './failure'

const compiled = new Map<string, RegExp>()

// Whether these classes hold only ASCII in Joni depends on its version and options, so that they meet only ASCII text.
const asciiClasses = /\\[dDsSwW]/

// Constructs that Java's syntax (which Trino's Joni follows) and JavaScript's read differently, or only one of them has. Such a pattern is
// refused, so that it never matches something else than on Athena.
const differing =
  /\\[ABGHKNQERVXZabehpPzG]|\\[1-9]\d|\[[^\]]*(?:&&|\[)|[*+?}]\+|\(\?[>imsxud-]|\(\?<(?![=!])|\\[uxc]|\\[dDsSwWB]|\(\?#|[$^]/

/**
 * What a pattern needs: `undefined` when both engines read it alike, else what they differ in. Letters, digits, classes, quantifiers
 * (greedy and lazy), groups, alternation, look-ahead and look-behind are alike; `\d`, `\w`, `\s` are alike for ASCII text only and are
 * rewritten to their ASCII classes as Joni's non-Unicode syntax has them.
 */
export function patternProblem(pattern: string): string | undefined {
  const rest = pattern
    .replace(/\\[dDsSwW]/g, 'x')
    .replace(/\\[\\.*+?()[\]{}|^$/"'#&~@!%,:;<=>`_ -]/g, 'x')
    .replace(/\\[tnrf]/g, 'x')
    .replace(/\\[1-9](?!\d)/g, 'x')
  const plain = rest.replace(/[$^]/g, 'x').replace(/\[xx?/g, '[x')
  const match = differing.exec(plain)
  if (match !== null) return `the regular expression construct ${match[0]}`
  if (/\\[a-zA-Z0-9]/.test(rest)) return 'a regular expression escape'
  return undefined
}

/** The pattern as JavaScript reads it. `$` matches at the end and before a final line break, as in Java; `.` is any character but `\n`. */
export function compileRegex(pattern: string): RegExp {
  const known = compiled.get(pattern)
  if (known !== undefined) return known
  let source = ''
  let inClass = false
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern[at] as string
    if (char === '\\') {
      const next = pattern[++at] ?? ''
      source += javaEscape(next, inClass)
    } else if (char === '[' && !inClass) {
      inClass = true
      source += char
      if (pattern[at + 1] === '^') source += pattern[++at]
    } else if (char === ']' && inClass) {
      inClass = false
      source += char
    } else if (char === '.' && !inClass) {
      source += '[^\\n]'
    } else if (char === '$' && !inClass) {
      source += '(?=\\n?$)'
    } else if (
      (char === '{' || char === '}' || char === ']') &&
      !inClass &&
      !/^\{\d+(?:,\d*)?\}/.test(pattern.slice(at)) &&
      char !== '}'
    ) {
      source += `\\${char}`
    } else {
      source += inClass && /[(){}|/-]/.test(char) && char !== '-' ? `\\${char}` : char
    }
  }
  let regex: RegExp
  try {
    regex = new RegExp(source, 'gu')
  } catch {
    throw invalidArgument(`Invalid regular expression: ${pattern}`)
  }
  if (compiled.size > 500) compiled.clear()
  compiled.set(pattern, regex)
  return regex
}

function javaEscape(char: string, inClass: boolean): string {
  switch (char) {
    case 'd':
      return inClass ? '0-9' : '[0-9]'
    case 'D':
      return inClass ? '\\D' : '[^0-9]'
    case 'w':
      return inClass ? 'A-Za-z0-9_' : '[A-Za-z0-9_]'
    case 'W':
      return inClass ? '\\W' : '[^A-Za-z0-9_]'
    case 's':
      return inClass ? ' \\t\\n\\x0B\\f\\r' : '[ \\t\\n\\x0B\\f\\r]'
    case 'S':
      return inClass ? '\\S' : '[^ \\t\\n\\x0B\\f\\r]'
    default:
      if (/[A-Za-z0-9]/.test(char)) return `\\${char}`
      // With the u flag only syntax characters (and "-" in a class) may be escaped.
      return /[\^$\\.*+?()[\]{}|/]/.test(char) || (inClass && char === '-') ? `\\${char}` : char
  }
}

function checkText(text: string, pattern: string): void {
  if (!asciiClasses.test(pattern) || !/[^\u0000-\u007f]/.test(text)) return
  throw new RuntimeError('NOT_SUPPORTED_LOCALLY', 'a regular expression with \\d, \\s or \\w on text beyond ASCII')
}

function matches(text: string, pattern: string): IterableIterator<RegExpExecArray> {
  checkText(text, pattern)
  const regex = compileRegex(pattern)
  regex.lastIndex = 0
  return text.matchAll(regex) as IterableIterator<RegExpExecArray>
}

export function regexpLike(text: string, pattern: string): boolean {
  checkText(text, pattern)
  const regex = compileRegex(pattern)
  regex.lastIndex = 0
  return regex.test(text)
}

function group(match: RegExpExecArray, index: bigint): string | null {
  if (index < 0n || index >= BigInt(match.length))
    throw invalidArgument(`Pattern has ${match.length - 1} groups. Cannot access group ${index}`)
  return match[Number(index)] ?? null
}

// The number of groups is checked even when nothing matches.
function checkGroup(pattern: string, index: bigint): void {
  const probe = new RegExp(`${compileRegex(pattern).source}|`, 'u').exec('') as RegExpExecArray
  group(probe, index)
}

export function regexpExtract(text: string, pattern: string, index: bigint): string | null {
  checkGroup(pattern, index)
  const match = matches(text, pattern).next()
  return match.done === true ? null : group(match.value, index)
}

export function regexpExtractAll(text: string, pattern: string, index: bigint): (string | null)[] {
  checkGroup(pattern, index)
  return [...matches(text, pattern)].map((match) => group(match, index))
}

export function regexpCount(text: string, pattern: string): bigint {
  return BigInt([...matches(text, pattern)].length)
}

export function regexpSplit(text: string, pattern: string): string[] {
  const parts: string[] = []
  let from = 0
  for (const match of matches(text, pattern)) {
    parts.push(text.slice(from, match.index))
    from = match.index + match[0].length
  }
  parts.push(text.slice(from))
  return parts
}

/** regexp_replace: `$1` and `${name}` are groups, `\` takes the next character as it is. */
export function regexpReplace(text: string, pattern: string, replacement: string): string {
  let result = ''
  let from = 0
  for (const match of matches(text, pattern)) {
    result += text.slice(from, match.index) + expand(replacement, match)
    from = match.index + match[0].length
  }
  return result + text.slice(from)
}

function expand(replacement: string, match: RegExpExecArray): string {
  let result = ''
  for (let at = 0; at < replacement.length; at++) {
    const char = replacement[at] as string
    if (char === '\\') {
      if (at + 1 === replacement.length) throw invalidArgument('Illegal replacement sequence: \\')
      result += replacement[++at]
    } else if (char === '$') {
      const digits = /^\d+/.exec(replacement.slice(at + 1))?.[0]
      if (digits === undefined) throw invalidArgument(`Illegal replacement sequence: ${replacement}`)
      // As many digits as still name a group.
      let used = 1
      while (used < digits.length && Number(digits.slice(0, used + 1)) < match.length) used++
      result += group(match, BigInt(digits.slice(0, used))) ?? ''
      at += used
    } else {
      result += char
    }
  }
  return result
}
