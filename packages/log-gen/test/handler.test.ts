import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ObjectStore, PipeError, type PutOptions, windowOf } from '@pipe/core'
import { stampOf } from '@pipe/core/internal'
import {
  defineLog,
  generateWindow,
  groundTruth,
  logGeneratorHandler,
  measure,
  type RawFile,
  toFile,
  toStore,
} from '@pipe/log-gen'
import { afterEach, describe, expect, it } from 'vitest'
import { makeFiles } from '../src/raw-file'
import { deviceLogs, fleet } from './fleet'

/** The part of an object store that the sink uses, in memory. */
function memoryStore() {
  const objects = new Map<string, { body: Buffer; options: PutOptions }>()
  const store = {
    location: 's3://lake/raw/',
    uri: (key: string) => `s3://lake/raw/${key}`,
    put: async (key: string, body: Uint8Array, options: PutOptions) => {
      options.signal?.throwIfAborted()
      objects.set(key, { body: Buffer.from(body), options })
      return { etag: '"1"' }
    },
  } as unknown as ObjectStore
  return { store, objects }
}

const event = { time: '2026-11-24T15:32:00Z', 'detail-type': 'Scheduled Event' }

describe('logGeneratorHandler', () => {
  it('writes the minute that has just closed, and the same again for the same event', async () => {
    const { store, objects } = memoryStore()
    const log = fleet({ devices: 3 })
    const handler = logGeneratorHandler({ log, sink: toStore(store) })
    const first = await handler(event, { getRemainingTimeInMillis: () => 10_000 })
    const key = [...objects.keys()][0] as string
    expect(key).toBe(`dt=2026-11-24/hour=15/device_logs-20261124T1531Z-0of1-${log.configHash}.ndjson.gz`)
    const before = objects.get(key)?.body as Buffer
    const second = await handler({ ...event, time: '2026-11-24T15:32:41Z' })
    expect(second).toEqual(first)
    expect(objects.size).toBe(1)
    expect(objects.get(key)?.body.equals(before)).toBe(true)
    expect(first.statusCode).toBe(200)
    const [file] = groundTruth(log, { from: '2026-11-24T15:31:00Z', to: '2026-11-24T15:32:00Z' }).files
    expect(JSON.parse(first.body)).toEqual({
      outcome: 'written',
      minute: '2026-11-24T15:31:00.000Z',
      key,
      uri: `s3://lake/raw/${key}`,
      rows: file?.rows,
      rawBytes: file?.rawBytes,
      bytes: before.length,
      sha256: file?.sha256,
    })
    const stamp = stampOf(objects.get(key)?.options.metadata ?? {})
    expect(stamp).toEqual({ rows: file?.rows, rawBytes: file?.rawBytes, sha256: file?.sha256 })
  })

  it('writes nothing for a minute without lines', async () => {
    const { store, objects } = memoryStore()
    const log = defineLog({
      table: deviceLogs,
      seed: 1,
      devices: 2,
      every: '1 second',
      start: '2026-11-25T00:00:00Z',
      fields: { metric: measure({ base: 1 }) },
    })
    const { body } = await logGeneratorHandler({ log, sink: toStore(store) })(event)
    expect(JSON.parse(body)).toEqual({ outcome: 'empty', rows: 0, minute: '2026-11-24T15:31:00.000Z' })
    expect(objects.size).toBe(0)
  })

  it('throws for an event without a time, and passes on what the sink throws', async () => {
    const log = fleet({ devices: 1 })
    const denied = new PipeError('PIPE_IAM_DENIED', 'log-generator may not s3:PutObject on arn:aws:s3:::lake/raw/x.')
    const store = { uri: String, put: () => Promise.reject(denied) } as unknown as ObjectStore
    const handler = logGeneratorHandler({ log, sink: toStore(store) })
    await expect(handler({})).rejects.toThrow(/PIPE_EVENT_TIME/)
    await expect(handler(event)).rejects.toBe(denied)
  })

  it('stores nothing when no time is left', async () => {
    const { store, objects } = memoryStore()
    const handler = logGeneratorHandler({ log: fleet({ devices: 1 }), sink: toStore(store) })
    const error = await handler(event, { getRemainingTimeInMillis: () => 900 }).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'PIPE_DEADLINE', retryable: true })
    expect(objects.size).toBe(0)
  })

  it('refuses unknown options by name', () => {
    const { store } = memoryStore()
    const options = { log: fleet({ devices: 1 }), sink: toStore(store), bucket: 'lake' }
    expect(() => logGeneratorHandler(options)).toThrow('logGeneratorHandler has no option "bucket"')
  })
})

describe('generateWindow', () => {
  it('rejects with the reason of the signal, unwrapped', async () => {
    const { store, objects } = memoryStore()
    const reason = new Error('stop')
    const signal = AbortSignal.abort(reason)
    await expect(generateWindow({ log: fleet({ devices: 1 }), sink: toStore(store), at: event.time, signal })).rejects.toBe(
      reason,
    )
    expect(objects.size).toBe(0)
  })

  it('times out a sink that hangs', async () => {
    const hanging = {
      put: (_file: unknown, { signal }: { signal?: AbortSignal | undefined }) =>
        new Promise<never>((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason))),
      close: () => {},
    }
    const call = generateWindow({
      log: fleet({ devices: 1 }),
      sink: hanging,
      at: event.time,
      deadline: { remainingMs: () => 50 },
    })
    await expect(call).rejects.toMatchObject({ code: 'PIPE_DEADLINE' })
  })
})

describe('toFile', () => {
  const folders: string[] = []
  afterEach(async () => {
    await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true })))
  })

  it('writes the bytes of the S3 object below the folder, and leaves no part', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'log-gen-'))
    folders.push(folder)
    const { store, objects } = memoryStore()
    const log = fleet({ devices: 2 })
    await generateWindow({ log, sink: toStore(store), at: event.time })
    const written = await generateWindow({ log, sink: toFile(folder), at: event.time })
    if (written.outcome !== 'written') throw new Error('nothing written')
    expect(await readFile(fileURLToPath(written.uri))).toEqual(objects.get(written.key)?.body)
    expect(await readdir(join(folder, 'dt=2026-11-24/hour=15'))).toHaveLength(1)
  })

  it('leaves nothing when it is aborted', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'log-gen-'))
    folders.push(folder)
    const reason = new Error('stop')
    const log = fleet({ devices: 2 })
    const file = makeFiles(log, windowOf('1 minute', '2026-11-24T15:31:00Z'))[0] as RawFile
    await expect(toFile(folder).put(file, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(await readdir(join(folder, 'dt=2026-11-24/hour=15'))).toEqual([])
  })
  it.each(['../other/x', '/etc/x', 'a/../../x', '.', ''])('writes nowhere but below the folder: key %j', async (key) => {
    const folder = await mkdtemp(join(tmpdir(), 'log-gen-'))
    folders.push(folder)
    const file = makeFiles(fleet({ devices: 2 }), windowOf('1 minute', '2026-11-24T15:31:00Z'))[0] as RawFile
    await expect(toFile(folder).put({ ...file, key }, {})).rejects.toMatchObject({ code: 'PIPE_LOG_KEY' })
    expect(await readdir(folder)).toEqual([])
  })
})
