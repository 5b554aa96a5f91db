import { AwsError, type ServiceCall } from './service'

/** The whole body of a call. @throws AwsError of `tooLarge` beyond `maxBytes`. */
export async function readCallBody(call: ServiceCall, maxBytes: number, tooLarge: (bytes: number) => AwsError): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of call.request) {
    bytes += (chunk as Buffer).length
    if (bytes > maxBytes) throw tooLarge(bytes)
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** Answers with JSON. */
export function sendJson(
  call: ServiceCall,
  status: number,
  body: unknown,
  options: { readonly contentType: string; readonly headers?: Readonly<Record<string, string>> },
): void {
  sendText(call, status, JSON.stringify(body), options)
}

/** Answers with a text that is JSON already. */
export function sendText(
  call: ServiceCall,
  status: number,
  text: string,
  options: { readonly contentType: string; readonly headers?: Readonly<Record<string, string>> },
): void {
  call.response.writeHead(status, {
    'content-type': options.contentType,
    'content-length': Buffer.byteLength(text),
    'x-amzn-requestid': call.requestId,
    ...options.headers,
  })
  call.response.end(text)
}

/** The error of a JSON service: `AccessDenied` is `AccessDeniedException` there, and what is no AwsError is a failure of this runtime. */
export function asJsonError(error: unknown, internalCode: string): AwsError {
  if (!(error instanceof AwsError)) {
    return new AwsError(internalCode, `The local runtime failed: ${error instanceof Error ? error.message : String(error)}`, 500)
  }
  return error.code === 'AccessDenied' ? new AwsError('AccessDeniedException', error.message, error.status, error.fields) : error
}
