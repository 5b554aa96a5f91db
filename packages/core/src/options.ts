import { ConfigError } from './error'

/**
 * Refuses unknown keys of an options object by name, with the nearest known key as a suggestion, and keys given as `undefined`
 * where the option is required.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG`
 */
export function checkOptions(
  where: string,
  options: object,
  known: { readonly required?: readonly string[]; readonly optional?: readonly string[] },
): void {
  const required = known.required ?? []
  const all = [...required, ...(known.optional ?? [])]
  if (typeof options !== 'object' || options === null) throw new ConfigError(`${where} takes one options object.`)
  for (const key of Object.keys(options)) {
    if (!all.includes(key)) {
      const near = nearest(key, all)
      throw new ConfigError(`${where} has no option "${key}".`, {
        hint: near ? `Did you mean "${near}"?` : `Known options: ${all.join(', ')}.`,
      })
    }
  }
  for (const key of required) {
    if ((options as Record<string, unknown>)[key] === undefined) throw new ConfigError(`${where} needs the option "${key}".`)
  }
}

function nearest(word: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined
  let bestDistance = Math.max(2, Math.floor(word.length / 3)) + 1
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase())
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const current = [i]
    for (let j = 1; j <= b.length; j++) {
      const substitution = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      current.push(Math.min(previous[j]! + 1, current[j - 1]! + 1, substitution))
    }
    previous = current
  }
  return previous[b.length]!
}
