import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PipeError } from '@pipe/core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { realClock } from '../../src/clock'
import { createLambdaHost, type LambdaHost } from '../../src/lambda/host'

const behaviours = fileURLToPath(new URL('./functions/behaviours.ts', import.meta.url))
const duckdb = fileURLToPath(new URL('./functions/duckdb.ts', import.meta.url))
const throwsOnLoad = fileURLToPath(new URL('./functions/throws-on-load.ts', import.meta.url))
const work = mkdtempSync(join(tmpdir(), 'pipe-lambda-test-'))
afterAll(() => rmSync(work, { recursive: true, force: true }))

const newHost = () =>
  createLambdaHost({
    clock: realClock(),
    endpoint: () => 'http://127.0.0.1:1',
    issueCredentials: (name) => ({ accessKeyId: `key-${name}`, secretAccessKey: 'secret', sessionToken: 'token' }),
    setPolicy: () => {},
    setInvocation: () => {},
    bundleDir: work,
  })

const codeOf = async (promise: Promise<unknown>) => {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!PipeError.isInstance(error)) throw error ?? new Error('nothing was thrown')
  return { code: error.code, message: error.message }
}

describe('invocations', () => {
  let host: LambdaHost
  beforeAll(async () => {
    host = newHost()
    await host.deploy({ name: 'f', entry: behaviours, env: { BUCKET: 'lake' }, timeout: '20 seconds', memoryMb: 128 })
  })
  afterAll(() => host.close())

  it('answers what the handler returns, cold first and warm then', async () => {
    await host.deploy({ name: 'fresh', entry: behaviours })
    const cold = await host.invoke('fresh', { do: 'echo', value: { text: 'ü\n', list: [1, null] } })
    expect(cold).toMatchObject({ statusCode: 200, payload: { text: 'ü\n', list: [1, null] }, coldStart: true })
    expect(cold.functionError).toBeUndefined()
    expect(cold.initDurationMs).toBeGreaterThan(0)
    const warm = await host.invoke('fresh', { do: 'count' })
    expect(warm).toMatchObject({ payload: 2, coldStart: false })
    expect(warm.initDurationMs).toBeUndefined()
  })

  it('gives undefined as null, and refuses what is no JSON or too large', async () => {
    expect((await host.invoke('f', { do: 'undefined' })).payloadText).toBe('null')
    expect(await host.invoke('f', { do: 'circular' })).toMatchObject({
      functionError: 'Unhandled',
      payload: { errorType: 'TypeError' },
    })
    expect(await host.invoke('f', { do: 'big' })).toMatchObject({
      functionError: 'Unhandled',
      payload: { errorType: 'Function.ResponseSizeTooLarge' },
    })
  })

  it('has its own environment and nothing of this process', async () => {
    process.env['PIPE_TEST_SECRET'] = 'leak'
    try {
      const { payload } = await host.invoke('f', { do: 'env' })
      const env = payload as Record<string, string>
      expect(env).toMatchObject({
        BUCKET: 'lake',
        AWS_ACCESS_KEY_ID: 'key-f',
        AWS_SECRET_ACCESS_KEY: 'secret',
        AWS_SESSION_TOKEN: 'token',
        AWS_REGION: 'us-east-1',
        AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
        AWS_LAMBDA_FUNCTION_NAME: 'f',
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '128',
        AWS_LAMBDA_LOG_GROUP_NAME: '/aws/lambda/f',
      })
      const known = /^(AWS_|BUCKET$|HOME$|LAMBDA_TASK_ROOT$|LANG$|PATH$|TZ$|_HANDLER$|SystemRoot$)/
      expect(Object.keys(env).filter((key) => !known.test(key))).toEqual([])
      expect(Object.values(env)).not.toContain(process.env['HOME'])
    } finally {
      delete process.env['PIPE_TEST_SECRET']
    }
  })

  it('has the context of Lambda, in UTC, with a real remaining time', async () => {
    const { payload, requestId } = await host.invoke('f', { do: 'context' })
    expect(payload).toMatchObject({
      awsRequestId: requestId,
      functionName: 'f',
      functionVersion: '$LATEST',
      invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:f',
      memoryLimitInMB: '128',
      logGroupName: '/aws/lambda/f',
      offset: 0,
    })
    const { remaining } = payload as { remaining: number }
    expect(remaining).toBeGreaterThan(10_000)
    expect(remaining).toBeLessThanOrEqual(20_000)
  })

  it('captures what the function writes, in order, between START and REPORT', async () => {
    const { logs, requestId } = await host.invoke('f', { do: 'log' })
    expect(logs[0]).toBe(`START RequestId: ${requestId} Version: $LATEST`)
    expect(logs[1]).toMatch(new RegExp(`^\\d{4}-.*Z\t${requestId}\tINFO\thello world \\{ a: 1 \\}$`))
    expect(logs[2]).toMatch(/\tERROR\tprinted$/)
    expect(logs.slice(3, 5)).toEqual(['raw line', 'raw bytes'])
    expect(logs[5]).toBe(`END RequestId: ${requestId}`)
    expect(logs[6]).toMatch(
      /^REPORT RequestId: \S+\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB\tMax Memory Used: \d+ MB$/,
    )
    const all = host.logs('f')
    expect(all.filter((entry) => entry.requestId === requestId).map(({ message }) => message)).toEqual(logs)
    expect(all.some(({ message }) => message.endsWith('\tINFO\tloading'))).toBe(true)
  })

  it('answers errors of the handler as Lambda does, with the stack of the TypeScript', async () => {
    const { payload, functionError, logs } = await host.invoke('f', { do: 'throw' })
    expect(functionError).toBe('Unhandled')
    expect(payload).toMatchObject({ errorType: 'OrderError', errorMessage: 'the order is gone' })
    expect((payload as { trace: string[] }).trace.join('\n')).toMatch(/behaviours\.ts:\d+/)
    expect(logs.some((line) => line.includes('\tERROR\tInvoke Error\t{"errorType":"OrderError"'))).toBe(true)
    expect((await host.invoke('f', { do: 'throw-text' })).payload).toEqual({
      errorType: 'string',
      errorMessage: 'just a text',
      trace: [],
    })
    expect((await host.invoke('f', { do: 'count' })).coldStart).toBe(false)
  })

  it.each([
    ['reject-later', undefined, 'Runtime.UnhandledPromiseRejection', 'OrderError: nobody awaits me'],
    ['throw-later', undefined, 'OrderError', 'from a timer'],
    ['exit', 3, 'Runtime.ExitError', 'Runtime exited with error: exit status 3'],
    ['exit', 0, 'Runtime.ExitError', 'Runtime exited without providing a reason'],
    ['kill', undefined, 'Runtime.ExitError', 'signal: SIGSEGV'],
  ])('survives %s %s', async (what, value, errorType, text) => {
    const result = await host.invoke('f', { do: what, value })
    expect(result).toMatchObject({ functionError: 'Unhandled', payload: { errorType } })
    expect((result.payload as { errorMessage: string }).errorMessage).toContain(text)
    expect(result.logs.at(-1)).toContain('Status: error')
    expect(await host.invoke('f', { do: 'count' })).toMatchObject({ coldStart: true, payload: 1 })
  })

  it.each(['array', 'map'])('ends only the instance when its heap is full (%s)', async (what) => {
    const result = await host.invoke('f', { do: what })
    expect(result.payload).toMatchObject({ errorType: 'Runtime.ExitError' })
    expect((result.payload as { errorMessage: string }).errorMessage).toContain('heap limit of memoryMb')
    expect(await host.invoke('f', { do: 'count' })).toMatchObject({ coldStart: true, payload: 1 })
  })

  it('reports how much resident memory grew', async () => {
    await host.invoke('f', { do: 'count' })
    const { rssBytes, rssGrowthBytes } = await host.invoke('f', { do: 'buffers' })
    expect(rssGrowthBytes).toBeGreaterThan(60 * 1024 * 1024)
    expect(rssBytes).toBeGreaterThan(rssGrowthBytes!)
  })

  it('runs concurrent invocations in instances of their own, up to maxInstances', async () => {
    await host.deploy({ name: 'many', entry: behaviours, maxInstances: 2 })
    const listeners = process.listenerCount('exit')
    const results = await Promise.all(Array.from({ length: 5 }, () => host.invoke('many', { do: 'sleep', ms: 60 })))
    expect(new Set(results.map(({ payload }) => payload)).size).toBe(2)
    expect(results.filter(({ coldStart }) => coldStart)).toHaveLength(2)
    // Node warns from the eleventh listener of an event on.
    expect(process.listenerCount('exit')).toBeLessThanOrEqual(listeners + 1)
  })

  it('knows callbacks, and what a handler without promise answers', async () => {
    await host.deploy({ name: 'callback', entry: behaviours, handler: 'withCallback' })
    expect((await host.invoke('callback', { value: 7 })).payload).toBe(7)
    expect((await host.invoke('callback', { do: 'fail' })).payload).toMatchObject({
      errorType: 'OrderError',
      errorMessage: 'by callback',
    })
    await host.deploy({ name: 'plain', entry: behaviours, handler: 'plain' })
    expect((await host.invoke('plain')).payload).toBeNull()
  })

  it('answers errors of loading', async () => {
    await host.deploy({ name: 'not-a-function', entry: behaviours, handler: 'notAFunction' })
    expect((await host.invoke('not-a-function')).payload).toMatchObject({
      errorType: 'Runtime.HandlerNotFound',
      errorMessage: 'index.notAFunction is undefined or not exported',
    })
    await host.deploy({ name: 'throws-on-load', entry: throwsOnLoad })
    const result = await host.invoke('throws-on-load')
    expect(result).toMatchObject({ coldStart: true, functionError: 'Unhandled', payload: { errorType: 'TypeError' } })
    expect((result.payload as { trace: string[] }).trace.join('\n')).toContain('throws-on-load.ts:3')
    expect(result.logs.join('\n')).toContain('before the mistake')
    const missing = join(work, 'missing.mjs')
    writeFileSync(missing, "import { x } from 'sharp'\nexport const handler = async () => x")
    await host.deploy({ name: 'missing', entry: missing })
    expect((await host.invoke('missing')).payload).toMatchObject({ errorType: 'Runtime.ImportModuleError' })
  })
})

