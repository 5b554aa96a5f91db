import { ConfigError, type Duration, durationMs, sleep } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import { configOperation, configResource, createPartitions, createTopics, incrementalAlterConfigs } from '@pipe/kafka-wire'
import { type Kafka, resourcesOf } from './connect'
import { KafkaError, type KafkaErrorDetails, protocolFailure } from './errors'
import type { Cluster } from './internals'
import type { TopicAction, TopicPlan } from './topic-plan'
import { readTopicStates, type TopicState } from './topic-state'

/** Options of {@link applyTopics}. */
export interface ApplyTopicsOptions {
  /** How long the whole may take, until the cluster shows the result. Default `'60 seconds'`. */
  readonly timeout?: Duration | undefined
  /** An abort ends the work and rejects with its own `reason`. */
  readonly signal?: AbortSignal | undefined
  /** Told how far the work is. */
  readonly onProgress?:
    | ((progress: {
        readonly phase: 'check' | 'apply' | 'verify'
        readonly done: number
        readonly total: number
        readonly unit: 'actions'
        /** The topic that it is about. */
        readonly topic?: string
      }) => void)
    | undefined
}

/** What {@link applyTopics} did. */
export interface AppliedTopics {
  /** In the order in which it was done. Verified: the cluster shows all of it. */
  readonly applied: readonly TopicAction[]
  readonly elapsedMs: number
}

/** Details of an apply that broke off. */
export interface ApplyDetails extends KafkaErrorDetails {
  /** What was done before; the plan is not valid any more. */
  readonly applied: readonly TopicAction[]
}

/**
 * Brings the cluster in line with a plan. First it reads the topics again and refuses a plan that they have moved away from; then the
 * brokers check every action without doing it; only then it changes, one action at a time, configs one by one by name (all others stay);
 * at last it waits until the cluster shows the result.
 *
 * @throws {@link ConfigError} `PIPE_KAFKA_PLAN_REFUSED` for a plan with refusals. {@link KafkaError} `PIPE_KAFKA_PLAN_STALE` when something
 * changed since; nothing was done. `PIPE_KAFKA_APPLY` when it broke off midway, with `details.applied`.
 */
export async function applyTopics(kafka: Kafka, plan: TopicPlan, options: ApplyTopicsOptions = {}): Promise<AppliedTopics> {
  checkOptions('applyTopics', options, { optional: ['timeout', 'signal', 'onProgress'] })
  if (plan?.kind !== 'topic-plan') throw new ConfigError('applyTopics takes a plan made by planTopics.')
  if (plan.refused.length > 0) {
    throw new ConfigError(
      `The plan has ${plan.refused.length} ${plan.refused.length === 1 ? 'difference' : 'differences'} that it refuses:\n${plan.refused.map(({ text }) => `  ${text}`).join('\n')}\n`,
      { code: 'PIPE_KAFKA_PLAN_REFUSED', hint: 'Change the contracts, or plan without these topics.' },
    )
  }
  const startedAt = Date.now()
  const deadlineAt = startedAt + durationMs(options.timeout ?? '60 seconds')
  const { signal, onProgress } = options
  const { actions } = plan
  const cluster = resourcesOf(kafka).cluster()
  const report = (phase: 'check' | 'apply' | 'verify', done: number, topic?: string) =>
    onProgress?.({ phase, done, total: actions.length, unit: 'actions', ...(topic === undefined ? {} : { topic }) })

  await checkFresh(cluster, plan, signal)
  for (const [at, action] of actions.entries()) {
    report('check', at, action.topic)
    await perform(cluster, action, { validateOnly: true, deadlineAt, signal })
  }
  report('check', actions.length)
  const applied: TopicAction[] = []
  for (const action of actions) {
    report('apply', applied.length, action.topic)
    try {
      signal?.throwIfAborted()
      await perform(cluster, action, { validateOnly: false, deadlineAt, signal })
    } catch (error) {
      throw brokeOff(action, applied, error)
    }
    applied.push(action)
  }
  report('apply', applied.length)
  await verify(cluster, plan, { deadlineAt, signal, applied, report: (done) => report('verify', done) })
  return { applied, elapsedMs: Date.now() - startedAt }
}

