import {
  GetFunctionCommand,
  GetFunctionConfigurationCommand,
  InvokeCommand,
  LambdaClient,
  ListFunctionsCommand,
  paginateListFunctions,
} from '@aws-sdk/client-lambda'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Local, startLocal, type VirtualClock, virtualClock } from '../../src/index'

const behaviours = new URL('./functions/behaviours.ts', import.meta.url)
const callsLambda = new URL('./functions/calls-lambda.ts', import.meta.url)
let local: Local<VirtualClock>
let client: LambdaClient
beforeAll(async () => {
  local = await startLocal({ clock: virtualClock('2026-11-24T00:00:00Z') })
  client = new LambdaClient(local.aws)
  await local.lambda.deploy({ name: 'f', entry: behaviours, env: { COLOUR: 'blue' }, timeout: '10 seconds' })
})
afterAll(() => local.close())

const invoke = async (payload: unknown, more: object = {}) => {
  const answer = await client.send(new InvokeCommand({ FunctionName: 'f', Payload: JSON.stringify(payload), ...more }))
  return { ...answer, json: answer.Payload?.length ? (JSON.parse(answer.Payload.transformToString()) as unknown) : undefined }
}

describe('Invoke', () => {
  it('answers the payload, with the end of the log when asked', async () => {
    const answer = await invoke({ do: 'echo', value: { a: ['ü'] } }, { LogType: 'Tail' })
    expect(answer).toMatchObject({ StatusCode: 200, json: { a: ['ü'] }, ExecutedVersion: '$LATEST' })
    expect(answer.FunctionError).toBeUndefined()
    const log = Buffer.from(answer.LogResult!, 'base64').toString()
    expect(log).toMatch(
      /^INIT_START[\s\S]*\tINFO\tloading\nSTART RequestId: [\s\S]*\nEND RequestId: [\s\S]*\nREPORT RequestId: [\s\S]*Init Duration/,
    )
    expect((await invoke({ do: 'count' })).LogResult).toBeUndefined()
  })

  it('answers errors of the function with 200', async () => {
    expect(await invoke({ do: 'throw' })).toMatchObject({
      StatusCode: 200,
      FunctionError: 'Unhandled',
      json: { errorType: 'OrderError', errorMessage: 'the order is gone' },
    })
  })

  it('takes names, partial and whole ARNs, and no payload', async () => {
    for (const FunctionName of [
      'f',
      'f:$LATEST',
      '000000000000:function:f',
      'arn:aws:lambda:us-east-1:000000000000:function:f',
      'arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST',
    ]) {
      expect((await invoke({ do: 'echo', value: 1 }, { FunctionName })).json).toBe(1)
    }
    const { FunctionError, json } = await invoke(undefined, { Payload: undefined })
    expect([FunctionError, json]).toMatchObject(['Unhandled', { errorMessage: 'unknown {}' }])
  })

  it('answers an asynchronous call at once; the clock waits for it, and its failure is reported', async () => {
    const before = Date.now()
    expect(await invoke({ do: 'sleep', ms: 2_000 }, { InvocationType: 'Event' })).toMatchObject({
      StatusCode: 202,
      json: undefined,
    })
    expect(Date.now() - before).toBeLessThan(2_000)
    await local.clock.advance('1 second')
    expect(Date.now() - before).toBeGreaterThanOrEqual(2_000)
    expect(local.events.failures).toEqual([])
    await invoke({ do: 'throw' }, { InvocationType: 'Event' })
    await local.clock.advance('1 second')
    expect(local.events.failures).toEqual([expect.objectContaining({ functionName: 'f', at: new Date('2026-11-24T00:00:01Z') })])
    expect(local.events.failures[0]?.message).toContain('OrderError')
    expect(local.events.failures[0]?.rule).toBeUndefined()
  })

  it('only checks with DryRun', async () => {
    const count = (await invoke({ do: 'count' })).json as number
    expect((await invoke({ do: 'count' }, { InvocationType: 'DryRun' })).StatusCode).toBe(204)
    expect((await invoke({ do: 'count' })).json).toBe(count + 1)
  })

  it.each([
    [{ FunctionName: 'nobody' }, 'ResourceNotFoundException', 404],
    [{ FunctionName: 'f', Qualifier: '7' }, 'ResourceNotFoundException', 404],
    [{ Payload: '{"do":' }, 'InvalidRequestContentException', 400],
    [{ InvocationType: 'Later' }, 'InvalidParameterValueException', 400],
    [{ Payload: JSON.stringify('x'.repeat(6 * 1024 * 1024)) }, 'RequestTooLargeException', 413],
    [{ Payload: JSON.stringify('x'.repeat(1024 * 1024)), InvocationType: 'Event' }, 'RequestTooLargeException', 413],
  ])('refuses call %#', async (more, name, status) => {
    await expect(invoke({}, more)).rejects.toMatchObject({ name, $metadata: { httpStatusCode: status } })
  })
})

