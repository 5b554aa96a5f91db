import { GetQueryExecutionCommand, GetQueryResultsCommand, StartQueryExecutionCommand } from '@aws-sdk/client-athena'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type AthenaServer, finished, outputLocation, startAthena } from './athena-server'
import { createPlainEngine } from './plain-engine'

let athena: AthenaServer
beforeAll(async () => {
  athena = await startAthena({ engine: createPlainEngine })
  await athena.ok('CREATE DATABASE logs')
  await athena.ok(
    "CREATE EXTERNAL TABLE logs.raw (a int) PARTITIONED BY (dt string) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 's3://lake/raw/'",
  )
  await athena.ok("ALTER TABLE logs.raw ADD PARTITION (dt='x')")
  await athena.files.put('lake', 'raw/dt=x/1', '1\n')
  await athena.files.put('lake', 'raw/dt=x/2', '2\n')
})
afterAll(() => athena.close())

const glue = (...resources: string[]) => resources.map((resource) => `arn:aws:glue:us-east-1:000000000000:${resource}`)

interface Grant {
  readonly action: string
  readonly resource: string | readonly string[]
  readonly condition?: object
}

/** The smallest policy of a compactor. */
const minimal: readonly Grant[] = [
  { action: 'athena:StartQueryExecution', resource: 'arn:aws:athena:us-east-1:000000000000:workgroup/primary' },
  { action: 'athena:GetQueryExecution', resource: 'arn:aws:athena:us-east-1:000000000000:workgroup/primary' },
  { action: 'athena:GetQueryResults', resource: 'arn:aws:athena:us-east-1:000000000000:workgroup/primary' },
  { action: 'glue:GetDatabase', resource: glue('catalog', 'database/logs') },
  { action: 'glue:GetTable', resource: glue('catalog', 'database/logs', 'table/logs/raw', 'table/logs/stg_*') },
  { action: 'glue:GetPartitions', resource: glue('catalog', 'database/logs', 'table/logs/raw') },
  { action: 'glue:CreateTable', resource: glue('catalog', 'database/logs', 'table/logs/stg_*') },
  { action: 'glue:DeleteTable', resource: glue('catalog', 'database/logs', 'table/logs/stg_*') },
  {
    action: 's3:ListBucket',
    resource: 'arn:aws:s3:::lake',
    condition: { StringLike: { 's3:prefix': ['raw/*', 'compacted/*'] } },
  },
  { action: 's3:GetObject', resource: ['arn:aws:s3:::lake/raw/*', 'arn:aws:s3:::results/out/*'] },
  { action: 's3:PutObject', resource: ['arn:aws:s3:::lake/compacted/*', 'arn:aws:s3:::results/out/*'] },
  { action: 's3:GetBucketLocation', resource: ['arn:aws:s3:::lake', 'arn:aws:s3:::results'] },
]

function grant(grants: readonly Grant[]): void {
  athena.iam.setPolicy('compactor', {
    Version: '2012-10-17',
    Statement: grants.map(({ action, resource, condition }) => ({
      Effect: 'Allow',
      Action: action,
      Resource: resource as string,
      ...(condition === undefined ? {} : { Condition: condition }),
    })),
  } as Parameters<typeof athena.iam.setPolicy>[1])
}

const without = (action: string) => minimal.filter((one) => one.action !== action)
let attempt = 0
const ctas = () => {
  attempt++
  return `CREATE TABLE logs.stg_${attempt} WITH (external_location = 's3://lake/compacted/${attempt}/') AS SELECT a FROM logs.raw`
}

beforeEach(() => grant(minimal))

test('the smallest policy is enough', async () => {
  const client = athena.clientOf('compactor')
  const created = await athena.run(ctas(), {}, client)
  expect(created.Status?.State).toBe('SUCCEEDED')
  expect((await athena.run(`DROP TABLE logs.stg_${attempt}`, {}, client)).Status?.State).toBe('SUCCEEDED')
  const selected = await athena.run('SELECT sum(a) AS s FROM logs.raw', {}, client)
  expect(selected.Status?.State).toBe('SUCCEEDED')
  const results = await client.send(new GetQueryResultsCommand({ QueryExecutionId: selected.QueryExecutionId }))
  expect(results.ResultSet?.Rows?.[1]?.Data).toEqual([{ VarCharValue: '3' }])
})

