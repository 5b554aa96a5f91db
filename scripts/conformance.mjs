// npm run conformance: runs the starter cases of the local Athena; prints how many are equal, refused and wrong. Fails when one is wrong.
import { root, runTypeScript, setUp } from './setup.mjs'

await setUp()
process.exitCode = await runTypeScript('packages/local/test/athena/select/conformance-run.ts', [], { cwd: root })
