import {
  BatchGetQueryExecutionCommand,
  GetQueryExecutionCommand,
  ListQueryExecutionsCommand,
  ListWorkGroupsCommand,
  StartQueryExecutionCommand,
  StopQueryExecutionCommand,
} from '@aws-sdk/client-athena'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createAthenaControls } from '../../src/athena/controls'
import { type AthenaServer, finished, outputLocation, startAthena } from './athena-server'
import { createPlainEngine } from './plain-engine'

let athena: AthenaServer
beforeAll(async () => {
  athena = await startAthena({ engine: createPlainEngine })
})
afterEach(() => athena.controls.clear())
afterAll(() => athena.close())

const start = (QueryString = 'SELECT 1 AS a', ClientRequestToken?: string) =>
  athena.client.send(
    new StartQueryExecutionCommand({
      QueryString,
      ResultConfiguration: { OutputLocation: outputLocation },
      ...(ClientRequestToken && { ClientRequestToken }),
    }),
  )
const errorOf = (work: Promise<unknown>) => work.catch((error: unknown) => error)

describe('a fault', () => {
  test.each([
    ['throttle', { name: 'ThrottlingException', message: 'Rate exceeded' }],
    ['slots-taken', { name: 'TooManyRequestsException', Reason: 'CONCURRENT_QUERY_LIMIT_EXCEEDED' }],
    ['unavailable', { name: 'InternalServerException', $metadata: { httpStatusCode: 500 } }],
    ['expired-token', { name: 'ExpiredTokenException', message: 'The security token included in the request is expired' }],
  ] as const)('%s is the error of AWS, and the call is not done', async (fault, error) => {
    const { QueryExecutionIds: before } = await athena.client.send(new ListQueryExecutionsCommand({}))
    athena.controls.fault({ fault, operation: 'StartQueryExecution', after: 1, times: 2 })
    await start()
    expect(await errorOf(start())).toMatchObject(error)
    expect(await errorOf(start())).toMatchObject(error)
    await start()
    const { QueryExecutionIds: after } = await athena.client.send(new ListQueryExecutionsCommand({}))
    expect((after?.length ?? 0) - (before?.length ?? 0)).toBe(2)
  })

  test('lost-reply: the call is done, and its token finds it again', async () => {
    const token = 'lost-reply-'.padEnd(32, 'x')
    athena.controls.fault({ fault: 'lost-reply' })
    expect(await errorOf(start('SELECT 5 AS a', token))).toBeInstanceOf(Error)
    const { QueryExecutionId } = await start('SELECT 5 AS a', token)
    const { QueryExecutionIds } = await athena.client.send(new ListQueryExecutionsCommand({}))
    const { QueryExecutions } = await athena.client.send(
      new BatchGetQueryExecutionCommand({ QueryExecutionIds: QueryExecutionIds?.slice(0, 50) }),
    )
    expect(QueryExecutions?.filter(({ Query }) => Query === 'SELECT 5 AS a').map((one) => one.QueryExecutionId)).toEqual([
      QueryExecutionId,
    ])
  })

  test('that can never work is refused', () => {
    expect(() => athena.controls.fault({ fault: 'slow' as 'throttle' })).toThrow('is no fault')
    expect(() => athena.controls.fault({ fault: 'throttle', times: 0.5 })).toThrow('counts of calls')
    expect(() => athena.controls.setQuotas({ activeDml: 0 })).toThrow('activeDml must be a number above 0')
  })
})

