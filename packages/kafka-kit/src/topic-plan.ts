import { ConfigError } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { type Kafka, resourcesOf } from './connect'
import { percent } from './figures'
import { checkServerless, type Platform, serverlessLimits } from './msk-serverless'
import { movedShare } from './partition-growth'
import type { Topic } from './topic'
import { readTopicStates, type TopicState } from './topic-state'

/** What {@link planTopics} proposes for one topic. */
export type TopicAction =
  | {
      readonly action: 'create'
      readonly topic: string
      readonly partitions: number
      /** −1: as many as the cluster keeps by itself (MSK Serverless). */
      readonly replicationFactor: number
      readonly config: Readonly<Record<string, string>>
    }
  | {
      readonly action: 'add-partitions'
      readonly topic: string
      readonly from: number
      readonly to: number
      /** Share of all keys that another partition will hold from then on, 0 to 1: their order across the change is not kept. See `movedKeys` for given ones. */
      readonly movedShare: number
    }
  | { readonly action: 'set-config'; readonly topic: string; readonly changes: readonly ConfigChange[] }

/** One config that differs. */
export interface ConfigChange {
  readonly name: string
  /** The value in force; `undefined` when the broker knows no such config. */
  readonly from: string | undefined
  readonly to: string
}

/** A difference that is left as it is, because bringing it in line would destroy data or is not done by this kit. */
export interface TopicRefusal {
  readonly topic: string
  readonly what:
    | 'fewer-partitions'
    | 'lower-replication-factor'
    | 'higher-replication-factor'
    | 'too-few-brokers'
    | 'shorter-retention'
    | 'cleanup-change'
    | 'internal-topic'
    | 'msk-serverless'
  /** What differs, why it is refused, and what to do. */
  readonly text: string
}

/** Refusals that a plan may be told to lift: they delete records that are kept today. */
export type AllowedLoss = 'shorter-retention' | 'cleanup-change'

/** Options of {@link planTopics}. */
export interface PlanTopicsOptions {
  /** Losses that are wanted. Default none. */
  readonly allow?: readonly AllowedLoss[] | undefined
  /** An abort ends the work and rejects with its own `reason`. */
  readonly signal?: AbortSignal | undefined
}

/** What has to change for the cluster to be in line with contracts. Data: may be kept as JSON, and applied later. */
export interface TopicPlan {
  readonly kind: 'topic-plan'
  readonly clusterId: string | null
  /** Milliseconds since the epoch. */
  readonly plannedAtMs: number
  /** In the order in which they are applied. */
  readonly actions: readonly TopicAction[]
  /** `applyTopics` refuses a plan that has any. */
  readonly refused: readonly TopicRefusal[]
  /** Consequences to know of, one sentence each. */
  readonly notes: readonly string[]
  /** Topics that are in line already. */
  readonly unchanged: readonly string[]
  /** What the plan was made from: `applyTopics` compares it with the cluster. */
  readonly observed: readonly TopicState[]
}

/** The part of a contract that a cluster knows about. */
export type PlannedTopic = Pick<Topic, 'name' | 'partitions' | 'replicationFactor' | 'config'>

/**
 * Compares contracts with the cluster. Reads only.
 *
 * A plan never destroys: partitions only grow, replication is not touched, and configs that would delete records (a shorter retention,
 * another clean-up) are refused unless they are allowed by name. Configs that the contract does not name are left as they are.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG` for two contracts of one name; `PIPE_KAFKA_MSK_SERVERLESS`, before anything is asked, for contracts
 * that MSK Serverless would refuse when the Kafka was made for it.
 * @example
 * ```ts
 * const plan = await planTopics(kafka, [orders, payments])
 * if (plan.refused.length === 0) await applyTopics(kafka, plan)
 * ```
 */
