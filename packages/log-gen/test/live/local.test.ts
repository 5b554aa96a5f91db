import { CreateBucketCommand, DeleteObjectCommand, GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3'
import { createObjectStore, readNdjson } from '@pipe/core'
import { stampOf } from '@pipe/core/internal'
import { type Local, type PolicyDocument, startLocal, virtualClock } from '@pipe/local'
import { compareRows, groundTruth, readableRows } from '@pipe/log-gen'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { deviceLogs } from '../fleet'
import { hostileLog } from './hostile-log'

const range = { from: '2026-11-24T15:00:00Z', to: '2026-11-24T15:06:00Z' }
const policy = (action: string): PolicyDocument => ({
  Version: '2012-10-17',
  Statement: { Sid: 'Write', Effect: 'Allow', Action: action, Resource: 'arn:aws:s3:::lake/raw/*' },
})

let local: Local
let s3: S3Client
beforeAll(async () => {
  local = await startLocal({ clock: virtualClock(range.from) })
  s3 = new S3Client(local.aws)
  await s3.send(new CreateBucketCommand({ Bucket: 'lake' }))
  const entry = new URL('./log-generator.ts', import.meta.url)
  const common = { entry, env: { BUCKET: 'lake' }, timeout: '30 seconds' } as const
  await local.lambda.deploy({ ...common, name: 'log-generator', policy: policy('s3:PutObject') })
  await local.lambda.deploy({ ...common, name: 'reader', policy: policy('s3:GetObject') })
})
afterAll(async () => {
  s3.destroy()
  await local.close()
})

const minutes = [1, 2, 3, 4, 5, 6].map((minute) => ({ time: `2026-11-24T15:0${minute}:00Z` }))

describe('the handler in the Lambda host of @pipe/local', () => {
  it('writes what the ground truth says: keys, stamps, rows, and each fault on its line', async () => {
    for (const event of minutes)
      expect((await local.lambda.invoke('log-generator', event)).payload).toMatchObject({ statusCode: 200 })
    const truth = groundTruth(hostileLog, range)
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: 'lake' }))
    expect(Contents.map(({ Key }) => Key)).toEqual(truth.files.map(({ key }) => `raw/${key}`))
    expect(truth.files.some(({ cutRows }) => cutRows > 0) && truth.files.some(({ cutRows }) => cutRows === 0)).toBe(true)

    const store = createObjectStore({ location: 's3://lake/raw/', client: s3 })
    const rows: Record<string, unknown>[] = []
    let unreadable = 0
    for (const file of truth.files) {
      const object = await store.get(file.key)
      if (!object) throw new Error(`${file.key} is missing`)
      expect(stampOf(object.metadata)).toEqual({ rows: file.rows, rawBytes: file.rawBytes, sha256: file.sha256 })
      const lines: number[] = []
      for await (const batch of readNdjson(object.stream(), { table: deviceLogs, file: file.key })) {
        rows.push(...batch.rows)
        lines.push(...batch.unreadable.map(({ line }) => line ?? Number.NaN))
      }
      const malformed = file.faults.filter(({ kind, isCut }) => kind === 'malformed' && !isCut).map(({ line }) => line)
      // Behind the last row that decodes, the reader says once that the gzip ends too early.
      expect(lines.slice(0, malformed.length)).toEqual(malformed)
      expect(lines.length - malformed.length).toBe(file.cutRows > 0 ? 1 : 0)
      unreadable += malformed.length
    }
    expect(unreadable).toBe(truth.malformedRows)
    expect(await compareRows(deviceLogs, readableRows(hostileLog, range), rows)).toMatchObject({
      lost: 0,
      duplicated: 0,
      unknown: 0,
      actualRows: truth.readableRows,
    })
  })

  it('makes the same object again, even when it was deleted meanwhile', async () => {
    const key = `raw/${groundTruth(hostileLog, range).files[0]?.key}`
    const read = async () => {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'lake', Key: key }))
      return Buffer.from((await Body?.transformToByteArray()) as Uint8Array)
    }
    const before = await read()
    await Promise.all([1, 2, 3].map(() => local.lambda.invoke('log-generator', minutes[0])))
    expect((await read()).equals(before)).toBe(true)
    await s3.send(new DeleteObjectCommand({ Bucket: 'lake', Key: key }))
    await local.lambda.invoke('log-generator', minutes[0])
    expect((await read()).equals(before)).toBe(true)
  })

  it('fails with action, function and resource where s3:PutObject is not granted', async () => {
    const { functionError, payload } = await local.lambda.invoke('reader', minutes[0])
    expect(functionError).toBeDefined()
    const { errorMessage } = payload as { errorMessage: string }
    expect(errorMessage).toContain('PIPE_IAM_DENIED reader may not s3:PutObject on arn:aws:s3:::lake/raw/dt=2026-11-24/hour=15/')
  })
})
