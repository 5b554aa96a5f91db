import type { PipeError } from '@pipe/core'
import type { KafkaResources } from '../kafka-resources'
import type { Assignment } from './assignment'
import { type Committer, createCommitter } from './committer'
import type { ConsumerSettings } from './consumer-settings'
import { createBurial } from './dead-letter'
import type { DispatcherSettings } from './dispatcher-settings'
import type { Membership } from './membership'
import { createParking, type Parking } from './parking'
import type { Assignments } from './rebalance'

/** What becomes of what handlers have done: of their offsets, and of records that could not be handled. */
export interface Delivery {
  readonly committer: Committer
  readonly bury: DispatcherSettings['bury']
  /** Where failed records wait for another try. */
  readonly parking?: Parking | undefined
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
  /** The member begins anew, with another life. */
  restart(error: PipeError): void
  /** Records may be fetched or handled that could not be before. */
  wake(): void
}

/** At least once: offsets are committed after the fact, dead letters are written beside them. */
export function offsetDelivery(context: DeliveryContext): Delivery {
  const { resources, settings, membership, assignments, fenced } = context
  const { group, deadLetter, onEvent } = settings
  const burial = deadLetter && createBurial({ resources, group, options: deadLetter })
  const parking = settings.retryTopic && parkingOf(context, settings.retryTopic)
  return {
    committer: createCommitter({
      group,
      everyMs: settings.timing.commitEveryMs,
      membership,
      assignments: () => assignments().list,
      others: parking?.due,
      onEvent,
      onFenced: fenced,
    }),
    bury: burial?.bury,
    parking,
    async check(signal) {
      await burial?.check(signal)
      await parking?.check(signal)
    },
    assigned: () => parking?.assigned(assignments().list),
    isReady: (assignment) => parking?.isOpen(assignment) ?? true,
    hasRoom: () => true,
    async close() {
      await parking?.close()
      await burial?.close()
    },
  }
}

function parkingOf(context: DeliveryContext, options: NonNullable<ConsumerSettings['retryTopic']>): Parking {
  const { settings } = context
  return createParking({
    // Sockets of its own: an entry with acks all may wait for replicas.
    cluster: context.resources.openCluster(),
    group: settings.group,
    source: settings.topics[0]!,
    order: settings.order,
    outOfRange: settings.outOfRange,
    options,
    membership: context.membership,
    wake: context.wake,
    fenced: context.fenced,
    broken: (error) => (error.retryable ? context.restart(error) : context.fail(error)),
  })
}