export async function planTopics(
  kafka: Kafka,
  topics: readonly PlannedTopic[],
  options: PlanTopicsOptions = {},
): Promise<TopicPlan> {
  checkOptions('planTopics', options, { optional: ['allow', 'signal'] })
  const { allow = [], signal } = options
  for (const loss of allow) {
    if (loss !== 'shorter-retention' && loss !== 'cleanup-change')
      throw new ConfigError(`planTopics: allow has no ${JSON.stringify(loss)}.`, {
        hint: "Known: 'shorter-retention', 'cleanup-change'.",
      })
  }
  const names = topics.map(({ name }) => name)
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice !== undefined) throw new ConfigError(`planTopics: there are two contracts for ${twice}.`)
  const { platform, cluster: shared } = resourcesOf(kafka)
  if (platform === 'msk-serverless') checkServerless('planTopics', topics)
  const cluster = shared()
  const { clusterId, brokers, states } = await readTopicStates(
    cluster,
    topics.map(({ name, config }) => ({ name, configNames: Object.keys(config) })),
    signal,
  )
  return { ...compareTopics(topics, states, { brokers, allow, platform }), clusterId, plannedAtMs: Date.now() }
}

/** The pure part of {@link planTopics}: contracts against states, both in the same order. */
export function compareTopics(
  topics: readonly PlannedTopic[],
  states: readonly TopicState[],
  options: { readonly brokers: number; readonly allow: readonly AllowedLoss[]; readonly platform?: Platform | undefined },
): Omit<TopicPlan, 'clusterId' | 'plannedAtMs'> {
  const actions: TopicAction[] = []
  const refused: TopicRefusal[] = []
  const notes: string[] = []
  const unchanged: string[] = []
  const isServerless = options.platform === 'msk-serverless'
  topics.forEach((topic, at) => {
    const before = actions.length + refused.length
    const state = states[at]!
    if (state.exists) compareExisting(topic, state, { allow: options.allow, isServerless }, { actions, refused, notes })
    // AWS's own example leaves the replicas to the cluster.
    else if (isServerless) compareMissing({ ...topic, replicationFactor: -1 }, options.brokers, { actions, refused })
    else compareMissing(topic, options.brokers, { actions, refused })
    if (actions.length + refused.length === before) unchanged.push(topic.name)
  })
  const order = { create: 0, 'add-partitions': 1, 'set-config': 2 } as const
  actions.sort((a, b) => order[a.action] - order[b.action])
  const created = partitionsCreatedBy(actions)
  if (isServerless && created > serverlessLimits.partitionsInFiveMinutes) {
    refused.push({
      topic: topics[0]!.name,
      what: 'msk-serverless',
      text: `The plan creates ${created} partitions; MSK Serverless allows ${serverlessLimits.partitionsInFiveMinutes} in five minutes. Plan and apply in parts.`,
    })
  }
  return { kind: 'topic-plan', actions, refused, notes, unchanged, observed: states }
}

interface Findings {
  readonly actions: TopicAction[]
  readonly refused: TopicRefusal[]
  readonly notes: string[]
}

function compareMissing(topic: PlannedTopic, brokers: number, { actions, refused }: Omit<Findings, 'notes'>): void {
  const { name, partitions, replicationFactor, config } = topic
  if (replicationFactor > brokers) {
    refused.push({
      topic: name,
      what: 'too-few-brokers',
      text: `${name}: ${replicationFactor} replicas need as many brokers; ${brokers} ${brokers === 1 ? 'is' : 'are'} there. Start more brokers, or lower replicationFactor.`,
    })
    return
  }
  actions.push({ action: 'create', topic: name, partitions, replicationFactor, config: { ...config } })
}

