import { readFileSync } from 'node:fs'
import {
  BatchGetQueryExecutionCommand,
  CreateWorkGroupCommand,
  DeleteWorkGroupCommand,
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  GetTableMetadataCommand,
  GetWorkGroupCommand,
  ListDatabasesCommand,
  ListQueryExecutionsCommand,
  ListTableMetadataCommand,
  ListWorkGroupsCommand,
  StartQueryExecutionCommand,
  StopQueryExecutionCommand,
  UpdateWorkGroupCommand,
} from '@aws-sdk/client-athena'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CompiledSelect, SelectEngine } from '../../src/athena/query-engine'
import { type AthenaServer, finished, outputLocation, startAthena } from './athena-server'
import { createPlainEngine } from './plain-engine'

let athena: AthenaServer
/** Queries with the comment "wait" in them wait until they are stopped. */
async function createWaitingEngine(): Promise<SelectEngine> {
  const engine = await createPlainEngine()
  const waits = (query: CompiledSelect) => query.sql.includes('/* wait */')
  return {
    ...engine,
    compile: async (sql, context) => {
      const compiled = await engine.compile(sql.replace('/* wait */', ''), context)
      return sql.includes('/* wait */') ? { ...compiled, sql: `/* wait */ ${compiled.sql}` } : compiled
    },
    run: (query, options) => (waits(query) ? waitForAbort(options.signal) : engine.run(query, options)),
  }
}
async function* waitForAbort(signal?: AbortSignal): AsyncGenerator<readonly (readonly (string | null)[])[]> {
  await new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
}

beforeAll(async () => {
  athena = await startAthena({ engine: createWaitingEngine })
})
afterAll(() => athena.close())

const start = (input: Partial<ConstructorParameters<typeof StartQueryExecutionCommand>[0]>) =>
  athena.client.send(
    new StartQueryExecutionCommand({
      QueryString: 'SELECT 1 AS a',
      ResultConfiguration: { OutputLocation: outputLocation },
      ...input,
    }),
  )

