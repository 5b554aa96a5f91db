/** Whether `text` matches a pattern in which `*` is any run of characters (also none, also `/`) and `?` any one character. */
export function matchesWildcard(pattern: string, text: string): boolean {
  // Greedy with one way back (no regular expression: a pattern of many stars must not explode).
  let p = 0
  let t = 0
  let star = -1
  let resume = 0
  while (t < text.length) {
    if (p < pattern.length && (pattern[p] === '?' || pattern[p] === text[t]) && pattern[p] !== '*') {
      p++
      t++
    } else if (pattern[p] === '*') {
      star = p++
      resume = t
    } else if (star >= 0) {
      p = star + 1
      t = ++resume
    } else return false
  }
  while (pattern[p] === '*') p++
  return p === pattern.length
}

/**
 * Whether an ARN matches a pattern. Each of the six parts is compared by itself, so that a wildcard cannot reach over a colon, except in the last
 * part; a lone `*` matches everything, and what has fewer parts matches nothing.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
 */
export function matchesArn(pattern: string, arn: string): boolean {
  if (pattern === '*') return true
  const wanted = arnParts(pattern)
  const given = arnParts(arn)
  return wanted !== undefined && given !== undefined && wanted.every((part, i) => matchesWildcard(part, given[i]!))
}

/** The six parts of an ARN, the last with its colons; `undefined` when the text has fewer. */
export function arnParts(arn: string): readonly string[] | undefined {
  const parts = arn.split(':')
  return parts.length < 6 || parts[0] !== 'arn' ? undefined : [...parts.slice(0, 5), parts.slice(5).join(':')]
}