describe('time-outs and aborts', () => {
  let host: LambdaHost
  beforeAll(() => {
    host = newHost()
  })
  afterAll(() => host.close())

  it.each(['spin', 'hang'])('ends a handler that runs over (%s), and the host goes on', async (what) => {
    await host.deploy({ name: 'slow', entry: behaviours, timeout: '250 ms' })
    const result = await host.invoke('slow', { do: what })
    expect(result.payload).toEqual({
      errorType: 'Sandbox.Timedout',
      errorMessage: `RequestId: ${result.requestId} Error: Task timed out after 0.25 seconds`,
    })
    expect(result.durationMs).toBeGreaterThanOrEqual(249)
    expect(result.logs.some((line) => line.endsWith('Task timed out after 0.25 seconds'))).toBe(true)
    expect(result.logs.at(-1)).toContain('Status: timeout')
    expect(await host.invoke('slow', { do: 'count' })).toMatchObject({ payload: 1, coldStart: true })
  })

  it('ends a function inside a DuckDB query without harm to this process, or to a DuckDB of its own', async () => {
    const { DuckDBInstance } = await import('@duckdb/node-api')
    const own = await (await DuckDBInstance.create(':memory:')).connect()
    await host.deploy({ name: 'query', entry: duckdb, timeout: '700 ms', memoryMb: 512 })
    expect((await host.invoke('query', { sql: 'SELECT 6 * 7 AS answer' })).payload).toEqual([[42]])
    const endless = 'SELECT count(*) FROM range(2000000) a, range(2000000) b WHERE (a.range * b.range) % 7 = 3'
    for (let round = 0; round < 3; round++) {
      const started = Date.now()
      const result = await host.invoke('query', { sql: endless })
      expect(result.payload).toMatchObject({ errorType: 'Sandbox.Timedout' })
      expect(Date.now() - started).toBeLessThan(20_000)
      expect((await own.runAndReadAll('SELECT 6 * 7')).getRowsJson()).toEqual([[42]])
    }
    expect((await host.invoke('query', { sql: 'SELECT 1 AS one' })).payload).toEqual([[1]])
    own.closeSync()
  })

  it('stops for a signal, running or waiting', async () => {
    await host.deploy({ name: 'abortable', entry: behaviours, maxInstances: 1 })
    const abort = new AbortController()
    const running = host.invoke('abortable', { do: 'hang' }, { signal: abort.signal })
    const waiting = host.invoke('abortable', { do: 'count' }, { signal: abort.signal })
    const third = host.invoke('abortable', { do: 'count' })
    setTimeout(() => abort.abort(new Error('enough')), 300)
    await expect(running).rejects.toThrow('enough')
    await expect(waiting).rejects.toThrow('enough')
    expect((await third).payload).toBe(1)
    await expect(host.invoke('abortable', {}, { signal: AbortSignal.abort(new Error('early')) })).rejects.toThrow('early')
  })

  it('replaces a function while it runs, and ends everything at close', async () => {
    const own = newHost()
    await own.deploy({ name: 'f', entry: behaviours, timeout: '1 minute' })
    const old = own.invoke('f', { do: 'sleep', ms: 300 })
    await own.deploy({ name: 'f', entry: behaviours, handler: 'withCallback' })
    expect((await own.invoke('f', { value: 'new' })).payload).toBe('new')
    const { payload: pid } = await old
    await own.deploy({ name: 'f', entry: behaviours, timeout: '1 minute' })
    const cache = fileURLToPath(new URL('../../node_modules/.cache/pipe-local', import.meta.url))
    const mine = () => readdirSync(cache).filter((name) => name.startsWith(`${process.pid}-`)).length
    const before = mine()
    const hanging = own.invoke('f', { do: 'hang' })
    const starting = own.invoke('f', { do: 'hang' })
    setTimeout(() => void own.close(), 300)
    expect((await codeOf(hanging)).code).toBe('PIPE_LOCAL_CLOSED')
    expect((await codeOf(starting)).code).toBe('PIPE_LOCAL_CLOSED')
    await own.close()
    expect(mine()).toBe(before - 1)
    expect(() => process.kill(pid as number, 0)).toThrow('ESRCH')
    expect((await codeOf(own.invoke('f'))).code).toBe('PIPE_LOCAL_CLOSED')
  })
})

