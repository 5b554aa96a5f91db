import { AthenaClient, GetQueryExecutionCommand, paginateListQueryExecutions } from '@aws-sdk/client-athena'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { type Clock, column, sleep } from '@pipe/core'
import { type Local, startLocal } from '@pipe/local'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createAthenaWith } from '../../src/athena'
import { type Athena, type createAthena, sql } from '../../src/index'

/** A clock that runs faster: at 10, a second of the queue and the poller is 100 ms here. */
const clockAt = (speed: number): Clock => ({
  now: () => performance.now() * speed,
  sleep: (ms, signal) => sleep(ms / speed, signal),
})
const fast = clockAt(10)

let local: Local
let client: AthenaClient
const opened: Athena[] = []
/** Looks at the server that are none of the client's. */
let observer: AthenaClient
/** Names of the commands that the client sent. */
const calls: string[] = []
const sent = (name: string) => calls.filter((one) => one === name).length
const looks = () => sent('BatchGetQueryExecutionCommand')

beforeAll(async () => {
  local = await startLocal()
  const s3 = new S3Client(local.aws)
  await s3.send(new CreateBucketCommand({ Bucket: 'lake' }))
  s3.destroy()
  client = new AthenaClient({ ...local.aws, maxAttempts: 1 })
  observer = new AthenaClient(local.aws)
  client.middlewareStack.add(
    (next, context) => (args) => {
      calls.push(String(context['commandName']))
      return next(args)
    },
    { step: 'initialize' },
  )
})
afterEach(async () => {
  local.athena.clear()
  for (const athena of opened.splice(0)) await athena.close()
})
afterAll(async () => {
  client?.destroy()
  observer?.destroy()
  await local?.close()
})

const open = (options: Parameters<typeof createAthena>[0] = {}) => {
  const athena = createAthenaWith({ client, output: 's3://lake/results/', ...options }, fast)
  opened.push(athena)
  return athena
}

async function executionIds(): Promise<string[]> {
  const ids: string[] = []
  for await (const page of paginateListQueryExecutions({ client: observer }, {})) ids.push(...(page.QueryExecutionIds ?? []))
  return ids
}

it('50 queries at once, 5 slots, throttled calls and lost replies: each runs once, with at most one look a second', async () => {
  local.athena.setQuotas({ activeDml: 5 })
  for (let after = 2; after <= 10; after += 4) {
    local.athena.fault({ fault: 'throttle', operation: 'StartQueryExecution', after })
    local.athena.fault({ fault: 'lost-reply', operation: 'StartQueryExecution', after: 1, times: 2 })
    local.athena.fault({ fault: 'unavailable', operation: 'StartQueryExecution' })
  }
  local.athena.fault({ fault: 'throttle', operation: 'BatchGetQueryExecution', after: 1, times: 2 })
  local.athena.fault({ fault: 'lost-reply', operation: 'BatchGetQueryExecution', after: 2 })
  const before = (await executionIds()).length
  const athena = open()
  const [startedAt, looksBefore] = [fast.now(), looks()]
  const numbers = Array.from({ length: 50 }, (_, i) => i)
  const answers = await Promise.all(
    numbers.map((i) => athena.query(sql`SELECT ${i} AS n`, { returns: { n: column.integer() } }).rows()),
  )
  expect(answers).toEqual(numbers.map((n) => [{ n }]))
  expect((await executionIds()).length - before).toBe(50)
  expect(athena.spending().executions).toBe(50)

  const seconds = (fast.now() - startedAt) / 1000
  expect(looks() - looksBefore).toBeGreaterThan(0)
  expect(looks() - looksBefore).toBeLessThanOrEqual(seconds + 1)
}, 120_000)

