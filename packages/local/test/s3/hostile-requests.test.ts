import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { CreateBucketCommand, DeleteObjectsCommand, GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type S3Server, startS3 } from './s3-server'

const Bucket = 'lake'
let server: S3Server
let s3: S3Client

beforeAll(async () => {
  server = await startS3()
  s3 = server.client()
  await s3.send(new CreateBucketCommand({ Bucket }))
  await s3.send(new PutObjectCommand({ Bucket, Key: 'there', Body: 'there' }))
})
afterAll(() => server.close())

// Attributed by its access key; without x-amz-date there is nothing to verify.
const authorization =
  'AWS4-HMAC-SHA256 Credential=AKIALOCALROOT/20261124/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0'

async function raw(method: string, path: string, body = '', headers: Record<string, string> = {}): Promise<string> {
  const socket = connect(server.endpoint.port, '127.0.0.1')
  let answer = ''
  socket.on('data', (chunk) => {
    answer += chunk.toString()
  })
  const all = {
    host: 'localhost',
    connection: 'close',
    authorization,
    'content-length': String(Buffer.byteLength(body)),
    ...headers,
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.write(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`)
  await once(socket, 'close')
  return answer
}

const bodyFiles = () =>
  readdirSync(join(server.dir, 'bodies'), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).length

describe('paths', () => {
  it('never leave the data directory and never become other keys', async () => {
    for (const path of ['/../../etc/passwd', '/lake/../../x', '/..%2f..%2fx', '/lake/%2e%2e/%2e%2e/x', '/%2e%2e/x'])
      await raw('PUT', path, 'evil')
    expect(existsSync(join(server.dir, '..', 'x'))).toBe(false)
    expect(readdirSync(server.dir).sort()).toEqual(['bodies', 'buckets', 'lock'])
    expect(readdirSync(join(server.dir, 'buckets'))).toEqual(['lake.ndjson'])
    expect(server.service.files.list(Bucket, '').map(({ key }) => key)).toEqual(['../../x', 'there'])
    for (const path of ['/..', '/%2e%2e', '/a%2Fb', '/UPPER', '/.hidden', '/con%00'])
      expect(await raw('PUT', path)).toContain('InvalidBucketName')
  })

  it('that cannot be decoded are refused', async () => {
    for (const path of ['/lake/%', '/lake/%zz', '/lake/%ff', '/lake?prefix=%E0%A4%A', '/%c0%ae'])
      expect(await raw('GET', path)).toContain('InvalidURI')
  })

  it('may name the bucket in the host', async () => {
    expect(await raw('GET', '/there', '', { host: 'lake.localhost:4566' })).toMatch(/^HTTP\/1.1 200 OK[\s\S]*\r\n\r\nthere$/)
    expect(await raw('GET', '/lake/there', '', { host: 'lake.localhost' })).toContain('<Key>lake/there</Key>')
  })
})

describe('operations that do not exist', () => {
  it('are refused by name', async () => {
    expect(await raw('PATCH', '/lake/there')).toMatch(/^HTTP\/1.1 405 [\s\S]*MethodNotAllowed/)
    expect(await raw('POST', '/lake/there')).toContain('MethodNotAllowed')
    for (const name of ['acl', 'website', 'cors', 'attributes', 'logging', 'something-new']) {
      for (const path of [`/lake?${name}`, `/lake/there?${name}`]) {
        for (const method of ['GET', 'PUT', 'DELETE']) {
          const answer = await raw(method, path)
          expect(answer, `${method} ${path}`).toMatch(/^HTTP\/1.1 501 /)
          expect(answer).toContain(`<SubResource>${name}</SubResource>`)
        }
      }
    }
    expect(server.service.files.head(Bucket, 'there')!.size).toBe(5)
  })
})

describe('documents', () => {
  const md5 = async (body: string) => ({
    'content-md5': (await import('node:crypto')).createHash('md5').update(body).digest('base64'),
  })
  const remove = async (body: string) => raw('POST', '/lake?delete', body, await md5(body))

  it('that are not what the operation takes are refused', async () => {
    for (const body of [
      '',
      'no xml',
      '<Delete>',
      '<Delete/>',
      '<Other/>',
      '<Delete><Object/></Delete>',
      '<Delete><Object><Key></Key></Object></Delete>',
    ]) {
      expect(await remove(body), body).toContain('MalformedXML')
    }
    expect(await remove('<!DOCTYPE d [<!ENTITY a "there">]><Delete><Object><Key>&a;</Key></Object></Delete>')).toContain(
      'MalformedXML',
    )
    expect(await remove(`<Delete>${'<Object><Key>k</Key></Object>'.repeat(1001)}</Delete>`)).toContain('MalformedXML')
    expect(await remove(' '.repeat(5 << 20))).toContain('EntityTooLarge')
    expect(await raw('POST', '/lake?delete', '<Delete><Object><Key>there</Key></Object></Delete>')).toContain(
      'Missing required header',
    )
    expect(server.service.files.head(Bucket, 'there')).toBeDefined()
  })

  it('may hold 1000 keys full of entities', async () => {
    const Objects = Array.from({ length: 1000 }, (_, at) => ({ Key: `${at}${'&<>"\''.repeat(100)}` }))
    const result = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }))
    expect(result.Deleted!.map(({ Key }) => Key)).toEqual(Objects.map(({ Key }) => Key))
  })
})

describe('a refusal in the middle of a body', () => {
  it.each(['close', 'keep-alive'])('reaches the client, connection %s', async (connection) => {
    const chunks = `${'8000\r\n'}${'x'.repeat(0x8000)}\r\n`.repeat(100)
    const headers = {
      connection,
      'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
      'content-encoding': 'aws-chunked',
      'x-amz-decoded-content-length': String(0x8000 * 100),
    }
    const refused = async (path: string, body: string, more: Record<string, string> = {}) => {
      const socket = connect(server.endpoint.port, '127.0.0.1')
      let answer = ''
      socket.on('data', (chunk) => {
        answer += chunk.toString()
        if (connection === 'keep-alive' && answer.includes('</Error>')) socket.end()
      })
      const all = { host: 'localhost', authorization, 'content-length': String(body.length), ...headers, ...more }
      socket.write(
        `PUT ${path} HTTP/1.1\r\n${Object.entries(all)
          .map(([name, value]) => `${name}: ${value}\r\n`)
          .join('')}\r\n${body}`,
      )
      await once(socket, 'close')
      return answer
    }
    expect(await refused('/lake/garbled', `${chunks}zzz\r\n${chunks}`)).toContain('InvalidChunkSizeError')
    expect(await refused('/lake/there', chunks, { 'if-none-match': '*' })).toContain('PreconditionFailed')
    expect(await refused('/nope/there', chunks)).toContain('NoSuchBucket')
    expect(await refused('/lake/there', chunks, { authorization: authorization.replace('ROOT', 'NOBODY') })).toContain(
      'InvalidAccessKeyId',
    )
  })
})

describe('a client that goes away', () => {
  it.each([100_000, 50_000_000])('in the middle of a body of %i bytes leaves nothing behind', async (size) => {
    const before = bodyFiles()
    const sockets = Array.from({ length: 5 }, () => {
      const socket = connect(server.endpoint.port, '127.0.0.1')
      socket.on('error', () => {})
      socket.write(
        `PUT /lake/cut HTTP/1.1\r\nhost: localhost\r\nauthorization: ${authorization}\r\ncontent-length: ${size}\r\n\r\n`,
      )
      socket.write(Buffer.alloc(size >> 1))
      return socket
    })
    await new Promise((resolve) => setTimeout(resolve, 300))
    for (const socket of sockets) socket.destroy()
    await expect.poll(bodyFiles, { timeout: 10_000 }).toBe(before)
    expect(server.service.files.head(Bucket, 'cut')).toBeUndefined()
  })

  it('in the middle of an answer does no harm', async () => {
    await s3.send(new PutObjectCommand({ Bucket, Key: 'long', Body: Buffer.alloc(20 << 20) }))
    for (let at = 0; at < 10; at++) {
      const socket = connect(server.endpoint.port, '127.0.0.1')
      socket.on('error', () => {})
      socket.write(`GET /lake/long HTTP/1.1\r\nhost: localhost\r\nauthorization: ${authorization}\r\n\r\n`)
      await once(socket, 'data')
      socket.destroy()
    }
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: 'long' }))
    expect((await Body!.transformToByteArray()).length).toBe(20 << 20)
  })
})

describe('a body file that was damaged', () => {
  it('is an error and never a wrong answer', async () => {
    const { truncateSync, rmSync } = await import('node:fs')
    for (const size of [1000, 400_000]) {
      const { file } = await server.service.files.put(Bucket, `damaged-${size}`, 'x'.repeat(size))
      await server.restart()
      s3 = server.client()
      truncateSync(file, size - 1)
      const read = () => s3.send(new GetObjectCommand({ Bucket, Key: `damaged-${size}` }))
      await expect(read()).rejects.toMatchObject({
        name: 'InternalError',
        $metadata: { httpStatusCode: 500 },
        message: expect.stringContaining(file),
      })
      rmSync(file)
      await expect(read()).rejects.toMatchObject({ name: 'InternalError', $metadata: { httpStatusCode: 500 } })
    }
  })
})
