import { type DetailOf, defineEvent, type EventContract, eventPattern, shape } from '@pipe/events'

/** What everybody who deals with orders agrees on. */
export const orderPlaced = defineEvent(
  'com.shop.orders',
  'OrderPlaced',
  shape.object({
    id: shape.text(),
    customer: shape.text(),
    total: shape.number({ min: 0 }),
    items: shape.list(shape.object({ sku: shape.text(), count: shape.number({ min: 1 }) })),
  }),
)

export type Order = DetailOf<typeof orderPlaced>
export type OrderContract = EventContract<Order>

/** Orders above which somebody wants to know. */
export const bigTotal = 900

/** All orders, and the big ones: fields and types are checked against the contract by the compiler. */
export const patterns = {
  all: eventPattern(orderPlaced),
  big: eventPattern(orderPlaced, { detail: { total: [{ numeric: ['>=', bigTotal] }] } }),
}