describe('rights', () => {
  it('needs lambda:InvokeFunction on the function, which exists or not', async () => {
    const policy = {
      Statement: {
        Effect: 'Allow',
        Action: 'lambda:InvokeFunction',
        Resource: 'arn:aws:lambda:us-east-1:000000000000:function:f',
      },
    } as const
    await local.lambda.deploy({ name: 'caller', entry: callsLambda, timeout: '20 seconds', policy })
    expect((await local.lambda.invoke('caller', { FunctionName: 'f', payload: { do: 'echo', value: 'hi' } })).payload).toBe('hi')
    for (const FunctionName of ['caller', 'nobody']) {
      expect((await local.lambda.invoke('caller', { FunctionName, payload: {} })).payload).toMatchObject({
        errorType: 'AccessDeniedException',
        errorMessage: expect.stringContaining(
          `assumed-role/caller/caller is not authorized to perform: lambda:InvokeFunction on resource: "arn:aws:lambda:us-east-1:000000000000:function:${FunctionName}"`,
        ),
      })
    }
  })

  it('knows who calls by the access key', async () => {
    const stranger = new LambdaClient({ ...local.aws, credentials: { accessKeyId: 'AKIASTRANGER', secretAccessKey: 'x' } })
    await expect(stranger.send(new ListFunctionsCommand({}))).rejects.toMatchObject({ name: 'UnrecognizedClientException' })
  })
})

describe('other calls', () => {
  it('describes a function', async () => {
    const { Configuration } = await client.send(new GetFunctionCommand({ FunctionName: 'f' }))
    expect(Configuration).toMatchObject({
      FunctionName: 'f',
      FunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:f',
      Handler: 'index.handler',
      Timeout: 10,
      MemorySize: 128,
      State: 'Active',
      Environment: { Variables: { COLOUR: 'blue' } },
      LastModified: '2026-11-24T00:00:00.000+0000',
    })
    expect(Configuration?.CodeSha256).toMatch(/^[A-Za-z0-9+/]{43}=$/)
    expect((await client.send(new GetFunctionConfigurationCommand({ FunctionName: 'f' }))).CodeSha256).toBe(
      Configuration?.CodeSha256,
    )
    await expect(client.send(new GetFunctionCommand({ FunctionName: 'nobody' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    })
  })

  it('lists functions in pages', async () => {
    await local.lambda.deploy({ name: 'a', entry: behaviours })
    const names: (string | undefined)[] = []
    for await (const { Functions = [] } of paginateListFunctions({ client, pageSize: 1 }, {})) {
      expect(Functions.length).toBeLessThanOrEqual(1)
      names.push(...Functions.map(({ FunctionName }) => FunctionName))
    }
    expect(names).toEqual(['a', 'caller', 'f'])
  })

  it('refuses by name what it does not implement', async () => {
    const response = await fetch(`${local.url}/2015-03-31/functions/f/concurrency`, {
      headers: {
        authorization: `AWS4-HMAC-SHA256 Credential=${local.aws.credentials.accessKeyId}/20261124/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=0`,
      },
    })
    expect([response.status, await response.text()]).toEqual([
      501,
      expect.stringContaining('GET /2015-03-31/functions/f/concurrency'),
    ])
  })
})
