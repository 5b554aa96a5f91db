import type { Group } from './group'
import type { Kept } from './kept-group'

/** A group that this broker coordinates, or why it does not. */
export type FoundGroup =
  | { readonly group: Group; readonly errorCode: 0 }
  | { readonly group: undefined; readonly errorCode: number }

/** The groups whose partition of `__consumer_offsets` this broker leads. Their state lies in that log, so that another broker can take over. */
export interface GroupCoordinator {
  /** The group. One that is not known is made with `create`, else it is GROUP_ID_NOT_FOUND. */
  find(id: string, options?: { readonly create?: boolean }): FoundGroup
  groups(): readonly Group[]
  /** Writes to the group's partition. Resolves with an error code. */
  keep(
    id: string,
    records: readonly Kept[],
    options?: { readonly producerId?: bigint; readonly producerEpoch?: number },
  ): Promise<number>
  /** Forgets a group. */
  forget(id: string): void
  /** Deletes offsets of empty groups that are kept for too long. Returns when the next ones are due. */
  expire(now: number): number | undefined
  /** A transaction ended in a partition of the topic. */
  settle(partition: number, producerId: bigint, isCommitted: boolean): void
  /** The partition of the topic that holds a group. */
  partitionOf(id: string): number
}
