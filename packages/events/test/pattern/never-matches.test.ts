import { describe, expect, it } from 'vitest'
import { awsEvents, defineEvent, type EventContract, reviewRules, shape, whyNever } from '../../src/index'

const order = shape.object({
  id: shape.text(),
  total: shape.number({ min: 0, max: 10_000 }),
  state: shape.oneOf('open', 'paid'),
  note: shape.optional(shape.text()),
  items: shape.list(shape.object({ sku: shape.text(), count: shape.number({ min: 1 }) })),
})
const orderPlaced = defineEvent('com.shop.orders', 'OrderPlaced', order)
const orderCancelled = defineEvent('com.shop.orders', 'OrderCancelled', shape.object({ id: shape.text() }, { open: true }))

describe('whyNever', () => {
  it.each<[string, object, string]>([
    ['another source', { source: ['com.shop.order'] }, 'source is "com.shop.orders", the pattern asks ["com.shop.order"]'],
    ['another detail type', { 'detail-type': [{ prefix: 'Invoice' }] }, 'detail-type is "OrderPlaced"'],
    ['a field that EventBridge does not have', { detailType: ['OrderPlaced'] }, 'detailType is no field with a value'],
    ['no account', { account: [{ exists: false }] }, 'account is a string'],
    ['an unknown field', { detail: { sum: [1] } }, 'detail.sum is no field with a value'],
    ['a value outside of a union', { detail: { state: ['closed'] } }, 'detail.state is one of ["open","paid"]'],
    ['a text for a number', { detail: { total: ['5'] } }, 'detail.total is a number from 0 to 10000'],
    ['a range that the contract excludes', { detail: { total: [{ numeric: ['>', 10_000] }] } }, 'detail.total is a number'],
    ['a number that it excludes', { detail: { total: [-1] } }, 'detail.total'],
    ['null', { detail: { id: [null] } }, 'detail.id is a string'],
    ['the lack of a required field', { detail: { id: [{ exists: false }] } }, 'detail.id'],
    ['an object as a leaf', { detail: { items: ['x'] } }, 'detail.items is no field with a value'],
    ['a field below a leaf', { detail: { id: { x: [1] } } }, 'detail.id.x is no field'],
    ['all of $or', { detail: { $or: [{ sum: [1] }, { total: [-5] }] } }, 'detail.sum'],
  ])('%s', (_what, pattern, reason) => {
    expect(whyNever(pattern as Record<string, unknown>, orderPlaced)).toContain(reason)
  })

  it.each<[string, object]>([
    ['its own', { source: ['com.shop.orders'], 'detail-type': ['OrderPlaced'] }],
    ['within the bounds', { detail: { total: [{ numeric: ['>=', 10_000] }] } }],
    ['an optional field', { detail: { note: [{ exists: false }] } }],
    ['elements of a list, which may be empty', { detail: { items: { sku: [{ exists: false }] } } }],
    ['a dotted name', { 'detail.items.count': [{ numeric: ['>', 5] }] }],
    ['one of $or', { detail: { $or: [{ sum: [1] }, { total: [5] }] } }],
    ['a replayed event', { 'replay-name': [{ exists: true }] }],
  ])('can match: %s', (_what, pattern) => {
    expect(whyNever(pattern as Record<string, unknown>, orderPlaced)).toBeUndefined()
  })

  it('says nothing where the contract does not tell', () => {
    expect(whyNever({ detail: { anything: ['x'] } }, orderCancelled)).toBeUndefined()
    const opaque: EventContract = defineEvent('x', 'y', {
      '~standard': { version: 1, vendor: 'none', validate: (value: unknown) => ({ value }) },
    })
    expect(whyNever({ detail: { anything: ['x'] } }, opaque)).toBeUndefined()
    expect(whyNever({ source: ['y'] }, opaque)).toContain('source')
  })

  it('reads JSON Schema of other libraries: unions, nullable types, references', () => {
    const jsonSchema = {
      type: 'object',
      additionalProperties: false,
      required: ['a'],
      properties: {
        a: { anyOf: [{ type: 'string' }, { type: 'null' }] },
        b: { type: ['number', 'null'], exclusiveMaximum: 5 },
        c: { $ref: '#/$defs/c' },
      },
    }
    const contract: EventContract = defineEvent('x', 'y', {
      '~standard': {
        version: 1,
        vendor: 'other',
        validate: (value: unknown) => ({ value }),
        jsonSchema: { input: () => jsonSchema, output: () => jsonSchema },
      } as never,
    })
    expect(whyNever({ detail: { a: [null] } }, contract)).toBeUndefined()
    expect(whyNever({ detail: { a: [5] } }, contract)).toContain('detail.a')
    expect(whyNever({ detail: { b: [{ numeric: ['>=', 5] }] } }, contract)).toContain('detail.b')
    expect(whyNever({ detail: { b: [{ numeric: ['<', 5] }] } }, contract)).toBeUndefined()
    expect(whyNever({ detail: { c: { x: [5] } } }, contract)).toBeUndefined()
  })

  it('knows the version of a contract', () => {
    const second = defineEvent('x', 'y', shape.object({ id: shape.text() }), { version: 2 })
    expect(whyNever({ detail: { version: [1] } }, second)).toContain('detail.version is 2')
    expect(whyNever({ detail: { version: [2] } }, second)).toBeUndefined()
  })
})

describe('reviewRules', () => {
  it('lists rules that never match, and events without a rule', () => {
    const rules = [
      {
        name: 'big',
        pattern: { source: ['com.shop.orders'], 'detail-type': ['OrderPlaced'], detail: { total: [{ numeric: ['>', 100] }] } },
      },
      { name: 'typo', pattern: { source: ['com.shop.order'] } },
    ]
    const review = reviewRules({ rules, contracts: [orderPlaced, orderCancelled, awsEvents.s3ObjectCreated] })
    expect(review.neverMatching.map(({ rule }) => rule)).toEqual(['typo'])
    expect(review.neverMatching[0]!.reasons.map(({ contract }) => contract)).toEqual([
      'com.shop.orders OrderPlaced',
      'com.shop.orders OrderCancelled',
      'aws.s3 Object Created',
    ])
    expect(review.withoutRule).toEqual(['com.shop.orders OrderCancelled', 'aws.s3 Object Created'])
  })
})
