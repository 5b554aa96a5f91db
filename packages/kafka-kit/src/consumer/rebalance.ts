import { partitionKey } from '../leader-request'
import { type Assignment, createAssignment, lose, revoked } from './assignment'
import type { AnyTopic } from './consumed-record'
import type { ConsumerEvent } from './consumer-event'
import type { Dispatcher } from './dispatcher'
import type { MemberIdentity } from './membership'

/** The partitions that a member has, through its rebalances. */
export interface Assignments {
  readonly list: readonly Assignment[]
  find(topic: string, partition: number): Assignment | undefined
  /** The partition begins anew, as another object. */
  replace(old: Assignment): Assignment
  /** Before a join: handlers may end, those that do not are interrupted, what is done is committed. */
  drain(): Promise<void>
  /** After a join: what is kept goes on, what is lost is dropped. */
  joined(identity: MemberIdentity, assigned: Readonly<Record<string, readonly number[]>>): void
  /** All are lost at once. */
  dropAll(reason: Error): void
}

/** Interrupted handlers get so long to end before the join goes on without them. */
const graceMs = 500

/** Makes the assignments of one consumer. */
export function createAssignments(settings: {
  readonly topics: ReadonlyMap<string, AnyTopic>
  readonly dispatcher: () => Dispatcher
  /** How long handlers may go on before a join. */
  readonly drainMs: number
  readonly commit: () => Promise<boolean>
  readonly onEvent: (event: ConsumerEvent) => void
}): Assignments {
  const { topics, onEvent } = settings
  let byKey = new Map<string, Assignment>()
  let list: Assignment[] = []
  let identity: MemberIdentity | undefined

  function set(next: Map<string, Assignment>): void {
    byKey = next
    list = [...next.values()]
  }

  return {
    get list() {
      return list
    },
    find: (topic, partition) => byKey.get(partitionKey({ topic, partition })),
    replace(old) {
      lose(old, revoked(`${partitionKey({ topic: old.topic.name, partition: old.partition })} begins anew.`))
      const fresh = createAssignment(old.topic, old.partition)
      set(new Map(byKey).set(partitionKey({ topic: old.topic.name, partition: old.partition }), fresh))
      return fresh
    },
    async drain() {
      const dispatcher = settings.dispatcher()
      dispatcher.hold()
      if (list.length === 0) return dispatcher.freeze()
      const startedMs = Date.now()
      onEvent({ kind: 'rebalancing', running: dispatcher.running })
      let aborted = 0
      if (!(await dispatcher.settled(settings.drainMs))) {
        aborted = dispatcher.running
        dispatcher.interrupt(list, revoked('The group rebalances, and the time for handlers to end is up.'))
        await dispatcher.settled(graceMs)
      }
      dispatcher.freeze()
      const committed = await settings.commit()
      onEvent({ kind: 'drained', elapsedMs: Date.now() - startedMs, aborted, committed })
    },
    joined(next, assigned) {
      // Same member, and no generation in between in which someone else may have had its partitions.
      const isContinued =
        identity !== undefined &&
        identity.memberId === next.memberId &&
        (next.generation === identity.generation || next.generation === identity.generation + 1)
      identity = next
      const before = byKey
      const after = new Map<string, Assignment>()
      let kept = 0
      for (const [name, partitions] of Object.entries(assigned)) {
        const topic = topics.get(name)
        if (!topic) continue
        for (const partition of partitions) {
          const key = partitionKey({ topic: name, partition })
          const old = isContinued ? before.get(key) : undefined
          if (old) kept++
          after.set(key, old ?? createAssignment(topic, partition))
        }
      }
      const lost = [...before].filter(([key, old]) => after.get(key) !== old)
      set(after)
      for (const [key, old] of lost) lose(old, revoked(`${key} was given to another member of the group.`))
      onEvent({ kind: 'joined', ...next, assigned, gained: after.size - kept, kept, lost: lost.length })
      settings.dispatcher().release()
    },
    dropAll(reason) {
      const all = list
      set(new Map())
      identity = undefined
      for (const old of all) lose(old, reason)
    },
  }
}
