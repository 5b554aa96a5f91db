import { notSupportedLocally } from './query-engine'

// White space in Java; JavaScript's \s knows more of it.
const space = ' \\t\\n\\x0b\\f\\r'
/** Escapes that mean the same, or the character itself. */
const sameEscapes = /^[dDwWtnrf]$/
const punctuation = /^[^A-Za-z0-9]$/

/**
 * A Java expression that must match a whole line, with a dot that matches line ends, too, as RegexSerDe sets DOTALL.
 *
 * Only what Java and JavaScript read alike is taken: groups, classes without operators, greedy and reluctant quantifiers, `^` at the start and
 * `$` at the end, plain escapes.
 *
 * @throws {@link AthenaFailure} naming an expression with anything else.
 */
export function javaPattern(regex: string): RegExp {
  const refused = () => notSupportedLocally(`the 'input.regex' ${regex}`)
  let source = ''
  let inClass = false
  for (let at = 0; at < regex.length; at++) {
    const char = regex[at] as string
    const next = regex[at + 1] ?? ''
    if (char === '\\') {
      at++
      source += escapeOf(next, inClass) ?? fail(refused)
    } else if (inClass) {
      // Nested classes and intersections are Java's alone.
      if (char === '[' || (char === '&' && next === '&')) throw refused()
      if (char === ']') inClass = false
      source += char
    } else if (char === '[') {
      inClass = true
      source += next === '^' ? '[^' : '['
      if (next === '^') at++
      if (regex[at + 1] === ']') throw refused()
    } else if (char === '(') {
      if (next === '?' && regex[at + 2] !== ':') throw refused()
      source += char
    } else if ('*+?}'.includes(char)) {
      // A plus behind a quantifier makes it possessive.
      if (next === '+') throw refused()
      source += char
    } else if ((char === '^' && at > 0) || (char === '$' && at < regex.length - 1)) throw refused()
    else source += char
  }
  try {
    return new RegExp(`^(?:${source})$`, 'su')
  } catch {
    throw refused()
  }
}

function fail(error: () => Error): never {
  throw error()
}

function escapeOf(char: string, inClass: boolean): string | undefined {
  if (char === 's') return inClass ? space : `[${space}]`
  if (char === 'S') return inClass ? undefined : `[^${space}]`
  if (sameEscapes.test(char)) return `\\${char}`
  if (!punctuation.test(char)) return undefined
  return /[\^$\\.*+?()[\]{}|/]/.test(char) || (inClass && char === '-') ? `\\${char}` : char
}
