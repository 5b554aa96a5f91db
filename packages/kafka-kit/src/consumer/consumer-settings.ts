import { ConfigError, durationMs } from '@pipe/core'
import { checkOptions } from '@pipe/core/internal'
import type { Order } from './assignment'
import type { AnyTopic } from './consumed-record'
import type { ConsumerEvent } from './consumer-event'
import type { ConsumerOptions, Isolation } from './consumer-options'
import type { GroupTiming } from './coordinator'
import type { DeadLetterOptions } from './dead-letter'
import type { OutOfRangePolicy } from './ingest'
import { type RetryTopicSettings, retryTopicSettings } from './parking'
import { createRetryPolicy, type RetryPolicy } from './retry-policy'

/** The options of a consumer, checked and complete. */
export interface ConsumerSettings {
  readonly group: string
  /** Names of the topics. */
  readonly topics: readonly string[]
  readonly instanceId: string | undefined
  readonly concurrency: number
  readonly order: Order
  readonly retry: RetryPolicy
  readonly retryTopic: RetryTopicSettings | undefined
  readonly deadLetter: DeadLetterOptions | undefined
  readonly missing: 'earliest' | 'latest'
  readonly outOfRange: OutOfRangePolicy
  readonly isolation: Isolation
  readonly bufferBytes: number
  readonly maxUnpackedBytes: number | undefined
  readonly timing: GroupTiming & { readonly drainMs: number; readonly commitEveryMs: number; readonly maxRestarts: number }
  readonly onEvent: (event: ConsumerEvent) => void
}

/**
 * Checks the options of a consumer.
 *
 * @throws {@link ConfigError} `PIPE_CONFIG`
 */
export function settingsOf(options: ConsumerOptions<readonly AnyTopic[]>): ConsumerSettings {
  checkOptions('consumer', options, {
    required: ['group', 'topics', 'handle'],
    optional: [
      'instanceId',
      'concurrency',
      'order',
      'retry',
      'retryTopic',
      'deadLetter',
      'offsets',
      'isolation',
      'buffer',
      'timing',
      'onEvent',
      'signal',
    ],
  })
  const { group, topics, handle, instanceId, concurrency = 1, order = 'key', deadLetter, offsets = {}, buffer = {} } = options
  if (typeof group !== 'string' || group === '') throw new ConfigError('consumer: group must be a text that is not empty.')
  if (instanceId !== undefined && !/^[\w.-]{1,249}$/.test(instanceId)) {
    throw new ConfigError(
      `consumer: instanceId ${JSON.stringify(instanceId)} must be 1 to 249 letters, digits, ".", "_" and "-".`,
    )
  }
  if (typeof handle !== 'function') throw new ConfigError('consumer: handle must be a function.')
  checkTopics(topics)
  checkWhole('concurrency', concurrency, 100_000)
  checkChoice('order', order, ['key', 'partition', 'none'])
  checkOptions('consumer: offsets', offsets, { optional: ['missing', 'outOfRange'] })
  const { missing = 'earliest', outOfRange = 'fail' } = offsets
  checkChoice('offsets.missing', missing, ['earliest', 'latest'])
  checkChoice('offsets.outOfRange', outOfRange, ['fail', 'earliest', 'latest'])
  const { isolation = 'read-committed' } = options
  checkChoice('isolation', isolation, ['read-committed', 'read-uncommitted'])
  checkOptions('consumer: buffer', buffer, { optional: ['bytes', 'maxUnpackedBytes'] })
  const { bytes = 32 * 1024 * 1024, maxUnpackedBytes } = buffer
  checkWhole('buffer.bytes', bytes)
  if (maxUnpackedBytes !== undefined) checkWhole('buffer.maxUnpackedBytes', maxUnpackedBytes)
  if (deadLetter !== undefined) {
    checkOptions('consumer: deadLetter', deadLetter, { required: ['topic'] })
    if (topics.some(({ name }) => name === deadLetter.topic)) {
      throw new ConfigError(`consumer: deadLetter.topic ${deadLetter.topic} is one of the topics that are read.`, {
        hint: 'Its records would come back for ever.',
      })
    }
  }
  return {
    group,
    topics: topics.map(({ name }) => name),
    instanceId,
    concurrency,
    order,
    retry: createRetryPolicy(options.retry),
    retryTopic: retryTopicOf(options),
    deadLetter,
    missing,
    outOfRange,
    isolation,
    bufferBytes: bytes,
    maxUnpackedBytes,
    timing: timingOf(options.timing ?? {}),
    onEvent: options.onEvent ?? (() => undefined),
  }
}

