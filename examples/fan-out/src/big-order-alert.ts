import { onEvent } from '@pipe/events'
import { orderPlaced } from './contracts'
import { serviceOf } from './service'

const service = serviceOf('alert')

/** EventBridge calls it directly, for big orders only. */
export const handler = onEvent(orderPlaced, (order, { event, signal, remainingMs }) =>
  service.handle(order, { signal, run: event.id, remainingMs: remainingMs() }),
)