describe('who leaves early stops the execution on the server within one look', () => {
  // Still running when its reader leaves.
  const slow = sql`SELECT count(*) AS n FROM UNNEST(sequence(1, 9000)) AS a (x) CROSS JOIN UNNEST(sequence(1, 9000)) AS b (y) CROSS JOIN UNNEST(sequence(1, 900)) AS c (z) WHERE (x * y + z) % 7 = 3`
  const returns = { n: column.bigint() }
  const stateOf = async (id: string) => {
    const { QueryExecution } = await observer.send(new GetQueryExecutionCommand({ QueryExecutionId: id }))
    return QueryExecution?.Status?.State
  }

  const leavers: [string, (athena: Athena) => Promise<string>][] = [
    [
      'aborting',
      async (athena) => {
        const controller = new AbortController()
        const query = athena.query(slow, { returns, signal: controller.signal })
        const id = await query.id()
        controller.abort(new Error('enough'))
        await expect(query.rows()).rejects.toThrow('enough')
        return id
      },
    ],
    [
      'the time-out',
      async (athena) => {
        const query = athena.query(slow, { returns, timeout: '3 seconds' })
        const id = await query.id()
        await expect(query.rows()).rejects.toMatchObject({ code: 'PIPE_ATHENA_TIMEOUT' })
        return id
      },
    ],
    [
      'leaving the iteration',
      async (athena) => {
        const query = athena.query(slow, { returns })
        const rows = query[Symbol.asyncIterator]()
        const next = rows.next()
        next.catch(() => undefined)
        const id = await query.id()
        await rows.return?.()
        await expect(next).rejects.toMatchObject({ code: 'PIPE_ATHENA_CANCELLED' })
        return id
      },
    ],
    [
      '`await using`',
      async (athena) => {
        await using query = athena.query(slow, { returns })
        return await query.id()
      },
    ],
    [
      'closing the client',
      async (athena) => {
        const id = await athena.query(slow, { returns }).id()
        await athena.close()
        return id
      },
    ],
  ]
  it.each(leavers)('%s', async (_name, leave) => {
    const id = await leave(open())
    const before = looks()
    await expect.poll(() => stateOf(id), { timeout: 60_000, interval: 20 }).toBe('CANCELLED')
    expect(looks() - before).toBeLessThanOrEqual(1)
  })
})

it('goes on with an execution by its id, in another client', async () => {
  const first = open()
  const id = await first.submit(sql`SELECT 7 AS n`)
  await first.close()
  const query = open().resume(id, { returns: { n: column.integer() } })
  expect(await query.rows()).toEqual([{ n: 7 }])
  expect(await query.report()).toMatchObject({ id, runs: 1, reusedResult: false })
  expect(await open().resume(id).rows()).toEqual([['7']])
  await expect(open().resume('00000000-0000-4000-8000-000000000000').rows()).rejects.toMatchObject({
    code: 'PIPE_ATHENA_UNAVAILABLE',
  })
})

it('takes an earlier result that is young enough, and says so', async () => {
  const athena = open()
  const query = () => athena.query(sql`SELECT 800 AS n`, { returns: { n: column.integer() }, reuse: '5 minutes' })
  expect((await query().report()).reusedResult).toBe(false)
  const again = query()
  expect(await again.rows()).toEqual([{ n: 800 }])
  expect(await again.report()).toMatchObject({ reusedResult: true, scannedBytes: 0, estimatedDollars: 0 })
  await expect(athena.execute('SELECT 1', { reuse: '8 days' })).rejects.toThrow('from 1 minute to 7 days')
})

it('an expired token and a throttling storm end in typed errors', async () => {
  // Two minutes of patience are over soon.
  const own = new AthenaClient({ ...local.aws, maxAttempts: 1 })
  const athena = createAthenaWith({ client: own, output: 's3://lake/results/' }, clockAt(100))
  opened.push(athena)
  local.athena.fault({ fault: 'expired-token', operation: 'StartQueryExecution' })
  await expect(athena.execute('SELECT 1')).rejects.toMatchObject({
    code: 'PIPE_ATHENA_DENIED',
    hint: expect.stringContaining('new credentials'),
  })
  local.athena.fault({ fault: 'throttle', operation: 'StartQueryExecution', times: Number.POSITIVE_INFINITY })
  await expect(athena.execute('SELECT 1')).rejects.toMatchObject({ code: 'PIPE_ATHENA_UNAVAILABLE', retryable: true })
  local.athena.clear()
  await athena.execute('SELECT 1')
  own.destroy()
}, 60_000)

it('uses no more slots than it was told', async () => {
  const athena = open({ concurrency: 2 })
  local.athena.setQuotas({ activeDml: 2 })
  const before = sent('StartQueryExecutionCommand')
  await Promise.all(Array.from({ length: 6 }, (_, i) => athena.execute(`SELECT ${i} AS n`)))
  expect(sent('StartQueryExecutionCommand') - before).toBe(6)
})
