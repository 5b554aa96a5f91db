import { describe, expect, it } from 'vitest'
import { awsEvents, defineEvent, onEvent, shape } from '../../src/index'

const order = shape.object({ id: shape.text(), total: shape.number({ min: 0 }), tags: shape.optional(shape.list(shape.text())) })
const orderPlaced = defineEvent('com.shop.orders', 'OrderPlaced', order)
const event = (detail: unknown, more: object = {}) => ({
  version: '0',
  id: 'e-1',
  source: 'com.shop.orders',
  'detail-type': 'OrderPlaced',
  account: '1',
  time: '2026-11-24T00:00:00Z',
  region: 'us-east-1',
  resources: [],
  detail,
  ...more,
})

describe('defineEvent', () => {
  it.each<[string, () => unknown, string]>([
    ['a source of AWS', () => defineEvent('aws.s3', 'x', order), 'belong to AWS'],
    ['no source', () => defineEvent('', 'x', order), 'a source has 1 to 256 characters'],
    ['a long detail type', () => defineEvent('x', 'y'.repeat(129), order), '1 to 128'],
    ['no schema', () => defineEvent('x', 'y', {} as never), 'no Standard Schema'],
    ['a wrong version', () => defineEvent('x', 'y', order, { version: 0 }), 'version is 0'],
    ['an unknown option', () => defineEvent('x', 'y', order, { versoin: 1 } as never), 'Did you mean "version"'],
  ])('refuses %s', (_what, make, text) => {
    expect(make).toThrow(text)
  })
})

describe('onEvent', () => {
  const handled: unknown[] = []
  const handler = onEvent(orderPlaced, (detail, { event: { id }, remainingMs }) => {
    handled.push([id, detail.total, remainingMs() > 0])
  })

  it('hands over the detail of one event, or of each of a list', async () => {
    await handler(event({ id: 'a', total: 5 }))
    await handler([event({ id: 'b', total: 6 }, { id: 'e-2' }), event({ id: 'c', total: 7 }, { id: 'e-3' })])
    expect(handled).toEqual([
      ['e-1', 5, true],
      ['e-2', 6, true],
      ['e-3', 7, true],
    ])
  })

  it.each<[string, unknown, string, string]>([
    [
      'a broken detail',
      event({ id: 1, total: -1, tags: ['x', 2], y: 1 }),
      'PIPE_EVENT_CONTRACT',
      'id: 1 is not a text; total: -1 is not a number from 0 to Infinity; tags[1]: 2 is not a text; y: "y" is not a field',
    ],
    ['no detail', event(undefined), 'PIPE_EVENT_CONTRACT', 'nothing is not an object'],
    ['another source', event({ id: 'a', total: 1 }, { source: 'x' }), 'PIPE_EVENT_OTHER', 'source "x"'],
    ['no event', null, 'PIPE_EVENT_OTHER', 'source undefined'],
  ])('refuses %s', async (_what, given, code, text) => {
    await expect(handler(given)).rejects.toMatchObject({ code, message: expect.stringContaining(text) })
  })

  it('tells who wants to know of a broken event instead of failing', async () => {
    const broken: string[] = []
    const lenient = onEvent(orderPlaced, () => expect.fail('not reached'), {
      onInvalid: (_event, { code }) => void broken.push(code),
    })
    await lenient(event({ id: 5 }))
    expect(broken).toEqual(['PIPE_EVENT_CONTRACT'])
  })

  it('tells versions apart', async () => {
    const second = defineEvent('com.shop.orders', 'OrderPlaced', order, { version: 2 })
    const seen: unknown[] = []
    const versioned = onEvent(second, (detail) => void seen.push(detail))
    await versioned(event({ version: 2, id: 'a', total: 1 }))
    expect(seen).toEqual([{ id: 'a', total: 1 }])
    await expect(versioned(event({ version: 1, id: 'a', total: 1 }))).rejects.toThrow(
      "the event's version is 1, the contract's 2",
    )
    await expect(versioned(event({ id: 'a', total: 1 }))).rejects.toThrow('version is none')
  })

  it('aborts before the time-out of the function', async () => {
    const slow = onEvent(
      orderPlaced,
      (_detail, { signal }) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
      { reserve: '50 ms' },
    )
    await expect(slow(event({ id: 'a', total: 1 }), { getRemainingTimeInMillis: () => 60 })).rejects.toMatchObject({
      code: 'PIPE_DEADLINE',
    })
  })
})

describe('awsEvents', () => {
  it('takes what AWS documents, and fields beyond it', async () => {
    const detail = {
      version: '0',
      bucket: { name: 'lake' },
      object: { key: 'raw/a', size: 5, etag: 'x', sequencer: '1', more: 1 },
      reason: 'PutObject',
    }
    const keys: string[] = []
    await onEvent(
      awsEvents.s3ObjectCreated,
      ({ object }) => void keys.push(object.key),
    )({ ...event(detail), source: 'aws.s3', 'detail-type': 'Object Created' })
    expect(keys).toEqual(['raw/a'])
  })
})
