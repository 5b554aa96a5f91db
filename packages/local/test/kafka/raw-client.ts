import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { type Api, createByteCursor, createByteWriter } from '@pipe/kafka-wire'

/** One connection to one broker, for requests that no client would send. */
export interface RawClient {
  readonly socket: Socket
  /** Sends a request and waits for its answer. @throws when the broker hangs up instead. */
  ask<Request extends object, Response extends object>(
    api: Api<Request, Response>,
    version: number,
    request: Request,
  ): Promise<Response>
  /** Sends a request without waiting. */
  send<Request extends object>(api: Api<Request, object>, version: number, request: Request): void
  /** The next frame, from the correlation id on; `undefined` when the broker hangs up. */
  nextFrame(): Promise<Buffer | undefined>
  close(): void
}

/** Connects to `host:port`. */
export async function rawClient(address: string): Promise<RawClient> {
  const [host, port] = address.split(':') as [string, string]
  const socket = connect(Number(port), host)
  await once(socket, 'connect')
  socket.on('error', () => {})
  let correlationId = 0
  let pending: Buffer = Buffer.alloc(0)
  const chunks = socket.iterator({ destroyOnReturn: false })

  const send = <Request extends object>(api: Api<Request, object>, version: number, request: Request) => {
    correlationId += 1
    const isFlexible = version >= api.flexibleFrom
    const body = api.encodeRequest(request, version)
    const head = createByteWriter()
    head.int32(body.length + 10 + (isFlexible ? 1 : 0))
    head.int16(api.key)
    head.int16(version)
    head.int32(correlationId)
    head.int16(-1)
    if (isFlexible) head.unsignedVarint(0)
    socket.write(Buffer.concat([head.bytes(), body]))
  }
  const nextFrame = async (): Promise<Buffer | undefined> => {
    while (pending.length < 4 || pending.length < 4 + pending.readInt32BE(0)) {
      const next = await chunks.next().catch(() => ({ done: true, value: undefined }))
      if (next.done) return undefined
      pending = Buffer.concat([pending, next.value as Buffer])
    }
    const end = 4 + pending.readInt32BE(0)
    const frame = pending.subarray(4, end)
    pending = pending.subarray(end)
    return frame
  }
  return {
    socket,
    send: send as RawClient['send'],
    nextFrame,
    async ask(api, version, request) {
      send(api as never, version, request)
      const frame = await nextFrame()
      if (!frame) throw new Error(`The broker hung up instead of answering ${api.name} ${version}.`)
      const cursor = createByteCursor(frame, 'A response')
      if (cursor.int32() !== correlationId) throw new Error('The answer is to another request.')
      if (version >= api.flexibleFrom && api.key !== 18) cursor.unsignedVarint()
      return api.decodeResponse(frame.subarray(cursor.position), version)
    },
    close: () => socket.destroy(),
  }
}
