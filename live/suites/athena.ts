import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  AthenaClient,
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  StartQueryExecutionCommand,
} from '@aws-sdk/client-athena'
import type { LiveCheck, LiveContext, LiveSuite } from '../check'

interface Case {
  readonly sql: string
  readonly rows?: readonly (readonly (string | null)[])[]
  readonly error?: string
}

const folder = new URL('../../packages/local/test/athena/conformance/cases/', import.meta.url)
const files = readdirSync(folder).filter((file) => file.endsWith('.json'))
const casesOf = (file: string) => (JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as { cases: readonly Case[] }).cases
const total = files.reduce((sum, file) => sum + casesOf(file).length, 0)

/** Runs a query to its end: its rows as texts, or the code of its error. */
async function answer(client: AthenaClient, sql: string, { workgroup, location, signal }: LiveContext): Promise<string> {
  const abortSignal = signal
  const { QueryExecutionId } = await client.send(
    new StartQueryExecutionCommand({
      QueryString: sql,
      WorkGroup: workgroup,
      ResultConfiguration: { OutputLocation: `${location}results/` },
    }),
    { abortSignal },
  )
  for (let wait = 100; ; wait = Math.min(wait * 2, 2000)) {
    const { QueryExecution } = await client.send(new GetQueryExecutionCommand({ QueryExecutionId }), { abortSignal })
    const { State, StateChangeReason = '' } = QueryExecution!.Status!
    if (State === 'FAILED' || State === 'CANCELLED') return /^[A-Z_]+(?=:)/.exec(StateChangeReason)?.[0] ?? StateChangeReason
    if (State === 'SUCCEEDED') break
    await sleep(wait, undefined, { signal })
  }
  const { ResultSet } = await client.send(new GetQueryResultsCommand({ QueryExecutionId }), { abortSignal })
  const cells = ResultSet!.Rows!.slice(1).map(({ Data }) => Data!.map(({ VarCharValue }) => VarCharValue ?? null))
  return JSON.stringify(cells)
}

/** The conformance table of the local Athena, asked of Athena. */
export const athenaSuite: LiveSuite = {
  name: 'athena',
  cost: { puts: 2 * total, gets: 0, queries: total },
  checks: () =>
    files.map(
      (file): LiveCheck => ({
        claim: `the ${casesOf(file).length} cases of ${file.slice(0, -5)} are what the conformance table says`,
        async run(context) {
          const client = new AthenaClient({})
          const different: string[] = []
          const left = [...casesOf(file)]
          const lane = async () => {
            for (let one = left.shift(); one !== undefined; one = left.shift()) {
              const wanted = one.error ?? JSON.stringify(one.rows)
              const found = await answer(client, one.sql, context)
              if (found !== wanted) different.push(`${one.sql} gives ${found}, not ${wanted}`)
            }
          }
          try {
            // Fewer than the queries that a new account may run at once.
            await Promise.all(Array.from({ length: 5 }, lane))
          } finally {
            client.destroy()
          }
          return different.length === 0 ? undefined : different.join('; ')
        },
      }),
    ),
}
