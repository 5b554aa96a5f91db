// npm test [-- --package NAME] [vitest arguments]: every test of the repository. The last line has the true totals.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { root, run, setUp } from './setup.mjs'

const args = process.argv.slice(2)
const at = args.indexOf('--package')
const only = at >= 0 ? args.splice(at, 2)[1] : undefined
if (at >= 0 && !only) {
  console.error('--package needs a name, for example: npm test -- --package core')
  process.exit(2)
}

const tested = [
  ...['packages', 'examples'].flatMap((parent) =>
    readdirSync(join(root, parent)).filter((name) => existsSync(join(root, parent, name, 'test'))),
  ),
  'faults',
  'infrastructure',
  'bench',
  'live',
]
if (only && !tested.includes(only)) {
  console.error(`There is no package "${only}" with tests: ${tested.join(', ')}.`)
  process.exit(2)
}

await setUp()
const report = join(root, 'out', 'test-report.json')
mkdirSync(join(root, 'out'), { recursive: true })
rmSync(report, { force: true })
// What the examples call is recorded anew, for `npm run grants -- --recorded`.
if (!only) rmSync(join(root, 'out', 'iam-calls'), { recursive: true, force: true })

// A package and its tests on real brokers, which are a project of their own.
const project = only ? ['--project', only, '--project', `${only}-live*`] : []
const coverage = only || args.length > 0 ? [] : ['--coverage']
const code = await run(process.execPath, [
  'node_modules/vitest/vitest.mjs',
  'run',
  ...project,
  ...coverage,
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${report}`,
  ...args,
])

if (!existsSync(report)) {
  console.log(`The test runner ended with ${code} before it ran a test (see above).`)
  console.log('0 passed, 1 failed, 0 skipped')
  process.exit(1)
}
const { testResults } = JSON.parse(readFileSync(report, 'utf8'))
const tests = testResults.flatMap((file) => file.assertionResults)
const skipped = tests.filter(({ status }) => status === 'pending' || status === 'skipped' || status === 'todo')
const passed = tests.filter(({ status }) => status === 'passed').length
// A file that could not even be loaded has no test in the report: it counts as one failure.
const broken = testResults.filter(
  (file) => file.status === 'failed' && file.assertionResults.every(({ status }) => status !== 'failed'),
)
const failed = tests.filter(({ status }) => status === 'failed').length + broken.length
for (const { name } of broken) console.log(`not loaded: ${name}`)
if (skipped.length > 0) {
  console.log('\nSkipped:')
  for (const { fullName } of skipped) console.log(`  ${fullName}`)
}
// The slowest part, and the one that a machine without Java does not run.
const live = testResults.filter(({ name, assertionResults }) => {
  return (
    /[/\\]test[/\\](kafka[/\\])?live[/\\]/.test(name) &&
    assertionResults.some(({ status }) => status !== 'skipped' && status !== 'pending')
  )
})
if (live.length > 0) {
  const seconds = live.reduce((sum, { startTime, endTime }) => sum + (endTime - startTime), 0) / 1000
  console.log(`On real Kafka brokers: ${live.length} test files, ${Math.round(seconds)} s`)
}
const ok = code === 0 && failed === 0 && passed > 0
if (!ok && failed === 0) console.log(`The test runner exited with ${code}.`)
console.log(`${passed} passed, ${ok ? 0 : Math.max(failed, 1)} failed, ${skipped.length} skipped`)
process.exitCode = ok ? 0 : 1
