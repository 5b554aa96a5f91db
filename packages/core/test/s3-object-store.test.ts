import { Readable } from 'node:stream'
import { injectFaults, type NetworkFault } from '@pipe/testkit'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { PipeError } from '../src/error'
import type { ObjectStore } from '../src/object-store'
import { createObjectStore } from '../src/s3-object-store'
import { type LocalS3, startLocalS3 } from './local-s3'

let s3: LocalS3
let store: ObjectStore
let folder = 0
let guestMay: (action: string) => boolean = () => false
const undo: (() => void)[] = []

beforeAll(async () => {
  s3 = await startLocalS3((action) => guestMay(action))
})
afterAll(() => s3.close())
beforeEach(() => {
  store = createObjectStore({ location: `s3://lake/test-${folder++}/`, client: s3.client })
})
afterEach(() => {
  for (const remove of undo.splice(0)) remove()
})

/** The given faults hit the first attempts at a command, in order. */
function faults(command: string, ...list: (NetworkFault | undefined)[]): void {
  let seen = 0
  undo.push(injectFaults(s3.client, (attempt) => (attempt.command.startsWith(command) ? list[seen++] : undefined)))
}

async function codeOf(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work
    return undefined
  } catch (error) {
    return PipeError.isInstance(error) ? error.code : String(error)
  }
}

