// The tarballs as they would be published, below out/tarballs.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { must, pnpm, publicPackages, root } from '../setup.mjs'

const folder = join(root, 'out', 'tarballs')

/** @returns For each package its manifest in the workspace and the path of its tarball. */
export async function pack() {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  for (const name of publicPackages()) {
    const at = join(root, 'packages', name)
    cpSync(join(root, 'LICENSE'), join(at, 'LICENSE'))
    const code = await pnpm(['pack', '--pack-destination', folder], { cwd: at, stdio: ['ignore', 'ignore', 'inherit'] })
    rmSync(join(at, 'LICENSE'))
    if (code !== 0) process.exit(code)
  }
  const manifests = publicPackages().map((name) => JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8')))
  return readdirSync(folder).map((file) => {
    const name = `@pipe/${file.replace(/^pipe-|-\d+\.\d+\.\d+\.tgz$/g, '')}`
    return { name, manifest: manifests.find((manifest) => manifest.name === name), tarball: join(folder, file) }
  })
}

/** publint and attw: what a tarball says of itself must be true under every way of resolving that Node ≥ 20 has. */
export async function checkTarball({ tarball }) {
  await must(process.execPath, ['node_modules/publint/src/cli.js', 'run', '--strict', tarball])
  // node16: node10 knows no subpaths.
  await must(process.execPath, [
    'node_modules/@arethetypeswrong/cli/dist/index.js',
    tarball,
    '--profile',
    'node16',
    '--quiet',
    '--no-emoji',
  ])
}

/** The required peers of a package, at the versions that it is tested with; npm adds those of its dependencies. */
export function peersOf({ devDependencies = {}, peerDependencies = {}, peerDependenciesMeta = {} }) {
  const required = Object.keys(peerDependencies).filter((name) => !peerDependenciesMeta[name]?.optional && devDependencies[name])
  return Object.fromEntries(required.map((name) => [name, devDependencies[name]]))
}
