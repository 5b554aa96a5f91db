// npm run conformance: runs the conformance table of the local Athena (expressions and statements); prints how many are equal, refused and wrong. Fails when one is wrong.
import { root, runTypeScript, setUp } from './setup.mjs'

await setUp()
process.exitCode = await runTypeScript('packages/local/test/athena/conformance/run.ts', [], { cwd: root })
