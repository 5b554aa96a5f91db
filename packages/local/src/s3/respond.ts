import type { OutgoingHttpHeaders } from 'node:http'
import { drainRequest } from '../drain-request'
import { AwsError, type ServiceCall } from '../service'
import { element, textElement } from './xml'

/** Sends an XML document. */
export function sendXml(call: ServiceCall, xml: string, headers: OutgoingHttpHeaders = {}): void {
  const bytes = Buffer.from(xml)
  call.response.writeHead(200, { ...headers, 'content-type': 'application/xml', 'content-length': bytes.length })
  call.response.end(bytes)
}

/** Sends a status and headers without a body. */
export function sendEmpty(call: ServiceCall, status: number, headers: OutgoingHttpHeaders = {}): void {
  call.response.writeHead(status, status === 204 || status === 304 ? headers : { ...headers, 'content-length': 0 })
  call.response.end()
}

/**
 * Sends an error in the shape of S3. Once the headers of the answer are out it can only cut the connection, which is how S3 itself ends a
 * body that it cannot finish.
 */
export async function sendError(call: ServiceCall, error: AwsError, resource: string): Promise<void> {
  const { response, request } = call
  if (response.headersSent) {
    response.destroy()
    return
  }
  await drainRequest(request, response)
  // A HEAD has no body; its clients go by the status alone.
  const xml = request.method === 'HEAD' || error.status === 304 ? '' : errorDocument(error, resource, call.requestId)
  const bytes = Buffer.from(xml)
  const headers: OutgoingHttpHeaders = { ...error.headers, 'x-amzn-errortype': error.code }
  if (xml !== '') headers['content-type'] = 'application/xml'
  if (request.method !== 'HEAD') headers['content-length'] = bytes.length
  response.writeHead(error.status, headers)
  response.end(bytes)
}

/** `<Error>` with code, message, the fields of the error, resource and request id. */
export function errorDocument(error: AwsError, resource: string, requestId: string): string {
  const fields = Object.entries(error.fields)
    .map(([name, value]) => textElement(name, value))
    .join('')
  const content =
    textElement('Code', error.code) +
    textElement('Message', error.message) +
    fields +
    textElement('Resource', resource) +
    textElement('RequestId', requestId) +
    textElement('HostId', requestId)
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element('Error', content)}`
}

/** What a caller sees of an error that is not S3's own: the code InternalError, with the text for whoever runs the process. */
export function asAwsError(error: unknown): AwsError {
  if (error instanceof AwsError) return error
  const code = (error as NodeJS.ErrnoException | undefined)?.code
  const text = error instanceof Error ? error.message : String(error)
  if (code === 'ENOSPC') return new AwsError('InternalError', `The disk of the data directory is full: ${text}`, 500)
  return new AwsError('InternalError', `The local S3 failed: ${text}`, 500)
}
