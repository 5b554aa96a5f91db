// npm run packages [-- --matrix]: builds and packs every package; checks tarballs (publint, attw), sizes and licences; installs each in an empty
// folder and loads it by import and by require; then uses the command lines in a folder of their own, as somebody does who has only the packages
// (installed-smoke.mjs), and what @pipe/create makes (packages/created.mjs). --matrix: three package managers, ESM, CommonJS and bundler, Node 20, 22 and 24 (packages/matrix.mjs).
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from './build.mjs'
import { useInstalled } from './installed-smoke.mjs'
import { tryCreated } from './packages/created.mjs'
import { checkLicences } from './packages/licences.mjs'
import { checkTarball, pack, peersOf } from './packages/pack.mjs'
import { checkSizes } from './packages/sizes.mjs'
import { inPairs, must, root, setUp } from './setup.mjs'

await setUp()
await build()
const packed = await pack()
await inPairs(packed, checkTarball)
let good = await checkSizes(packed)
good = checkLicences() && good

/** Sister packages name each other by version, which no registry has yet. */
const own = Object.fromEntries(packed.map(({ name, tarball }) => [name, `file:${tarball}`]))
const manifests = packed.map(({ manifest }) => manifest)

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
await tryCreated(own)

if (process.argv.includes('--matrix')) {
  const { consumerMatrix } = await import('./packages/matrix.mjs')
  good = (await consumerMatrix(packed)) && good
}
console.log(good ? 'packages: ok' : 'packages: see above for what does not hold')
process.exitCode = good ? 0 : 1