function retryTopicOf({ retryTopic, topics, deadLetter }: ConsumerOptions<readonly AnyTopic[]>): RetryTopicSettings | undefined {
  if (retryTopic === undefined) return undefined
  const settings = retryTopicSettings(retryTopic)
  if (topics.length > 1) {
    throw new ConfigError('consumer: retryTopic goes with one topic: its partitions belong to those of the source.', {
      hint: 'Start a consumer with a group of its own for each topic.',
    })
  }
  if (deadLetter === undefined) {
    throw new ConfigError('consumer: retryTopic needs deadLetter, for records whose rounds are used up.')
  }
  if (settings.topic === topics[0]!.name || settings.topic === deadLetter.topic) {
    throw new ConfigError(`consumer: retryTopic.topic ${settings.topic} must be a topic of its own.`)
  }
  return settings
}

function checkTopics(topics: readonly AnyTopic[]): void {
  if (!Array.isArray(topics) || topics.length === 0) throw new ConfigError('consumer: topics must name at least one topic.')
  const names = new Set<string>()
  for (const topic of topics as readonly AnyTopic[]) {
    if (topic?.kind !== 'topic') throw new ConfigError('consumer: topics must be made by defineTopic.')
    if (names.has(topic.name)) throw new ConfigError(`consumer: topic ${topic.name} stands twice.`)
    names.add(topic.name)
  }
}

function checkWhole(what: string, value: number, max: number = Number.MAX_SAFE_INTEGER): void {
  if (!Number.isInteger(value) || value < 1 || value > max) {
    throw new ConfigError(`consumer: ${what} must be a whole number of at least 1, not ${value}.`)
  }
}

function checkChoice(what: string, value: string, known: readonly string[]): void {
  if (!known.includes(value)) {
    throw new ConfigError(`consumer: there is no ${what} ${JSON.stringify(value)}.`, { hint: `Known: ${known.join(', ')}.` })
  }
}

function timingOf(options: NonNullable<ConsumerOptions<readonly AnyTopic[]>['timing']>): ConsumerSettings['timing'] {
  checkOptions('consumer: timing', options, {
    optional: ['session', 'rebalance', 'heartbeat', 'drain', 'maxWait', 'commitEvery', 'maxRestarts'],
  })
  const sessionTimeoutMs = durationMs(options.session ?? '30 seconds')
  const rebalanceTimeoutMs = durationMs(options.rebalance ?? '60 seconds')
  const heartbeatMs = options.heartbeat === undefined ? Math.min(3000, sessionTimeoutMs / 3) : durationMs(options.heartbeat)
  const drainMs = options.drain === undefined ? Math.min(10_000, rebalanceTimeoutMs / 2) : durationMs(options.drain)
  const maxWaitMs = durationMs(options.maxWait ?? '500 ms')
  const maxRestarts = options.maxRestarts ?? 10
  if (heartbeatMs * 2 > sessionTimeoutMs) {
    throw new ConfigError(
      `consumer: timing.heartbeat (${heartbeatMs} ms) must be at most half of timing.session (${sessionTimeoutMs} ms).`,
    )
  }
  if (drainMs * 2 > rebalanceTimeoutMs) {
    throw new ConfigError(
      `consumer: timing.drain (${drainMs} ms) must be at most half of timing.rebalance (${rebalanceTimeoutMs} ms).`,
      {
        hint: 'Otherwise the group goes on without this member while it still waits for its handlers.',
      },
    )
  }
  if (maxWaitMs * 3 > sessionTimeoutMs) {
    throw new ConfigError(
      `consumer: timing.maxWait (${maxWaitMs} ms) must be at most a third of timing.session: heartbeats follow fetches.`,
    )
  }
  if (!Number.isInteger(maxRestarts) || maxRestarts < 0) throw new ConfigError('consumer: timing.maxRestarts must be 0 or more.')
  const commitEveryMs = durationMs(options.commitEvery ?? '1 second')
  return { sessionTimeoutMs, rebalanceTimeoutMs, heartbeatMs, maxWaitMs, drainMs, commitEveryMs, maxRestarts }
}
