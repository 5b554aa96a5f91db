// What a function that answers an event with another one consists of.
import { createBus, defineEvent, onEvent, shape } from '@pipe/events'

const orderPlaced = defineEvent('com.shop.orders', 'OrderPlaced', shape.object({ id: shape.text(), total: shape.number() }))
const orderBilled = defineEvent('com.shop.invoices', 'OrderBilled', shape.object({ id: shape.text() }))
const bus = createBus({ name: 'orders' })

export const handler = onEvent(orderPlaced, async ({ id }, { signal }) => {
  await bus.publish(orderBilled, { id }, { signal })
})