describe('objects', () => {
  test('go in and out with their metadata, and the nonce stays inside', async () => {
    const { etag } = await store.put('a.txt', 'hello', { metadata: { 'pipe-rows': '3' }, contentType: 'text/plain' })
    expect(await store.head('a.txt')).toMatchObject({ key: 'a.txt', size: 5, etag, metadata: { 'pipe-rows': '3' } })
    await store.putIfAbsent('b', 'x', { metadata: { 'pipe-rows': '4' } })
    expect((await store.head('b'))?.metadata).toEqual({ 'pipe-rows': '4' })
    expect(await (await store.get('a.txt'))?.text()).toBe('hello')
    expect(await (await store.get('a.txt', { range: { start: 1, end: 3 } }))?.text()).toBe('el')
    expect((await store.get('a.txt', { range: { start: 1 } }))?.size).toBe(5)
    expect(await store.head('none')).toBeUndefined()
    expect(await store.get('none')).toBeUndefined()
    await store.delete('a.txt')
    expect(await store.head('a.txt')).toBeUndefined()
  })

  test('keys are characters: dots, blanks, plus, per cent, emoji and control characters survive a listing', async () => {
    const keys = ['../up', './here', 'a b+c%2Fd', 'ü/😀', 'quote\'"', 'tab\tend', 'x//y'].sort()
    for (const key of keys) await store.put(key, key)
    const found: string[] = []
    for await (const { key } of store.list()) found.push(key)
    expect(found.sort()).toEqual(keys)
    for (const key of keys) expect(await (await store.get(key))?.text()).toBe(key)
  })

  test.each(['', 's3://lake/other', 'x'.repeat(1100)])('the key %j is refused', async (key) => {
    expect(() => store.uri(key)).toThrow('PIPE_LOCATION')
    expect(await codeOf(store.put(key, ''))).toBe('PIPE_LOCATION')
  })

  test('a listing goes through all pages, and starts where it is told', async () => {
    await Promise.all(Array.from({ length: 1005 }, (_, i) => store.put(`p/${String(i).padStart(4, '0')}`, '')))
    await store.put('q', '')
    const found: string[] = []
    for await (const { key } of store.list({ prefix: 'p/' })) found.push(key)
    expect(found).toHaveLength(1005)
    const rest: string[] = []
    for await (const { key } of store.list({ prefix: 'p/', startAfter: 'p/1002' })) rest.push(key)
    expect(rest).toEqual(['p/1003', 'p/1004'])
  })

  test('a stream is sent in parts', async () => {
    const part = Buffer.alloc(1024 * 1024, 7)
    const body = Readable.from(
      (function* () {
        for (let i = 0; i < 12; i++) yield part
      })(),
    )
    const { etag } = await store.put('big', body)
    expect(etag).toMatch(/-3"$/)
    expect((await store.head('big'))?.size).toBe(12 * 1024 * 1024)
    let total = 0
    for await (const chunk of (await store.get('big'))!.stream()) total += (chunk as Buffer).length
    expect(total).toBe(12 * 1024 * 1024)
  })

  test('a changed object is not read with ifMatch', async () => {
    const { etag } = await store.put('a', '1')
    await store.put('a', '2')
    expect(await codeOf(store.get('a', { ifMatch: etag }))).toBe('PIPE_OBJECT_CHANGED')
  })

  test('an abort rejects with the reason itself', async () => {
    const reason = new Error('mine')
    await expect(store.put('a', '1', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    await expect(store.putIfAbsent('a', '1', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    const body = new Readable({ read() {} })
    const controller = new AbortController()
    const writing = store.put('a', body, { signal: controller.signal })
    body.push(Buffer.alloc(100))
    controller.abort(reason)
    await expect(writing).rejects.toBe(reason)
  })

  test('a closed store says so', async () => {
    store.close()
    store.close()
    expect(await codeOf(store.head('a'))).toBe('PIPE_CLOSED')
  })

  test('a wrong client and an unknown option are refused', () => {
    expect(() => createObjectStore({ location: 's3://lake/', client: {} as never })).toThrow('is no client')
    expect(() => createObjectStore({ location: 's3://lake/', bucket: 'x' } as never)).toThrow('no option "bucket"')
    expect(() => createObjectStore({ location: 's3://lake/x' as never })).toThrow('PIPE_LOCATION')
  })

  test('the client is made from the standard environment', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL', s3.url)
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIALOCALROOT')
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'root-secret')
    vi.stubEnv('AWS_REGION', '')
    vi.stubEnv('AWS_DEFAULT_REGION', '')
    try {
      const own = createObjectStore({ location: 's3://lake/env/' })
      await own.put('a', '1')
      expect(await (await own.get('a'))?.text()).toBe('1')
      await own[Symbol.asyncDispose]()
    } finally {
      vi.unstubAllEnvs()
    }
  })

  test('there is no such bucket', async () => {
    const missing = createObjectStore({ location: 's3://nowhere/', client: s3.client })
    expect(await codeOf(missing.put('a', ''))).toBe('PIPE_OBJECT_BUCKET')
    expect(await codeOf(missing.putIfAbsent('a', ''))).toBe('PIPE_OBJECT_BUCKET')
    expect(await codeOf(missing.get('a'))).toBe('PIPE_OBJECT_BUCKET')
  })
})

describe('permissions', () => {
  test('a 403 names who, what and where, and what to grant', async () => {
    guestMay = () => false
    const other = createObjectStore({ location: 's3://lake/raw/', client: s3.guest })
    await expect(other.put('a', '1')).rejects.toMatchObject({
      code: 'PIPE_IAM_DENIED',
      retryable: false,
      message:
        'PIPE_IAM_DENIED guest may not s3:PutObject on arn:aws:s3:::lake/raw/a. Grant s3:PutObject on it in the policy of guest.',
      details: { principal: 'guest', action: 's3:PutObject', resource: 'arn:aws:s3:::lake/raw/a' },
    })
    await expect(other.putIfAbsent('a', '1')).rejects.toMatchObject({ code: 'PIPE_IAM_DENIED' })
    // HEAD has no body to say who: the call itself is named, and a missing permission is never "absent".
    await expect(other.head('a')).rejects.toMatchObject({
      code: 'PIPE_IAM_DENIED',
      details: { principal: 'the caller', action: 's3:GetObject', resource: 'arn:aws:s3:::lake/raw/a' },
    })
    await expect(other.list()[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      details: { action: 's3:ListBucket', resource: 'arn:aws:s3:::lake' },
    })
  })

  test('a write that may have happened and cannot be read back is ambiguous', async () => {
    guestMay = (action) => action === 's3:PutObject'
    const other = createObjectStore({ location: 's3://lake/raw/', client: s3.guest })
    await store.delete('x')
    undo.push(injectFaults(s3.guest, ({ command }) => (command.startsWith('Put') ? 'reply-lost' : undefined)))
    await expect(other.putIfAbsent('amb', '1')).rejects.toMatchObject({ code: 'PIPE_OBJECT_AMBIGUOUS', retryable: false })
    const admin = createObjectStore({ location: 's3://lake/raw/', client: s3.client })
    expect(await (await admin.get('amb'))?.text()).toBe('1')
  })
})

describe('conditional writes', () => {
  test('one of twenty concurrent creators wins', async () => {
    const outcomes = await Promise.all(Array.from({ length: 20 }, (_, i) => store.putIfAbsent('one', String(i))))
    expect(outcomes.filter(({ outcome }) => outcome === 'created')).toHaveLength(1)
    expect(new Set(outcomes.map(({ etag }) => etag)).size).toBe(1)
  })

  test('the SDK that retries behind a lost reply still created it', async () => {
    faults('Put', 'reply-lost')
    const { outcome, etag } = await store.putIfAbsent('a', 'mine')
    expect(outcome).toBe('created')
    expect((await store.head('a'))?.etag).toBe(etag)
  })

  test('theirs stays theirs, whatever happens to the replies', async () => {
    const { etag } = await store.putIfAbsent('a', 'theirs')
    faults('Put', 'reply-lost', 'server-error')
    expect(await store.putIfAbsent('a', 'mine')).toEqual({ outcome: 'exists', etag })
    expect(await (await store.get('a'))?.text()).toBe('theirs')
  })

  test('a request that never arrived is sent again', async () => {
    faults('Put', ...Array<NetworkFault>(5).fill('request-lost'))
    expect((await store.putIfAbsent('a', 'mine')).outcome).toBe('created')
  })

  test('when it never arrives, the outcome is not known, and nothing was deleted', async () => {
    faults('Put', ...Array<NetworkFault>(60).fill('request-lost'))
    expect(await codeOf(store.putIfAbsent('a', 'mine'))).toBe('PIPE_OBJECT_AMBIGUOUS')
  })

  test('replace: only what the caller saw', async () => {
    const { etag } = await store.put('a', '1')
    faults('Put', 'reply-lost')
    const replaced = await store.putIfMatch('a', '2', etag)
    expect(replaced.outcome).toBe('replaced')
    expect(await store.putIfMatch('a', '3', etag)).toEqual({ outcome: 'changed' })
    expect(await store.putIfMatch('never', '3', etag)).toEqual({ outcome: 'changed' })
    expect(await (await store.get('a'))?.text()).toBe('2')
  })

  test('delete: only what the caller saw', async () => {
    const { etag } = await store.put('a', '1')
    await store.put('a', '2')
    expect(await store.deleteIfMatch('a', etag)).toEqual({ outcome: 'changed' })
    const head = await store.head('a')
    expect(await store.deleteIfMatch('a', head!.etag)).toEqual({ outcome: 'deleted' })
    expect(await store.deleteIfMatch('a', head!.etag)).toEqual({ outcome: 'absent' })
  })

  test('under any faults: created exactly when the object is ours', async () => {
    const fault = fc.constantFrom<NetworkFault | undefined>(undefined, 'request-lost', 'reply-lost', 'sent-twice', 'server-error')
    let run = 0
    await fc.assert(
      fc.asyncProperty(fc.array(fault, { maxLength: 8 }), fc.boolean(), async (list, isTaken) => {
        const key = `run-${run++}`
        if (isTaken) await store.put(key, 'theirs')
        let seen = 0
        const remove = injectFaults(s3.client, ({ command }) => (command.startsWith('Put') ? list[seen++] : undefined))
        try {
          const { outcome } = await store.putIfAbsent(key, 'mine')
          expect(outcome).toBe(isTaken ? 'exists' : 'created')
        } finally {
          remove()
        }
        expect(await (await store.get(key))?.text()).toBe(isTaken ? 'theirs' : 'mine')
      }),
      { numRuns: 25 },
    )
  })
})

test('an SDK that is not installed is named with what to install', async () => {
  const missing = Object.assign(new Error("Cannot find package '@aws-sdk/client-s3'"), { code: 'ERR_MODULE_NOT_FOUND' })
  const client = { send: () => Promise.reject(missing), destroy: () => {}, config: s3.client.config }
  const alone = createObjectStore({ location: 's3://lake/', client: client as never })
  await expect(alone.head('a')).rejects.toThrow(
    "PIPE_AWS_SDK The AWS SDK for S3 cannot be loaded: Cannot find package '@aws-sdk/client-s3'. Install the peer dependencies: npm install",
  )
})
