import type { ConsumerCrashEvent, ConsumerGroupJoinEvent, Consumer as KafkajsConsumer } from 'kafkajs'
import { fromKafkajs } from '../errors'
import type { KafkaResources } from '../kafka-resources'
import type { SinkCommit } from './partition-sink'

/** What a member tells. */
export interface SinkGroupHooks {
  /** All partitions that this member has from now on. */
  assigned(partitions: readonly number[]): void
  /** kafkajs gave up: the member is gone. */
  crashed(error: Error): void
}

/** A member of the group: it says which partitions are ours, and keeps offsets so that lag can be seen. Nothing else hangs on it. */
export interface SinkGroup {
  start(): Promise<void>
  /** @throws what the coordinator says. */
  commit(partition: number, commit: SinkCommit): Promise<void>
  stop(): Promise<void>
}

/** Makes a member. It only takes part in the group: records are read by the partitions themselves. */
export function createSinkGroup(settings: {
  readonly resources: KafkaResources
  readonly group: string
  readonly topic: string
  readonly sessionTimeoutMs: number
  readonly hooks: SinkGroupHooks
}): SinkGroup {
  const { resources, group, topic, sessionTimeoutMs, hooks } = settings
  let isStopping = false
  const consumer: KafkajsConsumer = resources.kafkajs.consumer({
    groupId: group,
    sessionTimeout: sessionTimeoutMs,
    rebalanceTimeout: Math.max(sessionTimeoutMs, 10_000),
    heartbeatInterval: Math.floor(sessionTimeoutMs / 4),
    // How long it sleeps between heartbeats, as all is paused, and so how long stopping takes.
    maxWaitTimeInMs: 500,
    allowAutoTopicCreation: false,
    retry: { initialRetryTime: 100, maxRetryTime: 2000, retries: 8, restartOnFailure: async () => false },
  })

  consumer.on('consumer.group_join', ({ payload }: ConsumerGroupJoinEvent) => {
    if (isStopping) return
    // kafkajs must not fetch: an all-paused consumer only sends heartbeats.
    consumer.pause([{ topic }])
    hooks.assigned([...(payload.memberAssignment[topic] ?? [])].sort((a, b) => a - b))
  })
  consumer.on('consumer.crash', ({ payload }: ConsumerCrashEvent) => {
    if (!isStopping) hooks.crashed(payload.error)
  })

  return {
    async start() {
      try {
        await consumer.connect()
        await consumer.subscribe({ topics: [topic], fromBeginning: true })
        await consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch: async () => undefined })
      } catch (error) {
        throw fromKafkajs(`Group ${group}`, error, { group, topic })
      }
    },
    async commit(partition, { offset, metadata }) {
      try {
        await consumer.commitOffsets([{ topic, partition, offset: offset.toString(), metadata }])
      } catch (error) {
        throw fromKafkajs(`Group ${group}`, error, { group, topic, partition })
      }
    },
    async stop() {
      isStopping = true
      await consumer.disconnect()
    },
  }
}
