import { ConfigError, type Duration, durationMs } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { apiKeys, type KafkaApiName } from './api-names'

/** What happens to a request. `on: 'request'`: before the broker does its work; `on: 'response'`: after it. */
export type KafkaFault =
  /** It, and what comes behind it on the connection, waits. */
  | { readonly fault: 'delay'; readonly on: 'request' | 'response'; readonly by: Duration }
  /** As `delay`, until the rule's `release()`. */
  | { readonly fault: 'hold'; readonly on: 'request' | 'response' }
  /** The work is not done; the answer is this error code of the protocol (for the named topic and partition only, when the rule names one). */
  | { readonly fault: 'error'; readonly code: number }
  /** The broker never sees it, and nothing is answered. */
  | { readonly fault: 'drop-request' }
  /** The work is done (a batch is appended), the answer never arrives; the connection goes on. */
  | { readonly fault: 'drop-response' }
  /** The answer is cut off after so many bytes, then the connection is closed. */
  | { readonly fault: 'cut'; readonly afterBytes: number }
  /** The connection is closed instead. */
  | { readonly fault: 'reset'; readonly on: 'request' | 'response' }
  /** Half-open: from this request on the connection stays open and nothing is answered any more. */
  | { readonly fault: 'black-hole' }

/** A fault and the requests that it hits. A request is taken by the first rule that matches and is not used up. */
export type KafkaFaultRule = KafkaFault & {
  /** Only at this broker. */
  readonly broker?: number
  /** Only requests of this API. */
  readonly api?: KafkaApiName
  /** Only requests that name this topic. */
  readonly topic?: string
  /** Only requests that name this partition (of `topic`, when given). */
  readonly partition?: number
  /** The first so many matching requests pass. Default 0. */
  readonly skip?: number
  /** So many are hit after that. Default 1; `Infinity` until removed. */
  readonly times?: number
  /** Of those only this share is hit, drawn from the seed of the cluster. Default 1. */
  readonly chance?: number
}

/** A rule at work. */
export interface ActiveKafkaRule {
  /** Requests it has hit so far. */
  hits(): number
  /** Resolves with the first hit. */
  readonly happened: Promise<void>
  /** Lets go of what a `hold` holds, now and later. Does nothing for other faults. */
  release(): void
  /** It hits nothing more; what it holds is let go. */
  remove(): void
}

/** A topic and partition that a request names; partition −1 = the topic as a whole. */
export interface RequestPlace {
  readonly topic: string
  readonly partition: number
}

/** A request, as rules look at it. */
export interface FaultyRequest {
  readonly broker: number
  readonly apiKey: number
  readonly places: readonly RequestPlace[]
}

const keysOf: Readonly<Record<KafkaFault['fault'], readonly string[]>> = {
  delay: ['on', 'by'],
  hold: ['on'],
  error: ['code'],
  'drop-request': [],
  'drop-response': [],
  cut: ['afterBytes'],
  reset: ['on'],
  'black-hole': [],
}

/** @throws ConfigError `PIPE_CONFIG` for an unknown fault, key or API, or a number that cannot be. */
export function checkRule(rule: KafkaFaultRule): void {
  const keys = keysOf[rule.fault]
  if (keys === undefined) {
    throw new ConfigError(`No fault "${String(rule.fault)}".`, { hint: `Known: ${Object.keys(keysOf).join(', ')}.` })
  }
  checkOptions(`the fault "${rule.fault}"`, rule, {
    required: ['fault', ...keys],
    optional: ['broker', 'api', 'topic', 'partition', 'skip', 'times', 'chance'],
  })
  if (rule.api !== undefined && !(rule.api in apiKeys)) {
    throw new ConfigError(`No Kafka API "${rule.api}".`, { hint: `Known: ${Object.keys(apiKeys).join(', ')}.` })
  }
  if ('on' in rule && rule.on !== 'request' && rule.on !== 'response') {
    throw new ConfigError(`A fault is on 'request' or 'response', not "${String(rule.on)}".`)
  }
  if (rule.fault === 'delay') durationMs(rule.by)
  if (rule.fault === 'error' && !(Number.isInteger(rule.code) && rule.code !== 0)) {
    throw new ConfigError(`The error code ${rule.code} is none of the protocol.`)
  }
  const counts = {
    skip: rule.skip,
    times: rule.times,
    chance: rule.chance,
    afterBytes: rule.fault === 'cut' ? rule.afterBytes : 0,
  }
  for (const [name, count] of Object.entries(counts)) {
    if (count !== undefined && !(count >= 0))
      throw new ConfigError(`"${name}" of the fault "${rule.fault}" is ${count}, not 0 or more.`)
  }
}

/** Whether the rule is about such a request. */
export function isAbout(rule: KafkaFaultRule, { broker, apiKey, places }: FaultyRequest): boolean {
  if (rule.broker !== undefined && rule.broker !== broker) return false
  if (rule.api !== undefined && apiKeys[rule.api] !== apiKey) return false
  return (rule.topic === undefined && rule.partition === undefined) || places.some((place) => hitsPlace(rule, place))
}

/** Whether an `error` is for this topic and partition. */
export function hitsPlace(rule: KafkaFaultRule, { topic, partition }: RequestPlace): boolean {
  return (rule.topic ?? topic) === topic && (rule.partition === undefined || partition < 0 || rule.partition === partition)
}