describe('an execution', () => {
  test('that succeeds', async () => {
    const before = Date.now()
    const execution = await athena.ok("SELECT 1 AS a, 'x' AS b, CAST(NULL AS VARCHAR) AS c", {
      QueryExecutionContext: { Database: 'default', Catalog: 'AwsDataCatalog' },
    })
    const id = execution.QueryExecutionId as string
    expect(execution).toMatchObject({
      StatementType: 'DML',
      SubstatementType: 'SELECT',
      ResultConfiguration: { OutputLocation: `${outputLocation}${id}.csv` },
      QueryExecutionContext: { Database: 'default', Catalog: 'AwsDataCatalog' },
      WorkGroup: 'primary',
      EngineVersion: { EffectiveEngineVersion: 'Athena engine version 3' },
      Statistics: { DataScannedInBytes: 0 },
    })
    const { SubmissionDateTime, CompletionDateTime } = execution.Status ?? {}
    expect(SubmissionDateTime?.getTime()).toBeGreaterThanOrEqual(before - 1)
    expect(CompletionDateTime?.getTime()).toBeGreaterThanOrEqual(SubmissionDateTime?.getTime() as number)
    const object = athena.files.head('results', `out/${id}.csv`)
    expect(readFileSync(object?.file as string, 'utf8')).toBe('"a","b","c"\n"1","x",\n')
    expect(athena.files.head('results', `out/${id}.csv.metadata`)).toBeDefined()

    const results = await athena.client.send(new GetQueryResultsCommand({ QueryExecutionId: id }))
    expect(results.UpdateCount).toBe(0)
    expect(results.NextToken).toBeUndefined()
    expect(results.ResultSet?.Rows).toEqual([
      { Data: [{ VarCharValue: 'a' }, { VarCharValue: 'b' }, { VarCharValue: 'c' }] },
      { Data: [{ VarCharValue: '1' }, { VarCharValue: 'x' }, {}] },
    ])
    expect(results.ResultSet?.ResultSetMetadata?.ColumnInfo?.[1]).toMatchObject({
      CatalogName: 'hive',
      Name: 'b',
      Label: 'b',
      Type: 'varchar',
      Nullable: 'UNKNOWN',
      CaseSensitive: true,
    })
  })

  test('that fails', async () => {
    const execution = await athena.run('SELECT * FROM nowhere.t')
    expect(execution.Status).toMatchObject({
      State: 'FAILED',
      StateChangeReason: "SCHEMA_NOT_FOUND: Schema 'nowhere' does not exist",
      AthenaError: { ErrorCategory: 2, Retryable: false, ErrorMessage: "SCHEMA_NOT_FOUND: Schema 'nowhere' does not exist" },
    })
    const error = await athena.client
      .send(new GetQueryResultsCommand({ QueryExecutionId: execution.QueryExecutionId }))
      .catch((cause: unknown) => cause)
    expect(error).toMatchObject({
      name: 'InvalidRequestException',
      message: 'Query did not finish successfully. Final query state: FAILED',
    })
  })

  test('that is stopped, running or queued', async () => {
    const ids: string[] = []
    for (let i = 0; i < 7; i++) ids.push((await start({ QueryString: `SELECT /* wait */ ${i} AS a` })).QueryExecutionId as string)
    await expect.poll(async () => (await states(ids)).filter((state) => state === 'RUNNING').length).toBe(5)
    expect((await states(ids)).filter((state) => state === 'QUEUED')).toHaveLength(2)
    const error = await athena.client
      .send(new GetQueryResultsCommand({ QueryExecutionId: ids[6] }))
      .catch((cause: unknown) => cause)
    expect(error).toMatchObject({ name: 'InvalidRequestException', message: 'Query has not yet finished. Current state: QUEUED' })
    // The queued ones first: a free slot must not start them.
    for (const id of ids.reverse()) await athena.client.send(new StopQueryExecutionCommand({ QueryExecutionId: id }))
    for (const id of ids) {
      const { Status } = await finished(athena.client, id)
      expect(Status).toMatchObject({ State: 'CANCELLED', StateChangeReason: 'Query cancelled by user' })
      expect(Status?.CompletionDateTime).toBeInstanceOf(Date)
    }
    // Every slot is free again, and stopping what has ended does nothing.
    await athena.client.send(new StopQueryExecutionCommand({ QueryExecutionId: ids[0] }))
    expect(await Promise.all(Array.from({ length: 8 }, (_, i) => athena.rows(`SELECT ${i} AS a`)))).toHaveLength(8)
  })

  async function states(ids: readonly string[]): Promise<(string | undefined)[]> {
    const { QueryExecutions } = await athena.client.send(new BatchGetQueryExecutionCommand({ QueryExecutionIds: [...ids] }))
    return (QueryExecutions ?? []).map((execution) => execution.Status?.State)
  }

  test('with parameters', async () => {
    const execution = await athena.ok("SELECT ? AS a, '?' AS b", { ExecutionParameters: ["'it''s'"] })
    expect(execution.ExecutionParameters).toEqual(["'it''s'"])
    expect(execution.Query).toBe("SELECT ? AS a, '?' AS b")
    expect(await athena.rows("SELECT ? AS a, '?' AS b", { ExecutionParameters: ["'it''s'"] })).toEqual([["it's", '?']])
    expect(await athena.failure('SELECT ? AS a')).toMatch(/Incorrect number of parameters: expected 1 but found 0/)
  })

  test('pages of a result: the header uses up one row of the first', async () => {
    const { QueryExecutionId } = await athena.ok('SELECT range AS n FROM range(2500) ORDER BY 1')
    const seen: string[] = []
    const sizes: number[] = []
    let NextToken: string | undefined
    do {
      const page = await athena.client.send(new GetQueryResultsCommand({ QueryExecutionId, NextToken, MaxResults: 1000 }))
      sizes.push(page.ResultSet?.Rows?.length ?? 0)
      for (const row of page.ResultSet?.Rows ?? []) seen.push(row.Data?.[0]?.VarCharValue as string)
      NextToken = page.NextToken
    } while (NextToken)
    expect(sizes).toEqual([1000, 1000, 501])
    expect(seen).toEqual(['n', ...Array.from({ length: 2500 }, (_, i) => `${i}`)])
    const one = await athena.client.send(new GetQueryResultsCommand({ QueryExecutionId, MaxResults: 1 }))
    expect(one.ResultSet?.Rows).toEqual([{ Data: [{ VarCharValue: 'n' }] }])
    const two = await athena.client.send(
      new GetQueryResultsCommand({ QueryExecutionId, MaxResults: 2, NextToken: one.NextToken }),
    )
    expect(two.ResultSet?.Rows?.map((row) => row.Data?.[0]?.VarCharValue)).toEqual(['0', '1'])
    for (const token of ['garbage', one.NextToken?.slice(2)]) {
      const error = await athena.client
        .send(new GetQueryResultsCommand({ QueryExecutionId, NextToken: token }))
        .catch((cause: unknown) => cause)
      expect(error).toMatchObject({ name: 'InvalidRequestException', message: 'Invalid NextToken.' })
    }
  })

  test('whose result object was deleted', async () => {
    const { QueryExecutionId } = await athena.ok('SELECT 1 AS a')
    await athena.files.delete('results', `out/${QueryExecutionId}.csv`)
    const error = await athena.client.send(new GetQueryResultsCommand({ QueryExecutionId })).catch((cause: unknown) => cause)
    expect(error).toMatchObject({ name: 'InvalidRequestException', message: expect.stringContaining('Could not find results') })
  })

  test('manifest only for a CTAS', async () => {
    const select = await athena.ok('SELECT 1 AS a')
    const error = await athena.client
      .send(new GetQueryResultsCommand({ QueryExecutionId: select.QueryExecutionId, QueryResultType: 'DATA_MANIFEST' }))
      .catch((cause: unknown) => cause)
    expect(error).toMatchObject({ name: 'InvalidRequestException' })
  })
})

