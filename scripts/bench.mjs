// npm run bench [-- SUITE …] [--check]: ratios against floors and peers, measured in one run.
import { root, runTypeScript, setUp } from './setup.mjs'

await setUp()
process.exitCode = await runTypeScript('bench/run.ts', process.argv.slice(2), { cwd: root })