describe('a quota', () => {
  test('of active queries refuses one more, and not the repetition of one', async () => {
    const { QueryExecutionIds: before } = await athena.client.send(new ListQueryExecutionsCommand({}))
    for (const id of before ?? []) await finished(athena.client, id)
    athena.controls.setQuotas({ activeDml: 1 })
    const token = 'quota-'.padEnd(32, 'x')
    const slow = 'SELECT count(*) AS n FROM range(300000000) WHERE range % 7 = 3'
    const first = await start(slow, token)
    expect(await errorOf(start())).toMatchObject({ Reason: 'CONCURRENT_QUERY_LIMIT_EXCEEDED' })
    expect(await start(slow, token)).toMatchObject({ QueryExecutionId: first.QueryExecutionId })
    // DDL has slots of its own.
    const ddl = await start('CREATE DATABASE IF NOT EXISTS other')
    await finished(athena.client, ddl.QueryExecutionId as string)
    await athena.client.send(new StopQueryExecutionCommand({ QueryExecutionId: first.QueryExecutionId }))
    await finished(athena.client, first.QueryExecutionId as string)
    await start()
  })

  test('of calls a second counts by the clock of the runtime, with its burst', () => {
    let now = 0
    const controls = createAthenaControls(() => now)
    controls.setQuotas({ callsPerSecond: { StartQueryExecution: 2 } })
    const passes = () => {
      try {
        controls.beforeCall('StartQueryExecution')
        return true
      } catch {
        return false
      }
    }
    expect(Array.from({ length: 10 }, passes).filter(Boolean)).toHaveLength(8)
    now = 1_000
    expect(Array.from({ length: 10 }, passes).filter(Boolean)).toHaveLength(2)
    controls.beforeCall('GetQueryExecution')
  })
})

describe('reuse of a result', () => {
  const query = async (text: string, reuse?: { Enabled: boolean; MaxAgeInMinutes?: number }, client = athena.client) => {
    const { QueryExecutionId } = await client.send(
      new StartQueryExecutionCommand({
        QueryString: text,
        ResultConfiguration: { OutputLocation: outputLocation },
        ...(reuse && { ResultReuseConfiguration: { ResultReuseByAgeConfiguration: reuse } }),
      }),
    )
    await finished(athena.client, QueryExecutionId as string)
    const { QueryExecution } = await athena.client.send(new GetQueryExecutionCommand({ QueryExecutionId }))
    return QueryExecution!
  }
  const reused = (execution: Awaited<ReturnType<typeof query>>) =>
    execution.Statistics?.ResultReuseInformation?.ReusedPreviousResult

  test('the same text within the age points to the earlier result and scans nothing', async () => {
    const first = await query('SELECT 11 AS a')
    const second = await query('SELECT 11 AS a', { Enabled: true, MaxAgeInMinutes: 5 })
    expect([reused(first), reused(second)]).toEqual([false, true])
    expect(second.ResultConfiguration?.OutputLocation).toBe(first.ResultConfiguration?.OutputLocation)
    expect(second.Statistics?.DataScannedInBytes).toBe(0)
    expect(second.ResultReuseConfiguration?.ResultReuseByAgeConfiguration).toEqual({ Enabled: true, MaxAgeInMinutes: 5 })
  })

  test('not without the option, for another text, at age 0, when values change, or when the object is gone', async () => {
    const first = await query('SELECT 12 AS a')
    expect(reused(await query('SELECT 12 AS a'))).toBe(false)
    expect(reused(await query('SELECT 12 AS b', { Enabled: true }))).toBe(false)
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(reused(await query('SELECT 12 AS a', { Enabled: true, MaxAgeInMinutes: 0 }))).toBe(false)
    await query('SELECT now() AS a')
    expect(reused(await query('SELECT now() AS a', { Enabled: true }))).toBe(false)
    await query("SELECT 'now' AS a")
    expect(reused(await query("SELECT 'now' AS a", { Enabled: true }))).toBe(true)
    expect(first.Status?.State).toBe('SUCCEEDED')
    const gone = await query('SELECT 13 AS a')
    await athena.files.delete('results', `out/${gone.QueryExecutionId}.csv`)
    expect(reused(await query('SELECT 13 AS a', { Enabled: true }))).toBe(false)
  })

  test('an age beyond seven days is refused', async () => {
    expect(await errorOf(query('SELECT 1', { Enabled: true, MaxAgeInMinutes: 10_081 }))).toMatchObject({
      name: 'InvalidRequestException',
    })
  })
})

test('faults meet every operation when none is named', async () => {
  athena.controls.fault({ fault: 'throttle', times: Number.POSITIVE_INFINITY })
  expect(await errorOf(athena.client.send(new ListWorkGroupsCommand({})))).toMatchObject({ name: 'ThrottlingException' })
})
