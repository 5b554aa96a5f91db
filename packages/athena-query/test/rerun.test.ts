import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createAthena } from '../src/index'
import { mayRunAgain } from '../src/rerun'
import { tokenOf } from '../src/submission'
import { type FakeAthena, startFakeAthena } from './fake-athena'

const failed = (Query: string, error: { Retryable?: boolean; ErrorType?: number; ErrorMessage?: string }) => ({
  Query,
  Status: { State: 'FAILED' as const, AthenaError: error },
})

describe('a failed statement may be run again', () => {
  it.each([
    ['reads and Athena calls it retryable', failed('SELECT 1', { Retryable: true }), true],
    ['reads, behind a comment', failed('-- x\nWITH a AS (SELECT 1) SELECT * FROM a', { Retryable: true }), true],
    ['reads, but will fail again', failed('SELECT 1', { Retryable: false }), false],
    ['writes', failed('INSERT INTO t SELECT 1', { Retryable: true }), false],
    ['writes files', failed('UNLOAD (SELECT 1) TO …', { Retryable: true }), false],
    ['creates a table', failed('CREATE TABLE t AS SELECT 1', { Retryable: true }), false],
    ['lost against another commit', failed('MERGE INTO t', { ErrorType: 233, ErrorMessage: 'ICEBERG_COMMIT_ERROR: x' }), true],
    ['failed otherwise in Iceberg', failed('MERGE INTO t', { ErrorType: 233, ErrorMessage: 'ICEBERG_BAD_DATA' }), false],
    ['was cancelled', { Query: 'SELECT 1', Status: { State: 'CANCELLED' as const } }, false],
  ])('%s', (_name, execution, expected) => {
    expect(mayRunAgain(execution)).toBe(expected)
  })
})

describe('running again', () => {
  let fake: FakeAthena
  beforeEach(async () => {
    fake = await startFakeAthena()
    fake.when(/./, { states: ['FAILED'], reason: 'internal', error: { ErrorCategory: 1, ErrorType: 100, Retryable: true } })
  })
  afterEach(() => fake.close())
  const open = () => createAthena({ client: fake.client, poll: ['1 ms', '5 ms'] })
  const tokens = () =>
    fake.calls.filter(({ action }) => action === 'StartQueryExecution').map(({ input }) => input['ClientRequestToken'])

  it('takes a token of its own, made from the key', async () => {
    await expect(open().execute('SELECT 1', { idempotencyKey: 'k' })).rejects.toMatchObject({ code: 'PIPE_ATHENA_FAILED' })
    expect(tokens()).toEqual([tokenOf('SELECT 1', 'k'), tokenOf('SELECT 1', 'k', 1)])
    // Another process with the same key goes through the same two and starts nothing new.
    await open()
      .execute('SELECT 1', { idempotencyKey: 'k' })
      .catch(() => undefined)
    expect(fake.executions).toHaveLength(2)
  })

  it('is not done when it is switched off, nor for a statement that writes', async () => {
    await expect(open().execute('SELECT 1', { reruns: 0 })).rejects.toMatchObject({ retryable: true })
    await expect(open().execute('INSERT INTO t SELECT 1')).rejects.toMatchObject({ retryable: true })
    expect(fake.executions).toHaveLength(2)
  })
})
