import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** A server that speaks the frame of the Kafka protocol only: it answers each request with the bytes behind its header. */
export async function startEchoBroker() {
  const seen: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    onFrames(socket, (frame) => {
      const body = frame.subarray(8)
      seen.push(body.toString())
      socket.write(frameOf(frame.subarray(4, 8), body))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as { port: number }).port,
    seen,
    open: () => sockets.size,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/** A client that sends frames and tells what came back. */
export async function connectEcho(port: number) {
  const socket = connect({ host: '127.0.0.1', port })
  const answers: string[] = []
  const waiting = new Map<string, () => void>()
  let received = 0
  socket.on('data', (chunk) => {
    received += chunk.length
  })
  onFrames(socket, (frame) => {
    const text = frame.subarray(4).toString()
    answers.push(text)
    waiting.get(text)?.()
  })
  const ended = new Promise<string>((resolve) => {
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    socket.once('end', () => resolve('end'))
    socket.once('close', () => resolve('close'))
  })
  let correlationId = 0
  await once(socket, 'connect')
  return {
    answers,
    ended,
    socket,
    received: () => received,
    /** Sends one request; resolves when it is answered. */
    ask(apiKey: number, body: string): Promise<void> {
      const head = Buffer.alloc(8)
      head.writeInt16BE(apiKey, 0)
      head.writeInt16BE(1, 2)
      correlationId += 1
      head.writeInt32BE(correlationId, 4)
      const answered = new Promise<void>((resolve) => waiting.set(body, resolve))
      socket.write(frameOf(head, Buffer.from(body)))
      return answered
    },
  }
}

function frameOf(...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts)
  const length = Buffer.alloc(4)
  length.writeInt32BE(body.length)
  return Buffer.concat([length, body])
}

function onFrames(socket: Socket, handle: (frame: Buffer) => void): void {
  let rest: Buffer = Buffer.alloc(0)
  socket.on('data', (chunk) => {
    rest = Buffer.concat([rest, chunk])
    while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0)) {
      const end = 4 + rest.readInt32BE(0)
      handle(rest.subarray(4, end))
      rest = rest.subarray(end)
    }
  })
}
