import type { Socket } from 'node:net'
import { type ByteCursor, createByteCursor } from '@pipe/kafka-wire'

/** A request of the Kafka protocol, header read. */
export interface StubRequest {
  readonly apiKey: number
  readonly apiVersion: number
  readonly correlationId: number
  readonly clientId: string | null
  /** What follows the header. */
  readonly body: Buffer
}

/** What the connection does after a request: write a response body, say nothing, or close. */
export type StubReply = Buffer | 'none' | 'close'

/** Larger frames are refused (socket.request.max.bytes of a broker). */
const maxFrameBytes = 104_857_600

/**
 * Serves one connection: requests one after the other, as a broker does (the next one is not looked at before the last is answered).
 * Only versions without tagged fields are served, so the header is always version 1. A frame that cannot be read closes the connection.
 */
export async function serveStubConnection(socket: Socket, handle: (request: StubRequest) => Promise<StubReply>): Promise<void> {
  socket.on('error', () => socket.destroy())
  for await (const frame of framesOf(socket)) {
    const request = readRequest(frame)
    const reply = await handle(request)
    if (reply === 'close') break
    if (reply === 'none') continue
    const head = Buffer.allocUnsafe(8)
    head.writeInt32BE(reply.length + 4, 0)
    head.writeInt32BE(request.correlationId, 4)
    socket.cork()
    socket.write(head)
    socket.write(reply)
    socket.uncork()
  }
}

async function* framesOf(socket: Socket): AsyncGenerator<Buffer> {
  let parts: Buffer[] = []
  let have = 0
  for await (const chunk of socket) {
    parts.push(chunk as Buffer)
    have += (chunk as Buffer).length
    if (have < 4) continue
    // Joined only when a frame is complete: a large one comes in hundreds of chunks.
    if (parts[0]!.length >= 4 && have < 4 + sizeOf(parts[0]!)) continue
    let rest: Buffer = Buffer.concat(parts, have)
    while (rest.length >= 4 && rest.length >= 4 + sizeOf(rest)) {
      const end = 4 + sizeOf(rest)
      yield rest.subarray(4, end)
      rest = rest.subarray(end)
    }
    parts = rest.length > 0 ? [rest] : []
    have = rest.length
  }
}

function sizeOf(bytes: Buffer): number {
  const size = bytes.readInt32BE(0)
  if (size < 10 || size > maxFrameBytes) throw new Error(`a frame of ${size} bytes`)
  return size
}

function readRequest(frame: Buffer): StubRequest {
  const cursor: ByteCursor = createByteCursor(frame, 'A request header')
  const apiKey = cursor.int16()
  const apiVersion = cursor.int16()
  const correlationId = cursor.int32()
  const clientIdBytes = cursor.int16()
  const clientId = clientIdBytes < 0 ? null : cursor.utf8(clientIdBytes)
  return { apiKey, apiVersion, correlationId, clientId, body: frame.subarray(cursor.position) }
}
