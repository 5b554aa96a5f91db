/** A kind of token: how it looks (sticky), and what it is; `undefined` for what is left out. */
export type TokenRule<Token> = readonly [RegExp, (match: RegExpExecArray) => Token | undefined]

/** Cuts a text by the first rule that fits at each place. @throws Error where none does. */
export function cutTokens<Token>(text: string, rules: readonly TokenRule<Token>[]): Token[] {
  const tokens: Token[] = []
  let at = 0
  while (at < text.length) {
    let found = false
    for (const [pattern, make] of rules) {
      pattern.lastIndex = at
      const match = pattern.exec(text)
      if (!match) continue
      const token = make(match)
      if (token) tokens.push(token)
      at += match[0].length
      found = true
      break
    }
    if (!found) throw new Error(`no token at ${at}: ${JSON.stringify(text.slice(at, at + 20))}`)
  }
  return tokens
}