describe('ClientRequestToken', () => {
  test('same token and parameters: same execution', async () => {
    const ClientRequestToken = 'a'.repeat(32)
    const ids = await Promise.all(Array.from({ length: 5 }, () => start({ ClientRequestToken })))
    expect(new Set(ids.map(({ QueryExecutionId }) => QueryExecutionId)).size).toBe(1)
    await expect(start({ ClientRequestToken, QueryString: 'SELECT 2 AS a' })).rejects.toMatchObject({
      name: 'InvalidRequestException',
      message: 'Idempotent parameters do not match',
    })
    await expect(start({ ClientRequestToken, QueryExecutionContext: { Database: 'x' } })).rejects.toMatchObject({
      name: 'InvalidRequestException',
    })
  })
})

describe('bad input is an InvalidRequestException', () => {
  test.each([
    [{ ClientRequestToken: 'short' }, /'ClientRequestToken'.*greater than or equal to 32/],
    [{ ClientRequestToken: 'x'.repeat(129) }, /less than or equal to 128/],
    [{ QueryString: '' }, /'QueryString'/],
    [{ QueryString: `SELECT '${'é'.repeat(131_072)}'` }, /maximum is 262144 bytes/],
    [{ ResultConfiguration: {} }, /No output location provided/],
    [{ ResultConfiguration: { OutputLocation: 'http://x/' } }, /not a valid S3 path/],
    [{ ResultConfiguration: { OutputLocation: 's3://missing/' } }, /Unable to verify\/create output bucket missing/],
    [{ ResultConfiguration: { OutputLocation: outputLocation, ExpectedBucketOwner: '111111111111' } }, /owned by 000000000000/],
    [
      {
        ResultConfiguration: {
          OutputLocation: outputLocation,
          EncryptionConfiguration: { EncryptionOption: 'SSE_KMS' as const },
        },
      },
      /NOT_SUPPORTED_LOCALLY/,
    ],
    [{ WorkGroup: 'none' }, /WorkGroup none is not found/],
    [{ ExecutionParameters: ['x'.repeat(1025)] }, /1024/],
    [{ QueryExecutionContext: { Catalog: 'other' } }, /Catalog other/],
  ])('%j', async (input, message) => {
    await expect(start(input)).rejects.toMatchObject({
      name: 'InvalidRequestException',
      message: expect.stringMatching(message),
      AthenaErrorCode: 'INVALID_INPUT',
    })
  })

  test('an unknown execution', async () => {
    await expect(athena.client.send(new GetQueryExecutionCommand({ QueryExecutionId: 'x' }))).rejects.toMatchObject({
      name: 'InvalidRequestException',
      message: 'QueryExecution x was not found',
    })
  })
})

test('BatchGetQueryExecution', async () => {
  const { QueryExecutionId } = await athena.ok('SELECT 1 AS a')
  const batch = await athena.client.send(
    new BatchGetQueryExecutionCommand({ QueryExecutionIds: [QueryExecutionId as string, 'nothing'] }),
  )
  expect(batch.QueryExecutions?.map((execution) => execution.QueryExecutionId)).toEqual([QueryExecutionId])
  expect(batch.UnprocessedQueryExecutionIds).toMatchObject([{ QueryExecutionId: 'nothing', ErrorCode: 'INVALID_INPUT' }])
  await expect(
    athena.client.send(new BatchGetQueryExecutionCommand({ QueryExecutionIds: Array.from({ length: 51 }, (_, i) => `${i}`) })),
  ).rejects.toMatchObject({ name: 'InvalidRequestException' })
})

test('ListQueryExecutions, newest first, in pages', async () => {
  const first = await athena.ok('SELECT 1 AS a')
  const second = await athena.ok('SELECT 2 AS a')
  const page = await athena.client.send(new ListQueryExecutionsCommand({ MaxResults: 1 }))
  expect(page.QueryExecutionIds).toEqual([second.QueryExecutionId])
  const next = await athena.client.send(new ListQueryExecutionsCommand({ MaxResults: 1, NextToken: page.NextToken }))
  expect(next.QueryExecutionIds).toEqual([first.QueryExecutionId])
})

