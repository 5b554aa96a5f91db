import type { PipeError } from '@pipe/core'
import type { KafkaResources } from '../kafka-resources'
import type { Assignment } from './assignment'
import { type Committer, createCommitter } from './committer'
import type { ConsumerSettings } from './consumer-settings'
import { createBurial } from './dead-letter'
import type { DispatcherSettings } from './dispatcher'
import type { Membership } from './membership'
import type { Assignments } from './rebalance'

/** What becomes of what handlers have done: of their offsets, and of records that could not be handled. */
export interface Delivery {
  readonly committer: Committer
  readonly bury: DispatcherSettings['bury']
  /** Before a member joins: fails where this cannot work. */
  check(signal: AbortSignal): Promise<void>
  /** The assignments have changed: some may be new. */
  assigned(): void
  /** Whether the place to begin at is known, so that the partition may be read. */
  isReady(assignment: Assignment): boolean
  /** Whether results of further records can be held. */
  hasRoom(assignment: Assignment): boolean
  /** After the last commit. */
  close(): Promise<void>
}

/** The consumer, as its delivery sees it. */
export interface DeliveryContext {
  readonly resources: KafkaResources
  readonly settings: ConsumerSettings
  /** The member of the present life. */
  membership(): Membership
  assignments(): Assignments
  /** The group goes on without this member. */
  fenced(reason: string): void
  fail(error: PipeError): void
  /** Records may be fetched or handled that could not be before. */
  wake(): void
}

/** At least once: offsets are committed after the fact, dead letters are written beside them. */
export function offsetDelivery({ resources, settings, membership, assignments, fenced }: DeliveryContext): Delivery {
  const { group, deadLetter, onEvent } = settings
  const burial = deadLetter && createBurial({ resources, group, options: deadLetter })
  return {
    committer: createCommitter({
      group,
      everyMs: settings.timing.commitEveryMs,
      membership,
      assignments: () => assignments().list,
      onEvent,
      onFenced: fenced,
    }),
    bury: burial?.bury,
    check: async (signal) => burial?.check(signal),
    assigned: () => undefined,
    isReady: () => true,
    hasRoom: () => true,
    close: async () => burial?.close(),
  }
}
