/** The steps of a path: names and places in lists. */
export type JsonPath = readonly (string | number)[]

/**
 * Reads a path as EventBridge takes it: `$`, `$.detail.id`, `$.detail['x-y']`, `$.resources[0]`. `undefined` for what is none of these; wildcards and
 * filters are not.
 */
export function parseJsonPath(text: string): JsonPath | undefined {
  if (!text.startsWith('$')) return undefined
  const steps: (string | number)[] = []
  const step = /\.([A-Za-z0-9_-]+)|\['([^']+)'\]|\["([^"]+)"\]|\[(\d+)\]/y
  step.lastIndex = 1
  while (step.lastIndex < text.length) {
    const match = step.exec(text)
    if (!match) return undefined
    const [, name, single, double, index] = match
    steps.push(index === undefined ? (name ?? single ?? double)! : Number(index))
  }
  return steps
}

/** The value at a path; `undefined` when there is none. */
export function valueAt(value: unknown, path: JsonPath): unknown {
  let at = value
  for (const step of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, step)) return undefined
    at = (at as Record<string | number, unknown>)[step]
  }
  return at
}
