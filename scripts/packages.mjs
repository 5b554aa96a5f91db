// npm run packages: builds and packs every package, checks the tarballs with publint, installs each in an empty folder and loads it by import
// and by require; then uses the command lines in a folder of their own, as somebody does who has only the packages (installed-smoke.mjs).
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from './build.mjs'
import { useInstalled } from './installed-smoke.mjs'
import { inPairs, must, pnpm, publicPackages, root, setUp } from './setup.mjs'

await setUp()
await build()

const tarballs = join(root, 'out', 'tarballs')
rmSync(tarballs, { recursive: true, force: true })
mkdirSync(tarballs, { recursive: true })
const names = publicPackages()
for (const name of names) {
  const folder = join(root, 'packages', name)
  cpSync(join(root, 'LICENSE'), join(folder, 'LICENSE'))
  const code = await pnpm(['pack', '--pack-destination', tarballs], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
  rmSync(join(folder, 'LICENSE'))
  if (code !== 0) process.exit(code)
}
const files = readdirSync(tarballs)
for (const file of files)
  await must(process.execPath, ['node_modules/publint/src/cli.js', 'run', '--strict', join(tarballs, file)])

const manifests = names.map((name) => JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8')))
/** Sister packages name each other by version, which no registry has yet. */
const own = Object.fromEntries(
  files.map((file) => [`@pipe/${file.replace(/^pipe-|-\d+\.\d+\.\d+\.tgz$/g, '')}`, `file:${join(tarballs, file)}`]),
)

/** The required peers of a package, at the versions that it is tested with; npm adds those of its dependencies. */
function peersOf({ devDependencies = {}, peerDependencies = {}, peerDependenciesMeta = {} }) {
  const required = Object.keys(peerDependencies).filter((name) => !peerDependenciesMeta[name]?.optional && devDependencies[name])
  return Object.fromEntries(required.map((name) => [name, devDependencies[name]]))
}

/** An empty folder in which these packages are installed; removed when `use` is done. */
async function installed(names, more, use) {
  const folder = mkdtempSync(join(tmpdir(), 'pipe-packages-'))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  // A command that fails ends this process at once.
  process.once('exit', remove)
  try {
    const dependencies = { ...more }
    for (const name of names) {
      Object.assign(dependencies, peersOf(manifests.find((manifest) => manifest.name === name)), { [name]: own[name] })
    }
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'consumer', private: true, dependencies, overrides: own }))
    await must('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    await use(folder)
  } finally {
    process.removeListener('exit', remove)
    remove()
  }
}

// One by one: a package that uses what only a sister brings must not go unnoticed.
await inPairs(manifests, async ({ name, exports }) => {
  const entries = Object.keys(exports)
    .filter((path) => path !== './package.json')
    .map((path) => name + path.slice(1))
  await installed([name], {}, async (folder) => {
    writeFileSync(
      join(folder, 'load.cjs'),
      `const entries = ${JSON.stringify(entries)}
       const main = async () => {
         for (const entry of entries) {
           const cjs = Object.keys(require(entry)).filter((name) => name !== 'module.exports').sort().join()
           const esm = Object.keys(await import(entry)).filter((name) => name !== 'module.exports' && name !== 'default').sort().join()
           if (cjs !== esm || cjs === '') throw new Error(entry + ' exports differ: require ' + cjs + '; import ' + esm)
           console.log('ok  import and require of ' + entry + ', installed alone (' + esm.split(',').length + ' exports)')
         }
       }
       main().catch((error) => { console.error(error); process.exit(1) })`,
    )
    await must(process.execPath, ['load.cjs'], { cwd: folder })
  })
})

const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const lambdaClient = { '@aws-sdk/client-lambda': devDependencies['@aws-sdk/client-lambda'] }
await installed(['@pipe/core', '@pipe/athena-query', '@pipe/local'], lambdaClient, useInstalled)
console.log('packages: ok')
