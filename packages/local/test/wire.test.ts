import { once } from 'node:events'
import { connect } from 'node:net'
import { AthenaClient, ListWorkGroupsCommand } from '@aws-sdk/client-athena'
import { ListBucketsCommand, S3Client, type S3ServiceException } from '@aws-sdk/client-s3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Principal, Service, ServiceCall } from '../src/service'
import { createEndpoint, type Endpoint } from '../src/wire'

const alice: Principal = { name: 'alice', accessKeyId: 'AKIAALICE', secretAccessKey: 'secret-of-alice' }
let endpoint: Endpoint
let calls: ServiceCall[]
let answer: (call: ServiceCall) => Promise<void>

const service = (name: string, matches: (call: ServiceCall) => boolean): Service => ({
  name,
  matches,
  async handle(call) {
    calls.push(call)
    await answer(call)
  },
})

const options = () => ({
  services: [service('athena', (call) => 'x-amz-target' in call.request.headers), service('s3', () => true)],
  principalOf: (key: string) => (key === alice.accessKeyId ? alice : undefined),
  now: () => Date.parse('1999-01-01T00:00:00Z'),
})

beforeEach(async () => {
  calls = []
  answer = async ({ response }) => {
    response.end('<ListAllMyBucketsResult/>')
  }
  endpoint = await createEndpoint(options())
})
afterEach(() => endpoint.close())

const credentials = { accessKeyId: alice.accessKeyId, secretAccessKey: alice.secretAccessKey }
const client = (more: object = {}) =>
  new S3Client({ endpoint: endpoint.url, region: 'us-east-1', forcePathStyle: true, maxAttempts: 1, credentials, ...more })
const failure = (work: Promise<unknown>): Promise<S3ServiceException> =>
  work.then(
    () => {
      throw new Error('expected a failure')
    },
    (error: S3ServiceException) => error,
  )

/** Sends bytes over a bare socket and returns what comes until it closes. */
async function raw(bytes: string): Promise<string> {
  const socket = connect(endpoint.port, '127.0.0.1')
  let text = ''
  socket.on('data', (chunk) => {
    text += chunk.toString()
  })
  socket.on('error', () => {})
  socket.end(bytes)
  await once(socket, 'close')
  return text
}

describe('callers', () => {
  it('are known by the access key of the signature', async () => {
    await client().send(new ListBucketsCommand({}))
    expect(calls).toHaveLength(1)
    expect(calls[0]!.principal).toBe(alice)
    expect(calls[0]!.url.pathname).toBe('/')
    expect(calls[0]!.requestId).toMatch(/^[0-9A-F]{16}$/)
  })

  it('are refused when unknown, unsigned, wrongly signed, or presigned', async () => {
    expect(
      await failure(
        client({ credentials: { accessKeyId: 'AKIAMALLORY', secretAccessKey: 'x' } }).send(new ListBucketsCommand({})),
      ),
    ).toMatchObject({ name: 'InvalidAccessKeyId', $metadata: { httpStatusCode: 403 } })
    const mistyped = await failure(
      client({ credentials: { ...credentials, secretAccessKey: 'secret-of-bob' } }).send(new ListBucketsCommand({})),
    )
    expect(mistyped).toMatchObject({ name: 'SignatureDoesNotMatch', $metadata: { httpStatusCode: 403 } })
    expect(mistyped.$metadata.requestId).toMatch(/^[0-9A-F]{16}$/)
    const unsigned = await fetch(`${endpoint.url}/bucket/key`)
    expect([unsigned.status, await unsigned.text()]).toEqual([403, expect.stringContaining('<Code>AccessDenied</Code>')])
    const presigned = await fetch(`${endpoint.url}/bucket/key?X-Amz-Signature=abc`)
    expect([presigned.status, await presigned.text()]).toEqual([400, expect.stringContaining('X-Amz-Expires')])
    const basic = await fetch(endpoint.url, { headers: { authorization: 'Basic YTpi' } })
    expect([basic.status, await basic.text()]).toEqual([400, expect.stringContaining('<Code>InvalidRequest</Code>')])
    const malformed = await fetch(endpoint.url, { headers: { authorization: 'AWS4-HMAC-SHA256 Credential=x' } })
    expect([malformed.status, await malformed.text()]).toEqual([400, expect.stringContaining('AuthorizationHeaderMalformed')])
    expect(calls).toHaveLength(0)
  })

  it('of the JSON protocols get JSON errors', async () => {
    const athena = new AthenaClient({
      endpoint: endpoint.url,
      region: 'us-east-1',
      maxAttempts: 1,
      credentials: { accessKeyId: 'AKIAMALLORY', secretAccessKey: 'x' },
    })
    expect(await failure(athena.send(new ListWorkGroupsCommand({})))).toMatchObject({
      name: 'UnrecognizedClientException',
      $metadata: { httpStatusCode: 403 },
    })
    const wrong = new AthenaClient({
      endpoint: endpoint.url,
      region: 'us-east-1',
      maxAttempts: 1,
      credentials: { ...credentials, secretAccessKey: 'x' },
    })
    expect(await failure(wrong.send(new ListWorkGroupsCommand({})))).toMatchObject({ name: 'InvalidSignatureException' })
  })
})

