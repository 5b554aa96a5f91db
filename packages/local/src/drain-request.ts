import type { IncomingMessage, ServerResponse } from 'node:http'

const drainMs = 5000

/**
 * Reads what a refused request still sends; resolves when its answer may go out. On a connection that stays open, at once: the rest is read meanwhile, else
 * the client would hang in its body. A connection that closes with the answer would be reset by the bytes still coming, and the client would never see
 * the answer, so they are read first, for five seconds at most.
 */
export function drainRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.complete || request.destroyed) return Promise.resolve()
  request.resume()
  if (response.shouldKeepAlive) return Promise.resolve()
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      resolve()
    }
    const timer = setTimeout(done, drainMs)
    request.once('end', done)
    request.once('close', done)
  })
}