describe('deploy', () => {
  let host: LambdaHost
  afterEach(() => host.close())

  it('lists what is deployed', async () => {
    host = newHost()
    const deployed = await host.deploy({ name: 'b', entry: new URL('./functions/behaviours.ts', import.meta.url), memoryMb: 256 })
    expect(deployed).toMatchObject({
      name: 'b',
      arn: 'arn:aws:lambda:us-east-1:000000000000:function:b',
      handler: 'handler',
      timeoutMs: 3000,
      memoryMb: 256,
    })
    expect(deployed.codeBytes).toBeGreaterThan(1000)
    await host.deploy({ name: 'a', entry: behaviours })
    expect(host.list().map(({ name }) => name)).toEqual(['a', 'b'])
    expect(host.get('b')).toEqual(deployed)
  })

  it('names the place of a mistake in the code', async () => {
    host = newHost()
    const broken = join(work, 'broken.ts')
    writeFileSync(broken, "import { nothing } from './nowhere'\nexport const handler = async () => nothing(\n")
    const syntax = await codeOf(host.deploy({ name: 'broken', entry: broken }))
    expect(syntax.code).toBe('PIPE_LOCAL_BUNDLE')
    expect(syntax.message).toMatch(
      /Function broken cannot be bundled from .*broken\.ts:\n.*broken\.ts:3:1: Unexpected end of file/,
    )
    writeFileSync(broken, "import { nothing } from './nowhere'\nexport const handler = async () => nothing()\n")
    expect((await codeOf(host.deploy({ name: 'broken', entry: broken }))).message).toMatch(
      /broken\.ts:1:\d+: Could not resolve "\.\/nowhere"/,
    )
    const noExport = await codeOf(host.deploy({ name: 'f', entry: behaviours, handler: 'handel' }))
    expect(noExport.message).toContain('No matching export in')
    expect(noExport.message).toContain('"handel"')
    expect(host.list()).toEqual([])
  })

  it.each([
    [{ entry: join(tmpdir(), 'no-such-file.ts') }, 'PIPE_LOCAL_ENTRY', 'no-such-file.ts'],
    [{ name: 'my function' }, 'PIPE_LOCAL_FUNCTION', 'my function'],
    [{ name: 'root' }, 'PIPE_LOCAL_FUNCTION', 'root'],
    [{ handler: 'index.handler' }, 'PIPE_LOCAL_FUNCTION', 'the export alone'],
    [{ env: { AWS_REGION: 'x' } }, 'PIPE_LOCAL_FUNCTION', 'AWS_REGION'],
    [{ env: { 'A-B': 'x' } }, 'PIPE_LOCAL_FUNCTION', 'A-B'],
    [{ env: { A: 1 as never } }, 'PIPE_LOCAL_FUNCTION', 'not a text'],
    [{ timeout: '16 minutes' as const }, 'PIPE_LOCAL_FUNCTION', '15 minutes'],
    [{ timeout: 'soon' as never }, 'PIPE_CONFIG', 'soon'],
    [{ memoryMb: 64 }, 'PIPE_LOCAL_FUNCTION', '128'],
    [{ maxInstances: 0 }, 'PIPE_LOCAL_FUNCTION', 'maxInstances'],
    [{ memory: 128 } as never, 'PIPE_CONFIG', 'memoryMb'],
  ])('refuses %j', async (change, code, text) => {
    host = newHost()
    const error = await codeOf(host.deploy({ name: 'f', entry: behaviours, ...(change as object) }))
    expect(error.code).toBe(code)
    expect(error.message).toContain(text)
    expect((await codeOf(host.invoke('f'))).code).toBe('PIPE_LOCAL_FUNCTION_MISSING')
  })
})
