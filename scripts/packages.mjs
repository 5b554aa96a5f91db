// npm run packages: builds and packs every package, checks the tarballs with publint, installs them all in an empty folder and loads each
// by import and by require.
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, buildOrder } from './build.mjs'
import { must, pnpm, root, setUp } from './setup.mjs'

await setUp()
await build()

const tarballs = join(root, 'out', 'tarballs')
rmSync(tarballs, { recursive: true, force: true })
mkdirSync(tarballs, { recursive: true })
for (const name of buildOrder()) {
  const folder = join(root, 'packages', name)
  cpSync(join(root, 'LICENSE'), join(folder, 'LICENSE'))
  const code = await pnpm(['pack', '--pack-destination', tarballs], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
  rmSync(join(folder, 'LICENSE'))
  if (code !== 0) process.exit(code)
}
const files = readdirSync(tarballs)
for (const file of files)
  await must(process.execPath, ['node_modules/publint/src/cli.js', 'run', '--strict', join(tarballs, file)])

const empty = mkdtempSync(join(tmpdir(), 'pipe-packages-'))
try {
  const manifests = buildOrder().map((name) => JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8')))
  const peers = Object.assign(
    {},
    ...manifests.map(({ devDependencies = {}, peerDependencies = {} }) =>
      Object.fromEntries(
        Object.keys(peerDependencies)
          .filter((name) => devDependencies[name])
          .map((name) => [name, devDependencies[name]]),
      ),
    ),
  )
  const own = Object.fromEntries(
    files.map((file) => [`@pipe/${file.replace(/^pipe-|-\d+\.\d+\.\d+\.tgz$/g, '')}`, `file:${join(tarballs, file)}`]),
  )
  writeFileSync(
    join(empty, 'package.json'),
    // overrides: sister packages name each other by version, which no registry has yet.
    JSON.stringify({ name: 'consumer', private: true, dependencies: { ...peers, ...own }, overrides: own }),
  )
  console.log('installing the tarballs in an empty folder …')
  await must('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: empty })
  const entries = manifests.flatMap(({ name, exports }) =>
    Object.keys(exports)
      .filter((path) => path !== './package.json')
      .map((path) => name + path.slice(1)),
  )
  writeFileSync(
    join(empty, 'load.cjs'),
    `const entries = ${JSON.stringify(entries)}
     const main = async () => {
       for (const entry of entries) {
         const cjs = Object.keys(require(entry)).filter((name) => name !== 'module.exports').sort().join()
         const esm = Object.keys(await import(entry)).filter((name) => name !== 'module.exports' && name !== 'default').sort().join()
         if (cjs !== esm || cjs === '') throw new Error(entry + ' exports differ: require ' + cjs + '; import ' + esm)
         console.log('ok  import and require of ' + entry + ' (' + esm.split(',').length + ' exports)')
       }
     }
     main().catch((error) => { console.error(error); process.exit(1) })`,
  )
  await must(process.execPath, ['load.cjs'], { cwd: empty })
} finally {
  rmSync(empty, { recursive: true, force: true })
}
console.log('packages: ok')
