import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { S3Client } from '@aws-sdk/client-s3'
import { ConfigError } from '@pipe/core'
import { stampOf } from '@pipe/core/internal'
import { generateWindow, logGeneratorHandler, toS3 } from '@pipe/log-gen'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { makeFiles } from '../src/raw-file'
import { fleet } from './fleet'

interface Put {
  readonly method: string | undefined
  readonly path: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

// Shows what the SDK's client puts on the wire; that the local S3 stores it is tested with the pipeline.
const puts: Put[] = []
let denied = false
let server: Server
let client: S3Client

beforeAll(async () => {
  server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      puts.push({ method: request.method, path: request.url, headers: request.headers, body: Buffer.concat(chunks) })
      if (!denied) return response.writeHead(200, { etag: '"e"' }).end()
      const user = 'arn:aws:sts::000000000000:assumed-role/log-generator/1'
      const text = `User: ${user} is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::lake/raw/x" because no identity-based policy allows it`
      response.writeHead(403, { 'content-type': 'application/xml' })
      response.end(`<Error><Code>AccessDenied</Code><Message>${text}</Message></Error>`)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  client = new S3Client({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    forcePathStyle: true,
  })
})
beforeEach(() => {
  puts.length = 0
  denied = false
})
afterAll(async () => {
  client.destroy()
  await new Promise((resolve) => server.close(resolve))
})

describe('toS3', () => {
  it('sends one put with the stamp of the producer, and the same one again', async () => {
    const log = fleet({ devices: 3 })
    const sink = toS3('s3://lake/raw/', { client })
    const written = await generateWindow({ log, sink, at: '2026-11-24T15:32:00Z' })
    await generateWindow({ log, sink, at: '2026-11-24T15:32:59Z' })
    sink.close()
    if (written.outcome !== 'written') throw new Error('nothing written')
    expect(puts).toHaveLength(2)
    const [first, second] = puts as [Put, Put]
    expect(written.uri).toBe(`s3://lake/raw/${written.key}`)
    expect(first.method).toBe('PUT')
    expect(decodeURIComponent(first.path as string)).toMatch(new RegExp(`^/lake/raw/${written.key}(\\?x-id=PutObject)?$`))
    const metadata = Object.fromEntries(
      Object.entries(first.headers).map(([name, value]) => [name.replace('x-amz-meta-', ''), String(value)]),
    )
    const [file] = makeFiles(log, written.window)
    expect(stampOf(metadata)).toEqual({ rows: file?.rows, rawBytes: file?.rawBytes, sha256: file?.sha256 })
    expect(first.headers['content-encoding']).toBeUndefined()
    expect(first.body.equals(file?.body as Buffer)).toBe(true)
    expect(second.path).toBe(first.path)
    expect(second.body.equals(first.body)).toBe(true)
  })

  it('fails with the action, the function and the resource where the grant is missing', async () => {
    denied = true
    const handler = logGeneratorHandler({ log: fleet({ devices: 1 }), sink: toS3('s3://lake/raw/', { client }) })
    await expect(handler({ time: '2026-11-24T15:32:00Z' })).rejects.toMatchObject({
      code: 'PIPE_IAM_DENIED',
      details: { principal: 'log-generator', action: 's3:PutObject', resource: 'arn:aws:s3:::lake/raw/x' },
    })
  })

  it('refuses a place that is none, an unknown option and a foreign client at once', () => {
    expect(() => toS3('s3://lake/raw')).toThrow('PIPE_LOCATION')
    expect(() => toS3('s3://lake/raw/', { region: 'eu-central-1' } as never)).toThrow('toS3 has no option "region"')
    expect(() => toS3('s3://lake/raw/', { client: {} as never })).toThrow(ConfigError)
  })
})
