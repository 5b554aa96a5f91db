import { expectTypeOf, test } from 'vitest'
import { awsEvents, type DetailOf, defineEvent, eventPattern, onEvent, shape } from '../../src/index'

const order = shape.object({
  id: shape.text(),
  total: shape.number({ min: 0 }),
  state: shape.oneOf('open', 'paid'),
  paid: shape.boolean(),
  note: shape.optional(shape.text()),
  items: shape.list(shape.object({ sku: shape.text(), count: shape.number() })),
})
const orderPlaced = defineEvent('com.shop.orders', 'OrderPlaced', order)

test('a contract has the type of its schema', () => {
  expectTypeOf<DetailOf<typeof orderPlaced>>().toEqualTypeOf<{
    readonly id: string
    readonly total: number
    readonly state: 'open' | 'paid'
    readonly paid: boolean
    readonly items: readonly { readonly sku: string; readonly count: number }[]
    readonly note?: string
  }>()
})

test('patterns that can match compile', () => {
  eventPattern(orderPlaced)
  eventPattern(orderPlaced, { detail: { total: [{ numeric: ['>=', 100] }], state: ['open', { 'anything-but': 'paid' }] } })
  eventPattern(orderPlaced, { detail: { items: { sku: [{ prefix: 'A' }, { exists: false }] }, note: [{ exists: false }] } })
  eventPattern(orderPlaced, { detail: { $or: [{ total: [1] }, { paid: [true] }] }, account: ['123456789012'] })
  eventPattern(awsEvents.s3ObjectCreated, {
    detail: { object: { key: [{ suffix: '.gz' }], size: [{ numeric: ['>', 0, '<', 9] }] } },
  })
})

test('patterns that cannot match do not', () => {
  // @ts-expect-error unknown field
  eventPattern(orderPlaced, { detail: { sum: [1] } })
  // @ts-expect-error unknown field of EventBridge
  eventPattern(orderPlaced, { 'detail-typ': ['x'] })
  // @ts-expect-error no value of the union
  eventPattern(orderPlaced, { detail: { state: ['closed'] } })
  // @ts-expect-error a text is no number
  eventPattern(orderPlaced, { detail: { total: ['5'] } })
  // @ts-expect-error numeric on a text
  eventPattern(orderPlaced, { detail: { id: [{ numeric: ['>', 5] }] } })
  // @ts-expect-error the upper bound comes second
  eventPattern(orderPlaced, { detail: { total: [{ numeric: ['<', 5, '>', 1] }] } })
  // @ts-expect-error an incomplete range
  eventPattern(orderPlaced, { detail: { total: [{ numeric: ['>', 5, '<'] }] } })
  // @ts-expect-error a field that is always there
  eventPattern(orderPlaced, { detail: { id: [{ exists: false }] } })
  // @ts-expect-error an empty list
  eventPattern(orderPlaced, { detail: { id: [] } })
  // @ts-expect-error no list
  eventPattern(orderPlaced, { detail: { id: 'x' } })
  // @ts-expect-error an operator in upper case
  eventPattern(orderPlaced, { detail: { id: [{ PREFIX: 'x' }] } })
  // @ts-expect-error $or of one
  eventPattern(orderPlaced, { detail: { $or: [{ total: [1] }] } })
})

test('handlers get the detail of the contract', () => {
  onEvent(orderPlaced, (detail, { event, signal }) => {
    expectTypeOf(detail.state).toEqualTypeOf<'open' | 'paid'>()
    expectTypeOf(event.detail.total).toEqualTypeOf<number>()
    expectTypeOf(signal).toEqualTypeOf<AbortSignal>()
  })
})
