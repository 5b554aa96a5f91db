import { BufferFullError } from '../errors'

/** Room for messages that are not settled yet, in bytes and in number. Waiters are served in the order of their calls. */
export interface BufferRoom {
  readonly bytes: number
  readonly messages: number
  /** Takes room at once, unless there is none or someone waits already. */
  tryTake(bytes: number): boolean
  /** Takes room, waiting for it. Rejects with {@link BufferFullError} after `maxBlock`, or with the reason of the signal. */
  take(bytes: number, signal?: AbortSignal): Promise<void>
  /** Resolves when everyone who waits now has room. */
  afterWaiting(): Promise<void>
  /** How many wait, and for how many bytes. */
  readonly waiting: { readonly messages: number; readonly bytes: number }
  give(bytes: number, messages: number): void
  /** Refuses everyone who waits. */
  refuse(error: Error): void
}

interface Waiter {
  readonly bytes: number
  /** A marker takes no room; it only stands in line. */
  readonly isMarker: boolean
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** Makes the room of one producer. */
export function createBufferRoom(options: {
  readonly maxBytes: number
  readonly maxMessages: number
  readonly maxBlockMs: number
}): BufferRoom {
  const { maxBytes, maxMessages, maxBlockMs } = options
  let bytes = 0
  let messages = 0
  let waiters: Waiter[] = []

  const hasRoom = (wanted: number) => bytes + wanted <= maxBytes && messages < maxMessages

  function serve(): void {
    let served = 0
    for (const waiter of waiters) {
      if (!waiter.isMarker) {
        if (!hasRoom(waiter.bytes)) break
        bytes += waiter.bytes
        messages++
      }
      served++
      waiter.resolve()
    }
    if (served > 0) waiters = waiters.slice(served)
  }

  function wait(wanted: number, isMarker: boolean, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (error: unknown) => {
        waiters = waiters.filter((other) => other !== waiter)
        waiter.reject(error)
        // Whoever stood behind may need less.
        serve()
      }
      const onAbort = () => leave(signal!.reason)
      const onTimeout = () =>
        leave(
          new BufferFullError(
            `The producer's buffer stayed full for ${maxBlockMs} ms (${bytes} of ${maxBytes} bytes, ${messages} messages).`,
            {
              hint: 'The brokers take less than is sent: send slower, or raise maxBufferedBytes or maxBlock.',
              details: { bufferedBytes: bytes, maxBufferedBytes: maxBytes },
            },
          ),
        )
      const timer = isMarker ? undefined : setTimeout(onTimeout, maxBlockMs)
      const done = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', onAbort)
      }
      const waiter: Waiter = {
        bytes: wanted,
        isMarker,
        resolve() {
          done()
          resolve()
        },
        reject(error) {
          done()
          reject(error)
        },
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      waiters.push(waiter)
    })
  }

  return {
    get bytes() {
      return bytes
    },
    get messages() {
      return messages
    },
    get waiting() {
      const real = waiters.filter(({ isMarker }) => !isMarker)
      return { messages: real.length, bytes: real.reduce((sum, waiter) => sum + waiter.bytes, 0) }
    },
    tryTake(wanted) {
      if (waiters.length > 0 || !hasRoom(wanted)) return false
      bytes += wanted
      messages++
      return true
    },
    take: (wanted, signal) => wait(wanted, false, signal),
    afterWaiting: () => (waiters.length === 0 ? Promise.resolve() : wait(0, true)),
    give(freed, count) {
      bytes -= freed
      messages -= count
      if (waiters.length > 0) serve()
    },
    refuse(error) {
      const refused = waiters
      waiters = []
      for (const waiter of refused) waiter.isMarker ? waiter.resolve() : waiter.reject(error)
    },
  }
}
