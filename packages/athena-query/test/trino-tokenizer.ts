import { cutTokens, type TokenRule } from './cut-tokens'

/** A token of a Trino statement, as its grammar (SqlBase.g4) cuts it. Written for the tests, apart from the renderer. */
export type TrinoToken =
  | { readonly kind: 'string' | 'binary' | 'name'; readonly value: string }
  | { readonly kind: 'word' | 'number' | 'symbol'; readonly value: string }

const rules: readonly TokenRule<TrinoToken>[] = [
  [/\s+|--[^\r\n]*(?:\r?\n|$)|\/\*[\s\S]*?\*\//y, () => undefined],
  [/[Uu]&'(?:[^']|'')*'/y, () => fail('a Unicode literal was not meant')],
  [/[Xx]'([^']*)'/y, (match) => ({ kind: 'binary', value: match[1]! })],
  [/'((?:[^']|'')*)'/y, (match) => ({ kind: 'string', value: match[1]!.replaceAll("''", "'") })],
  [/"((?:[^"]|"")*)"/y, (match) => ({ kind: 'name', value: match[1]!.replaceAll('""', '"') })],
  [/\d+(?:\.\d*)?(?:E[+-]?\d+)?/y, (match) => ({ kind: 'number', value: match[0] })],
  [/[A-Za-z_][\w@]*/y, (match) => ({ kind: 'word', value: match[0] })],
  [/<>|<=|>=|\|\||[-+*/%=<>(),.[\]?]/y, (match) => ({ kind: 'symbol', value: match[0] })],
]

function fail(text: string): never {
  throw new Error(text)
}

/** Cuts a statement into tokens without comments and white space. */
export function tokenizeTrino(text: string): TrinoToken[] {
  return cutTokens(text, rules)
}

/** The value that the literal at the start of the tokens stands for, and how many tokens it has. */
export function readLiteral(tokens: readonly TrinoToken[], at = 0): { value: unknown; next: number } {
  const token = tokens[at]!
  const after = tokens[at + 1]
  if (token.kind === 'string') return { value: token.value, next: at + 1 }
  if (token.kind === 'binary') return { value: Uint8Array.from(Buffer.from(token.value, 'hex')), next: at + 1 }
  if (token.kind === 'number') return { value: numberOf(token.value, false), next: at + 1 }
  if (token.kind === 'symbol' && token.value === '-') return negative(tokens, at)
  if (token.kind === 'symbol' && token.value === '(') return chained(tokens, at)
  if (token.kind !== 'word') return fail(`no literal: ${token.kind} ${token.value}`)
  if (after?.kind === 'string') return { value: typed(token.value, after.value), next: at + 2 }
  if (after?.kind === 'symbol' && after.value === '[') return array(tokens, at + 2)
  if (after?.kind === 'symbol' && after.value === '(' && tokens[at + 2]?.value === ')') {
    const value = { nan: Number.NaN, infinity: Number.POSITIVE_INFINITY }[token.value]
    return { value: value ?? fail(token.value), next: at + 3 }
  }
  const words: Record<string, unknown> = { true: true, false: false, NULL: null }
  return { value: token.value in words ? words[token.value] : fail(`no literal: ${token.value}`), next: at + 1 }
}

function numberOf(text: string, minus: boolean): number | bigint {
  const signed = minus ? `-${text}` : text
  if (/E/.test(text)) return Number(signed)
  // 1.5 is a DECIMAL to Trino: never what a JavaScript number means.
  return /\./.test(text) ? fail(`a decimal literal: ${text}`) : BigInt(signed)
}

function negative(tokens: readonly TrinoToken[], at: number): { value: unknown; next: number } {
  const token = tokens[at + 1]!
  if (token.kind === 'number') return { value: numberOf(token.value, true), next: at + 2 }
  const { value, next } = readLiteral(tokens, at + 1)
  return { value: -(value as number), next }
}

function typed(type: string, text: string): unknown {
  if (type === 'TIMESTAMP') return new Date(`${text.replace(' ', 'T')}Z`)
  if (type === 'BIGINT') return BigInt(text)
  return { [type]: text }
}

function array(tokens: readonly TrinoToken[], start: number): { value: unknown[]; next: number } {
  const values: unknown[] = []
  let at = start
  while (tokens[at]?.value !== ']' || tokens[at]?.kind !== 'symbol') {
    const { value, next } = readLiteral(tokens, at)
    values.push(value)
    at = tokens[next]?.value === ',' ? next + 1 : next
  }
  if (values.length > 254) fail('more than 254 arguments')
  return { value: values, next: at + 1 }
}

/** `(ARRAY[…] || ARRAY[…])` */
function chained(tokens: readonly TrinoToken[], start: number): { value: unknown[]; next: number } {
  const values: unknown[] = []
  let at = start + 1
  for (;;) {
    const { value, next } = readLiteral(tokens, at)
    values.push(...(value as unknown[]))
    if (tokens[next]?.value === ')') return { value: values, next: next + 1 }
    if (tokens[next]?.value !== '||') fail('expected ||')
    at = next + 1
  }
}
