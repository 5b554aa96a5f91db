import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline/promises'
import { parseArgs } from 'node:util'
import { createObjectStore, parseLocation, type S3Location } from '@pipe/core'
import { type LiveContext, type LiveSuite, runSuites } from './check'
import { estimateDollars } from './estimate'
import { verifiedPage } from './report'
import { athenaSuite } from './suites/athena'
import { eventsSuite } from './suites/events'
import { kafkaSuite } from './suites/kafka'
import { objectStoreSuite } from './suites/object-store'

const usage = `npm run live-aws -- --bucket BUCKET --workgroup WORKGROUP [--brokers HOST:PORT,…] [--only SUITE]… [--report FILE] [--yes]

Asks the real services what these packages rely on. Credentials and region are those of the standard environment; with AWS_ENDPOINT_URL
it asks that instead, for instance @pipe/local. Prints what it costs at most and asks before it begins; makes objects below
s3://BUCKET/pipe-live-RUN/ only, and removes them at the end. A workgroup that enforces its own output location keeps its results there.

  --only SUITE   one of: object store, athena, event patterns, kafka; may be repeated
  --report FILE  default docs/verified.md
  --yes          does not ask`

const all: readonly LiveSuite[] = [objectStoreSuite, athenaSuite, eventsSuite, kafkaSuite]

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      bucket: { type: 'string' },
      workgroup: { type: 'string' },
      brokers: { type: 'string', default: '' },
      only: { type: 'string', multiple: true },
      report: { type: 'string', default: 'docs/verified.md' },
      yes: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  })
  const { bucket, workgroup, only, report } = values
  if (values.help || bucket === undefined || workgroup === undefined) {
    console.log(usage)
    return values.help ? 0 : 2
  }
  const unknown = only?.find((name) => !all.some((suite) => suite.name === name))
  if (unknown !== undefined) throw new Error(`There is no suite "${unknown}": ${all.map(({ name }) => name).join(', ')}.`)
  const suites = only === undefined ? all : all.filter(({ name }) => only.includes(name))
  const where = process.env['AWS_ENDPOINT_URL'] ?? `AWS, region ${process.env['AWS_REGION'] ?? 'of the profile'}`
  console.log(
    `${suites.map(({ name }) => name).join(', ')} at ${where}: ${estimateDollars(suites).toFixed(2)} US dollars at most.`,
  )
  if (!values.yes && !(await agreed())) return 1

  const runId = randomUUID().slice(0, 8)
  const location: S3Location = `s3://${bucket}/pipe-live-${runId}/`
  parseLocation(location)
  const stop = new AbortController()
  process.once('SIGINT', () => stop.abort(new Error('Stopped by Ctrl-C.')))
  const context: LiveContext = {
    location,
    workgroup,
    runId,
    signal: stop.signal,
    brokers: values.brokers.split(',').filter(Boolean),
  }
  try {
    const results = await runSuites(suites, context, ({ suite, claim, outcome, detail }) =>
      console.log(`${outcome.padEnd(8)} ${suite}: ${claim}${detail === '' ? '' : ` (${detail})`}`),
    )
    writeFileSync(report, verifiedPage(results, { at: new Date(), where }))
    console.log(`Report: ${report}`)
    return results.every(({ outcome }) => outcome === 'holds' || outcome === 'skipped') ? 0 : 1
  } finally {
    await removeAll(location)
  }
}

async function agreed(): Promise<boolean> {
  const ask = createInterface({ input: process.stdin, output: process.stdout })
  const answer = await ask.question('Go on? [y/N] ')
  ask.close()
  return /^y(es)?$/i.test(answer.trim())
}

/** Also after Ctrl-C: what was made here is removed. */
async function removeAll(location: S3Location): Promise<void> {
  await using store = createObjectStore({ location })
  let count = 0
  for await (const { key } of store.list()) {
    await store.delete(key)
    count++
  }
  console.log(`Removed ${count} objects below ${location}`)
}

process.exitCode = await main()
