// npm run example -- NAME [options]: one example to its end state, with totals.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { root, runTypeScript, setUp } from './setup.mjs'

const [name, ...args] = process.argv.slice(2)
// `src/main.ts` goes by the name of its folder, `src/rules-main.ts` by folder-rules.
const entries = readdirSync(join(root, 'examples')).flatMap((folder) => {
  const src = join(root, 'examples', folder, 'src')
  const files = existsSync(src) ? readdirSync(src).filter((file) => /^(.+-)?main\.ts$/.test(file)) : []
  return files.map((file) => [`${folder}-${file}`.replace(/-main\.ts$/, ''), `examples/${folder}/src/${file}`])
})
const examples = new Map(entries)
if (!examples.has(name)) {
  console.error(
    `${name === undefined ? 'Which example?' : `There is no example "${name}".`} npm run example -- ${[...examples.keys()].join(' | ')}`,
  )
  process.exit(2)
}
await setUp()
// Ctrl-C reaches the child too; this process only waits for it.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})
process.exitCode = await runTypeScript(examples.get(name), args, { cwd: root })
