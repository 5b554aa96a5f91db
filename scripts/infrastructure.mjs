// npm run bundle | terraform | grants [-- --recorded]: the zips of the functions, the checks of the Terraform files, the rights against the calls.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { root, run, runTypeScript, setUp } from './setup.mjs'

const [name, ...args] = process.argv.slice(2)
if (!['bundle', 'terraform', 'grants'].includes(name)) {
  console.error(`Unknown check "${name}": one of bundle, terraform, grants.`)
  process.exit(2)
}
await setUp()
// `--recorded`: the calls of the last `npm test` are looked at.
if (name === 'grants' && !args.includes('--recorded')) {
  rmSync(join(root, 'out', 'iam-calls'), { recursive: true, force: true })
  const projects = ['fan-out', 'bulk-mail', 'log-pipeline'].flatMap((project) => ['--project', project])
  const code = await run(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...projects])
  if (code !== 0) process.exit(code)
}
process.exitCode = await runTypeScript(`infrastructure/${name}.ts`, [], { cwd: root })
