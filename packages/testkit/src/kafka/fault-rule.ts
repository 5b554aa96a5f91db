import { ConfigError, type Duration, durationMs } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { type ApiName, apiKeys } from './api-names'

/**
 * What happens to a request that a rule picked. `on: 'request'`: before the broker has it. `on: 'response'`: the broker has done the
 * work.
 */
export type Fault =
  /** It, and all behind it on the connection, waits. */
  | { readonly fault: 'delay'; readonly on: 'request' | 'response'; readonly by: Duration }
  /** As `delay`, until the rule's `release()`. */
  | { readonly fault: 'hold'; readonly on: 'request' | 'response' }
  /** The broker never sees it, and nothing is answered. */
  | { readonly fault: 'drop-request' }
  /** The broker does the work, its answer never arrives; the connection goes on. */
  | { readonly fault: 'drop-response' }
  /** `afterBytes` of the frame pass, then the connection is closed at both ends. */
  | { readonly fault: 'cut'; readonly on: 'request' | 'response'; readonly afterBytes: number }
  /** Both ends are reset, instead of passing the frame. */
  | { readonly fault: 'reset'; readonly on: 'request' | 'response' }
  /** From this request on, nothing passes either way; the connection stays open. */
  | { readonly fault: 'black-hole' }

/** A fault and the requests that it hits. */
export type FaultRule = Fault & {
  /** Only requests of this API; without it, of every API. */
  readonly api?: ApiName | number
  /** So many matching requests pass first, whether or not other rules take them. Default 0. */
  readonly skip?: number
  /** So many of those that no earlier rule takes are hit after that. Default 1; `Infinity` until removed. */
  readonly times?: number
}

/** A rule at work. */
export interface ActiveRule {
  /** Requests it has hit so far. */
  hits(): number
  /** Resolves with the first hit: `on: 'request'` when the request arrives, `on: 'response'` (and `drop-response`) when the answer does. */
  readonly happened: Promise<void>
  /** Lets go of what a `hold` holds, now and later. Does nothing for other faults. */
  release(): void
  /** It hits nothing more; what it holds is let go. */
  remove(): void
}

/** A rule as the proxy runs it. */
export interface RunningRule {
  readonly rule: FaultRule
  readonly active: ActiveRule
  /** Whether the rule would take this request; counts it. */
  offers(apiKey: number): boolean
  /** It takes the request. */
  use(): void
  /** Called when the fault happens. Resolves when the frame may go on. */
  happen(signal: AbortSignal): Promise<void>
}

/** @throws {@link ConfigError} `PIPE_CONFIG` for an unknown fault, key or API, or a count below zero. */
export function runRule(rule: FaultRule): RunningRule {
  checkRule(rule)
  const apiKey = typeof rule.api === 'string' ? apiKeys[rule.api] : rule.api
  const times = rule.times ?? 1
  let matched = 0
  let taken = 0
  let hits = 0
  let removed = false
  let firstHit: () => void = () => {}
  const happened = new Promise<void>((resolve) => {
    firstHit = resolve
  })
  const released = new AbortController()
  return {
    rule,
    active: {
      hits: () => hits,
      happened,
      release: () => released.abort(),
      remove: () => {
        removed = true
        released.abort()
      },
    },
    offers(key) {
      if (removed || (apiKey !== undefined && apiKey !== key)) return false
      matched += 1
      return matched > (rule.skip ?? 0) && taken < times
    },
    use() {
      taken += 1
    },
    async happen(signal) {
      hits += 1
      firstHit()
      if (rule.fault === 'delay') await pause(durationMs(rule.by), signal)
      if (rule.fault === 'hold') await pause(undefined, AbortSignal.any([signal, released.signal]))
    },
  }
}

/** Resolves after the time, or as soon as the signal aborts. */
export function pause(ms: number | undefined, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const timer = ms === undefined ? undefined : setTimeout(done, ms)
    function done(): void {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    signal.addEventListener('abort', done)
  })
}

const keysOf: Record<Fault['fault'], readonly string[]> = {
  delay: ['on', 'by'],
  hold: ['on'],
  'drop-request': [],
  'drop-response': [],
  cut: ['on', 'afterBytes'],
  reset: ['on'],
  'black-hole': [],
}

function checkRule(rule: FaultRule): void {
  const keys = keysOf[rule.fault]
  if (keys === undefined)
    throw new ConfigError(`No fault "${rule.fault}".`, { hint: `Known: ${Object.keys(keysOf).join(', ')}.` })
  checkOptions(`the fault "${rule.fault}"`, rule, { required: ['fault', ...keys], optional: ['api', 'skip', 'times'] })
  if (typeof rule.api === 'string' && !(rule.api in apiKeys)) {
    throw new ConfigError(`No Kafka API "${rule.api}".`, { hint: `Known: ${Object.keys(apiKeys).join(', ')}.` })
  }
  if ('on' in rule && rule.on !== 'request' && rule.on !== 'response') {
    throw new ConfigError(`A fault is on 'request' or 'response', not "${String(rule.on)}".`)
  }
  if (rule.fault === 'delay') durationMs(rule.by)
  const counts = { skip: rule.skip, times: rule.times, afterBytes: rule.fault === 'cut' ? rule.afterBytes : undefined }
  for (const [name, count] of Object.entries(counts)) {
    if (count !== undefined && !(count >= 0))
      throw new ConfigError(`"${name}" of the fault "${rule.fault}" is ${count}, not 0 or more.`)
  }
}

/** Where in the exchange a fault happens. */
export function sideOf(rule: FaultRule): 'request' | 'response' {
  if (rule.fault === 'drop-response') return 'response'
  return 'on' in rule ? rule.on : 'request'
}
