import { setTimeout as pause } from 'node:timers/promises'
import { column, PipeError } from '@pipe/core'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { pauseMs } from '../src/attempts'
import { type AthenaOptions, createAthena, maxStatementBytes, sql } from '../src/index'

import { type FakeAthena, startFakeAthena } from './fake-athena'

let fake: FakeAthena
beforeEach(async () => {
  fake = await startFakeAthena()
})
afterEach(() => fake.close())

const open = (options: AthenaOptions = {}) => createAthena({ client: fake.client, poll: ['1 ms', '5 ms'], ...options })
const errorOf = async (work: Promise<unknown>): Promise<PipeError> => {
  const error = await work.then(
    () => undefined,
    (one: unknown) => one,
  )
  if (!PipeError.isInstance(error)) throw new Error(`not a PipeError: ${String(error)}`)
  return error
}
const started = () => vi.waitFor(() => expect(fake.executions).toHaveLength(1), { timeout: 20_000 })
const starts = () => fake.calls.filter(({ action }) => action === 'StartQueryExecution').map(({ input }) => input)

describe('a submission', () => {
  it('names database, workgroup, output and a token of its own', async () => {
    const athena = open({ database: 'logs', workgroup: 'team', output: 's3://lake/results/' })
    const report = await athena.execute(sql`SELECT ${1}`)
    await athena.execute('SELECT 1', { database: 'other' })
    const [first, second] = starts()
    expect(first).toMatchObject({
      QueryString: 'SELECT 1',
      WorkGroup: 'team',
      QueryExecutionContext: { Database: 'logs' },
      ResultConfiguration: { OutputLocation: 's3://lake/results/' },
    })
    expect(second).toMatchObject({ QueryExecutionContext: { Database: 'other' } })
    expect(first!['ClientRequestToken']).not.toBe(second!['ClientRequestToken'])
    expect(report).toEqual({
      id: '00000000-0000-4000-8000-000000000000',
      statementType: 'DML',
      elapsedMs: 2500,
      queuedMs: 7,
      scannedBytes: 0,
      estimatedDollars: expect.closeTo(5 / 104_857.6),
      reusedResult: false,
      runs: 1,
      updatedRows: 0,
      outputLocation: 's3://lake/results/',
      warnings: [],
    })
    expect(fake.count('GetWorkGroup')).toBe(1)
  })

  it.each([
    ['enforces its own configuration', { EnforceWorkGroupConfiguration: true }],
    ['manages the results', { ManagedQueryResultsConfiguration: { Enabled: true } }],
  ])('names no output where the workgroup %s', async (_name, workgroup) => {
    fake.workgroup = workgroup
    await open({ output: 's3://lake/results/' }).execute('SELECT 1')
    expect(starts()[0]).not.toHaveProperty('ResultConfiguration')
  })

  it('names the output where the workgroup may not be read, and does not ask without an output', async () => {
    fake.fault('GetWorkGroup', { kind: 'error', type: 'AccessDeniedException' })
    await open({ output: 's3://lake/results/' }).execute('SELECT 1')
    await open().execute('SELECT 1')
    expect(starts().map((input) => 'ResultConfiguration' in input)).toEqual([true, false])
    expect(fake.count('GetWorkGroup')).toBe(1)
  })

  it('with an idempotency key is one execution, another statement another one', async () => {
    const athena = open()
    const ids = [
      (await athena.execute('SELECT 1', { idempotencyKey: 'k' })).id,
      (await athena.execute('SELECT 1', { idempotencyKey: 'k' })).id,
      (await athena.execute('SELECT 2', { idempotencyKey: 'k' })).id,
    ]
    expect(ids[0]).toBe(ids[1])
    expect(ids[2]).not.toBe(ids[0])
    expect(starts()[0]!['ClientRequestToken']).toMatch(/^[0-9a-f]{64}$/)
    const error = await errorOf(athena.execute('SELECT 1', { idempotencyKey: 'k', database: 'other' }))
    expect(error.code).toBe('PIPE_ATHENA_IDEMPOTENCY')
  })

  it('whose reply is lost is repeated with the same token and runs once', async () => {
    fake.fault('StartQueryExecution', { kind: 'lost-reply' }, { kind: 'reset' })
    await open().execute('SELECT 1')
    expect(fake.executions).toHaveLength(1)
    expect(fake.count('StartQueryExecution')).toBe(3)
    expect(new Set(starts().map((input) => input['ClientRequestToken'])).size).toBe(1)
  })

  it('waits shortly when calls are throttled, longer when all slots are taken', async () => {
    const slots = {
      kind: 'error',
      type: 'TooManyRequestsException',
      fields: { Reason: 'CONCURRENT_QUERY_LIMIT_EXCEEDED' },
    } as const
    fake.fault('StartQueryExecution', { kind: 'error', type: 'ThrottlingException' }, slots, {
      kind: 'error',
      status: 500,
      type: 'InternalServerException',
    })
    const phases: string[] = []
    await open().execute('SELECT 1', { onProgress: ({ phase }) => phases.push(phase) })
    const at = fake.calls.filter(({ action }) => action === 'StartQueryExecution').map((call) => call.at)
    expect(at[2]! - at[1]!).toBeGreaterThanOrEqual(490)
    expect(phases.filter((phase) => phase === 'queued').length).toBeGreaterThanOrEqual(4)
  })

  it('that is too long or empty is not sent', async () => {
    const athena = open()
    const text = (bytes: number) => `SELECT '${'é'.repeat(Math.floor((bytes - 9) / 2))}${bytes % 2 === 0 ? 'x' : ''}'`
    expect(Buffer.byteLength(text(maxStatementBytes))).toBe(maxStatementBytes)
    expect((await errorOf(athena.execute(text(maxStatementBytes + 1)))).code).toBe('PIPE_ATHENA_QUERY_TOO_LONG')
    expect((await errorOf(athena.execute('  '))).code).toBe('PIPE_ATHENA_SQL')
    expect(fake.calls).toHaveLength(0)
    await athena.execute(text(maxStatementBytes))
  })
})

