// npm run build: ESM, CJS and declarations of every published package, in dependency order.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { must, publicPackages, root, setUp } from './setup.mjs'

/** Published packages, each after those it depends on. */
export function buildOrder() {
  const names = publicPackages()
  const needs = new Map(
    names.map((name) => {
      const { dependencies = {} } = JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8'))
      return [name, names.filter((other) => `@pipe/${other}` in dependencies)]
    }),
  )
  const order = []
  const visit = (name) => {
    if (order.includes(name)) return
    for (const other of needs.get(name)) visit(other)
    order.push(name)
  }
  for (const name of names) visit(name)
  return order
}

export async function build() {
  const order = buildOrder()
  for (const [i, name] of order.entries()) {
    console.log(`[${i + 1}/${order.length}] @pipe/${name}`)
    await must(process.execPath, [join(root, 'node_modules/tsup/dist/cli-default.js'), '--silent'], {
      cwd: join(root, 'packages', name),
    })
  }
}

if (process.argv[1] === join(root, 'scripts', 'build.mjs')) {
  await setUp()
  await build()
  console.log('build: ok')
}