describe('a missing right makes the query fail, naming action and resource', () => {
  const user = 'User: arn:aws:sts::000000000000:assumed-role/compactor/compactor is not authorized to perform: '
  test.each([
    ['glue:GetDatabase', 'Insufficient permissions to execute the query. ', 'arn:aws:glue:us-east-1:000000000000:catalog'],
    ['glue:GetTable', 'Insufficient permissions to execute the query. ', 'arn:aws:glue:us-east-1:000000000000:catalog'],
    ['glue:GetPartitions', 'Insufficient permissions to execute the query. ', 'arn:aws:glue:us-east-1:000000000000:catalog'],
    ['glue:CreateTable', 'Insufficient permissions to execute the query. ', 'arn:aws:glue:us-east-1:000000000000:catalog'],
    ['s3:ListBucket', 'Permission denied on S3 path: ', 'arn:aws:s3:::lake'],
    ['s3:GetObject', 'Permission denied on S3 path: s3://lake/raw/dt=x/1. ', 'arn:aws:s3:::lake/raw/dt=x/1'],
    ['s3:PutObject', 'Access denied when writing output to url: s3://lake/compacted/', 'arn:aws:s3:::lake/compacted/'],
    ['s3:GetBucketLocation', 'Insufficient permissions to execute the query. ', 'arn:aws:s3:::results'],
  ])('%s', async (action, start, resource) => {
    grant(without(action))
    const execution = await athena.run(ctas(), {}, athena.clientOf('compactor'))
    expect(execution.Status?.State).toBe('FAILED')
    const reason = execution.Status?.StateChangeReason as string
    expect(reason.startsWith(start)).toBe(true)
    expect(reason).toContain(user + action)
    expect(reason).toContain(resource)
    expect(execution.Status?.AthenaError).toMatchObject({ ErrorCategory: 2, ErrorType: 1500 })
    expect(await athena.rows(`SHOW TABLES IN logs 'stg_${attempt}'`)).toEqual([])
  })

  test('a table outside the policy', async () => {
    await athena.ok(
      "CREATE EXTERNAL TABLE logs.secret (a int) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 's3://lake/raw/'",
    )
    const reason = await athena.failure('SELECT a FROM logs.secret', {}, athena.clientOf('compactor'))
    expect(reason).toContain('glue:GetTable on resource: "arn:aws:glue:us-east-1:000000000000:table/logs/secret"')
  })

  test('a policy narrower than the location: the object that is outside', async () => {
    grant([...without('s3:GetObject'), { action: 's3:GetObject', resource: 'arn:aws:s3:::lake/raw/dt=x/1' }])
    const reason = await athena.failure('SELECT a FROM logs.raw', {}, athena.clientOf('compactor'))
    expect(reason).toContain('s3:GetObject on resource: "arn:aws:s3:::lake/raw/dt=x/2"')
    const one = await athena.run(
      `SELECT a FROM logs.raw WHERE "$path" = 's3://lake/raw/dt=x/1'`,
      {},
      athena.clientOf('compactor'),
    )
    expect(one.Status?.State).toBe('SUCCEEDED')
  })

  test('the result location', async () => {
    grant([...without('s3:PutObject'), { action: 's3:PutObject', resource: 'arn:aws:s3:::lake/compacted/*' }])
    const reason = await athena.failure('SELECT 1 AS a', {}, athena.clientOf('compactor'))
    expect(reason).toMatch(/^Access denied when writing output to url: s3:\/\/results\/out\/.*\.csv\. User: .*s3:PutObject/)
  })

  test.each([
    ['CREATE DATABASE other', 'glue:CreateDatabase'],
    ['DROP DATABASE logs CASCADE', 'glue:DeleteDatabase'],
    ["ALTER TABLE logs.raw ADD PARTITION (dt='y')", 'glue:BatchCreatePartition'],
    ["ALTER TABLE logs.raw DROP PARTITION (dt='x')", 'glue:BatchDeletePartition'],
    ['SHOW TABLES IN logs', 'glue:GetTables'],
    ['SHOW DATABASES', 'glue:GetDatabases'],
    ["CREATE EXTERNAL TABLE logs.x (a int) LOCATION 's3://lake/x/'", 'glue:'],
    ['DROP TABLE logs.raw', 'glue:DeleteTable'],
  ])('%s needs %s', async (sql, action) => {
    grant([...minimal, { action: 'glue:GetDatabase', resource: '*' }])
    const reason = await athena.failure(sql, {}, athena.clientOf('compactor'))
    expect(reason).toMatch(/^Insufficient permissions to execute the query\. User: /)
    expect(reason).toContain(`not authorized to perform: ${action}`)
  })
})

describe('the API itself', () => {
  test('StartQueryExecution', async () => {
    grant(without('athena:StartQueryExecution'))
    await expect(athena.run('SELECT 1 AS a', {}, athena.clientOf('compactor'))).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining(
        'athena:StartQueryExecution on resource: "arn:aws:athena:us-east-1:000000000000:workgroup/primary"',
      ),
    })
  })

  test('GetQueryExecution and GetQueryResults', async () => {
    grant(minimal.filter(({ action }) => !action.startsWith('athena:Get')))
    const client = athena.clientOf('compactor')
    const { QueryExecutionId } = await client.send(
      new StartQueryExecutionCommand({ QueryString: 'SELECT 1 AS a', ResultConfiguration: { OutputLocation: outputLocation } }),
    )
    await expect(client.send(new GetQueryExecutionCommand({ QueryExecutionId }))).rejects.toMatchObject({
      name: 'AccessDeniedException',
    })
    await finished(athena.client, QueryExecutionId as string)
    await expect(client.send(new GetQueryResultsCommand({ QueryExecutionId }))).rejects.toMatchObject({
      name: 'AccessDeniedException',
    })
    grant([...minimal.filter(({ action }) => action !== 's3:GetObject')])
    await expect(client.send(new GetQueryResultsCommand({ QueryExecutionId }))).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining('s3:GetObject on resource: "arn:aws:s3:::results/out/'),
    })
  })
})
