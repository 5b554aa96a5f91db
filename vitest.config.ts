import { existsSync, readdirSync } from 'node:fs'
import { basename, resolve as resolvePath } from 'node:path'
import { defineConfig } from 'vitest/config'

// Sister packages are read from their sources, so tests need no build (condition "pipe-source" of every package.json).
// Without "module": there the AWS SDK has a build for bundlers that Node cannot load.
const conditions = ['pipe-source', 'node', 'import', 'default']
const folders = [
  ...['packages', 'examples'].flatMap((parent) => readdirSync(parent).map((name) => `${parent}/${name}`)),
  'faults',
  'infrastructure',
  'bench',
  'live',
]
const tested = folders.filter((folder) => existsSync(`${folder}/test`))

/** Tests of a package that start real Kafka brokers. */
function realBrokers(folder: string): string[] {
  return ['packages/testkit', 'packages/kafka-kit', 'packages/local', 'faults'].includes(folder)
    ? ['test/**/live/**/*.test.ts']
    : []
}

function project(folder: string, name: string, test: object) {
  return {
    resolve: { conditions },
    ssr: { resolve: { conditions } },
    test: {
      name,
      root: folder,
      include: ['test/**/*.test.ts'],
      testTimeout: 60_000,
      hookTimeout: 60_000,
      // The Lambda host of a test bundles sister packages from source too.
      execArgv: ['--conditions=pipe-source'],
      // Files of a package share a worker and what it has loaded: half of the time went into loading the same sources for each of them.
      isolate: false,
      // The calls of the examples are held against their policies: npm run grants.
      ...(folder.startsWith('examples/') && { env: { PIPE_IAM_CALLS: resolvePath('out/iam-calls', name) } }),
      ...test,
    },
  }
}

/** What depends on the version of the brokers, on the oldest ones that are supported; with `PIPE_KAFKA_OLDEST` whole, under CI what is quick. */
const oldestKafka = project('packages/kafka-kit', 'kafka-kit-live-oldest', {
  include: ['topic-apply', 'producer', 'consumer'].map((name) => `test/live/${name}.test.ts`),
  env: { PIPE_KAFKA_VERSION: 'oldest' },
  maxWorkers: 1,
  sequence: { groupOrder: 2 },
})
const withOldestKafka = Boolean(process.env['CI'] || process.env['PIPE_KAFKA_OLDEST'])

// The AWS SDK warns on Node 20 about releases from 2027 on; the lock file pins an earlier one.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true'

export default defineConfig({
  test: {
    // Two cores are shared by the tests and by what they start (worker threads, DuckDB).
    maxWorkers: 2,
    coverage: {
      provider: 'v8',
      include: ['packages/*/src/**/*.ts'],
      exclude: ['**/cli.ts'],
      reporter: ['text-summary', 'json-summary'],
    },
    projects: [
      ...tested.map((folder) => project(folder, basename(folder), { exclude: realBrokers(folder) })),
      // Three Kafka brokers at once are all that two cores carry: these files run one after the other, behind everything else.
      ...tested
        .filter((folder) => realBrokers(folder).length > 0)
        .map((folder) => {
          const name = `${basename(folder)}-live`
          return project(folder, name, { include: realBrokers(folder), maxWorkers: 1, sequence: { groupOrder: 1 } })
        }),
      ...(withOldestKafka ? [oldestKafka] : []),
    ],
  },
})
