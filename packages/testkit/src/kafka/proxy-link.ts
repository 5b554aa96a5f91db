import type { Socket } from 'node:net'
import { pause, type RunningRule, sideOf } from './fault-rule'
import { type FramePiece, frameSplitter } from './frame-splitter'

/** One client's connection through the proxy. */
export interface ProxyLink {
  /** Resets both ends. */
  reset(): void
}

/** What a link needs from the proxy. */
export interface ProxyLinkOptions {
  readonly client: Socket
  readonly broker: Socket
  mode(): { readonly delayMs?: number; readonly blackHole?: boolean }
  /** The rule that takes a request, if any; counts the request. */
  ruleFor(apiKey: number): RunningRule | undefined
  /** Bytes have been handed on; `whole` with the last of a frame. */
  onPassed(side: 'request' | 'response', apiKey: number | undefined, bytes: number, whole: boolean): void
  onClosed(): void
}

/** Length, API key, API version, correlation id. */
const requestHeaderBytes = 12
/** Length, correlation id. */
const responseHeaderBytes = 8
/** Requests with acks 0 are never answered: so many unanswered ones are remembered, the oldest are dropped. */
const maxUnanswered = 10_000

interface Exchange {
  readonly apiKey: number
  readonly rule: RunningRule | undefined
}

/** Joins a client and a broker, frame by frame. */
export function createProxyLink(options: ProxyLinkOptions): ProxyLink {
  const { client, broker } = options
  const unanswered = new Map<number, Exchange>()
  const closing = new AbortController()
  /** Set by a rule: this connection is dead, but open. */
  let blackHole = false
  /** Its sockets are on their way out, each in its own manner. */
  let isReset = false

  /** In a black hole no end may notice what the other one does. */
  const silent = () => blackHole || options.mode().blackHole === true

  const reset = () => {
    if (isReset) return
    isReset = true
    closing.abort()
    resetSocket(client)
    resetSocket(broker)
  }

  const fail = () => {
    if (!silent()) reset()
  }

  const exchangeOf = (side: 'request' | 'response', header: Buffer): Exchange | undefined => {
    if (side === 'response') {
      const correlationId = header.readInt32BE(4)
      const exchange = unanswered.get(correlationId)
      unanswered.delete(correlationId)
      return exchange
    }
    const apiKey = header.readInt16BE(4)
    const exchange = { apiKey, rule: options.ruleFor(apiKey) }
    unanswered.set(header.readInt32BE(8), exchange)
    if (unanswered.size > maxUnanswered) unanswered.delete(unanswered.keys().next().value as number)
    return exchange
  }

  async function carry(side: 'request' | 'response', from: Socket, to: Socket): Promise<void> {
    const split = frameSplitter(side === 'request' ? requestHeaderBytes : responseHeaderBytes)
    let exchange: Exchange | undefined
    let dropping = false
    /** Bytes of the frame that may pass before the cut. */
    let allowance = Number.POSITIVE_INFINITY

    /** Decides the fate of a frame by its header. */
    const begin = async (header: Buffer) => {
      exchange = exchangeOf(side, header)
      dropping = false
      allowance = Number.POSITIVE_INFINITY
      const { delayMs } = options.mode()
      if (delayMs !== undefined) await pause(delayMs, closing.signal)
      const running = exchange?.rule
      if (running === undefined || sideOf(running.rule) !== side) return
      await running.happen(closing.signal)
      const { rule } = running
      if (rule.fault === 'reset') reset()
      if (rule.fault === 'black-hole') blackHole = true
      if (rule.fault === 'drop-request' || rule.fault === 'drop-response') dropping = true
      if (rule.fault === 'cut') allowance = rule.afterBytes
    }
    const pass = async (piece: FramePiece) => {
      if (piece.header !== undefined) await begin(piece.header)
      // What a black hole has swallowed is missing from the stream: the connection stays dead when the mode changes.
      if (options.mode().blackHole) blackHole = true
      if (dropping || blackHole || closing.signal.aborted) return
      const bytes = piece.bytes.subarray(0, allowance)
      const cut = bytes.length < piece.bytes.length || (allowance === bytes.length && piece.last)
      allowance -= bytes.length
      if (cut) {
        // The bytes before the cut must arrive: a reset throws away what the other end has not read.
        if (bytes.length > 0) await new Promise((done) => to.write(bytes, done))
        options.onPassed(side, exchange?.apiKey, bytes.length, false)
        isReset = true
        closing.abort()
        to.destroySoon()
        resetSocket(from)
        return
      }
      if (!to.writable) return
      options.onPassed(side, exchange?.apiKey, bytes.length, piece.last)
      if (!to.write(bytes)) await drained(to)
    }
    for await (const chunk of from) {
      let pieces: FramePiece[]
      try {
        pieces = split(chunk as Buffer)
      } catch {
        // Not the Kafka protocol. Reset here: leaving the loop would end the connection in order.
        return fail()
      }
      for (const piece of pieces) await pass(piece)
    }
    // One end said that it sends nothing more; the other is told so, unless it must not notice anything.
    if (!silent()) to.end()
  }

  const end = () => {
    closing.abort()
    if (isReset) return
    client.destroy()
    broker.destroy()
  }
  // A broker that is gone, or a client that reset: the other end learns of it by a reset too.
  client.on('error', reset)
  broker.on('error', () => {
    if (!silent()) reset()
  })
  client.once('close', () => {
    end()
    options.onClosed()
  })
  broker.once('close', () => {
    if (!silent()) client.destroySoon()
  })
  // What makes a loop fail (a reset end, not a Kafka frame) has closed the connection or must.
  void carry('request', client, broker).catch(fail)
  void carry('response', broker, client).catch(fail)
  return { reset }
}

/**
 * Resets a socket, once. The end of writing and a reset must not meet: uv_tcp_close_reset then refuses (EINVAL), and Node 20 forgets the
 * socket, which stays open for as long as the process lives.
 */
function resetSocket(socket: Socket): void {
  if (socket.writableEnded) socket.destroy()
  else socket.resetAndDestroy()
}

/** Resolves when the socket takes more, or is closed. */
function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      socket.off('drain', done)
      socket.off('close', done)
      resolve()
    }
    socket.on('drain', done)
    socket.on('close', done)
  })
}