describe('services', () => {
  it('are asked in order', async () => {
    answer = async ({ response }) => {
      response.setHeader('content-type', 'application/x-amz-json-1.1')
      response.end('{"WorkGroups":[{"Name":"primary"}]}')
    }
    const athena = new AthenaClient({ endpoint: endpoint.url, region: 'us-east-1', credentials })
    expect((await athena.send(new ListWorkGroupsCommand({}))).WorkGroups).toMatchObject([{ Name: 'primary' }])
  })

  it('that throw are answered with 500', async () => {
    answer = async () => {
      throw new Error('out of luck')
    }
    expect(await failure(client().send(new ListBucketsCommand({})))).toMatchObject({
      name: 'InternalError',
      $metadata: { httpStatusCode: 500 },
      message: expect.stringContaining('out of luck'),
    })
    answer = async ({ response }) => {
      response.writeHead(200, { 'content-length': 100 })
      response.write('half')
      throw new Error('too late')
    }
    await expect(client().send(new ListBucketsCommand({}))).rejects.toThrow()
  })
})

describe('the socket', () => {
  it('survives garbage, oversize headers, aborted requests and absolute targets', async () => {
    expect(await raw('\x16\x03\x01\x02\x00\x01\x00')).toContain('400 Bad Request')
    expect(await raw('GET / HTTP/9.9\r\n\r\n')).toContain('400 Bad Request')
    expect(await raw(`GET / HTTP/1.1\r\nhost: x\r\nx-big: ${'y'.repeat(100_000)}\r\n\r\n`)).toContain('431')
    expect(await raw('GET http://elsewhere/ HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n')).toContain('InvalidURI')
    expect(await raw('OPTIONS * HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n')).toContain('InvalidURI')
    for (let at = 0; at < 20; at++) {
      const socket = connect(endpoint.port, '127.0.0.1')
      socket.on('error', () => {})
      socket.write('PUT /bucket/key HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\nhalf')
      await once(socket, 'connect')
      socket.destroy()
    }
    await client().send(new ListBucketsCommand({}))
  })

  it.each(['evil.example', 'localhost.evil.example', '10.0.0.1', '127.0.0.1.evil.example:80', ''])(
    'refuses the host %j, whatever the key: a page whose name leads here is not the user',
    async (host) => {
      const key =
        'authorization: AWS4-HMAC-SHA256 Credential=AKIAALICE/20261124/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0'
      const answered = await raw(`GET / HTTP/1.1\r\nhost: ${host}\r\n${key}\r\nconnection: close\r\n\r\n`)
      expect(answered).toContain('answers requests to 127.0.0.1 and localhost only')
      expect(calls).toEqual([])
    },
  )

  it.each(['127.0.0.1', 'localhost:4566', 'my-bucket.localhost', '[::1]:80'])('answers the host %j', async (host) => {
    const answered = await raw(`GET / HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`)
    expect(answered).toContain('the request is not signed')
  })

  it('is on the loopback interface only', () => {
    expect(endpoint.url).toBe(`http://127.0.0.1:${endpoint.port}`)
  })

  it('refuses a port in use with one clear error', async () => {
    await expect(createEndpoint({ ...options(), port: endpoint.port })).rejects.toMatchObject({
      code: 'PIPE_LOCAL_PORT_IN_USE',
      message: expect.stringContaining(`Port ${endpoint.port} of 127.0.0.1 is in use`),
    })
  })

  it('refuses unknown options by name', async () => {
    await expect(createEndpoint({ ...options(), prot: 1 } as never)).rejects.toThrow('Did you mean "port"')
  })
})

describe('close', () => {
  it('does not wait for idle keep-alive connections', async () => {
    await client().send(new ListBucketsCommand({}))
    const idle = connect(endpoint.port, '127.0.0.1')
    await once(idle, 'connect')
    const closed = once(idle, 'close')
    idle.resume()
    await endpoint.close()
    await closed
    await endpoint.close()
    await expect(client().send(new ListBucketsCommand({}))).rejects.toThrow()
  })

  it('lets a request in flight finish', async () => {
    let finish = () => {}
    const started = new Promise<void>((resolve) => {
      answer = ({ response }) =>
        new Promise((done) => {
          finish = () => {
            response.end('<ListAllMyBucketsResult><Owner><ID>late</ID></Owner></ListAllMyBucketsResult>')
            done()
          }
          resolve()
        })
    })
    const listed = client().send(new ListBucketsCommand({}))
    await started
    const closed = endpoint.close()
    finish()
    expect((await listed).Owner!.ID).toBe('late')
    await closed
  })
})
