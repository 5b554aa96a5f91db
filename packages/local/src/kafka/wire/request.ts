import { type Api, apiVersions, createByteCursor, createByteWriter } from '@pipe/kafka-wire'

/** The header of a request. */
export interface RequestHeader {
  readonly apiKey: number
  readonly apiVersion: number
  readonly correlationId: number
}

/** The part of the header that stands in every version; it decides how the rest is read. */
export function readRequestHeader(frame: Buffer): RequestHeader {
  return { apiKey: frame.readInt16BE(0), apiVersion: frame.readInt16BE(2), correlationId: frame.readInt32BE(4) }
}

/** The rest of the header (version 1, or 2 with tagged fields), and the body behind it. @throws WireError when it is cut off. */
export function readRequestBody(frame: Buffer, isFlexible: boolean): { readonly clientId: string; readonly body: Buffer } {
  const cursor = createByteCursor(frame, 'A request header', 8)
  const length = cursor.int16()
  const clientId = length < 0 ? '' : cursor.utf8(length)
  if (isFlexible) {
    for (let count = cursor.unsignedVarint(); count > 0; count--) {
      cursor.unsignedVarint()
      cursor.skip(cursor.unsignedVarint())
    }
  }
  return { clientId, body: frame.subarray(cursor.position) }
}

/** A response frame: length, correlation id, tagged fields where the version has them, body. */
export function responseFrame(api: Api<never, object>, version: number, correlationId: number, body: Buffer): readonly Buffer[] {
  // ApiVersions answers with header version 0 always: its client does not know yet what we speak.
  const isFlexible = version >= api.flexibleFrom && api.key !== apiVersions.key
  const head = createByteWriter(9)
  head.int32(body.length + 4 + (isFlexible ? 1 : 0))
  head.int32(correlationId)
  if (isFlexible) head.unsignedVarint(0)
  return [head.bytes(), body]
}
