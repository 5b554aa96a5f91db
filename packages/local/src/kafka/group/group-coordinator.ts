import { controlKind } from '@pipe/kafka-wire'
import type { Broker } from '../broker-node'
import { offsetsTopic } from '../cluster-image'
import { coordinatorPartition, ensureCoordinatorTopic, keepRecords, keptRecords } from '../coordinator-log'
import { errorCode } from '../error-code'
import type { Replica } from '../replica'
import type { GroupCoordinator } from './coordinated-groups'
import { createGroup, type Group } from './group'
import { type Kept, keptRecord, readKept } from './kept-group'

/** Makes the topic when it is not there. */
export function ensureOffsetsTopic(broker: Broker): void {
  ensureCoordinatorTopic(broker, offsetsTopic, broker.host.settings.number('offsets.topic.num.partitions'))
}

/** The coordinator of one broker. */
export function createGroupCoordinator(broker: Broker): GroupCoordinator {
  const { timeline, settings } = broker.host
  const shards = new Map<number, { readonly replica: Replica; readonly groups: Map<string, Group> }>()

  const partitionOf = (id: string) => coordinatorPartition(id, settings.number('offsets.topic.num.partitions'))

  async function keep(
    id: string,
    records: readonly Kept[],
    options: { producerId?: bigint; producerEpoch?: number } = {},
  ): Promise<number> {
    const shard = shards.get(partitionOf(id))
    if (!shard) return errorCode.notCoordinator
    if (records.length === 0) return errorCode.none
    const { producerId, producerEpoch } = options
    const isTransactional = producerId !== undefined
    // Kafka writes offsets of a transaction without sequence numbers, too.
    const batch = isTransactional ? { producerId, producerEpoch, baseSequence: -1, isTransactional } : {}
    return keepRecords(shard.replica, records.map(keptRecord), broker.host.now(), batch)
  }

  function make(id: string, groups: Map<string, Group>): Group {
    const group = createGroup(id, {
      timers: broker.timers,
      initialDelayMs: settings.number('group.initial.rebalance.delay.ms'),
      now: broker.host.now,
      keep: (value) => keep(id, [{ kind: 'group', group: id, value }]),
      changed(state, generation, members) {
        timeline.record({ kind: 'group', broker: broker.id, group: id, state, generation, members })
      },
    })
    groups.set(id, group)
    return group
  }

  /** Reads what earlier coordinators kept. */
  function load(replica: Replica): void {
    const groups = new Map<string, Group>()
    const at = (id: string) => groups.get(id) ?? make(id, groups)
    for (const { record, batch } of keptRecords(replica)) {
      if (batch.isControl) {
        const isCommitted = controlKind(record) === 'commit'
        for (const group of groups.values()) group.offsets.settle(batch.producerId, isCommitted)
        continue
      }
      const kept = readKept(record)
      if (kept?.kind === 'group') {
        if (kept.value) at(kept.group).restore(kept.value)
        else {
          groups.get(kept.group)?.end(errorCode.notCoordinator)
          groups.delete(kept.group)
        }
      } else if (kept?.kind === 'offset') {
        const { offsets } = at(kept.group)
        if (!kept.value) offsets.delete(kept.topic, kept.partition)
        else if (batch.isTransactional) offsets.stage(batch.producerId, { ...kept, value: kept.value })
        else offsets.put({ ...kept, value: kept.value })
      }
    }
    shards.set(replica.partition, { replica, groups })
  }

  function unload(partition: number): void {
    const shard = shards.get(partition)
    shards.delete(partition)
    for (const group of shard?.groups.values() ?? []) group.end(errorCode.notCoordinator)
  }

  async function expireOffsets(group: Group, old: readonly Kept[]): Promise<void> {
    if ((await keep(group.id, old)) !== errorCode.none) return
    for (const one of old) if (one.kind === 'offset') group.offsets.delete(one.topic, one.partition)
    if (group.offsets.size > 0 || group.state !== 'Empty') return
    // Nothing is left of it.
    await keep(group.id, [{ kind: 'group', group: group.id, value: undefined }])
    group.end(errorCode.unknownMemberId)
    shards.get(partitionOf(group.id))?.groups.delete(group.id)
  }

  broker.onLeadership((topic, partition, replica) => {
    if (topic !== offsetsTopic) return
    unload(partition)
    if (replica) load(replica)
  })

  return {
    partitionOf,
    find(id, { create = false } = {}) {
      if (id === '' && create) return { group: undefined, errorCode: errorCode.invalidGroupId }
      const shard = shards.get(partitionOf(id))
      if (!shard) return { group: undefined, errorCode: errorCode.notCoordinator }
      const group = shard.groups.get(id) ?? (create ? make(id, shard.groups) : undefined)
      return group ? { group, errorCode: 0 } : { group: undefined, errorCode: errorCode.groupIdNotFound }
    },
    groups: () => [...shards.values()].flatMap(({ groups }) => [...groups.values()]),
    keep,
    expire(now) {
      const keptMs = settings.number('offsets.retention.minutes') * 60_000
      let next: number | undefined
      for (const group of [...shards.values()].flatMap(({ groups }) => [...groups.values()])) {
        if (group.state !== 'Empty') continue
        const old: Kept[] = []
        for (const { topic, partition, value } of group.offsets.entries()) {
          const due = Math.max(value.committedAt, group.emptySince) + keptMs
          if (due <= now) old.push({ kind: 'offset', group: group.id, topic, partition, value: undefined })
          else next = Math.min(next ?? due, due)
        }
        if (old.length > 0) void expireOffsets(group, old)
      }
      return next
    },
    forget(id) {
      const groups = shards.get(partitionOf(id))?.groups
      groups?.get(id)?.end(errorCode.unknownMemberId)
      groups?.delete(id)
    },
    settle(partition, producerId, isCommitted) {
      for (const group of shards.get(partition)?.groups.values() ?? []) {
        for (const { topic, partition: own, value } of group.offsets.settle(producerId, isCommitted)) {
          broker.host.cleaner.notice(value.committedAt + settings.number('offsets.retention.minutes') * 60_000)
          timeline.record({ kind: 'offset', broker: broker.id, group: group.id, topic, partition: own, offset: value.offset })
        }
      }
    },
  }
}
