/** A file that is open. */
export interface MemoryOwner {
  heldBytes(): number
}

/** What all open files of a sink may take together. */
export interface SinkMemory {
  readonly usedBytes: number
  join(owner: MemoryOwner): void
  leave(owner: MemoryOwner): void
  /** Whether the limit is passed and this file is the largest one: it is closed before its time. */
  mustGive(owner: MemoryOwner): boolean
  /** Whether reading has to wait for another file to be closed. */
  isFull(owner: MemoryOwner): boolean
  /** A file was closed. */
  changed(): void
  /** Resolves when something was closed, or after `ms`. */
  room(ms: number): Promise<void>
}

/** Makes the memory of a sink. */
export function createSinkMemory(maxBytes: number): SinkMemory {
  const owners = new Set<MemoryOwner>()
  let waiters: (() => void)[] = []
  const used = () => {
    let bytes = 0
    for (const owner of owners) bytes += owner.heldBytes()
    return bytes
  }
  const isLargest = (owner: MemoryOwner) => {
    const own = owner.heldBytes()
    for (const other of owners) if (other.heldBytes() > own) return false
    return true
  }
  const changed = () => {
    const woken = waiters
    waiters = []
    for (const wake of woken) wake()
  }
  return {
    get usedBytes() {
      return used()
    },
    join(owner) {
      owners.add(owner)
    },
    leave(owner) {
      owners.delete(owner)
      changed()
    },
    mustGive: (owner) => used() > maxBytes && isLargest(owner),
    isFull: (owner) => used() > maxBytes && !isLargest(owner),
    changed,
    room(ms) {
      return new Promise((resolve) => {
        const done = () => {
          clearTimeout(timer)
          resolve()
        }
        const timer = setTimeout(() => {
          waiters = waiters.filter((waiter) => waiter !== done)
          resolve()
        }, ms)
        waiters.push(done)
      })
    },
  }
}
