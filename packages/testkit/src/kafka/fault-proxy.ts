import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { ConfigError, type Duration, durationMs } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { apiName } from './api-names'
import { type ActiveRule, type FaultRule, type RunningRule, runRule } from './fault-rule'
import { createProxyLink, type ProxyLink } from './proxy-link'

/**
 * How all connections are treated, before any rule: `pass`; `black-hole` (connections open, nothing passes either way; a connection that
 * lost something in it stays dead afterwards); `refuse` (new connections are refused, open ones go on); a delay of every frame in both directions.
 */
export type ProxyMode = 'pass' | 'black-hole' | 'refuse' | { readonly delay: Duration }

/** What has passed since the start. Counts are by API name. */
export interface ProxyTraffic {
  /** Connections that were accepted. */
  readonly connections: number
  /** Connections that are open now. */
  readonly open: number
  /** Requests that reached the broker whole. */
  readonly requests: Readonly<Record<string, number>>
  /** Responses that reached the client whole. */
  readonly responses: Readonly<Record<string, number>>
  readonly requestBytes: number
  readonly responseBytes: number
}

/** A TCP proxy in front of one broker that can break what passes. */
export interface FaultProxy {
  readonly port: number
  /** Adds a rule. A request is taken by the first rule that matches and is not used up. */
  inject(rule: FaultRule): ActiveRule
  /** Sets the treatment of all connections, open ones included. */
  setMode(mode: ProxyMode): Promise<void>
  /** Resets every open connection at both ends, once. */
  resetConnections(): void
  traffic(): ProxyTraffic
  /** Mode `pass`, no rules; what rules hold is let go. */
  clear(): Promise<void>
  close(): Promise<void>
}

/** Options of {@link startFaultProxy}. */
export interface FaultProxyOptions {
  /** Port of the broker, on 127.0.0.1. */
  readonly target: number
  /** Port to listen at; default 0: a free one. */
  readonly port?: number
}

/**
 * Starts a proxy that understands only the frame of the Kafka protocol (length, API key, version, correlation id): enough to hit one
 * request of one API, and to lose the answer to it after the broker has done the work.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG` for unknown options.
 */
export async function startFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  checkOptions('startFaultProxy', options, { required: ['target'], optional: ['port'] })
  const links = new Set<ProxyLink>()
  const rules: RunningRule[] = []
  const counters = { connections: 0, requestBytes: 0, responseBytes: 0 }
  const requests: Record<string, number> = {}
  const responses: Record<string, number> = {}
  let mode: ProxyMode = 'pass'
  let closed = false

  const accept = (client: Socket) => {
    counters.connections += 1
    const link = createProxyLink({
      client,
      broker: connect({ host: '127.0.0.1', port: options.target, noDelay: true }),
      mode: () => (typeof mode === 'object' ? { delayMs: durationMs(mode.delay) } : { blackHole: mode === 'black-hole' }),
      ruleFor: (apiKey) => {
        // All of them count the request, also those behind the one that takes it.
        const [rule] = rules.filter((one) => one.offers(apiKey))
        rule?.use()
        return rule
      },
      onPassed: (side, apiKey, bytes, whole) => {
        if (side === 'request') counters.requestBytes += bytes
        else counters.responseBytes += bytes
        if (!whole) return
        const counts = side === 'request' ? requests : responses
        const name = apiKey === undefined ? 'unknown' : apiName(apiKey)
        counts[name] = (counts[name] ?? 0) + 1
      },
      onClosed: () => links.delete(link),
    })
    links.add(link)
  }
  let server: Server | undefined = await listenAt(options.port ?? 0, accept)
  const { port } = server.address() as { port: number }

  const setMode = async (next: ProxyMode) => {
    if (closed) throw new ConfigError(`The fault proxy at port ${port} is closed.`)
    if (typeof next === 'object') durationMs(next.delay)
    else if (!['pass', 'black-hole', 'refuse'].includes(next)) throw new ConfigError(`No proxy mode "${next}".`)
    mode = next
    if (next === 'refuse' && server !== undefined) {
      // Not awaited: it would wait for the open connections, which go on. The port is closed at once.
      server.close()
      server = undefined
    } else if (next !== 'refuse' && server === undefined) {
      server = await listenAt(port, accept)
    }
  }
  return {
    port,
    inject(rule) {
      const running = runRule(rule)
      rules.push(running)
      return running.active
    },
    setMode,
    resetConnections: () => {
      for (const link of [...links]) link.reset()
    },
    traffic: () => ({ ...counters, open: links.size, requests: { ...requests }, responses: { ...responses } }),
    async clear() {
      for (const rule of rules.splice(0)) rule.active.remove()
      await setMode('pass')
    },
    async close() {
      if (closed) return
      closed = true
      for (const rule of rules.splice(0)) rule.active.remove()
      for (const link of [...links]) link.reset()
      if (server !== undefined) {
        server.close()
        await once(server, 'close')
      }
    },
  }
}

async function listenAt(port: number, accept: (client: Socket) => void): Promise<Server> {
  const server = createServer({ noDelay: true, allowHalfOpen: true }, accept)
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return server
}
