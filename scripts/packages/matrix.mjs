// The tarballs in empty projects: installed by npm, pnpm and yarn; consumer.ts compiled as ESM and CommonJS (node16) and for a bundler;
// what came out of it run on each version of Node. The Nodes are packages of the registry.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { pnpmVersion, root, run } from '../setup.mjs'
import { peersOf } from './pack.mjs'

const nodeVersions = ['20.20.2', '22.23.3', '24.9.0']
const yarnVersion = '1.22.22'
const quiet = { stdio: ['ignore', 'ignore', 'inherit'] }

/** How each manager is called, and the field by which it takes sister packages from a file instead of a registry. */
const managers = {
  npm: { install: ['npm', 'install', '--no-audit', '--no-fund', '--loglevel=error'], own: (own) => ({ overrides: own }) },
  pnpm: {
    install: ['npx', '--yes', `pnpm@${pnpmVersion}`, 'install', '--ignore-workspace', '--reporter=silent'],
    own: (own) => ({ pnpm: { overrides: own } }),
  },
  yarn: {
    install: ['npx', '--yes', `yarn@${yarnVersion}`, 'install', '--silent', '--no-lockfile', '--ignore-scripts'],
    own: (own) => ({ resolutions: own }),
  },
}

/** @returns Paths of Node by version, from the packages that the npm package `node` consists of. */
async function nodes(folder) {
  const found = {}
  for (const version of nodeVersions) {
    const at = join(folder, `node-${version}`)
    mkdirSync(at)
    const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`
    writeFileSync(join(at, 'package.json'), JSON.stringify({ private: true, dependencies: { [name]: version } }))
    if ((await run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: at, ...quiet })) !== 0)
      throw new Error(`Node ${version} could not be installed.`)
    found[version] = join(at, 'node_modules', name, 'bin', 'node')
  }
  return found
}

const compilerOptions = {
  target: 'ES2022',
  lib: ['ES2023', 'ESNext.Disposable'],
  types: ['node'],
  strict: true,
  skipLibCheck: false,
}

/** The ways to compile: the source file, TypeScript's options, and the file that is run. */
const consumers = {
  'ESM, node16': { source: 'consumer.mts', options: { module: 'Node16', outDir: 'out' }, ran: 'out/consumer.mjs' },
  'CJS, node16': { source: 'consumer.cts', options: { module: 'Node16', outDir: 'out' }, ran: 'out/consumer.cjs' },
  'TS, bundler': {
    source: 'bundled.ts',
    options: { module: 'ESNext', moduleResolution: 'Bundler', noEmit: true },
    ran: 'out/bundled.mjs',
  },
}

async function compile(folder, { source, options, ran }) {
  cpSync(join(root, 'scripts', 'packages', 'consumer.ts'), join(folder, source))
  const config = `tsconfig.${source}.json`
  writeFileSync(join(folder, config), JSON.stringify({ compilerOptions: { ...compilerOptions, ...options }, files: [source] }))
  const tsc = join(folder, 'node_modules', 'typescript', 'bin', 'tsc')
  if ((await run(process.execPath, [tsc, '-p', config], { cwd: folder })) !== 0) return false
  if (!options.noEmit) return true
  // A bundler leaves what is native, or reads its own files, where it is.
  const external = ['@duckdb/node-api', 'esbuild', '@pipe/local']
  await build({
    absWorkingDir: folder,
    entryPoints: [source],
    outfile: ran,
    bundle: true,
    format: 'esm',
    platform: 'node',
    external,
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  })
  return true
}

/** @returns Whether every cell holds; prints a table. */
export async function consumerMatrix(packed) {
  const folder = mkdtempSync(join(tmpdir(), 'pipe-matrix-'))
  const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const own = Object.fromEntries(packed.map(({ name, tarball }) => [name, `file:${tarball}`]))
  const table = {}
  let good = true
  try {
    const found = await nodes(folder)
    for (const [manager, { install, own: field }] of Object.entries(managers)) {
      const at = join(folder, manager)
      mkdirSync(at)
      const dependencies = { typescript: devDependencies.typescript, '@types/node': devDependencies['@types/node'], ...own }
      for (const { manifest } of packed) Object.assign(dependencies, peersOf(manifest))
      writeFileSync(join(at, 'package.json'), JSON.stringify({ name: 'consumer', private: true, dependencies, ...field(own) }))
      const installed = (await run(install[0], install.slice(1), { cwd: at, ...quiet })) === 0
      for (const [kind, consumer] of Object.entries(consumers)) {
        const compiled = installed && (await compile(at, consumer))
        const row = { compiled }
        for (const [version, node] of Object.entries(found))
          row[`Node ${version}`] = compiled && (await run(node, [consumer.ran], { cwd: at, ...quiet })) === 0
        good &&= Object.values(row).every(Boolean)
        table[`${manager}: ${kind}`] = row
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  console.table(table)
  return good
}