function brokeOff(action: TopicAction, applied: readonly TopicAction[], error: unknown): KafkaError<ApplyDetails> {
  const done = applied.length === 0 ? 'Nothing was confirmed before' : `Done before: ${applied.map(summaryOf).join('; ')}`
  return new KafkaError<ApplyDetails>('PIPE_KAFKA_APPLY', `${summaryOf(action)} failed: ${messageOf(error)} ${done}.`, {
    hint: 'What failed may still have been done, if its answer was lost. Plan again: the new plan shows what is left.',
    cause: error,
    details: { topic: action.topic, applied },
  })
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** An action in a few words. */
export function summaryOf(action: TopicAction): string {
  switch (action.action) {
    case 'create':
      return `create ${action.topic} (${action.partitions} partitions${action.replicationFactor < 0 ? '' : `, ${action.replicationFactor} replicas`})`
    case 'add-partitions':
      return `${action.topic}: ${action.from} → ${action.to} partitions`
    case 'set-config':
      return `${action.topic}: ${action.changes.map(({ name, from, to }) => `${name} ${from ?? '(none)'} → ${to}`).join(', ')}`
  }
}

function subjectsOf(plan: TopicPlan): { name: string; configNames: string[] }[] {
  return plan.observed.map(({ topic, config }) => {
    const changed = plan.actions.flatMap((action) => {
      if (action.topic !== topic || action.action === 'add-partitions') return []
      return action.action === 'create' ? Object.keys(action.config) : action.changes.map(({ name }) => name)
    })
    return { name: topic, configNames: [...new Set([...Object.keys(config), ...changed])] }
  })
}

async function checkFresh(cluster: Cluster, plan: TopicPlan, signal: AbortSignal | undefined): Promise<void> {
  const { clusterId, states } = await readTopicStates(cluster, subjectsOf(plan), signal)
  const stale = (what: string) =>
    new KafkaError('PIPE_KAFKA_PLAN_STALE', `The plan does not fit the cluster any more: ${what}. Nothing was changed.`, {
      hint: 'Plan again.',
    })
  if (clusterId !== plan.clusterId) throw stale(`it was made for cluster ${plan.clusterId}, this one is ${clusterId}`)
  for (const [at, before] of plan.observed.entries()) {
    const change = changeBetween(before, states[at]!)
    if (change) throw stale(`${before.topic} ${change}`)
  }
}

/** What changed between two states of a topic, in words. */
export function changeBetween(before: TopicState, now: TopicState): string | undefined {
  if (before.exists !== now.exists) return now.exists ? 'was created meanwhile' : 'was deleted meanwhile'
  if (!before.exists) return undefined
  if (before.topicId !== now.topicId) return 'was deleted and created again'
  if (before.partitions !== now.partitions) return `had ${before.partitions} partitions and now has ${now.partitions}`
  if (before.replicationFactor !== now.replicationFactor)
    return `had ${before.replicationFactor} replicas and now has ${now.replicationFactor}`
  for (const [name, value] of Object.entries(before.config)) {
    if (now.config[name] !== value) return `had ${name} ${value} and now has ${now.config[name]}`
  }
  return undefined
}

interface PerformOptions {
  readonly validateOnly: boolean
  readonly deadlineAt: number
  readonly signal: AbortSignal | undefined
}

async function perform(cluster: Cluster, action: TopicAction, options: PerformOptions): Promise<void> {
  const { validateOnly, signal } = options
  const timeoutMs = Math.max(1000, Math.min(30_000, options.deadlineAt - Date.now()))
  const controller = await cluster.controller()
  const call = { signal, timeoutMs: timeoutMs + 5000 }
  const where = `${validateOnly ? 'The broker will not ' : ''}${summaryOf(action)}`
  const check = (errorCode: number | undefined, errorMessage: string | null | undefined) => {
    if (errorCode === undefined)
      throw new KafkaError('PIPE_KAFKA_PROTOCOL', `${where}: the broker said nothing about it.`, {
        details: { topic: action.topic },
      })
    if (errorCode !== 0) throw protocolFailure(where, errorCode, { topic: action.topic }, errorMessage)
  }
  switch (action.action) {
    case 'create': {
      const { topic: name, partitions, replicationFactor, config } = action
      const configs = Object.entries(config).map(([key, value]) => ({ name: key, value }))
      const topics = [{ name, partitions, replicationFactor, assignments: [], configs }]
      const [result] = (await cluster.call(controller, createTopics, { topics, timeoutMs, validateOnly }, call)).topics
      return check(result?.errorCode, result?.errorMessage)
    }
    case 'add-partitions': {
      const topics = [{ name: action.topic, count: action.to, assignments: null }]
      const [result] = (await cluster.call(controller, createPartitions, { topics, timeoutMs, validateOnly }, call)).results
      return check(result?.errorCode, result?.errorMessage)
    }
    case 'set-config': {
      const configs = action.changes.map(({ name, to }) => ({ name, operation: configOperation.set, value: to }))
      const resources = [{ resourceType: configResource.topic, resourceName: action.topic, configs }]
      const [result] = (await cluster.call(controller, incrementalAlterConfigs, { resources, validateOnly }, call)).results
      return check(result?.errorCode, result?.errorMessage)
    }
  }
}

/** Waits until the cluster shows what was done, with a leader for every partition. */
async function verify(
  cluster: Cluster,
  plan: TopicPlan,
  options: {
    readonly deadlineAt: number
    readonly signal: AbortSignal | undefined
    readonly applied: readonly TopicAction[]
    readonly report: (done: number) => void
  },
): Promise<void> {
  const { deadlineAt, signal, applied, report } = options
  if (applied.length === 0) return
  for (let delay = 50; ; delay = Math.min(delay * 2, 1000)) {
    const { states } = await readTopicStates(cluster, subjectsOf(plan), signal)
    const leaderless = await leaderlessOf(
      cluster,
      applied.map(({ topic }) => topic),
      signal,
    )
    const byName = new Map(states.map((state) => [state.topic, state]))
    const open = applied.filter((action) => leaderless.has(action.topic) || !isShown(action, byName.get(action.topic)!))
    report(applied.length - open.length)
    if (open.length === 0) return
    if (Date.now() + delay > deadlineAt) {
      throw new KafkaError<ApplyDetails>(
        'PIPE_KAFKA_APPLY',
        `Everything was accepted, but the cluster does not show it yet: ${open.map(summaryOf).join('; ')}.`,
        { retryable: true, hint: 'Plan again after a while: an empty plan means that it is done.', details: { applied } },
      )
    }
    await sleep(delay, signal)
  }
}

function isShown(action: TopicAction, state: TopicState): boolean {
  if (!state.exists) return false
  switch (action.action) {
    case 'create':
      return (
        state.partitions === action.partitions &&
        Object.entries(action.config).every(([name, value]) => state.config[name] === value)
      )
    case 'add-partitions':
      return state.partitions === action.to
    case 'set-config':
      return action.changes.every(({ name, to }) => state.config[name] === to)
  }
}

async function leaderlessOf(cluster: Cluster, topics: readonly string[], signal?: AbortSignal): Promise<Set<string>> {
  const answer = await cluster.metadata([...new Set(topics)], { signal })
  return new Set(
    answer.topics
      .filter(({ partitions, errorCode }) => errorCode !== 0 || partitions.some(({ leader }) => leader < 0))
      .map(({ name }) => name!),
  )
}