test('workgroups', async () => {
  await athena.client.send(
    new CreateWorkGroupCommand({ Name: 'team', Configuration: { ResultConfiguration: { OutputLocation: 's3://results/team' } } }),
  )
  const listed = await athena.client.send(new ListWorkGroupsCommand({}))
  expect(listed.WorkGroups?.map(({ Name }) => Name)).toEqual(['primary', 'team'])
  const enforced = await athena.ok('SELECT 1 AS a', { WorkGroup: 'team' })
  expect(enforced.ResultConfiguration?.OutputLocation).toBe(`s3://results/team/${enforced.QueryExecutionId}.csv`)
  expect(
    await athena.failure("CREATE TABLE t WITH (external_location = 's3://lake/x/') AS SELECT 1 AS a", { WorkGroup: 'team' }),
  ).toMatch(/enforces a centralized output location/)
  await athena.client.send(
    new UpdateWorkGroupCommand({ WorkGroup: 'team', ConfigurationUpdates: { EnforceWorkGroupConfiguration: false } }),
  )
  const free = await athena.ok('SELECT 1 AS a', { WorkGroup: 'team' })
  expect(free.ResultConfiguration?.OutputLocation).toBe(`${outputLocation}${free.QueryExecutionId}.csv`)
  const { WorkGroup } = await athena.client.send(new GetWorkGroupCommand({ WorkGroup: 'team' }))
  expect(WorkGroup).toMatchObject({
    Name: 'team',
    State: 'ENABLED',
    Configuration: { EnforceWorkGroupConfiguration: false, ResultConfiguration: { OutputLocation: 's3://results/team' } },
  })
  await expect(
    athena.client.send(
      new CreateWorkGroupCommand({ Name: 'cut', Configuration: { ManagedQueryResultsConfiguration: { Enabled: true } } }),
    ),
  ).rejects.toMatchObject({ message: expect.stringContaining('ManagedQueryResultsConfiguration') })
  await expect(athena.client.send(new DeleteWorkGroupCommand({ WorkGroup: 'team' }))).rejects.toMatchObject({
    message: 'WorkGroup team is not empty',
  })
  await athena.client.send(new DeleteWorkGroupCommand({ WorkGroup: 'team', RecursiveDeleteOption: true }))
  await expect(athena.client.send(new DeleteWorkGroupCommand({ WorkGroup: 'primary' }))).rejects.toMatchObject({
    name: 'InvalidRequestException',
  })
})

test('metadata operations', async () => {
  await athena.ok("CREATE DATABASE meta COMMENT 'about' WITH DBPROPERTIES ('a'='b')")
  await athena.ok(
    "CREATE EXTERNAL TABLE meta.t (a int COMMENT 'c') PARTITIONED BY (dt date) STORED AS PARQUET LOCATION 's3://lake/meta'",
  )
  const { DatabaseList } = await athena.client.send(new ListDatabasesCommand({ CatalogName: 'AwsDataCatalog' }))
  expect(DatabaseList).toContainEqual({ Name: 'meta', Description: 'about', Parameters: { a: 'b' } })
  const { TableMetadata } = await athena.client.send(
    new GetTableMetadataCommand({ CatalogName: 'AwsDataCatalog', DatabaseName: 'meta', TableName: 'T' }),
  )
  expect(TableMetadata).toMatchObject({
    Name: 't',
    TableType: 'EXTERNAL_TABLE',
    Columns: [{ Name: 'a', Type: 'int', Comment: 'c' }],
    PartitionKeys: [{ Name: 'dt', Type: 'date' }],
    Parameters: { location: 's3://lake/meta/' },
  })
  const { TableMetadataList } = await athena.client.send(
    new ListTableMetadataCommand({ CatalogName: 'AwsDataCatalog', DatabaseName: 'meta', Expression: 't.*' }),
  )
  expect(TableMetadataList).toHaveLength(1)
  await expect(
    athena.client.send(new GetTableMetadataCommand({ CatalogName: 'AwsDataCatalog', DatabaseName: 'meta', TableName: 'x' })),
  ).rejects.toMatchObject({ name: 'MetadataException' })
})

test('an operation that is not there is named', async () => {
  const { ListDataCatalogsCommand } = await import('@aws-sdk/client-athena')
  await expect(athena.client.send(new ListDataCatalogsCommand({}))).rejects.toMatchObject({
    name: 'UnknownOperationException',
    message: expect.stringContaining('ListDataCatalogs'),
  })
})