it('the pause grows and is longer for slots than for throttling', () => {
  for (let i = 0; i < 50; i++) {
    for (const [trouble, first, longest] of [
      ['rate', 100, 5_000],
      ['slots', 1_000, 30_000],
    ] as const) {
      for (const tries of [1, 2, 3, 20]) {
        const cap = Math.min(longest, first * 2 ** (tries - 1))
        expect(pauseMs(trouble, tries)).toBeGreaterThanOrEqual(cap / 2)
        expect(pauseMs(trouble, tries)).toBeLessThanOrEqual(cap)
      }
    }
  }
})

describe('the poller', () => {
  it('tells nothing to those who have left during a look', async () => {
    fake.fault('BatchGetQueryExecution', { kind: 'slow', ms: 150 })
    const controller = new AbortController()
    const phases: string[] = []
    const athena = open()
    const work = athena.execute('SELECT 1', { signal: controller.signal, onProgress: ({ phase }) => phases.push(phase) })
    await vi.waitFor(() => expect(fake.count('BatchGetQueryExecution')).toBe(1), { timeout: 20_000 })
    controller.abort(new Error('enough'))
    await expect(work).rejects.toThrow('enough')
    await athena.execute('SELECT 2')
    expect(phases).toEqual(['queued'])
  })

  it('follows many executions with few calls of at most 50 ids', async () => {
    fake.when(/SELECT/, { states: ['QUEUED', 'RUNNING', 'QUEUED', 'RUNNING', 'SUCCEEDED'] })
    const athena = open({ poll: ['30 ms', '30 ms'] })
    await Promise.all(Array.from({ length: 120 }, () => athena.execute('SELECT 1')))
    const batches = fake.calls.filter(({ action }) => action === 'BatchGetQueryExecution')
    expect(Math.max(...batches.map(({ input }) => (input['QueryExecutionIds'] as string[]).length))).toBe(50)
    // 120 executions, five looks each: 600 calls one by one.
    expect(batches.length).toBeLessThan(150)
    expect(fake.count('GetQueryExecution')).toBe(0)
  })

  it('looks less and less often', async () => {
    fake.when(/SELECT/, { states: [...Array(12).fill('RUNNING'), 'SUCCEEDED'] })
    await open({ poll: ['10 ms', '40 ms'] }).execute('SELECT 1')
    const at = fake.calls.filter(({ action }) => action === 'BatchGetQueryExecution').map((call) => call.at)
    expect(at).toHaveLength(13)
    expect(at[12]! - at[11]!).toBeGreaterThanOrEqual(38)
  })

  it('survives throttling and broken connections', async () => {
    fake.fault('BatchGetQueryExecution', { kind: 'error', type: 'ThrottlingException' }, { kind: 'reset' })
    await open().execute('SELECT 1')
    expect(fake.executions).toHaveLength(1)
  })

  it('that may not look says so, and the execution is stopped', async () => {
    const message =
      'User: arn:aws:sts::1:assumed-role/f/f is not authorized to perform: athena:BatchGetQueryExecution on resource: arn:aws:athena:us-east-1:1:workgroup/primary'
    fake.fault('BatchGetQueryExecution', { kind: 'error', type: 'AccessDeniedException', fields: { message } })
    const error = await errorOf(open().execute('SELECT 1'))
    expect(error.code).toBe('PIPE_IAM_DENIED')
    expect(error.details).toMatchObject({ action: 'athena:BatchGetQueryExecution', principal: 'arn:aws:sts::1:assumed-role/f/f' })
    expect(fake.executions[0]!.stopped).toBe(true)
  })
})

