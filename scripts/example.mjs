// npm run example -- NAME [options]: one example to its end state, with totals.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { root, runTypeScript, setUp } from './setup.mjs'

const [name, ...args] = process.argv.slice(2)
const examples = readdirSync(join(root, 'examples')).filter((folder) => existsSync(join(root, 'examples', folder, 'src/main.ts')))
if (!examples.includes(name)) {
  console.error(
    `${name === undefined ? 'Which example?' : `There is no example "${name}".`} npm run example -- ${examples.join(' | ')}`,
  )
  process.exit(2)
}
await setUp()
// Ctrl-C reaches the child too; this process only waits for it.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})
process.exitCode = await runTypeScript(`examples/${name}/src/main.ts`, args, { cwd: root })
