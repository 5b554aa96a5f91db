import { once } from 'node:events'
import { connect } from 'node:net'
import { PipeError } from '@pipe/core'
import { type Api, createByteCursor, createByteWriter } from '@pipe/kafka-wire'

/** One connection to a Kafka broker. */
export interface KafkaConnection {
  /** Sends a request and waits for its answer. @throws PipeError `PIPE_LOCAL_KAFKA_SOURCE` when the broker hangs up instead. */
  ask<Request extends object, Response extends object>(
    api: Api<Request, Response>,
    version: number,
    request: Request,
  ): Promise<Response>
  close(): void
}

interface Waiting {
  resolve(frame: Buffer): void
  reject(error: Error): void
}

const clientId = 'pipe-local-event-source'
/** An answer holds what was asked for; a length beyond this is no answer of Kafka. */
const maxFrameBytes = 256 * 1024 * 1024
const connectMs = 10_000

/** @throws PipeError `PIPE_LOCAL_KAFKA_SOURCE` when nobody answers at `host:port`. */
export async function openKafkaConnection(host: string, port: number): Promise<KafkaConnection> {
  const socket = connect({ host, port, noDelay: true })
  const address = `${host}:${port}`
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(connectMs) })
  } catch (cause) {
    socket.destroy()
    throw sourceError(`The Kafka broker ${address} cannot be reached.`, cause)
  }
  const waiting = new Map<number, Waiting>()
  let correlationId = 0
  let pending: Buffer = Buffer.alloc(0)
  const fail = (error: Error) => {
    for (const { reject } of waiting.values()) reject(error)
    waiting.clear()
  }
  const take = (frame: Buffer) => {
    const id = frame.readInt32BE(0)
    waiting.get(id)?.resolve(frame.subarray(4))
    waiting.delete(id)
  }
  socket.on('data', (chunk) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    while (pending.length >= 4) {
      const size = pending.readInt32BE(0)
      if (size < 4 || size > maxFrameBytes) return void socket.destroy(sourceError(`${address} does not speak Kafka's protocol.`))
      if (pending.length < 4 + size) return
      take(pending.subarray(4, 4 + size))
      pending = pending.subarray(4 + size)
    }
  })
  socket.on('error', fail)
  socket.on('close', () => fail(sourceError(`The Kafka broker ${address} closed the connection.`)))

  return {
    async ask(api, version, request) {
      if (socket.destroyed) throw sourceError(`The Kafka broker ${address} closed the connection.`)
      const id = ++correlationId
      const isFlexible = version >= api.flexibleFrom
      const body = api.encodeRequest(request, version)
      const head = createByteWriter()
      head.int32(body.length + 10 + clientId.length + (isFlexible ? 1 : 0))
      head.int16(api.key)
      head.int16(version)
      head.int32(id)
      head.int16(clientId.length)
      head.utf8(clientId, clientId.length)
      if (isFlexible) head.unsignedVarint(0)
      const answer = new Promise<Buffer>((resolve, reject) => waiting.set(id, { resolve, reject }))
      socket.write(Buffer.concat([head.bytes(), body]))
      const frame = await answer
      const cursor = createByteCursor(frame, 'A response')
      if (isFlexible) cursor.unsignedVarint()
      return api.decodeResponse(frame.subarray(cursor.position), version)
    },
    close: () => socket.destroy(),
  }
}

/** Why a Kafka event source cannot be read just now. */
export function sourceError(message: string, cause?: unknown): PipeError {
  const hint = 'Check the brokers, the topic and the event source mapping; it is tried again.'
  return new PipeError('PIPE_LOCAL_KAFKA_SOURCE', message, { retryable: true, hint, ...(cause === undefined ? {} : { cause }) })
}
