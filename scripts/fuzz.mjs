// npm run fuzz [-- --inputs N --target NAME …]: damaged input for every parser that reads foreign bytes.
import { root, runTypeScript, setUp } from './setup.mjs'

await setUp()
process.exitCode = await runTypeScript('fuzz/run.ts', process.argv.slice(2), { cwd: root })
