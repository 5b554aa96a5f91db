import type { AthenaClient } from '@aws-sdk/client-athena'
import { column } from '@pipe/core'
import { expect, it } from 'vitest'
import { type Athena, createAthena, type RecordedCall, recordCalls, replayCalls, sql } from '../src/index'
import { startFakeAthena } from './fake-athena'

const query = (athena: Athena, n: number) =>
  athena.query(sql`SELECT n, s FROM t WHERE n = ${n}`, { returns: { n: column.bigint(), s: column.string().nullable() } })

it('a recorded session plays again from JSON, with its rows, its failures and without secrets', async () => {
  const fake = await startFakeAthena()
  const columns = [
    { name: 'n', type: 'bigint' },
    { name: 's', type: 'varchar' },
  ]
  fake.when(/n = 1/, {
    columns,
    rows: [
      ['n', 's'],
      ['1', null],
      ['2', ''],
    ],
    states: ['QUEUED', 'RUNNING', 'SUCCEEDED'],
  })
  fake.when(/n = 2/, { states: ['FAILED'], reason: 'HIVE_BAD_DATA: x', error: { ErrorCategory: 2, ErrorType: 1003 } })
  fake.fault('StartQueryExecution', {
    kind: 'error',
    type: 'TooManyRequestsException',
    fields: { Reason: 'CONCURRENT_QUERY_LIMIT_EXCEEDED' },
  })
  const calls: RecordedCall[] = []
  const session = async (client: AthenaClient) => {
    await using athena = createAthena({ client, database: 'logs', poll: ['1 ms', '5 ms'] })
    const rows = await query(athena, 1).rows()
    const error = await query(athena, 2)
      .rows()
      .catch((one: unknown) => one)
    return { rows, error, report: await query(athena, 1).report() }
  }
  const live = await session(recordCalls(fake.client, (call) => calls.push(call)))
  await fake.close()
  expect(live.rows).toEqual([
    { n: 1n, s: null },
    { n: 2n, s: '' },
  ])

  const text = JSON.stringify(calls)
  expect(text).not.toMatch(/secret|credential|authorization|ClientRequestToken/i)
  const replayed = await session(replayCalls<AthenaClient>(JSON.parse(text) as RecordedCall[]))
  expect(replayed.rows).toEqual(live.rows)
  expect(replayed.error).toMatchObject({ code: 'PIPE_ATHENA_FAILED', details: { kind: 'data' } })
  expect(replayed.report).toEqual(live.report)

  await using athena = createAthena({ client: replayCalls<AthenaClient>(calls), database: 'logs' })
  await expect(query(athena, 3).rows()).rejects.toThrow('PIPE_ATHENA_REPLAY')
  expect(() => recordCalls({} as AthenaClient, () => undefined)).toThrow('no client')
})
