import type { EventBridgeClient, PutEventsRequestEntry } from '@aws-sdk/client-eventbridge'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createBus, defineEvent, entryBytes, shape } from '../../src/index'

const noted = defineEvent('com.shop', 'Noted', shape.object({ text: shape.text() }))

type Answer = { EventId?: string; ErrorCode?: string; ErrorMessage?: string }

/** A client that keeps what it is sent; `refuse` gives the error of an entry, by its text and how often it was sent. */
function fakeClient(refuse: (text: string, times: number) => string | undefined = () => undefined) {
  const requests: PutEventsRequestEntry[][] = []
  const taken: string[] = []
  const sent = new Map<string, number>()
  const client = {
    destroy() {},
    async send(command: { constructor: { name: string }; input: { Name?: string; Entries?: PutEventsRequestEntry[] } }) {
      if (command.constructor.name === 'DescribeEventBusCommand') {
        if (command.input.Name === 'missing') throw Object.assign(new Error('no bus'), { name: 'ResourceNotFoundException' })
        if (command.input.Name === 'denied')
          throw Object.assign(
            new Error(
              'User: arn:aws:sts::1:assumed-role/shop/shop is not authorized to perform: events:DescribeEventBus on resource: x',
            ),
            { name: 'AccessDeniedException' },
          )
        return {}
      }
      const entries = command.input.Entries!
      requests.push(entries)
      const Entries = entries.map(({ Detail }): Answer => {
        const { text } = JSON.parse(Detail!) as { text: string }
        const times = (sent.get(text) ?? 0) + 1
        sent.set(text, times)
        const ErrorCode = refuse(text, times)
        if (ErrorCode) return { ErrorCode, ErrorMessage: 'told to' }
        taken.push(text)
        return { EventId: `id-${text.slice(0, 20)}` }
      })
      return { FailedEntryCount: 0, Entries }
    },
  }
  return { client: client as unknown as EventBridgeClient, requests, taken }
}

describe('publish', () => {
  it('checks the detail, names bus, source and detail type, and gives the id', async () => {
    const { client, requests } = fakeClient()
    const bus = createBus({ name: 'orders', client })
    expect(await bus.publish(noted, { text: 'a' }, { resources: ['arn:x'] })).toEqual({ id: 'id-a' })
    expect(requests).toEqual([
      [{ EventBusName: 'orders', Source: 'com.shop', DetailType: 'Noted', Detail: '{"text":"a"}', Resources: ['arn:x'] }],
    ])
    await expect(bus.publish(noted, { text: 5 } as never)).rejects.toMatchObject({ code: 'PIPE_EVENT_CONTRACT' })
    expect(requests).toHaveLength(1)
  })

  it.each([
    ['missing', 'PIPE_BUS_MISSING'],
    ['denied', 'PIPE_IAM_DENIED'],
  ])('says that the bus is %s', async (name, code) => {
    const { client, requests } = fakeClient()
    await expect(createBus({ name, client }).publish(noted, { text: 'a' })).rejects.toMatchObject({ code })
    expect(requests).toHaveLength(0)
    await createBus({ name, client, checksBus: false }).publish(noted, { text: 'a' })
  })

  it('writes the version of a contract into the detail', async () => {
    const { client, requests } = fakeClient()
    const third = defineEvent('com.shop', 'Noted', shape.object({ text: shape.text() }), { version: 3 })
    await createBus({ name: 'orders', client }).publish(third, { text: 'a' })
    expect(requests[0]![0]!.Detail).toBe('{"text":"a","version":3}')
  })

  it('tries again what was refused for the moment, and gives up', async () => {
    const { client, requests } = fakeClient((text, times) => (text === 'never' || times < 3 ? 'ThrottlingException' : undefined))
    const bus = createBus({ name: 'orders', client, attempts: 3 })
    await bus.publish(noted, { text: 'third' })
    await expect(bus.publish(noted, { text: 'never' })).rejects.toMatchObject({ code: 'PIPE_BUS_REFUSED', retryable: true })
    expect(requests).toHaveLength(6)
  })

  it('refuses an event that no request can hold', async () => {
    const { client } = fakeClient()
    const bus = createBus({ name: 'orders', client, maxRequestBytes: 100 })
    await expect(bus.publish(noted, { text: 'x'.repeat(100) })).rejects.toMatchObject({ code: 'PIPE_BUS_TOO_LARGE' })
  })
})

describe('publishMany', () => {
  it('fills requests up to 10 entries and the bytes allowed, resends only what failed, and loses nothing (property)', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 90 }), { maxLength: 40 }),
        fc.integer({ min: 2, max: 5 }),
        async (lengths, every) => {
          const texts = lengths.map((length, i) => `${i}-${'ä'.repeat(length)}`)
          const { client, requests, taken } = fakeClient((text, times) =>
            Number(text.split('-')[0]) % every === 0 && times === 1 ? 'InternalFailure' : undefined,
          )
          const bus = createBus({ name: 'orders', client, maxRequestBytes: 300 })
          const totals = await bus.publishMany(
            noted,
            texts.map((text) => ({ text })),
          )
          expect([...taken].sort()).toEqual([...texts].sort())
          expect(totals).toEqual({ published: texts.length, resent: Math.ceil(texts.length / every), requests: requests.length })
          for (const request of requests) {
            expect(request.length).toBeLessThanOrEqual(10)
            expect(request.reduce((sum, entry) => sum + entryBytes(entry as never), 0)).toBeLessThanOrEqual(300)
          }
        },
      ),
      { numRuns: 8 },
    )
  })

  it('names by their place the entries that were not taken, after publishing the others', async () => {
    const { client, taken } = fakeClient((text) => (text === 'bad' ? 'MalformedDetail' : undefined))
    const details = async function* () {
      for (const text of ['a', 'bad', 'b']) yield { text }
    }
    const refused = createBus({ name: 'orders', client }).publishMany(noted, details())
    await expect(refused).rejects.toMatchObject({
      code: 'PIPE_BUS_REFUSED',
      retryable: false,
      details: { published: 2, refused: [{ index: 1, errorCode: 'MalformedDetail', errorMessage: 'told to' }] },
    })
    expect(taken).toEqual(['a', 'b'])
  })

  it('stops when it is told to', async () => {
    const { client } = fakeClient()
    const reason = new Error('enough')
    await expect(
      createBus({ name: 'orders', client }).publishMany(noted, [{ text: 'a' }], { signal: AbortSignal.abort(reason) }),
    ).rejects.toBe(reason)
  })
})

it('entryBytes counts as EventBridge does', () => {
  const entry = { Source: 'ab', DetailType: 'c', Detail: '"ä"', Resources: ['xyz'] }
  expect(entryBytes(entry)).toBe(2 + 1 + 4 + 3)
  expect(entryBytes({ ...entry, Time: new Date() })).toBe(24)
})
