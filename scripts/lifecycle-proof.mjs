// npm run lifecycle-proof [-- --cases N] [--wire N] [--seed S]: simulator and local S3 on the same random rules and objects, for 400 days.
import { parseArgs } from 'node:util'
import { run, setUp } from './setup.mjs'

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '10000' },
    wire: { type: 'string', default: '200' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
  },
})
for (const [name, value] of Object.entries(values)) {
  if (/^[1-9]\d*$/.test(value)) continue
  console.error(`--${name} ${value} is no whole number of at least 1.`)
  process.exit(2)
}
await setUp()
// Four properties share the cases of the process.
const LIFECYCLE_CASES = String(Math.ceil(Number(values.cases) / 4))
const env = { ...process.env, LIFECYCLE_CASES, LIFECYCLE_WIRE_CASES: values.wire, LIFECYCLE_SEED: values.seed }
const files = ['packages/local/test/s3/lifecycle-simulator.test.ts', 'packages/s3-lifecycle/test/local/simulator.test.ts']
const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--project', 'local', '--project', 's3-lifecycle', ...files]
process.exitCode = await run(process.execPath, vitest, { env })
