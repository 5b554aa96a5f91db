import { PipeError } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import {
  type DeadlineOptions,
  type HandlerContext,
  type LambdaContext,
  logFailure,
  untilAborted,
  withDeadline,
} from './invocation'

/** What the handler of {@link onHttp} is given beside the request. */
export interface HttpContext extends HandlerContext {
  /** Values of the route's placeholders: `{id}` of API Gateway. */
  readonly pathParameters: Readonly<Record<string, string>>
  /** The event as API Gateway or the function URL sent it. */
  readonly event: unknown
}

/** Options of {@link onHttp}. */
export interface OnHttpOptions extends DeadlineOptions {
  /** Largest answer, unencoded. Lambda refuses more than 6 MB. Default 6 291 556 bytes. */
  readonly maxResponseBytes?: number
}

/** The answer of a Lambda function to API Gateway or a function URL. */
export interface HttpAnswer {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, string>>
  /** Only for payload version 1, where a header stands more than once. */
  readonly multiValueHeaders?: Readonly<Record<string, readonly string[]>>
  /** Only for payload version 2. */
  readonly cookies?: readonly string[]
  readonly body: string
  readonly isBase64Encoded: boolean
}

/** A Lambda handler for HTTP. */
export type HttpHandler = (event: unknown, context?: LambdaContext) => Promise<HttpAnswer>

/**
 * A Lambda handler for HTTP in the types of the web platform: API Gateway REST (payload 1), HTTP API (payload 2) and function URLs give a
 * `Request`, the handler gives a `Response`. A handler that throws answers 500 without the reason, which goes to the log; one that overruns
 * its deadline 504.
 *
 * @throws ConfigError `PIPE_CONFIG` for options. The handler throws PipeError `PIPE_HTTP_EVENT` for what is no HTTP request.
 * @example
 * ```ts
 * export const handler = onHttp(async (request) => Response.json({ path: new URL(request.url).pathname }))
 * ```
 */
export function onHttp(
  handle: (request: Request, context: HttpContext) => Response | Promise<Response>,
  options: OnHttpOptions = {},
): HttpHandler {
  checkOptions('onHttp', options, { optional: ['reserve', 'maxResponseBytes'] })
  const { reserve, maxResponseBytes = 6_291_556 } = options
  return (event, lambdaContext) =>
    withDeadline(lambdaContext, reserve, async (context) => {
      const parts = partsOf(event)
      const { signal } = context
      try {
        const request = new Request(parts.url, {
          method: parts.method,
          headers: parts.headers,
          signal,
          ...(parts.body === undefined ? {} : { body: parts.body }),
        })
        const work = async () => handle(request, { ...context, pathParameters: parts.pathParameters, event })
        const response = await untilAborted(work(), signal)
        return await answerOf(response, parts.version, maxResponseBytes)
      } catch (error) {
        logFailure(`${parts.method} ${parts.url.pathname}`, error)
        const status = signal.aborted ? 504 : 500
        const message = status === 504 ? 'Gateway Timeout' : 'Internal Server Error'
        return answerOf(Response.json({ message }, { status }), parts.version, Number.POSITIVE_INFINITY)
      }
    })
}

interface RequestParts {
  readonly version: 1 | 2
  readonly method: string
  readonly url: URL
  readonly headers: Headers
  readonly body: Uint8Array<ArrayBuffer> | undefined
  readonly pathParameters: Readonly<Record<string, string>>
}

interface HttpEvent {
  readonly version?: string
  readonly httpMethod?: string
  readonly path?: string
  readonly rawPath?: string
  readonly rawQueryString?: string
  readonly headers?: Readonly<Record<string, string>> | null
  readonly multiValueHeaders?: Readonly<Record<string, readonly string[]>> | null
  readonly queryStringParameters?: Readonly<Record<string, string>> | null
  readonly multiValueQueryStringParameters?: Readonly<Record<string, readonly string[]>> | null
  readonly pathParameters?: Readonly<Record<string, string>> | null
  readonly cookies?: readonly string[]
  readonly body?: string | null
  readonly isBase64Encoded?: boolean
  readonly requestContext?: { readonly http?: { readonly method?: string } }
}

function partsOf(given: unknown): RequestParts {
  const event = (typeof given === 'object' && given !== null ? given : {}) as HttpEvent
  const isSecond = event.version === '2.0'
  const method = isSecond ? event.requestContext?.http?.method : event.httpMethod
  const path = isSecond ? event.rawPath : event.path
  if (typeof method !== 'string' || typeof path !== 'string') {
    throw new PipeError('PIPE_HTTP_EVENT', 'This is no HTTP request: it has no method and path.', {
      hint: 'Check what the function is connected to: API Gateway (payload 1 or 2) or a function URL.',
    })
  }
  const headers = headersOf(event)
  const url = new URL('https://localhost')
  url.host = headers.get('host') ?? 'localhost'
  url.pathname = path
  url.search = isSecond ? (event.rawQueryString ?? '') : queryOf(event)
  const hasBody = method !== 'GET' && method !== 'HEAD' && event.body !== undefined && event.body !== null
  const body = hasBody ? new Uint8Array(Buffer.from(event.body!, event.isBase64Encoded ? 'base64' : 'utf8')) : undefined
  return { version: isSecond ? 2 : 1, method, url, headers, body, pathParameters: event.pathParameters ?? {} }
}

function headersOf(event: HttpEvent): Headers {
  const headers = new Headers()
  if (event.multiValueHeaders) {
    for (const [name, values] of Object.entries(event.multiValueHeaders)) for (const value of values) headers.append(name, value)
  } else for (const [name, value] of Object.entries(event.headers ?? {})) headers.set(name, value)
  if (event.cookies && event.cookies.length > 0) headers.set('cookie', event.cookies.join('; '))
  return headers
}

/** Payload 1 gives the values decoded. */
function queryOf(event: HttpEvent): string {
  const query = new URLSearchParams()
  if (event.multiValueQueryStringParameters) {
    for (const [name, values] of Object.entries(event.multiValueQueryStringParameters))
      for (const value of values) query.append(name, value)
  } else for (const [name, value] of Object.entries(event.queryStringParameters ?? {})) query.append(name, value)
  return query.toString()
}

async function answerOf(response: Response, version: 1 | 2, maxBytes: number): Promise<HttpAnswer> {
  const bytes = Buffer.from(await response.arrayBuffer())
  if (bytes.length > maxBytes) {
    throw new PipeError('PIPE_HTTP_TOO_LARGE', `The answer has ${bytes.length} bytes; Lambda takes ${maxBytes}.`, {
      hint: 'Put it into S3 and answer with its address.',
    })
  }
  const cookies = response.headers.getSetCookie()
  const headers: Record<string, string> = {}
  response.headers.forEach((value, name) => {
    if (name !== 'set-cookie') headers[name] = value
  })
  const isText = /^text\/|[/+](json|xml|javascript|x-www-form-urlencoded)\b/.test(headers['content-type'] ?? 'text/plain')
  const isEncoded = bytes.length > 0 && (!isText || headers['content-encoding'] !== undefined)
  return {
    statusCode: response.status,
    headers,
    ...(cookies.length === 0 ? {} : version === 2 ? { cookies } : { multiValueHeaders: { 'set-cookie': cookies } }),
    body: bytes.toString(isEncoded ? 'base64' : 'utf8'),
    isBase64Encoded: isEncoded,
  }
}
