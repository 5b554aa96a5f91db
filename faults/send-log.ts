import type { FailedOutcome, Message, Placement, Written } from '@pipe/kafka-kit'
import type { Counts } from './verdict'

/** Where a value was found. */
export interface FoundValue {
  readonly partition: number
  readonly offset: bigint
  readonly value: string | Buffer | null
}

/** What a producer said about each message of a topic. */
export interface SendLog {
  /** Sends a message, once. Its value must be like no other. */
  send(message: Message & Placement & { readonly value: string | Buffer }): void
  readonly sent: number
  readonly acknowledged: number
  /** Resolves when there is an outcome for each. @throws what a send rejected with when that is no outcome. */
  settled(): Promise<void>
  /** Compares with what was found, each place once. `copies`: in another topic, so at other places. */
  counts(found: readonly FoundValue[], of?: 'originals' | 'copies'): Counts
}

/** Sends messages to one topic and keeps what became of them, in the order of sending. */
export function createSendLog(
  producer: { send(topic: string, message: Message & Placement): Promise<Written> },
  topic: string,
): SendLog {
  const outcomes = new Map<string, Written | FailedOutcome | undefined>()
  const unexpected: unknown[] = []
  let open: Promise<void>[] = []
  let acknowledged = 0

  async function follow(value: string, outcome: Promise<Written>): Promise<void> {
    try {
      outcomes.set(value, await outcome)
      acknowledged++
    } catch (error) {
      const known = (error as Partial<FailedOutcome>).outcome
      if (known === 'unknown' || known === 'not-written') outcomes.set(value, error as FailedOutcome)
      else unexpected.push(error)
    }
  }

  return {
    send(message) {
      const value = String(message.value)
      outcomes.set(value, undefined)
      open.push(follow(value, producer.send(topic, message)))
    },
    get sent() {
      return outcomes.size
    },
    get acknowledged() {
      return acknowledged
    },
    async settled() {
      while (open.length > 0) await Promise.all(open.splice(0))
      open = []
      if (unexpected.length > 0) throw unexpected[0]
    },
    counts: (found, of = 'originals') => compare(outcomes, found, of),
  }
}

function compare(
  sent: ReadonlyMap<string, Written | FailedOutcome | undefined>,
  all: readonly FoundValue[],
  of: 'originals' | 'copies',
): Counts {
  const places = new Map<string, FoundValue[]>()
  for (const record of all) {
    const value = String(record.value)
    const known = places.get(value)
    if (known) known.push(record)
    else places.set(value, [record])
  }
  const counts = { stored: 0, acknowledged: 0, lost: 0, duplicated: 0, ambiguous: 0, notWritten: 0, phantoms: 0, reordered: 0 }
  const lastOffsets = new Map<number, bigint>()
  for (const [value, outcome] of sent) {
    const found = places.get(value) ?? []
    if (found.length > 0) counts.stored++
    counts.duplicated += Math.max(0, found.length - 1)
    if (outcome !== undefined && 'offset' in outcome) {
      const { partition, offset } = outcome
      counts.acknowledged++
      // Offset -1: the broker has it and does not say where.
      const isThere = (record: FoundValue) => record.partition === partition && (offset < 0n || record.offset === offset)
      if (!found.some((record) => of === 'copies' || isThere(record))) counts.lost++
      if (offset >= 0n && offset < (lastOffsets.get(partition) ?? 0n)) counts.reordered++
      else if (offset >= 0n) lastOffsets.set(partition, offset)
    } else if (outcome?.outcome === 'unknown') counts.ambiguous++
    else {
      counts.notWritten++
      if (found.length > 0) counts.phantoms++
    }
  }
  return { sent: sent.size, ...counts, again: undefined }
}