function compareExisting(
  topic: PlannedTopic,
  state: TopicState,
  { allow, isServerless }: { readonly allow: readonly AllowedLoss[]; readonly isServerless: boolean },
  findings: Findings,
): void {
  const { actions, refused, notes } = findings
  const { name } = topic
  const refuse = (what: TopicRefusal['what'], text: string) => refused.push({ topic: name, what, text: `${name}: ${text}` })
  if (state.isInternal) {
    refuse('internal-topic', 'the topic belongs to Kafka itself. Take it out of the contracts.')
    return
  }
  if (topic.partitions < state.partitions) {
    refuse(
      'fewer-partitions',
      `the contract has ${topic.partitions} partitions, the topic ${state.partitions}. Kafka cannot take partitions away; set partitions: ${state.partitions}, or move the records to a new topic.`,
    )
  } else if (topic.partitions > state.partitions) {
    const share = movedShare(state.partitions, topic.partitions)
    actions.push({
      action: 'add-partitions',
      topic: name,
      from: state.partitions,
      to: topic.partitions,
      movedShare: share,
    })
    notes.push(
      `${name}: with ${topic.partitions} instead of ${state.partitions} partitions ${percent(share)} of the keys go to another partition; their old records stay where they are. For order across the change let the consumers reach the end of the log before producers write again.`,
    )
    if (policyOf(topic, state).includes('compact')) {
      notes.push(
        `${name} is compacted: the last record of a moved key stays in its old partition beside the new one, and a tombstone no longer removes it.`,
      )
    }
  }
  if (!isServerless) compareReplication(topic, state, refuse)
  const changes: ConfigChange[] = []
  for (const [config, to] of Object.entries(topic.config)) {
    const from = state.config[config] ?? undefined
    if (from === to || (config === 'cleanup.policy' && from !== undefined && sameList(from, to))) continue
    if (isServerless && config === 'cleanup.policy') {
      refuse('msk-serverless', `cleanup.policy is ${from}; MSK Serverless sets it only when a topic is created.`)
      continue
    }
    const loss = lossOf(config, from, to)
    if (loss && !allow.includes(loss.what)) {
      refuse(loss.what, `${loss.text} Keep the old value in the contract, or plan with allow: ['${loss.what}'].`)
      continue
    }
    if (loss) notes.push(`${name}: ${loss.text}`)
    changes.push({ name: config, from, to })
  }
  if (changes.length > 0) actions.push({ action: 'set-config', topic: name, changes })
}

function compareReplication(
  topic: PlannedTopic,
  state: TopicState,
  refuse: (what: TopicRefusal['what'], text: string) => void,
): void {
  const [wanted, is] = [topic.replicationFactor, state.replicationFactor]
  if (wanted === is) return
  const how = 'Move replicas with kafka-reassign-partitions, then plan again'
  if (wanted < is) {
    refuse(
      'lower-replication-factor',
      `the contract has ${wanted} replicas, the topic ${is}. Taking replicas away makes losing records more likely. Set replicationFactor: ${is}. Or: ${how}.`,
    )
  } else {
    refuse(
      'higher-replication-factor',
      `the contract has ${wanted} replicas, the topic ${is}. Adding replicas copies all records between brokers, which this plan does not start by itself. ${how}.`,
    )
  }
}

/** What bringing a config in line would delete. */
function lossOf(config: string, from: string | undefined, to: string): { what: AllowedLoss; text: string } | undefined {
  if (config === 'retention.ms' || config === 'retention.bytes') {
    const [old, next] = [limitOf(from), limitOf(to)]
    if (next >= old) return undefined
    return {
      what: 'shorter-retention',
      text: `${config} from ${from} to ${to} deletes records that are kept today.`,
    }
  }
  if (config === 'cleanup.policy' && from !== undefined) {
    const added = listOf(to).filter((policy) => !listOf(from).includes(policy))
    if (added.length === 0) return undefined
    const deletes = added.includes('compact') ? 'all but the newest record of each key' : 'records older than the retention'
    return { what: 'cleanup-change', text: `cleanup.policy from ${from} to ${to} deletes ${deletes}.` }
  }
  return undefined
}

function policyOf(topic: PlannedTopic, state: TopicState): string {
  return topic.config['cleanup.policy'] ?? state.config['cleanup.policy'] ?? ''
}

/** −1 is no limit. Without a value nothing is known of what is kept: any limit is shorter. */
function limitOf(value: string | undefined): number {
  return value === undefined || value === '-1' ? Number.POSITIVE_INFINITY : Number(value)
}

function listOf(value: string): string[] {
  return value.split(',').map((part) => part.trim())
}

function sameList(a: string, b: string): boolean {
  return listOf(a).sort().join() === listOf(b).sort().join()
}

/** How many partitions actions create. */
function partitionsCreatedBy(actions: readonly TopicAction[]): number {
  return actions.reduce((sum, action) => {
    if (action.action === 'create') return sum + action.partitions
    return action.action === 'add-partitions' ? sum + action.to - action.from : sum
  }, 0)
}
