import { once } from 'node:events'
import { connect } from 'node:net'
import { PipeError } from '@pipe/core'
import type { Api } from '@pipe/kafka-wire'

/** One connection to one broker: what is asked is answered by that broker and no other. */
export interface RawConnection {
  /** Sends one request and waits for its answer. One at a time. @throws PipeError `PIPE_TESTKIT_CONNECTION` when the broker hangs up before it. */
  ask<Request extends object, Response extends object>(
    api: Api<Request, Response>,
    version: number,
    request: Request,
  ): Promise<Response>
  close(): void
}

/**
 * Opens a connection to `host:port`, without handshake or authentication. For versions whose headers are not flexible.
 *
 * @throws the error of the socket when nobody listens there.
 */
export async function connectRaw(address: string): Promise<RawConnection> {
  const [host, port] = address.split(':') as [string, string]
  const socket = connect(Number(port), host)
  await once(socket, 'connect')
  let correlationId = 0
  return {
    async ask(api, version, request) {
      correlationId += 1
      socket.write(frameOf(api.key, version, correlationId, api.encodeRequest(request, version)))
      let answer = Buffer.alloc(0)
      for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
        answer = Buffer.concat([answer, chunk as Buffer])
        if (answer.length >= 4 && answer.length >= 4 + answer.readInt32BE(0))
          return api.decodeResponse(answer.subarray(8), version)
      }
      throw new PipeError('PIPE_TESTKIT_CONNECTION', `${address} hung up before it answered ${api.name} ${version}.`)
    },
    close: () => socket.destroy(),
  }
}

/** Request header 1 with no client id. */
function frameOf(apiKey: number, version: number, correlationId: number, body: Uint8Array): Buffer {
  const head = Buffer.alloc(14)
  head.writeInt32BE(body.length + 10, 0)
  head.writeInt16BE(apiKey, 4)
  head.writeInt16BE(version, 6)
  head.writeInt32BE(correlationId, 8)
  head.writeInt16BE(-1, 12)
  return Buffer.concat([head, body])
}
