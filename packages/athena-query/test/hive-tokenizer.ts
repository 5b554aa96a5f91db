import { cutTokens, type TokenRule } from './cut-tokens'

/** A token of a Hive DDL statement. */
export type HiveToken =
  | { readonly kind: 'string' | 'name'; readonly value: string }
  | { readonly kind: 'word' | 'symbol'; readonly value: string }

const rules: readonly TokenRule<HiveToken>[] = [
  [/\s+|--[^\r\n]*(?:\r?\n|$)|\/\*[\s\S]*?\*\//y, () => undefined],
  // HiveLexer.g, StringLiteral: ( '\'' ( ~('\''|'\\') | ('\\' .) )* '\'' | '"' … '"' )
  [
    /'((?:[^'\\]|\\[\s\S])*)'|"((?:[^"\\]|\\[\s\S])*)"/y,
    (match) => ({ kind: 'string', value: unescaped(match[1] ?? match[2]!) }),
  ],
  [/`((?:[^`]|``)*)`/y, (match) => ({ kind: 'name', value: match[1]!.replaceAll('``', '`') })],
  [/[A-Za-z0-9_]+/y, (match) => ({ kind: 'word', value: match[0] })],
  [/[-+*/%=<>(),.:;[\]?]/y, (match) => ({ kind: 'symbol', value: match[0] })],
]

const escapes: Readonly<Record<string, string>> = {
  '0': '\0',
  b: '\b',
  n: '\n',
  r: '\r',
  t: '\t',
  Z: '\u001a',
  '%': '\\%',
  _: '\\_',
}

/** Hive's own rules (BaseSemanticAnalyzer.unescapeSQLString): `\uXXXX`, `\ooo`, then one character. Written for the tests. */
function unescaped(text: string): string {
  let out = ''
  for (let at = 0; at < text.length; at++) {
    if (text[at] !== '\\') {
      out += text[at]
      continue
    }
    const rest = text.slice(at + 1)
    const unicode = /^u([0-9a-fA-F]{4})/.exec(rest)
    const octal = /^([01][0-7]{2})/.exec(rest)
    if (unicode) {
      out += String.fromCharCode(Number.parseInt(unicode[1]!, 16))
      at += 5
    } else if (octal) {
      out += String.fromCharCode(Number.parseInt(octal[1]!, 8))
      at += 3
    } else {
      out += escapes[rest[0]!] ?? rest[0]
      at += 1
    }
  }
  return out
}

/** Cuts a statement into tokens without comments and white space. */
export function tokenizeHive(text: string): HiveToken[] {
  return cutTokens(text, rules)
}
