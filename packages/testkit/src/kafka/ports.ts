import { createServer, type Server } from 'node:net'
import { PipeError } from '@pipe/core'

/**
 * Free ports of the loopback interface, below the range from which systems take the local ports of outgoing connections (32768 up on
 * Linux, 49152 up elsewhere): a broker that is down must find its port free when it comes back.
 *
 * @throws {@link PipeError} `PIPE_TESTKIT_PORTS` when fifty tries a port find none.
 */
export async function freePorts(count: number): Promise<readonly number[]> {
  const held: Server[] = []
  const ports: number[] = []
  try {
    for (let tries = 0; ports.length < count; tries++) {
      if (tries > 50 * count)
        throw new PipeError('PIPE_TESTKIT_PORTS', `Found only ${ports.length} of ${count} free ports on 127.0.0.1.`)
      const port = 12_000 + Math.floor(Math.random() * 20_000)
      const server = await listen(port)
      if (server === undefined) continue
      held.push(server)
      ports.push(port)
    }
    return ports
  } finally {
    await Promise.all(held.map((server) => new Promise((resolve) => server.close(resolve))))
  }
}

function listen(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}
