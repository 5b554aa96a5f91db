/** Records of one key wait behind each other; records of different keys do not. */
export interface KeyLanes<Item> {
  /** Items that wait: not those that are out. */
  readonly waiting: number
  /** Items that were taken and neither finished nor put back. */
  readonly out: number
  /** Adds an item at the end of its lane. `undefined` = a lane of its own. */
  push(key: string | undefined, item: Item): void
  /**
   * The next item whose lane is free, in the order in which lanes became free; its lane is taken until `finish` or `putBack`.
   *
   * @param accept items for which it is false stay where they are.
   */
  take(accept?: (item: Item) => boolean): Taken<Item> | undefined
  /** The item is done: the next one of its lane may go. */
  finish(taken: Taken<Item>): void
  /** The item must be done again, before any other of its lane. */
  putBack(taken: Taken<Item>): void
}

/** An item on its way. It holds its lane. */
export interface Taken<Item> {
  readonly item: Item
  /** The key of its lane. */
  readonly key: string | undefined
}

/** The one that is taken or goes next, and those behind it. Most keys have one item at a time, so the list is made when a second one comes. */
interface Lane<Item> extends Taken<Item> {
  item: Item
  behind: Item[] | undefined
  /** Index of the first one behind. */
  head: number
  isTaken: boolean
}

/** Makes the lanes of one partition. */
export function createKeyLanes<Item>(): KeyLanes<Item> {
  /** Only lanes that have items or are taken: keys without work are forgotten. */
  const lanes = new Map<string, Lane<Item>>()
  let ready: Lane<Item>[] = []
  let readyHead = 0
  let waiting = 0
  let out = 0

  function nextReady(): Lane<Item> {
    const lane = ready[readyHead]!
    readyHead++
    if (readyHead === ready.length) {
      ready.length = 0
      readyHead = 0
    } else if (readyHead > 1024 && readyHead * 2 > ready.length) {
      ready = ready.slice(readyHead)
      readyHead = 0
    }
    return lane
  }

  function advance(lane: Lane<Item>): boolean {
    const { behind } = lane
    if (!behind || lane.head === behind.length) return false
    lane.item = behind[lane.head]!
    lane.head++
    if (lane.head === behind.length) {
      behind.length = 0
      lane.head = 0
    } else if (lane.head > 256 && lane.head * 2 > behind.length) {
      behind.splice(0, lane.head)
      lane.head = 0
    }
    return true
  }

  function settle(taken: Taken<Item>): Lane<Item> {
    const lane = taken as Lane<Item>
    if (!lane.isTaken) throw new RangeError('This lane is not taken.')
    lane.isTaken = false
    out--
    return lane
  }

  return {
    get waiting() {
      return waiting
    },
    get out() {
      return out
    },
    push(key, item) {
      waiting++
      const known = key === undefined ? undefined : lanes.get(key)
      if (known) {
        if (known.behind) known.behind.push(item)
        else known.behind = [item]
        return
      }
      const lane: Lane<Item> = { key, item, behind: undefined, head: 0, isTaken: false }
      if (key !== undefined) lanes.set(key, lane)
      ready.push(lane)
    },
    take(accept) {
      for (let left = ready.length - readyHead; left > 0; left--) {
        const lane = nextReady()
        if (accept && !accept(lane.item)) {
          ready.push(lane)
          continue
        }
        lane.isTaken = true
        waiting--
        out++
        return lane
      }
      return undefined
    },
    finish(taken) {
      const lane = settle(taken)
      if (advance(lane)) ready.push(lane)
      else if (lane.key !== undefined) lanes.delete(lane.key)
    },
    putBack(taken) {
      ready.push(settle(taken))
      waiting++
    },
  }
}
