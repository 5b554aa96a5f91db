import { BufferFullError } from '../errors'

/** Room for messages that are not settled yet, in bytes and in number. Waiters are served in the order of their calls. */
export interface BufferRoom {
  readonly bytes: number
  readonly messages: number
  /** Takes room at once, unless there is none or someone waits already. */
  tryTake(bytes: number): boolean
  /** Takes room for a message of `topic`, waiting for it. Rejects with {@link BufferFullError} after `maxBlock`, or with the signal's reason. */
  take(topic: string, bytes: number, signal?: AbortSignal): Promise<void>
  /** Resolves when everyone who waits now has room. */
  afterWaiting(): Promise<void>
  /** Messages that wait. */
  waiting(): readonly { readonly topic: string; readonly bytes: number }[]
  give(bytes: number, messages: number): void
  /** Refuses everyone who waits. */
  refuse(errorFor: (topic: string) => Error): void
}

interface Waiter {
  readonly topic: string
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

  function wait(topic: string, wanted: number, isMarker: boolean, signal?: AbortSignal): Promise<void> {
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
        topic,
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
    waiting: () => waiters.filter(({ isMarker }) => !isMarker),
    tryTake(wanted) {
      if (waiters.length > 0 || !hasRoom(wanted)) return false
      bytes += wanted
      messages++
      return true
    },
    take: (topic, wanted, signal) => wait(topic, wanted, false, signal),
    afterWaiting: () => (waiters.length === 0 ? Promise.resolve() : wait('', 0, true)),
    give(freed, count) {
      bytes -= freed
      messages -= count
      if (waiters.length > 0) serve()
    },
    refuse(errorFor) {
      const refused = waiters
      waiters = []
      for (const waiter of refused) {
        if (waiter.isMarker) waiter.resolve()
        else waiter.reject(errorFor(waiter.topic))
      }
    },
  }
}
