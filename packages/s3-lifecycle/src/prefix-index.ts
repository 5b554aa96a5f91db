interface Node<T> {
  /** Text from the parent's end to this node's. */
  label: string
  /** By the code unit that their label begins with. */
  children: Map<number, Node<T>> | undefined
  /** Entries whose prefix ends here. */
  own: T[]
}

/** Finds all entries whose prefix a key begins with, in time that depends on the length of the key and not on the number of entries. */
export interface PrefixIndex<R> {
  lookup(key: string): R
}

/**
 * Builds a radix tree over prefixes. Every node holds the finished answer for the keys that leave the tree there, made once by `answer` from
 * the entries of all prefixes on the way, in their original order.
 */
export function prefixIndex<T extends { readonly prefix: string }, R>(
  entries: readonly T[],
  answer: (matching: readonly T[]) => R,
): PrefixIndex<R> {
  const root: Node<T> = { label: '', children: undefined, own: [] }
  for (const entry of entries) insert(root, entry, entry.prefix)
  const order = new Map(entries.map((entry, at) => [entry, at]))
  return { lookup: lookupIn(finish(root, [], order, answer)) }
}

function insert<T>(node: Node<T>, entry: T, rest: string): void {
  if (rest === '') {
    node.own.push(entry)
    return
  }
  node.children ??= new Map()
  const code = rest.charCodeAt(0)
  const child = node.children.get(code)
  if (child === undefined) {
    node.children.set(code, { label: rest, children: undefined, own: [entry] })
    return
  }
  let common = 1
  while (common < rest.length && common < child.label.length && rest.charCodeAt(common) === child.label.charCodeAt(common))
    common++
  if (common === child.label.length) {
    insert(child, entry, rest.slice(common))
    return
  }
  const upper: Node<T> = { label: child.label.slice(0, common), children: new Map(), own: [] }
  child.label = child.label.slice(common)
  upper.children!.set(child.label.charCodeAt(0), child)
  node.children.set(code, upper)
  insert(upper, entry, rest.slice(common))
}

/** A node as it is walked: children by code unit for ASCII, which nearly all keys are, in a map for the rest. */
interface Step<R> {
  readonly codes: readonly number[]
  readonly ascii: readonly (Step<R> | undefined)[]
  readonly others: ReadonlyMap<number, Step<R>> | undefined
  readonly answer: R
}

function finish<T, R>(
  node: Node<T>,
  above: readonly T[],
  order: ReadonlyMap<T, number>,
  answer: (matching: readonly T[]) => R,
): Step<R> {
  const matching = [...above, ...node.own].sort((a, b) => order.get(a)! - order.get(b)!)
  const ascii: (Step<R> | undefined)[] = node.children === undefined ? [] : Array.from({ length: 128 }, () => undefined)
  const others = new Map<number, Step<R>>()
  for (const [code, child] of node.children ?? []) {
    const step = finish(child, matching, order, answer)
    if (code < 128) ascii[code] = step
    else others.set(code, step)
  }
  return {
    codes: codeUnits(node.label),
    ascii,
    others: others.size > 0 ? others : undefined,
    answer: answer(matching),
  }
}

function codeUnits(text: string): number[] {
  const units: number[] = []
  for (let i = 0; i < text.length; i++) units.push(text.charCodeAt(i))
  return units
}

function lookupIn<R>(root: Step<R>): (key: string) => R {
  return (key) => {
    let step = root
    let at = 0
    for (;;) {
      if (step.ascii.length === 0 || at >= key.length) return step.answer
      const code = key.charCodeAt(at)
      const next: Step<R> | undefined = code < 128 ? step.ascii[code] : step.others?.get(code)
      if (next === undefined) return step.answer
      const { codes } = next
      const end = at + codes.length
      if (end > key.length) return step.answer
      for (let i = 1; i < codes.length; i++) if (key.charCodeAt(at + i) !== codes[i]) return step.answer
      at = end
      step = next
    }
  }
}
