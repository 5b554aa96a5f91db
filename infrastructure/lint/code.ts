import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Configuration, Resource } from '../hcl/configuration'
import type { Finding } from './finding'

/** Functions against the code of their example: the handler file, and the environment variables that it reads. */
export async function checkFunctions({ folder, resources }: Configuration): Promise<Finding[]> {
  const functions = resources.filter(({ type }) => type === 'aws_lambda_function')
  return (await Promise.all(functions.map((one) => checkFunction(join(folder, '..', 'src'), one)))).flat()
}

async function checkFunction(src: string, resource: Resource): Promise<Finding[]> {
  const { function_name: name, filename, handler, environment } = resource.values
  const entry = join(src, `${name}.ts`)
  if (!existsSync(entry))
    return [{ place: resource.place('function_name'), text: `The function "${name}" has no handler file src/${name}.ts.` }]
  const findings: Finding[] = []
  if (handler !== 'index.handler')
    findings.push({ place: resource.place('handler'), text: `The handler is "${handler}", not index.handler.` })
  if (!String(filename).endsWith(`/${name}.zip`)) {
    findings.push({ place: resource.place('filename'), text: `The zip of "${name}" is ${filename}, not ${name}.zip.` })
  }
  const [block] = (environment ?? [{}]) as [{ readonly variables?: Readonly<Record<string, unknown>> }]
  const given = Object.keys(block.variables ?? {})
  const read = await variablesOf(entry)
  const place = resource.place('environment')
  for (const variable of read) {
    if (!given.includes(variable))
      findings.push({ place, text: `"${name}" reads ${variable}, which its environment does not have.` })
  }
  for (const variable of given) {
    if (!read.has(variable)) findings.push({ place, text: `"${name}" is given ${variable}, which it does not read.` })
  }
  return findings
}

/** Names in the calls of `readEnv` of a file and of what it imports from its own folder. */
export async function variablesOf(file: string, seen: Set<string> = new Set()): Promise<Set<string>> {
  seen.add(file)
  const text = await readFile(file, 'utf8')
  const names = new Set<string>()
  for (const [, list = ''] of text.matchAll(/\breadEnv\(\[([^\]]*)\]/g)) {
    for (const [, name] of list.matchAll(/'(\w+)'/g)) names.add(name!)
  }
  for (const [, imported] of text.matchAll(/^import (?!type\b)[^;]*? from '(\.\/[\w./-]+)'/gm)) {
    const path = join(dirname(file), `${imported}.ts`)
    if (!seen.has(path)) for (const name of await variablesOf(path, seen)) names.add(name)
  }
  return names
}
