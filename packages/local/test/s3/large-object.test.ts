import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const size = 2 * 2 ** 30
const limitMb = 150
let dir: string
let child: ChildProcess
let s3: S3Client

// The server alone in a process of its own, so that its memory is not mixed with the client's.
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'pipe-s3-large-'))
  const script = join(dir, 'server.mjs')
  await build({
    stdin: {
      contents: `
        import { createS3Service } from './src/s3/service'
        import { createEndpoint } from './src/wire'
        const principal = { name: 'root', accessKeyId: 'AKIAROOT', secretAccessKey: 'secret' }
        const authorizer = { authorize() {}, isAllowed: () => true }
        const service = await createS3Service({ dir: process.argv[2], clock: Date, authorizer })
        const endpoint = await createEndpoint({ services: [service], principalOf: () => principal, now: Date.now })
        let base = 0
        let peak = 0
        setInterval(() => { peak = Math.max(peak, process.memoryUsage.rss()) }, 20)
        process.on('message', (message) => {
          if (message === 'start') peak = base = process.memoryUsage.rss()
          process.send({ growthMb: (peak - base) / 2 ** 20 })
        })
        process.send({ url: endpoint.url })`,
      resolveDir: join(import.meta.dirname, '../..'),
      loader: 'ts',
    },
    bundle: true,
    platform: 'node',
    format: 'esm',
    conditions: ['pipe-source'],
    outfile: script,
    external: ['fast-xml-parser'],
  })
  child = fork(script, [join(dir, 'data')], { execArgv: [] })
  const [{ url }] = (await once(child, 'message')) as [{ url: string }]
  s3 = new S3Client({
    endpoint: url,
    region: 'us-east-1',
    forcePathStyle: true,
    maxAttempts: 1,
    credentials: { accessKeyId: 'AKIAROOT', secretAccessKey: 'secret' },
  })
  await s3.send(new CreateBucketCommand({ Bucket: 'lake' }))
})
afterAll(() => {
  s3.destroy()
  child.kill('SIGKILL')
  rmSync(dir, { recursive: true, force: true })
})

async function ask(message: string): Promise<number> {
  child.send(message)
  const [{ growthMb }] = (await once(child, 'message')) as [{ growthMb: number }]
  return growthMb
}

function* blocks(): Iterable<Buffer> {
  const block = Buffer.alloc(1 << 20)
  for (let at = 0; at < size / block.length; at++) {
    block.writeUInt32LE(at)
    yield Buffer.from(block)
  }
}

describe('an object of 2 GiB', () => {
  it(`is stored and read in less than ${limitMb} MB of extra memory`, async () => {
    // One small round first, so that code and sockets are not counted.
    await s3.send(new PutObjectCommand({ Bucket: 'lake', Key: 'warm-up', Body: Buffer.alloc(8 << 20) }))
    await (await s3.send(new GetObjectCommand({ Bucket: 'lake', Key: 'warm-up' }))).Body!.transformToByteArray()
    await ask('start')
    await s3.send(new PutObjectCommand({ Bucket: 'lake', Key: 'large', Body: Readable.from(blocks()), ContentLength: size }))
    const { Body, ContentLength } = await s3.send(new GetObjectCommand({ Bucket: 'lake', Key: 'large' }))
    expect(ContentLength).toBe(size)
    let received = 0
    for await (const chunk of Body as Readable) {
      // The first bytes of each MiB are its number.
      const block = Math.ceil(received / 2 ** 20)
      const offset = block * 2 ** 20 - received
      if (offset + 4 <= (chunk as Buffer).length) expect((chunk as Buffer).readUInt32LE(offset)).toBe(block)
      received += (chunk as Buffer).length
    }
    expect(received).toBe(size)
    const growthMb = await ask('report')
    expect(growthMb).toBeGreaterThan(0)
    expect(growthMb).toBeLessThan(limitMb)
  }, 180_000)
})
