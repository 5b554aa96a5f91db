import { PipeError, sleep } from '@pipe/core'
import { protocolError } from '../error-code'
import { createPartitionQueue, type PartitionQueue } from './partition-queue'
import { type KeyPartitioner, partitionOfKey, pickPartition } from './partitioner'
import type { ProducerEvent } from './producer-event'
import { backOffMs, verdictOf } from './retry-table'
import type { ProduceTransport, TopicLeaders } from './transport'
import { neverQueued } from './undelivered'

/** A topic that messages are sent to. */
export interface TopicState {
  readonly name: string
  topicId: string
  /** Over how many partitions keys are hashed. */
  partitionCount: number
  /** One for each partition; never fewer than before. */
  readonly queues: PartitionQueue[]
  /** Where keyless messages go until its batch closes. */
  sticky: PartitionQueue | undefined
}

/** The topics of a producer. */
export interface TopicMap {
  /** The topic, when it is loaded. */
  get(name: string): TopicState | undefined
  /** Loads a topic. Rejects with a {@link NotWrittenError} when it cannot be within `maxBlock`. */
  load(name: string): Promise<TopicState>
  /** Asks for leaders again; `onChange` is called for each queue whose leader moved. */
  refresh(): void
  /** Asks again when the last answer is older than `maxAgeMs`. */
  refreshIfOld(nowMs: number): void
  all(): Iterable<TopicState>
  close(): void
}

/** A topic that was just created is not known by every broker at once: it is looked for this long. */
const unknownTopicMs = 2000

/** Makes the topic map of one producer. */
export function createTopicMap(options: {
  readonly transport: ProduceTransport
  readonly maxBlockMs: number
  readonly maxAgeMs: number
  readonly onEvent: (event: ProducerEvent) => void
  /** A leader moved, or was found. */
  readonly onChange: (queue: PartitionQueue) => void
  /** The cluster refuses a topic that messages wait for. */
  readonly onRefused: (topic: TopicState, errorCode: number) => void
}): TopicMap {
  const { transport, maxBlockMs, maxAgeMs, onEvent, onChange } = options
  const topics = new Map<string, TopicState>()
  const loading = new Map<string, Promise<TopicState>>()
  const stop = new AbortController()
  let isRefreshing = false
  let refreshedAtMs = 0

  function apply(found: TopicLeaders): TopicState {
    let topic = topics.get(found.name)
    if (!topic) {
      topic = { name: found.name, topicId: found.topicId, partitionCount: 0, queues: [], sticky: undefined }
      topics.set(found.name, topic)
    }
    const { leaders } = found
    if (topic.topicId !== found.topicId) {
      topic.topicId = found.topicId
      onEvent({ kind: 'topic-recreated', topic: topic.name })
    }
    if (topic.partitionCount !== leaders.length) {
      if (topic.partitionCount > 0) {
        onEvent({ kind: 'partitions-changed', topic: topic.name, from: topic.partitionCount, to: leaders.length })
      }
      topic.partitionCount = leaders.length
      topic.sticky = undefined
    }
    leaders.forEach((leader, partition) => {
      const queue = topic.queues[partition]
      if (!queue) topic.queues[partition] = createPartitionQueue(topic.name, partition, leader)
      else if (queue.leader !== leader) {
        queue.leader = leader
        onChange(queue)
      }
    })
    return topic
  }

  async function loadNow(name: string): Promise<TopicState> {
    const startedAtMs = Date.now()
    let lastError = 'no answer yet'
    for (let attempt = 1; ; attempt++) {
      let errorCode = 0
      try {
        const [found] = await transport.leaders([name])
        if (found && found.errorCode === 0 && found.leaders.length > 0) return apply(found)
        errorCode = found?.errorCode ?? 3
        lastError = protocolError(errorCode).meaning
      } catch (error) {
        if (!PipeError.isInstance(error) || !error.retryable) {
          throw neverQueued(name, {
            text: `the topic could not be looked up: ${(error as Error).message}`,
            code: PipeError.isInstance(error) ? error.code : 'PIPE_KAFKA_CONNECTION',
            cause: error,
          })
        }
        lastError = error.message
      }
      if (stop.signal.aborted) throw neverQueued(name, { text: 'the producer was closed', code: 'PIPE_KAFKA_CLOSED' })
      const elapsedMs = Date.now() - startedAtMs
      const isUnknown = errorCode === 3
      if (errorCode !== 0 && verdictOf(errorCode).kind !== 'retry') throw refusal(name, errorCode)
      if (isUnknown && elapsedMs >= Math.min(unknownTopicMs, maxBlockMs)) throw refusal(name, errorCode)
      if (elapsedMs >= maxBlockMs) {
        throw neverQueued(name, {
          text: `the topic could not be looked up for ${(elapsedMs / 1000).toFixed(1)} s: ${lastError}`,
          hint: 'Check that the brokers run and can be reached.',
          retryable: true,
        })
      }
      await sleep(Math.min(backOffMs(attempt, Math.random), maxBlockMs - elapsedMs), stop.signal).catch(() => undefined)
    }
  }

  async function refreshNow(): Promise<void> {
    refreshedAtMs = Date.now()
    const names = [...topics.keys()]
    if (names.length === 0) return
    let found: readonly TopicLeaders[]
    try {
      found = await transport.leaders(names)
    } catch {
      // Whoever asked has a back-off of its own and asks again; what is final shows in the answers to its batches.
      return
    }
    for (const answer of found) {
      const topic = topics.get(answer.name)
      if (!topic) continue
      if (answer.errorCode === 0) apply(answer)
      else if (verdictOf(answer.errorCode).kind !== 'retry') options.onRefused(topic, answer.errorCode)
    }
  }

  function refresh(): void {
    if (isRefreshing) return
    isRefreshing = true
    void refreshNow().finally(() => {
      isRefreshing = false
    })
  }

  return {
    get: (name) => topics.get(name),
    load(name) {
      let load = loading.get(name)
      if (!load) {
        load = loadNow(name).finally(() => loading.delete(name))
        loading.set(name, load)
      }
      return load
    },
    refresh,
    refreshIfOld(nowMs) {
      if (refreshedAtMs === 0) refreshedAtMs = nowMs
      else if (nowMs - refreshedAtMs > maxAgeMs) refresh()
    },
    all: () => topics.values(),
    close: () => stop.abort(),
  }
}

