import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  AthenaClient,
  CreateWorkGroupCommand,
  StartQueryExecutionCommand,
  StopQueryExecutionCommand,
} from '@aws-sdk/client-athena'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createAthenaService } from '../../src/athena/service'
import { virtualClock } from '../../src/clock'
import { createAuthorizer } from '../../src/iam/authorizer'
import { createS3Service } from '../../src/s3/service'
import { createEndpoint } from '../../src/wire'
import { type AthenaServer, finished, outputLocation, startAthena } from './athena-server'

let athena: AthenaServer
beforeAll(async () => {
  athena = await startAthena()
})
afterAll(() => athena.close())

// Before the engine is up, while it starts, and in the middle of the query.
test.each([0, 5, 20, 60, 300])(
  'stopping a query after %d ms interrupts DuckDB and leaves no file of this machine behind',
  async (pause) => {
    const { QueryExecutionId } = await athena.client.send(
      new StartQueryExecutionCommand({
        QueryString:
          'SELECT sum(a.x * b.x * c.x) AS s FROM UNNEST(sequence(1, 9000)) AS a(x) CROSS JOIN UNNEST(sequence(1, 9000)) AS b(x) CROSS JOIN UNNEST(sequence(1, 9000)) AS c(x)',
        ResultConfiguration: { OutputLocation: outputLocation },
      }),
    )
    await new Promise((resolve) => setTimeout(resolve, pause))
    await athena.client.send(new StopQueryExecutionCommand({ QueryExecutionId }))
    const { Status } = await finished(athena.client, QueryExecutionId as string)
    expect(Status).toMatchObject({ State: 'CANCELLED', StateChangeReason: 'Query cancelled by user' })
    expect(await readdir(join(athena.dir, 'athena', 'scratch'))).toEqual([])
    expect(athena.files.head('results', `out/${QueryExecutionId}.csv`)).toBeUndefined()
  },
)

test('a virtual clock gives the times and waits for queries in flight', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'pipe-athena-clock-'))
  const clock = virtualClock('2026-11-24T00:00:00Z')
  const authorizer = createAuthorizer({ mode: 'enforce' })
  const s3 = await createS3Service({ dir: join(dir, 's3'), clock, authorizer })
  const service = await createAthenaService({
    dir: join(dir, 'athena'),
    clock,
    authorizer,
    files: s3.files,
    outputLocation: 's3://results/',
  })
  const root = { name: 'root', accessKeyId: 'AKIAROOT', secretAccessKey: 'secret' }
  const endpoint = await createEndpoint({ services: [service, s3], principalOf: () => root, now: () => clock.now() })
  const config = { endpoint: endpoint.url, region: 'us-east-1', credentials: root }
  const client = new AthenaClient(config)
  const buckets = new S3Client({ ...config, forcePathStyle: true })
  try {
    await buckets.send(new CreateBucketCommand({ Bucket: 'results' }))
    const { QueryExecutionId } = await client.send(
      new StartQueryExecutionCommand({ QueryString: 'SELECT count(*) AS n FROM UNNEST(sequence(1, 5000)) AS t(x)' }),
    )
    await clock.advance('1 hour')
    const execution = await finished(client, QueryExecutionId as string)
    const midnight = new Date('2026-11-24T00:00:00Z')
    expect(execution.Status).toMatchObject({ State: 'SUCCEEDED', SubmissionDateTime: midnight, CompletionDateTime: midnight })
    expect(execution.ResultConfiguration?.OutputLocation).toBe(`s3://results/${QueryExecutionId}.csv`)
    expect(s3.files.head('results', `${QueryExecutionId}.csv`)?.lastModified).toBe(midnight.getTime())
  } finally {
    client.destroy()
    buckets.destroy()
    await endpoint.close()
    await service.close?.()
    await s3.close()
    clock.close()
    await rm(dir, { recursive: true, force: true })
  }
})

test('workgroups outlast a restart', async () => {
  const first = await startAthena()
  await first.client.send(new CreateWorkGroupCommand({ Name: 'team', Description: 'x' }))
  await first.closeKeepingFiles()
  const second = await startAthena({ dir: first.dir })
  try {
    expect((await second.ok('SELECT 1 AS a', { WorkGroup: 'team' })).WorkGroup).toBe('team')
  } finally {
    await second.close()
    await rm(first.dir, { recursive: true, force: true })
  }
})

test('a large result arrives whole', async () => {
  const { QueryExecutionId } = await athena.ok(
    "SELECT a.x AS x, b.x AS y, 'some text to make the row longer' AS t FROM UNNEST(sequence(1, 1000)) AS a(x) CROSS JOIN UNNEST(sequence(1, 300)) AS b(x)",
  )
  const object = athena.files.head('results', `out/${QueryExecutionId}.csv`)
  expect(object?.size).toBeGreaterThan(300_000 * 40)
})

test('options that are not there are named', async () => {
  await expect(createAthenaService({ directory: 'x' } as never)).rejects.toThrow(/has no option "directory"/)
})
