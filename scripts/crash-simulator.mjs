// npm run crash-simulator -- --schedules N [--seed S] [--break STEP]: the compactor under every crash point (packages/compactor).
import { root, runTypeScript, setUp } from './setup.mjs'

await setUp()
process.exitCode = await runTypeScript('packages/compactor/test/testing/crash-simulator-run.ts', process.argv.slice(2), {
  cwd: root,
})