function refusal(name: string, errorCode: number): Error {
  const { name: codeName, meaning } = protocolError(errorCode)
  return neverQueued(name, {
    text: `${codeName} (${errorCode}): ${meaning}`,
    code: errorCode === 29 ? 'PIPE_KAFKA_AUTH' : 'PIPE_KAFKA_TOPIC',
    errorCode,
    hint:
      errorCode === 3
        ? 'Create it: planTopics and applyTopics do so from its contract.'
        : errorCode === 29
          ? 'Grant this principal WRITE and DESCRIBE on the topic.'
          : undefined,
  })
}

/**
 * The queue of a message: explicit partition, else its key, else the sticky one. Decided once, never again.
 *
 * @throws {@link NotWrittenError} `PIPE_KAFKA_TOPIC` for a partition that is not there.
 */
export function queueOf(
  topic: TopicState,
  key: Uint8Array | string | null,
  partition: number | undefined,
  partitioner: KeyPartitioner,
): PartitionQueue {
  if (partition !== undefined) {
    if (!Number.isInteger(partition) || partition < 0 || partition >= topic.partitionCount) {
      throw neverQueued(topic.name, {
        text: `there is no partition ${partition}; the topic has ${topic.partitionCount}`,
        code: 'PIPE_KAFKA_TOPIC',
      })
    }
    return topic.queues[partition]!
  }
  if (key !== null) {
    const chosen = partitionOfKey(key, topic.partitionCount, partitioner)
    const queue = topic.queues[chosen]
    if (!queue || chosen >= topic.partitionCount) {
      throw neverQueued(topic.name, {
        text: `the partitioner chose ${chosen} of ${topic.partitionCount} partitions`,
        code: 'PIPE_KAFKA_TOPIC',
      })
    }
    return queue
  }
  if (!topic.sticky?.open) topic.sticky = topic.queues[pickPartition(topic.queues.slice(0, topic.partitionCount), Math.random)]!
  return topic.sticky
}
