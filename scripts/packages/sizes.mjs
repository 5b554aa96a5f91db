// What a package weighs: as a tarball, and what its main entry costs an application that bundles it. Each has a budget.
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { root } from '../setup.mjs'

const budgets = JSON.parse(readFileSync(join(root, 'scripts', 'packages', 'size-budgets.json'), 'utf8'))

/** Minified and compressed bytes of the package's own code; its dependencies and sisters are counted where they belong. */
async function ownBytes(folder) {
  const { outputFiles } = await build({
    entryPoints: [join(folder, 'dist', 'index.js')],
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    write: false,
  })
  return gzipSync(outputFiles[0].contents).length
}

/** @returns Whether every package keeps within its budget; prints a table. */
export async function checkSizes(packed) {
  const rows = {}
  const over = []
  for (const { name, tarball } of packed) {
    const bytes = await ownBytes(join(root, 'packages', name.replace('@pipe/', '')))
    const budget = budgets[name]
    if (budget === undefined || bytes > budget) over.push(name)
    const kB = (n) => Math.round(n / 102.4) / 10
    rows[name] = { 'tarball, KiB': kB(statSync(tarball).size), 'import, KiB gzip': kB(bytes), 'budget, KiB': kB(budget ?? 0) }
  }
  console.table(rows)
  for (const name of over) console.error(`${name} is over its budget, or has none: see scripts/packages/size-budgets.json`)
  return over.length === 0
}
