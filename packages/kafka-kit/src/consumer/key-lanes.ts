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

/** An item on its way, and the lane that it holds. */
export interface Taken<Item> {
  readonly item: Item
  readonly lane: Lane<Item>
}

interface Lane<Item> {
  readonly key: string | undefined
  readonly items: Item[]
  /** Index of the first waiting item. */
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
        known.items.push(item)
        return
      }
      const lane: Lane<Item> = { key, items: [item], head: 0, isTaken: false }
      if (key !== undefined) lanes.set(key, lane)
      ready.push(lane)
    },
    take(accept) {
      for (let left = ready.length - readyHead; left > 0; left--) {
        const lane = ready[readyHead]!
        readyHead++
        if (readyHead === ready.length) {
          ready = []
          readyHead = 0
        } else if (readyHead > 1024 && readyHead * 2 > ready.length) {
          ready = ready.slice(readyHead)
          readyHead = 0
        }
        const item = lane.items[lane.head]!
        if (accept && !accept(item)) {
          ready.push(lane)
          continue
        }
        lane.isTaken = true
        waiting--
        out++
        lane.head++
        if (lane.head > 256 && lane.head * 2 > lane.items.length) {
          lane.items.splice(0, lane.head)
          lane.head = 0
        }
        return { item, lane }
      }
      return undefined
    },
    finish({ lane }) {
      if (!lane.isTaken) throw new RangeError('This lane is not taken.')
      lane.isTaken = false
      out--
      if (lane.head < lane.items.length) ready.push(lane)
      else if (lane.key !== undefined) lanes.delete(lane.key)
    },
    putBack({ lane, item }) {
      if (!lane.isTaken) throw new RangeError('This lane is not taken.')
      lane.isTaken = false
      out--
      waiting++
      // The place that it was taken from is free, or was cut away.
      if (lane.head > 0) lane.items[--lane.head] = item
      else lane.items.unshift(item)
      ready.push(lane)
    },
  }
}
