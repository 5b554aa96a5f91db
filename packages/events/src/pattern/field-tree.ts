import { JsonNumber } from './json-number'
import type { Leaf } from './value-matcher'

/** Which element of which array a value stands in; arrays are numbered as they are met. */
export interface Membership {
  readonly array: number
  readonly index: number
  readonly outer: Membership | undefined
}

/** The leaves of one field of an event. Most fields have one. */
export interface FieldValue {
  readonly value: Leaf
  readonly membership: Membership | undefined
}

/** What an event holds in one field: nothing, one leaf that stands in no array of objects, or several. */
export type FieldContent = undefined | Leaf | readonly FieldValue[]

/** A tree of the fields that patterns look at. */
export interface FieldTree {
  /** The fields, by their place in the result of `read`. */
  readonly paths: readonly string[]
  /** Reads those fields of an event, and no others. */
  read(event: object): FieldContent[]
}

interface TreeNode {
  /** Place in the result; -1 when no pattern asks for a leaf here. */
  slot: number
  readonly edges: Edge[]
}

interface Edge {
  readonly key: string
  readonly node: TreeNode
  /** A name that every object inherits (`constructor`): only an own one counts. */
  readonly isInherited: boolean
}

/**
 * Builds the tree for dotted paths. A dot joins names whichever way the event writes them: `a.b` is the field of `{"a": {"b": 1}}` and of
 * `{"a.b": 1}`, as with AWS.
 */
export function fieldTree(paths: Iterable<string>): FieldTree {
  const all = [...new Set(paths)]
  const root: TreeNode = { slot: -1, edges: [] }
  const nodes = new Map<string, TreeNode>()
  const nodeOf = (path: string): TreeNode => {
    const node = nodes.get(path) ?? { slot: -1, edges: [] }
    nodes.set(path, node)
    return node
  }
  const linked = new Set<string>()
  const link = (from: TreeNode, fromPath: string, key: string, to: string) => {
    const id = `${fromPath}\n${key}\n${to}`
    if (linked.has(id)) return
    linked.add(id)
    from.edges.push({ key, node: nodeOf(to), isInherited: key in Object.prototype })
  }
  all.forEach((path, slot) => {
    nodeOf(path).slot = slot
    const ends = [...path.matchAll(/\./g)].map(({ index }) => index)
    ends.push(path.length)
    ends.forEach((end, i) => {
      const to = path.slice(0, end)
      link(root, '', to, to)
      for (const start of ends.slice(0, i))
        link(nodeOf(path.slice(0, start)), path.slice(0, start), path.slice(start + 1, end), to)
    })
  })
  return { paths: all, read: (event) => new Reader(all.length).run(event, root) }
}

/** One reading: a class inside, because its methods share what they fill. */
class Reader {
  private readonly contents: FieldContent[]
  private arrays = 0

  constructor(slots: number) {
    this.contents = new Array(slots).fill(undefined)
  }

  run(event: object, root: TreeNode): FieldContent[] {
    this.object(event, root, undefined)
    return this.contents
  }

  private object(value: object, node: TreeNode, membership: Membership | undefined): void {
    const { edges } = node
    for (let i = 0; i < edges.length; i++) {
      const edge = edges[i]!
      if (edge.isInherited && !Object.hasOwn(value, edge.key)) continue
      const child = (value as Record<string, unknown>)[edge.key]
      if (child !== undefined) this.visit(child, edge.node, membership)
    }
  }

  private visit(value: unknown, node: TreeNode, membership: Membership | undefined): void {
    if (typeof value !== 'object' || value === null) this.leaf(value, node, membership)
    else if (Array.isArray(value)) this.array(value, node, membership)
    else if (value instanceof JsonNumber) this.leaf(value, node, membership)
    else this.object(value, node, membership)
  }

  private array(values: readonly unknown[], node: TreeNode, membership: Membership | undefined): void {
    const array = this.arrays++
    for (let index = 0; index < values.length; index++) {
      const value = values[index]
      const isNested = typeof value === 'object' && value !== null && !(value instanceof JsonNumber)
      // A leaf of an array is no element that other fields could share.
      this.visit(value, node, isNested ? { array, index, outer: membership } : membership)
    }
  }

  private leaf(given: unknown, node: TreeNode, membership: Membership | undefined): void {
    if (node.slot < 0) return
    const value = (typeof given === 'bigint' ? new JsonNumber(String(given)) : given) as Leaf
    const before = this.contents[node.slot]
    if (before === undefined && membership === undefined) this.contents[node.slot] = value
    else {
      const list = isList(before)
        ? (before as FieldValue[])
        : before === undefined
          ? []
          : [{ value: before, membership: undefined }]
      list.push({ value, membership })
      this.contents[node.slot] = list
    }
  }
}

/** Whether a field holds several leaves, or one inside an array of objects. */
export function isList(content: FieldContent): content is readonly FieldValue[] {
  return Array.isArray(content)
}

/**
 * The memberships of two fields together, or `null` when they stand in different elements of one array: then they cannot match together.
 *
 * @see https://github.com/aws/event-ruler `ArrayMembership`
 */
export function joinMemberships(soFar: Membership | undefined, added: Membership | undefined): Membership | undefined | null {
  let joined = soFar
  for (let one = added; one; one = one.outer) {
    const index = indexIn(soFar, one.array)
    if (index === undefined) joined = { array: one.array, index: one.index, outer: joined }
    else if (index !== one.index) return null
  }
  return joined
}

function indexIn(membership: Membership | undefined, array: number): number | undefined {
  for (let one = membership; one; one = one.outer) if (one.array === array) return one.index
  return undefined
}
