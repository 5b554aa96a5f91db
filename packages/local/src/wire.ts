import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { PipeError } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { drainRequest } from './drain-request'
import { AwsError, type Principal, type Service, type ServiceCall } from './service'
import { parseAuthorization, parsePresigned, verifyPresigned, verifySignature } from './signature'

/** What the endpoint serves. */
export interface EndpointOptions {
  /** Default 0: a free port. */
  readonly port?: number
  /** Asked in order; the first that matches a request answers it. */
  readonly services: readonly Service[]
  /** Who owns an access key; undefined for an unknown one. */
  principalOf(accessKeyId: string): Principal | undefined
  /** Milliseconds by the clock of the runtime. */
  now(): number
}

/** A listening HTTP endpoint on the loopback interface. */
export interface Endpoint {
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  readonly port: number
  /** Takes no more requests, waits up to five seconds for those in flight, closes every connection. Idempotent. */
  close(): Promise<void>
}

const drainMs = 5000

/**
 * Starts the one endpoint of the runtime. Each request is attributed to the owner of the access key in its `Authorization` header and
 * its signature is checked; the age of a signature is not, because a virtual clock may be anywhere.
 *
 * @throws {@link PipeError} `PIPE_LOCAL_PORT_IN_USE` when another process listens on the port.
 */
export async function createEndpoint(options: EndpointOptions): Promise<Endpoint> {
  checkOptions('createEndpoint', options, { required: ['services', 'principalOf', 'now'], optional: ['port'] })
  const { services, principalOf, now, port = 0 } = options
  let origin = ''
  // Unique in this process by the counter, between processes by the prefix.
  const idPrefix = randomBytes(4).toString('hex').toUpperCase()
  let requests = 0
  let closing: Promise<void> | undefined
  // Requests in flight by connection. Node's own idea of an idle connection leaves out those that have not sent anything yet.
  const sockets = new Map<Socket, number>()

  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const requestId = idPrefix + (++requests).toString(16).padStart(8, '0').toUpperCase()
    response.setHeader('x-amz-request-id', requestId)
    response.setHeader('x-amzn-requestid', requestId)
    const { socket } = request
    sockets.set(socket, (sockets.get(socket) ?? 0) + 1)
    response.once('close', () => {
      const left = (sockets.get(socket) ?? 1) - 1
      if (sockets.has(socket)) sockets.set(socket, left)
      if (closing && left === 0) socket.end()
    })
    // A client that goes away is its own business; whoever reads the body is told by the stream.
    request.on('error', () => {})
    response.on('error', () => {})
    answer(request, response, requestId).catch(async (error: unknown) => {
      // A client that waits for "100 Continue" has not sent its body, and will not.
      if (request.headers.expect === undefined) await drainRequest(request, response)
      sendWireError(request, response, requestId, asWireError(error))
    })
  }

  async function answer(request: IncomingMessage, response: ServerResponse, requestId: string): Promise<void> {
    refuseForeignHost(request)
    const target = request.url ?? ''
    if (!target.startsWith('/')) throw new AwsError('InvalidURI', "Couldn't parse the specified URI.", 400)
    let url: URL
    try {
      url = new URL(origin + target)
    } catch {
      throw new AwsError('InvalidURI', "Couldn't parse the specified URI.", 400)
    }
    const principal = findPrincipal(request, url, principalOf, now)
    const call: ServiceCall = { request, response, url, principal, requestId }
    const service = services.find((candidate) => candidate.matches(call))
    if (!service) throw new AwsError('NotImplemented', 'No service of this runtime answers such a request.', 501)
    if (request.headers.expect?.toLowerCase() === '100-continue') response.writeContinue()
    await service.handle(call)
  }

  const server = createServer({ keepAliveTimeout: 65_000, requestTimeout: 0, noDelay: true }, onRequest)
  // Answered by `answer` once the caller is known: a refused client then keeps its gigabytes.
  server.on('checkContinue', onRequest)
  server.on('clientError', onClientError)
  server.on('connection', (socket) => {
    sockets.set(socket, 0)
    socket.once('close', () => sockets.delete(socket))
  })
  await listen(server, port)
  const address = server.address() as AddressInfo
  origin = `http://127.0.0.1:${address.port}`

  return {
    url: origin,
    port: address.port,
    close() {
      closing ??= new Promise((resolve) => {
        const timer = setTimeout(() => server.closeAllConnections(), drainMs)
        server.close(() => {
          clearTimeout(timer)
          resolve()
        })
        for (const [socket, inFlight] of sockets) if (inFlight === 0) socket.destroy()
      })
      return closing
    },
  }
}

