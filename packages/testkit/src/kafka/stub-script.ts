import { ConfigError, type Duration, durationMs } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'

/** What the stub does with some requests instead of its duty. Requests are counted, not partitions. */
export interface StubRule {
  /** Default `Produce`. */
  readonly api?: 'Produce' | 'Metadata' | 'InitProducerId' | 'ApiVersions'
  /** Only requests that reach this broker (node id, from 0). */
  readonly broker?: number
  /** Produce and Metadata: only requests that name this topic. */
  readonly topic?: string
  /** Produce: the partitions of the request that are hit: a number, the first listed, or (default) all. A request without it is not hit. */
  readonly partition?: number | 'first'
  /** So many matching requests pass first, whether or not other rules take them. Default 0. */
  readonly skip?: number
  /** So many of those that no earlier rule takes are hit after that. Default 1; `Infinity` until removed. */
  readonly times?: number
  /** Kafka error code for what is hit. */
  readonly error?: number
  /** Produce: whether what is hit is stored. Default: stored without `error`, not stored with it (7 and 20 are told after storing). */
  readonly append?: boolean
  /** How the request is answered after it was handled. Default: at once. `none`: never, the connection goes on; `close`: by closing it. */
  readonly reply?: 'none' | 'close' | { readonly after: Duration }
}

/** A rule at work. */
export interface ActiveStubRule {
  readonly rule: StubRule
  /** Requests it has hit so far. */
  hits(): number
  /** Resolves with the first hit, after the request was handled. */
  readonly happened: Promise<void>
  remove(): void
}

/** A request as rules see it. */
export interface ScriptedRequest {
  readonly api: string
  readonly broker: number
  readonly topics: readonly { readonly name: string; readonly partitions: readonly number[] }[]
}

/** Rules in the order of their making. */
export interface StubScript {
  add(rule: StubRule): ActiveStubRule
  /** The first rule that takes the request and is not used up; counts it. `done` marks it as happened. */
  take(request: ScriptedRequest): { readonly rule: StubRule; done(): void } | undefined
  clear(): void
}

/** An empty script. */
export function createStubScript(): StubScript {
  const entries: { active: ActiveStubRule; offers(request: ScriptedRequest): boolean; use(): void; done(): void }[] = []
  return {
    add(rule) {
      checkRule(rule)
      const times = rule.times ?? 1
      let matched = 0
      let taken = 0
      let hits = 0
      let firstHit: () => void = () => {}
      const happened = new Promise<void>((resolve) => {
        firstHit = resolve
      })
      const remove = () => {
        const at = entries.findIndex(({ active: own }) => own === active)
        if (at >= 0) entries.splice(at, 1)
      }
      const active: ActiveStubRule = { rule, hits: () => hits, happened, remove }
      entries.push({
        active,
        offers(request) {
          if (!matches(rule, request)) return false
          matched += 1
          return matched > (rule.skip ?? 0) && taken < times
        },
        use: () => {
          taken += 1
        },
        done() {
          hits += 1
          firstHit()
        },
      })
      return active
    },
    take(request) {
      // All of them count the request, also those behind the one that takes it.
      const [entry] = entries.filter(({ offers }) => offers(request))
      entry?.use()
      return entry && { rule: entry.active.rule, done: entry.done }
    },
    clear: () => void entries.splice(0),
  }
}

function matches(rule: StubRule, request: ScriptedRequest): boolean {
  if ((rule.api ?? 'Produce') !== request.api) return false
  if (rule.broker !== undefined && rule.broker !== request.broker) return false
  const topics = request.topics.filter(({ name }) => rule.topic === undefined || rule.topic === name)
  if (rule.topic !== undefined && topics.length === 0) return false
  if (typeof rule.partition !== 'number') return true
  return topics.some(({ partitions }) => partitions.includes(rule.partition as number))
}

/** Whether a rule that took a request hits one partition of it. */
export function hitsPartition(rule: StubRule, request: ScriptedRequest, topic: string, partition: number): boolean {
  if (rule.topic !== undefined && rule.topic !== topic) return false
  if (rule.partition === undefined) return true
  if (rule.partition !== 'first') return rule.partition === partition
  const first = request.topics.find(({ name }) => rule.topic === undefined || rule.topic === name)
  return first?.name === topic && first.partitions[0] === partition
}

function checkRule(rule: StubRule): void {
  checkOptions('a rule of the stub', rule, {
    optional: ['api', 'broker', 'topic', 'partition', 'skip', 'times', 'error', 'append', 'reply'],
  })
  if (rule.error === undefined && rule.append === undefined && rule.reply === undefined) {
    throw new ConfigError('A rule of the stub does nothing: it needs "error", "append" or "reply".')
  }
  const api = rule.api ?? 'Produce'
  if (!['Produce', 'Metadata', 'InitProducerId', 'ApiVersions'].includes(api))
    throw new ConfigError(`The stub has no API "${api}".`)
  if (api !== 'Produce' && (rule.append !== undefined || rule.partition !== undefined)) {
    throw new ConfigError(`"append" and "partition" concern Produce only, not ${api}.`)
  }
  if (rule.append === false && rule.error === undefined && rule.reply === undefined) {
    throw new ConfigError('A rule that stores nothing must give an "error", or another "reply".')
  }
  if (typeof rule.reply === 'object') durationMs(rule.reply.after)
}
