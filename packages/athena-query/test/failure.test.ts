import { AthenaClient } from '@aws-sdk/client-athena'
import { PipeError } from '@pipe/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AthenaQueryError, createAthena } from '../src/index'
import { type FakeAthena, type Script, startFakeAthena } from './fake-athena'

let fake: FakeAthena
beforeEach(async () => {
  fake = await startFakeAthena()
})
afterEach(() => fake.close())

async function failureOf(script: Script): Promise<AthenaQueryError> {
  fake.when(/SELECT/, { states: ['FAILED'], ...script })
  const error = await createAthena({ client: fake.client, poll: ['1 ms', '5 ms'] })
    .execute('SELECT 1')
    .then(
      () => undefined,
      (one: unknown) => one,
    )
  expect(error).toBeInstanceOf(AthenaQueryError)
  expect(PipeError.isInstance(error)).toBe(true)
  return error as AthenaQueryError
}

describe('a failed execution', () => {
  it.each([
    ['SYNTAX_ERROR: line 3:17: mismatched input', 'PIPE_ATHENA_SYNTAX', { line: 3, column: 17 }],
    ["line 1:8: mismatched input 'FORM'. Expecting: ','", 'PIPE_ATHENA_SYNTAX', { line: 1, column: 8 }],
    ["SYNTAX_ERROR: line 1:15: Table 'awsdatacatalog.logs.x' does not exist", 'PIPE_ATHENA_NOT_FOUND', { line: 1, column: 15 }],
    ["COLUMN_NOT_FOUND: line 1:8: Column 'x' cannot be resolved", 'PIPE_ATHENA_NOT_FOUND', { line: 1, column: 8 }],
    [
      "COLUMN_NOT_FOUND: line 1:8: Column 'x' cannot be resolved or requester is not authorized to access requested resources",
      'PIPE_ATHENA_NOT_FOUND',
      { line: 1, column: 8 },
    ],
    ['GENERIC_USER_ERROR: something', 'PIPE_ATHENA_FAILED', {}],
    ['Permission denied on S3 path: s3://lake/raw/', 'PIPE_ATHENA_DENIED', {}],
    [
      'Insufficient permissions to execute the query. User: arn:aws:sts::1:assumed-role/compactor/compactor is not authorized to perform: glue:GetTable on resource: "arn:aws:glue:us-east-1:1:table/logs/raw" because no identity-based policy allows the glue:GetTable action',
      'PIPE_IAM_DENIED',
      {
        action: 'glue:GetTable',
        principal: 'arn:aws:sts::1:assumed-role/compactor/compactor',
        resource: 'arn:aws:glue:us-east-1:1:table/logs/raw',
      },
    ],
  ])('%s', async (reason, code, details) => {
    const error = await failureOf({ reason, error: { ErrorCategory: 2, ErrorType: 1006 } })
    expect(error.code).toBe(code)
    expect(error.details).toMatchObject({ id: fake.executions[0]!.id, category: 2, type: 1006, reason, ...details })
    expect(error.retryable).toBe(false)
  })

  it('names principal, action and resource in its text', async () => {
    const error = await failureOf({
      reason: 'User: arn:aws:iam::1:user/u is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::lake/raw/a.gz.',
    })
    expect(error.message).toContain('arn:aws:iam::1:user/u may not s3:GetObject on arn:aws:s3:::lake/raw/a.gz (Execution')
    expect(error.hint).toBe('Grant s3:GetObject on arn:aws:s3:::lake/raw/a.gz in the policy of arn:aws:iam::1:user/u.')
  })

  it.each([
    ['HIVE_PATH_ALREADY_EXISTS: Target directory for table exists', 'folder of its own'],
    ['HIVE_TOO_MANY_OPEN_PARTITIONS: Exceeded limit of 100', 'at most 100'],
    ['HIVE_BAD_DATA: Field x type', 'does not fit the type'],
    ['HIVE_CURSOR_ERROR: incorrect header check', 'cut, changed'],
    ['Query exhausted resources at this scale factor', 'fewer columns'],
    ['No output location provided. An output location is required', 'createAthena({ output'],
  ])('%s comes with advice', async (reason, hint) => {
    expect((await failureOf({ reason })).hint).toContain(hint)
  })

  it('is retryable where Athena says so', async () => {
    const error = await failureOf({ reason: 'internal', error: { ErrorCategory: 1, ErrorType: 100, Retryable: true } })
    expect([error.code, error.retryable]).toEqual(['PIPE_ATHENA_FAILED', true])
  })

  it('says so where Athena gives no reason', async () => {
    expect((await failureOf({})).message).toContain('Athena gave no reason.')
  })

  it('that was cancelled says by what', async () => {
    const error = await failureOf({ states: ['CANCELLED'], reason: 'Bytes scanned limit was exceeded' })
    expect(error.code).toBe('PIPE_ATHENA_CANCELLED')
    expect(error.hint).toContain('limit of scanned bytes of the workgroup')
  })
})

it('a statement that Athena refuses at once', async () => {
  fake.fault('StartQueryExecution', {
    kind: 'error',
    type: 'InvalidRequestException',
    fields: { message: "line 1:1: mismatched input 'SELEC'", AthenaErrorCode: 'MALFORMED_QUERY' },
  })
  const work = createAthena({ client: fake.client }).execute('SELEC 1')
  await expect(work).rejects.toMatchObject({ code: 'PIPE_ATHENA_SYNTAX', details: { line: 1, column: 1 } })
  expect(fake.count('StopQueryExecution')).toBe(0)
})

it('a denied call names what is missing', async () => {
  fake.fault('StartQueryExecution', {
    kind: 'error',
    type: 'AccessDeniedException',
    fields: {
      message:
        'User: arn:aws:sts::0:assumed-role/f/f is not authorized to perform: athena:StartQueryExecution on resource: arn:aws:athena:us-east-1:0:workgroup/primary because no identity-based policy allows it',
    },
  })
  await expect(createAthena({ client: fake.client }).execute('SELECT 1')).rejects.toMatchObject({
    code: 'PIPE_IAM_DENIED',
    details: { action: 'athena:StartQueryExecution', resource: 'arn:aws:athena:us-east-1:0:workgroup/primary' },
  })
})

describe('a call that is no answer of Athena', () => {
  it('without credentials says what to set', async () => {
    const client = new AthenaClient({
      region: 'us-east-1',
      credentials: async () => {
        throw Object.assign(new Error('Could not load credentials from any providers'), { name: 'CredentialsProviderError' })
      },
    })
    const error = await createAthena({ client })
      .execute('SELECT 1')
      .catch((one: unknown) => one)
    expect(error).toMatchObject({ code: 'PIPE_ATHENA_CLIENT', hint: expect.stringContaining('AWS_ACCESS_KEY_ID') })
  })

  it('is not repeated, and neither is a refusal', async () => {
    fake.fault('StartQueryExecution', {
      kind: 'error',
      type: 'InvalidRequestException',
      fields: { message: 'WorkGroup x is not found.' },
    })
    const work = createAthena({ client: fake.client }).execute('SELECT 1')
    await expect(work).rejects.toMatchObject({ code: 'PIPE_ATHENA_NOT_FOUND', retryable: false })
    expect(fake.count('StartQueryExecution')).toBe(1)
  })
})
