import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { parse } from '@cdktn/hcl2json'
import { evaluate, type Scope } from './expression'

/** One resource, or one instance of it under `for_each`, with what can be known before a plan: references stay as `${…}` texts. */
export interface Resource {
  readonly type: string
  readonly name: string
  /** Of `for_each`. */
  readonly key?: string
  readonly values: Readonly<Record<string, unknown>>
  /** `FILE:LINE` of an attribute, or of the resource when the attribute does not stand there. */
  place(attribute?: string): string
}

/** The `.tf` files of a folder. */
export interface Configuration {
  readonly folder: string
  readonly resources: readonly Resource[]
  /** Resolved `locals`. */
  readonly locals: Readonly<Record<string, unknown>>
}

type Block = Readonly<Record<string, unknown>>

/**
 * Reads the `.tf` files of a folder: variables by their defaults, `locals`, `jsonencode` and `for_each` over maps and sets are worked out, everything else
 * stays as text.
 *
 * @throws Error with file, line and column for what is no HCL.
 */
export async function readConfiguration(folder: string): Promise<Configuration> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.tf')).sort()
  const files = await Promise.all(
    names.map(async (name) => {
      const path = join(folder, name)
      const text = await readFile(path, 'utf8')
      const shown = relative(process.cwd(), path)
      return { path: shown, text, content: (await parse(shown, text)) as Record<string, unknown> }
    }),
  )
  const variables: Record<string, unknown> = {}
  const raw: Record<string, unknown> = {}
  for (const { content } of files) {
    for (const [name, [block]] of Object.entries((content['variable'] ?? {}) as Record<string, [Block]>)) {
      variables[name] = block['default']
    }
    for (const block of (content['locals'] ?? []) as Block[]) Object.assign(raw, block)
  }
  const locals: Record<string, unknown> = {}
  const scope: Scope = { variables, locals }
  for (const [name, value] of Object.entries(raw)) locals[name] = await evaluate(value, scope)
  const resources: Resource[] = []
  for (const { path, text, content } of files) {
    const types = (content['resource'] ?? {}) as Record<string, Record<string, [Block]>>
    for (const [type, named] of Object.entries(types)) {
      for (const [name, [block]] of Object.entries(named)) {
        const place = placesIn(path, text, type, name)
        for (const each of await instancesOf(block, scope)) {
          const values = (await evaluate(block, { ...scope, each })) as Block
          resources.push({ type, name, ...(each && { key: each.key }), values, place })
        }
      }
    }
  }
  return { folder, resources, locals }
}

async function instancesOf(block: Block, scope: Scope): Promise<readonly Scope['each'][]> {
  const over = await evaluate(block['for_each'], scope)
  if (over === undefined) return [undefined]
  if (Array.isArray(over)) return over.map((key: string) => ({ key, value: key }))
  if (typeof over === 'object' && over !== null) return Object.entries(over).map(([key, value]) => ({ key, value }))
  throw new Error(`for_each of ${JSON.stringify(block['for_each'])} is neither a map nor a set that can be read before a plan.`)
}

/** hcl2json keeps no lines, so they are looked up in the text. */
function placesIn(path: string, text: string, type: string, name: string): Resource['place'] {
  const lines = text.split('\n')
  const start = lines.findIndex((line) => line.startsWith(`resource "${type}" "${name}"`))
  const end = lines.findIndex((line, i) => i > start && line === '}')
  return (attribute) => {
    const at = attribute === undefined ? -1 : lines.findIndex((line, i) => i > start && i < end && isAttribute(line, attribute))
    return `${path}:${(at < 0 ? start : at) + 1}`
  }
}

function isAttribute(line: string, attribute: string): boolean {
  return line.trimStart().split(/[\s={]/, 1)[0] === attribute
}
