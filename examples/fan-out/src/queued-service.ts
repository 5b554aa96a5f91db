import { onSqs, type SqsHandler } from '@pipe/events'
import { orderPlaced } from './contracts'
import { serviceOf } from './service'

/** A service behind a queue: while it is down, its orders wait. */
export function queuedService(name: string): SqsHandler {
  const service = serviceOf(name)
  return onSqs(
    {
      event: orderPlaced,
      onInvalid(record, error) {
        const { messageId, body } = record as { readonly messageId: string; readonly body: string }
        return service.quarantine(messageId, body, error.message)
      },
    },
    ({ id, receives, body }, { signal, remainingMs }) =>
      service.handle(body.detail, { signal, run: `${id}-${receives}`, remainingMs: remainingMs() }),
  )
}
