import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  AthenaClient,
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  type QueryExecution,
  StartQueryExecutionCommand,
  type StartQueryExecutionCommandInput,
} from '@aws-sdk/client-athena'
import { type AthenaControls, createAthenaControls } from '../../src/athena/controls'
import type { SelectEngine } from '../../src/athena/query-engine'
import { createAthenaService } from '../../src/athena/service'
import { realClock } from '../../src/clock'
import { createAuthorizer, type PolicyAuthorizer } from '../../src/iam/authorizer'
import type { ObjectFiles } from '../../src/s3/object-files'
import { createS3Service } from '../../src/s3/service'
import type { Principal, Service } from '../../src/service'
import { createEndpoint } from '../../src/wire'

/** A running local Athena with its S3, and an official client for each principal. */
export interface AthenaServer {
  readonly dir: string
  readonly files: ObjectFiles
  readonly iam: PolicyAuthorizer
  readonly client: AthenaClient
  readonly controls: AthenaControls
  clientOf(principal: string): AthenaClient
  /** Runs a statement to its end and returns the execution. */
  run(sql: string, input?: Partial<StartQueryExecutionCommandInput>, client?: AthenaClient): Promise<QueryExecution>
  /** Runs a statement that must succeed. */
  ok(sql: string, input?: Partial<StartQueryExecutionCommandInput>): Promise<QueryExecution>
  /** Runs a statement that must fail, and returns why. */
  failure(sql: string, input?: Partial<StartQueryExecutionCommandInput>, client?: AthenaClient): Promise<string>
  /** Rows of a query, without the header; NULL is null. */
  rows(sql: string, input?: Partial<StartQueryExecutionCommandInput>): Promise<(string | null)[][]>
  /** Stops everything and leaves the directory for another start. */
  closeKeepingFiles(): Promise<void>
  close(): Promise<void>
}

export const outputLocation = 's3://results/out/'

export async function startAthena(options: { dir?: string; engine?: () => Promise<SelectEngine> } = {}): Promise<AthenaServer> {
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'pipe-athena-')))
  const clock = realClock()
  const controls = createAthenaControls(() => clock.now())
  const iam = createAuthorizer({ mode: 'enforce' })
  const s3 = await createS3Service({ dir: join(dir, 's3'), clock, authorizer: iam })
  const athena: Service = await createAthenaService({
    dir: join(dir, 'athena'),
    clock,
    authorizer: iam,
    files: s3.files,
    controls,
    ...(options.engine ? { engine: options.engine } : {}),
  })
  const principals = new Map<string, Principal>()
  const principal = (name: string): Principal => {
    const entry = principals.get(name) ?? { name, accessKeyId: `AKIA${name}`, secretAccessKey: 'secret' }
    principals.set(name, entry)
    return entry
  }
  principal('root')
  const endpoint = await createEndpoint({
    services: [athena, s3],
    principalOf: (key) => [...principals.values()].find((one) => one.accessKeyId === key),
    now: () => clock.now(),
  })
  const clients: AthenaClient[] = []
  const clientOf = (name: string) => {
    const client = new AthenaClient({ endpoint: endpoint.url, region: 'us-east-1', credentials: principal(name), maxAttempts: 1 })
    clients.push(client)
    return client
  }
  const client = clientOf('root')
  const { S3Client, CreateBucketCommand } = await import('@aws-sdk/client-s3')
  const s3Client = new S3Client({
    endpoint: endpoint.url,
    region: 'us-east-1',
    credentials: principal('root'),
    forcePathStyle: true,
  })
  for (const bucket of ['lake', 'results']) {
    if (!s3.files.hasBucket(bucket)) await s3Client.send(new CreateBucketCommand({ Bucket: bucket }))
  }
  s3Client.destroy()

  const server: AthenaServer = {
    dir,
    files: s3.files,
    iam,
    client,
    controls,
    clientOf,
    async run(sql, input = {}, by = client) {
      const started = await by.send(
        new StartQueryExecutionCommand({ QueryString: sql, ResultConfiguration: { OutputLocation: outputLocation }, ...input }),
      )
      return finished(by, started.QueryExecutionId as string)
    },
    async ok(sql, input) {
      const execution = await server.run(sql, input)
      if (execution.Status?.State !== 'SUCCEEDED')
        throw new Error(`${sql}\n${execution.Status?.State}: ${execution.Status?.StateChangeReason}`)
      return execution
    },
    async failure(sql, input, by) {
      const execution = await server.run(sql, input, by)
      if (execution.Status?.State !== 'FAILED') throw new Error(`${sql}\n${execution.Status?.State}, not FAILED`)
      return execution.Status.StateChangeReason as string
    },
    async rows(sql, input) {
      const { QueryExecutionId, StatementType } = await server.ok(sql, input)
      const rows: (string | null)[][] = []
      let NextToken: string | undefined
      do {
        const page = await client.send(new GetQueryResultsCommand({ QueryExecutionId, NextToken }))
        for (const row of page.ResultSet?.Rows ?? []) rows.push((row.Data ?? []).map((cell) => cell.VarCharValue ?? null))
        NextToken = page.NextToken
      } while (NextToken)
      return StatementType === 'DML' ? rows.slice(1) : rows
    },
    async closeKeepingFiles() {
      for (const one of clients) one.destroy()
      await endpoint.close()
      await athena.close?.()
      await s3.close()
      clock.close()
    },
    async close() {
      await server.closeKeepingFiles()
      if (options.dir === undefined) await rm(dir, { recursive: true, force: true })
    },
  }
  return server
}

/** Polls until the execution has ended. */
export async function finished(client: AthenaClient, id: string): Promise<QueryExecution> {
  for (let pause = 2; ; pause = Math.min(pause * 2, 50)) {
    const { QueryExecution: execution } = await client.send(new GetQueryExecutionCommand({ QueryExecutionId: id }))
    const state = execution?.Status?.State
    if (state !== 'QUEUED' && state !== 'RUNNING') return execution as QueryExecution
    await new Promise((resolve) => setTimeout(resolve, pause))
  }
}