function listen(server: ReturnType<typeof createServer>, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const inUse = error.code === 'EADDRINUSE'
      reject(
        new PipeError(
          inUse ? 'PIPE_LOCAL_PORT_IN_USE' : 'PIPE_LOCAL_LISTEN',
          inUse
            ? `Port ${port} of 127.0.0.1 is in use by another process.`
            : `The endpoint cannot listen on 127.0.0.1:${port}: ${error.message}.`,
          { hint: 'Choose another port, or 0 for a free one.', cause: error, details: { port } },
        ),
      )
    })
    server.listen(port, '127.0.0.1', resolve)
  })
}

/** Addresses and names of the loopback interface, and the virtual-hosted buckets below `localhost`. */
const loopbackHost = /^(?:127(?:\.\d{1,3}){3}|\[::1\]|(?:[a-z0-9_.-]+\.)?localhost)(?::\d+)?$/i

/**
 * A page of the web can have its own name lead to 127.0.0.1 (DNS rebinding) and would then be asked nothing by the browser: the access key
 * is no secret. Its requests carry its name as their host.
 */
function refuseForeignHost({ headers: { host = '' } }: IncomingMessage): void {
  if (!loopbackHost.test(host)) {
    throw new AwsError('AccessDenied', 'Access Denied: the local runtime answers requests to 127.0.0.1 and localhost only.', 403)
  }
}

function findPrincipal(
  request: IncomingMessage,
  url: URL,
  principalOf: (accessKeyId: string) => Principal | undefined,
  now: () => number,
): Principal {
  const { authorization: header } = request.headers
  if (header === undefined) {
    const { searchParams } = url
    if (searchParams.has('X-Amz-Signature')) {
      const authorization = parsePresigned(searchParams)
      const principal = knownPrincipal(authorization.accessKeyId, principalOf)
      verifyPresigned(request, authorization, principal.secretAccessKey, now())
      return principal
    }
    if (searchParams.has('Signature')) {
      throw new AwsError('NotImplemented', 'The local runtime does not implement presigned URLs of signature version 2.', 501)
    }
    throw new AwsError('AccessDenied', 'Access Denied: the request is not signed.', 403)
  }
  const authorization = parseAuthorization(header)
  const principal = knownPrincipal(authorization.accessKeyId, principalOf)
  verifySignature(request, authorization, principal.secretAccessKey)
  return principal
}

function knownPrincipal(accessKeyId: string, principalOf: (accessKeyId: string) => Principal | undefined): Principal {
  const principal = principalOf(accessKeyId)
  if (principal) return principal
  throw new AwsError('InvalidAccessKeyId', 'The AWS Access Key Id you provided does not exist in our records.', 403, {
    AWSAccessKeyId: accessKeyId,
  })
}

function asWireError(error: unknown): AwsError {
  if (error instanceof AwsError) return error
  return new AwsError('InternalError', `The local runtime failed: ${error instanceof Error ? error.message : String(error)}`, 500)
}

// Names of the same refusals in the JSON protocols.
const jsonCodes: Readonly<Record<string, string>> = {
  InvalidAccessKeyId: 'UnrecognizedClientException',
  AccessDenied: 'MissingAuthenticationTokenException',
  AuthorizationHeaderMalformed: 'IncompleteSignatureException',
  InvalidRequest: 'IncompleteSignatureException',
  SignatureDoesNotMatch: 'InvalidSignatureException',
}

// Errors before a service is found: JSON for the JSON protocols, XML for S3.
function sendWireError(request: IncomingMessage, response: ServerResponse, requestId: string, error: AwsError): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  const json = 'x-amz-target' in request.headers || /^\/\d{4}-\d{2}-\d{2}\//.test(request.url ?? '')
  const code = json ? (jsonCodes[error.code] ?? error.code) : error.code
  const text = json ? JSON.stringify({ __type: code, message: error.message }) : xmlError(error, requestId)
  const bytes = Buffer.from(request.method === 'HEAD' ? '' : text)
  response.writeHead(error.status, {
    'content-type': json ? 'application/x-amz-json-1.1' : 'application/xml',
    'content-length': bytes.length,
    'x-amzn-errortype': code,
  })
  response.end(bytes)
}

function xmlError(error: AwsError, requestId: string): string {
  const field = (name: string, value: string) =>
    `<${name}>${value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')}</${name}>`
  const fields = Object.entries(error.fields).map(([name, value]) => field(name, value))
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error>${field('Code', error.code)}${field('Message', error.message)}${fields.join('')}${field('RequestId', requestId)}</Error>`
}

// Bytes that are no HTTP request, or headers beyond the limit.
function onClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const status = error.code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request'
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
}
