import { WritableStream } from 'node:stream/web'

/** A message on its way: `accepted` when it has room (`undefined`: it has), `settled` when it is confirmed or failed. */
export interface Sending {
  readonly accepted: Promise<void> | undefined
  readonly settled: Promise<unknown>
}

/**
 * A stream whose writes wait for room, not for the answers. The first message that fails errors the stream; closing waits for all.
 *
 * @param send begins to send one message.
 */
export function writableOf<Message>(send: (message: Message) => Sending): WritableStream<Message> {
  let pending = 0
  let failure: { readonly error: unknown } | undefined
  let onIdle: (() => void) | undefined
  return new WritableStream<Message>({
    async write(message, controller) {
      const { accepted, settled } = send(message)
      pending++
      const done = () => {
        pending--
        if (pending === 0) onIdle?.()
      }
      settled.then(done, (error) => {
        failure ??= { error }
        done()
        controller.error(error)
      })
      await accepted
    },
    async close() {
      if (pending > 0) {
        await new Promise<void>((resolve) => {
          onIdle = resolve
        })
      }
      if (failure) throw failure.error
    },
  })
}
