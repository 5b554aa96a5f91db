import type { BatchRecord } from '@pipe/kafka-wire'
import { createOffsetTracker, type OffsetTracker, type OpenOffset } from './offset-tracker'
import type { ParkedState, RetryEntry } from './retry-topic'

// What of one partition waits for another try. The retry topic is its log: an entry for each record that is parked or fails again, one for each
// that is done with; the newest about a record counts. So it can be read back after a restart. The order within a key is that of the source
// offsets, not of the entries: a record that fails again gets a new entry behind those of its key, and stays the first of them.

/** A record that waits. */
export interface Parked extends ParkedState {
  readonly lane: string
}

/** The parked records of one partition, in memory as in the log. */
export interface ParkingLot {
  readonly records: number
  readonly bytes: number
  /** What the group may commit on the retry topic: nothing below concerns a record that waits. */
  readonly committable: bigint
  /**
   * How a record of the source stands. `free`: nothing of its key from before it waits. `behind`: something does, so it must wait too. `known`: it
   * waits already; it was read again because its commit got lost, or by a replay.
   */
  standing(lane: string, offset: bigint): 'free' | 'behind' | 'known'
  /** Takes up an entry that stands at an offset of the retry topic. Offsets rise. */
  take(entry: RetryEntry | undefined, at: bigint): void
  /** The first record that is due and whose key has none before it; it is out until `putBack`, or an entry about it is taken up. */
  next(nowMs: number): Parked | undefined
  putBack(parked: Parked): void
  /** When the next record is due; `undefined` when none waits for its time. */
  readonly nextDueAtMs: number | undefined
}

interface Slot {
  state: Parked
  bytes: number
  entry: OpenOffset
  isOut: boolean
}

/** Beside its bytes: objects, headers, places in maps. */
const overheadBytes = 500

function bytesOf({ key, value, headers }: BatchRecord): number {
  let bytes = overheadBytes + (key?.length ?? 0) + (value?.length ?? 0)
  for (const header of headers) bytes += 100 + header.key.length + (header.value?.length ?? 0)
  return bytes
}

/**
 * Makes an empty lot.
 *
 * @param options `start`: the first offset of the retry topic that is taken up. `laneOf`: which records wait for each other.
 */
export function createParkingLot(options: {
  readonly start: bigint
  readonly laneOf: (record: BatchRecord) => string | undefined
}): ParkingLot {
  const tracker: OffsetTracker = createOffsetTracker(options.start)
  /** By source offset, the lowest first. */
  const lanes = new Map<string, Slot[]>()
  const slots = new Map<bigint, Slot>()
  let bytes = 0
  /** No first record of a lane is due before. */
  let soonestMs = Number.POSITIVE_INFINITY

  function noticeFirst(lane: readonly Slot[] | undefined): void {
    const first = lane?.[0]
    if (first && !first.isOut) soonestMs = Math.min(soonestMs, first.state.dueAtMs)
  }

  function park(state: ParkedState, at: bigint): void {
    const { record } = state
    const entry = tracker.begin(at)
    const known = slots.get(record.offset)
    if (known) {
      tracker.complete(known.entry)
      Object.assign(known, { state: { ...state, lane: known.state.lane }, entry, isOut: false })
      noticeFirst(lanes.get(known.state.lane))
      return
    }
    const name = laneName(options.laneOf(record), record.offset)
    const slot: Slot = { state: { ...state, lane: name }, bytes: bytesOf(record), entry, isOut: false }
    slots.set(record.offset, slot)
    bytes += slot.bytes
    const lane = lanes.get(name) ?? []
    lanes.set(name, lane)
    let place = lane.length
    while (place > 0 && lane[place - 1]!.state.record.offset > record.offset) place--
    lane.splice(place, 0, slot)
    noticeFirst(lane)
  }

  function resolve(offset: bigint): void {
    const slot = slots.get(offset)
    if (!slot) return
    tracker.complete(slot.entry)
    slots.delete(offset)
    bytes -= slot.bytes
    const lane = lanes.get(slot.state.lane)!
    lane.splice(lane.indexOf(slot), 1)
    if (lane.length === 0) lanes.delete(slot.state.lane)
    noticeFirst(lane)
  }

  return {
    get records() {
      return slots.size
    },
    get bytes() {
      return bytes
    },
    get committable() {
      return tracker.committable
    },
    standing(lane, offset) {
      if (slots.has(offset)) return 'known'
      const first = lanes.get(lane)?.[0]
      return first && first.state.record.offset < offset ? 'behind' : 'free'
    },
    take(entry, at) {
      if (entry?.kind === 'parked') park(entry.state, at)
      else if (entry) resolve(entry.offset)
      tracker.advance(at + 1n)
    },
    next(nowMs) {
      if (nowMs < soonestMs) return undefined
      soonestMs = Number.POSITIVE_INFINITY
      for (const [first] of lanes.values()) {
        if (first!.isOut) continue
        if (first!.state.dueAtMs > nowMs) {
          soonestMs = Math.min(soonestMs, first!.state.dueAtMs)
          continue
        }
        first!.isOut = true
        // Those behind it were not looked at.
        soonestMs = nowMs
        return first!.state
      }
      return undefined
    },
    putBack({ record }) {
      const slot = slots.get(record.offset)
      if (!slot) return
      slot.isOut = false
      noticeFirst(lanes.get(slot.state.lane))
    },
    get nextDueAtMs() {
      return soonestMs === Number.POSITIVE_INFINITY ? undefined : soonestMs
    },
  }
}

/** A record without a key waits for nobody: a lane of its own. */
export function laneName(lane: string | undefined, offset: bigint): string {
  return lane === undefined ? `#${offset}` : `=${lane}`
}
