/**
 * What must have happened before a send resolves.
 *
 * - `'fire-and-forget'` (acks 0): the bytes were given to the socket. No offset, no error of the broker, no second try after that.
 * - `'leader'` (acks 1): the leader has the record. It is lost when the leader dies before a follower copied it.
 * - `'quorum'` (acks all): every in-sync replica has it, at least `min.insync.replicas` of them. With the idempotent producer that is the
 *   default, a resolved send is in the log exactly once.
 */
export type Durability = 'fire-and-forget' | 'leader' | 'quorum'

/** A message that the cluster confirmed. */
export interface Written {
  readonly partition: number
  /** Place in the partition. −1 in the rare case that the broker only says that it has the batch already. */
  readonly offset: bigint
  /** The timestamp in the log: the producer's, or the broker's where the topic says `LogAppendTime`. */
  readonly timestamp: Date
}

/** A message that was given to the socket; whether it arrived is not known. */
export interface HandedOver {
  readonly partition: number
}

/** What a send resolves with: only confirmed messages have an offset. */
export type SendResult<D extends Durability> = D extends 'fire-and-forget' ? HandedOver : Written

/** The number of the protocol. */
export const acksOf: Readonly<Record<Durability, number>> = { 'fire-and-forget': 0, leader: 1, quorum: -1 }
