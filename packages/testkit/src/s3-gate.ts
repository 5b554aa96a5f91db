import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A place in front of S3 at which replies can be held back. */
export interface S3Gate {
  readonly url: string
  /** The next write of such a key is carried out, and its reply never comes. @returns when it is carried out. */
  swallow(key: RegExp): Promise<string>
  close(): void
}

/** Starts a gate in front of an S3. */
export async function startS3Gate(target: string): Promise<S3Gate> {
  const { hostname, port } = new URL(target)
  let armed: { readonly key: RegExp; readonly done: (key: string) => void } | undefined
  const server = createServer((incoming, reply) => {
    const { method, url: path = '/', headers } = incoming
    const isPut = method === 'PUT' && armed?.key.test(decodeURIComponent(path))
    const swallowed = isPut ? armed : undefined
    if (swallowed) armed = undefined
    const outgoing = request({ hostname, port, method, path, headers }, (response) => {
      if (swallowed) {
        response.resume().on('end', () => swallowed.done(path))
        return
      }
      reply.writeHead(response.statusCode!, response.headers)
      response.pipe(reply)
    })
    outgoing.on('error', () => reply.destroy())
    reply.on('error', () => outgoing.destroy())
    incoming.pipe(outgoing)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    swallow: (key) =>
      new Promise((done) => {
        armed = { key, done }
      }),
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}
