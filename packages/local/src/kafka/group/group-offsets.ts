import type { KeptOffset } from './kept-group'

/** A committed offset and where it belongs. */
export interface OffsetEntry {
  readonly topic: string
  readonly partition: number
  readonly value: KeptOffset
}

/** The committed offsets of a group, and those that open transactions want to commit. */
export interface GroupOffsets {
  readonly size: number
  get(topic: string, partition: number): KeptOffset | undefined
  entries(): readonly OffsetEntry[]
  put(entry: OffsetEntry): void
  delete(topic: string, partition: number): boolean
  /** Notes what a transaction will commit. */
  stage(producerId: bigint, entry: OffsetEntry): void
  /** A transaction ended; returns what was committed by it. */
  settle(producerId: bigint, isCommitted: boolean): readonly OffsetEntry[]
  /** Whether a transaction is open that commits this partition. */
  isPending(topic: string, partition: number): boolean
}

/** None yet. */
export function createGroupOffsets(): GroupOffsets {
  const committed = new Map<string, OffsetEntry>()
  const staged = new Map<bigint, Map<string, OffsetEntry>>()
  const keyOf = (topic: string, partition: number) => `${topic}/${partition}`
  return {
    get size() {
      return committed.size
    },
    get: (topic, partition) => committed.get(keyOf(topic, partition))?.value,
    entries: () => [...committed.values()],
    put(entry) {
      committed.set(keyOf(entry.topic, entry.partition), entry)
    },
    delete: (topic, partition) => committed.delete(keyOf(topic, partition)),
    stage(producerId, entry) {
      const own = staged.get(producerId) ?? new Map<string, OffsetEntry>()
      own.set(keyOf(entry.topic, entry.partition), entry)
      staged.set(producerId, own)
    },
    settle(producerId, isCommitted) {
      const own = [...(staged.get(producerId)?.values() ?? [])]
      staged.delete(producerId)
      if (!isCommitted) return []
      for (const entry of own) committed.set(keyOf(entry.topic, entry.partition), entry)
      return own
    },
    isPending: (topic, partition) => [...staged.values()].some((own) => own.has(keyOf(topic, partition))),
  }
}
