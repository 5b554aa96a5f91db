// The page route against the bare SDK, in a process of its own and without a network: read-pages.mjs. Prints what it measured as JSON.
import { Readable } from 'node:stream'
import { AthenaClient, GetQueryResultsCommand } from '@aws-sdk/client-athena'
import { createAthena, sql } from '@pipe/athena-query'
import { column } from '@pipe/core'
import { pairedRounds } from './paired'

const pages = 20
const rowsOfPage = 1000

const types: Readonly<Record<string, string>> = {
  id: 'bigint',
  at: 'timestamp',
  device: 'varchar',
  metric: 'varchar',
  value: 'double',
  n: 'integer',
  ok: 'boolean',
  day: 'date',
}
const names = [...Object.keys(types), 'site', 'msg']
const info = names.map((Name) => ({
  Name,
  Type: types[Name] ?? 'varchar',
  Nullable: 'UNKNOWN',
  CaseSensitive: false,
}))
const cellsOf = (i: number) => [
  String(i),
  '2026-11-24 15:31:00.007',
  `device-${i % 1000}`,
  'temperature',
  i % 5 === 0 ? undefined : (i / 7).toFixed(2),
  String(i % 997),
  'true',
  '2026-11-24',
  'berlin',
  `request ${i} handled`,
]
const bodies = Array.from({ length: pages }, (_, page) => {
  const rows = Array.from({ length: rowsOfPage }, (__, i) => cellsOf(page * rowsOfPage + i))
  const all = page === 0 ? [names, ...rows.slice(1)] : rows
  return Buffer.from(
    JSON.stringify({
      ResultSet: {
        Rows: all.map((cells) => ({ Data: cells.map((text) => (text === undefined ? {} : { VarCharValue: text })) })),
        ResultSetMetadata: { ColumnInfo: info },
      },
      ...(page + 1 < pages ? { NextToken: String(page + 1) } : {}),
    }),
  )
})
const execution = {
  QueryExecutionId: 'x',
  Query: 'SELECT 1',
  StatementType: 'DML',
  SubstatementType: 'SELECT',
  Status: { State: 'SUCCEEDED' },
}
const answers: Record<string, (input: { NextToken?: string }) => Buffer> = {
  StartQueryExecution: () => Buffer.from('{"QueryExecutionId":"x"}'),
  BatchGetQueryExecution: () => Buffer.from(JSON.stringify({ QueryExecutions: [execution] })),
  GetQueryResults: ({ NextToken }) => bodies[Number(NextToken ?? 0)]!,
}
const client = new AthenaClient({
  region: 'eu-central-1',
  credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  requestHandler: {
    handle: async (request: { headers: Record<string, string>; body: string }) => {
      const body = answers[request.headers['x-amz-target']!.split('.')[1]!]!(JSON.parse(Buffer.from(request.body).toString()))
      return {
        response: { statusCode: 200, headers: { 'content-type': 'application/x-amz-json-1.1' }, body: Readable.from([body]) },
      }
    },
  } as never,
})
const athena = createAthena({ client, poll: ['1 ms', '1 ms'] })
const text = column.string()
const returns = {
  id: column.bigint(),
  at: column.timestamp(),
  device: text,
  metric: text,
  value: column.double().nullable(),
  n: column.integer(),
  ok: column.boolean(),
  day: column.date(),
  site: text,
  msg: text,
}

async function bare(): Promise<string> {
  let rows = -1
  let nulls = 0
  let NextToken: string | undefined
  do {
    const page = await client.send(new GetQueryResultsCommand({ QueryExecutionId: 'x', NextToken }))
    for (const { Data = [] } of page.ResultSet?.Rows ?? []) {
      rows++
      if (Data[4]?.VarCharValue === undefined) nulls++
    }
    NextToken = page.NextToken
  } while (NextToken)
  return `${rows} ${nulls}`
}

async function ours(): Promise<string> {
  let rows = 0
  let nulls = 0
  for await (const { value } of athena.query(sql`SELECT 1`, { returns })) {
    rows++
    if (value === null) nulls++
  }
  return `${rows} ${nulls}`
}

console.log(JSON.stringify(await pairedRounds(ours, bare, 5)))
await athena.close()