describe('an execution is stopped on the server', () => {
  beforeEach(() => fake.when(/SELECT/, { states: ['RUNNING'], columns: [{ name: 'n', type: 'bigint' }] }))
  const returns = { n: column.bigint() }

  it('when the signal aborts, and the caller gets its reason', async () => {
    const controller = new AbortController()
    const work = open().execute('SELECT 1', { signal: controller.signal })
    await started()
    const reason = new Error('enough')
    controller.abort(reason)
    await expect(work).rejects.toBe(reason)
    expect(fake.executions[0]!.stopped).toBe(true)
  })

  it('when the signal aborts while the submission is still on its way', async () => {
    fake.fault('StartQueryExecution', { kind: 'slow', ms: 150 })
    const work = open().execute('SELECT 1', { signal: AbortSignal.timeout(30) })
    await expect(work).rejects.toMatchObject({ name: 'TimeoutError' })
    expect(fake.executions[0]!.stopped).toBe(true)
    expect(fake.count('StartQueryExecution')).toBe(1)
  })

  it('after the time-out, and never started again', async () => {
    const error = await errorOf(open().execute('SELECT 1', { timeout: '50 ms' }))
    expect(error.code).toBe('PIPE_ATHENA_TIMEOUT')
    expect(error.message).toContain('after 50 ms')
    expect(fake.executions.map(({ stopped }) => stopped)).toEqual([true])
    await pause(50)
    expect(fake.count('StartQueryExecution')).toBe(1)
  })

  it('by cancel(), twice without harm, and its readers hear of it', async () => {
    const query = open().query(sql`SELECT n`, { returns })
    const rows = errorOf(query.rows())
    await started()
    await Promise.all([query.cancel(), query.cancel()])
    await query.cancel()
    expect((await rows).code).toBe('PIPE_ATHENA_CANCELLED')
    expect((await errorOf(query.report())).code).toBe('PIPE_ATHENA_CANCELLED')
    expect(fake.executions[0]!.stopped).toBe(true)
    expect(fake.count('StopQueryExecution')).toBe(1)
  })

  it('when an iterator that waits is left', async () => {
    const rows = open().query(sql`SELECT n`, { returns })[Symbol.asyncIterator]()
    const next = errorOf(rows.next())
    await started()
    await rows.return?.()
    expect((await next).code).toBe('PIPE_ATHENA_CANCELLED')
    expect(fake.executions[0]!.stopped).toBe(true)
  })

  it('at the end of `await using`', async () => {
    const athena = open()
    {
      await using query = athena.query(sql`SELECT n`, { returns })
      query.report().catch(() => undefined)
      await started()
    }
    expect(fake.executions[0]!.stopped).toBe(true)
  })

  it('when the client closes', async () => {
    const athena = open()
    const work = errorOf(athena.execute('SELECT 1'))
    await started()
    await athena.close()
    expect(fake.executions[0]!.stopped).toBe(true)
    await athena.close()
    expect((await work).code).toBe('PIPE_ATHENA_CLOSED')
    expect(fake.executions[0]!.stopped).toBe(true)
    expect((await errorOf(athena.execute('SELECT 1'))).code).toBe('PIPE_ATHENA_CLOSED')
  })

  it('when the progress callback throws', async () => {
    const work = open().execute('SELECT 1', {
      onProgress: ({ phase }) => {
        if (phase === 'running') throw new Error('callback')
      },
    })
    await expect(work).rejects.toThrow('callback')
    expect(fake.executions[0]!.stopped).toBe(true)
  })

  it('again when the first stop meets a broken connection; when it is refused, a warning says that it may still run', async () => {
    fake.fault('StopQueryExecution', { kind: 'reset' }, { kind: 'error', type: 'ThrottlingException' })
    await errorOf(open().execute('SELECT 1', { timeout: '20 ms' }))
    expect(fake.executions[0]!.stopped).toBe(true)
    const warning = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    fake.fault('StopQueryExecution', { kind: 'error', type: 'AccessDeniedException' })
    await errorOf(open().execute('SELECT 1', { timeout: '20 ms' }))
    expect(warning).toHaveBeenCalledWith(expect.stringContaining('may still be running'), { code: 'PIPE_ATHENA_STOP' })
    warning.mockRestore()
  })

  it('but not when it has ended', async () => {
    fake.when(/SELECT n/, { columns: [{ name: 'n', type: 'bigint' }], rows: [['n'], ['1'], ['2']] })
    const query = open().query(sql`SELECT n`, { returns })
    for await (const row of query) {
      expect(row).toEqual({ n: 1n })
      break
    }
    await query.cancel()
    expect(fake.count('StopQueryExecution')).toBe(0)
  })
})

it('many queries of one signal warn of no leak', async () => {
  const warnings: Error[] = []
  const listen = (warning: Error) => warnings.push(warning)
  process.on('warning', listen)
  const { signal } = new AbortController()
  const athena = open()
  await Promise.all(Array.from({ length: 60 }, () => athena.execute('SELECT 1', { signal })))
  await pause(10)
  process.off('warning', listen)
  expect(warnings.filter(({ name }) => name === 'MaxListenersExceededWarning')).toEqual([])
})

it('a wrong option is refused by name', async () => {
  expect(() => createAthena({ databse: 'x' } as AthenaOptions)).toThrow('Did you mean "database"')
  expect(() => createAthena({ workgroup: 'a b' })).toThrow('cannot name a workgroup')
  expect(() => createAthena({ output: 's3://lake/results' })).toThrow('PIPE_LOCATION')
  expect(() => createAthena({ poll: ['2 seconds', '1 second'] })).toThrow('must grow')
  expect((await errorOf(open().execute('SELECT 1', { timeOut: '1 second' } as object))).message).toContain('"timeOut"')
})
