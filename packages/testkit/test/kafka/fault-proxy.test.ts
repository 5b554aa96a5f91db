import { setTimeout as wait } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type FaultProxy, startFaultProxy } from '../../src/index'
import { connectEcho, startEchoBroker } from './echo-broker'

const produce = 0
const fetch = 1

let broker: Awaited<ReturnType<typeof startEchoBroker>>
let proxy: FaultProxy
beforeEach(async () => {
  broker = await startEchoBroker()
  proxy = await startFaultProxy({ target: broker.port })
})
afterEach(async () => {
  await proxy.close()
  await broker.close()
})

/** Long enough for anything that could still arrive on the loopback interface. */
const quiet = () => wait(150)

describe('passing', () => {
  test('requests and answers pass unchanged, whatever their size, and are counted by API', async () => {
    const client = await connectEcho(proxy.port)
    const large = 'x'.repeat(3_000_000)
    await client.ask(produce, 'one')
    await Promise.all([client.ask(fetch, large), client.ask(produce, 'two'), client.ask(99, 'three')])
    expect(client.answers).toEqual(['one', large, 'two', 'three'])
    const { requests, responses, requestBytes, responseBytes, connections, open } = proxy.traffic()
    expect({ requests, responses, connections, open }).toEqual({
      requests: { Produce: 2, Fetch: 1, 'api 99': 1 },
      responses: { Produce: 2, Fetch: 1, 'api 99': 1 },
      connections: 1,
      open: 1,
    })
    expect(requestBytes).toBe(4 * 12 + 11 + large.length)
    expect(responseBytes).toBe(4 * 8 + 11 + large.length)
  })

  test('the end of a connection passes both ways', async () => {
    const client = await connectEcho(proxy.port)
    await client.ask(produce, 'one')
    client.socket.end()
    await expect.poll(broker.open).toBe(0)
    await expect.poll(() => proxy.traffic().open).toBe(0)
    const other = await connectEcho(proxy.port)
    await other.ask(produce, 'two')
    await broker.close()
    expect(['end', 'ECONNRESET']).toContain(await other.ended)
    broker = await startEchoBroker()
  })

  test('a client behind a broker that is down is reset', async () => {
    await broker.close()
    const client = await connectEcho(proxy.port)
    expect(await client.ended).toBe('ECONNRESET')
    broker = await startEchoBroker()
  })

  test('what is not the Kafka protocol is reset', async () => {
    const client = await connectEcho(proxy.port)
    client.socket.write(Buffer.from([0, 0, 0, 1, 9, 9, 9, 9, 9, 9, 9, 9, 9]))
    expect(await client.ended).toBe('ECONNRESET')
  })
})

describe('rules', () => {
  test('drop-response: the broker has done the work, its answer is lost, the connection goes on', async () => {
    const rule = proxy.inject({ fault: 'drop-response', api: 'Produce' })
    const client = await connectEcho(proxy.port)
    void client.ask(produce, 'lost')
    await rule.happened
    await client.ask(produce, 'answered')
    expect(broker.seen).toEqual(['lost', 'answered'])
    expect(client.answers).toEqual(['answered'])
    expect(rule.hits()).toBe(1)
    expect(proxy.traffic().requests['Produce']).toBe(2)
    expect(proxy.traffic().responses['Produce']).toBe(1)
  })

  test('drop-request: the broker never sees it', async () => {
    proxy.inject({ fault: 'drop-request' })
    const client = await connectEcho(proxy.port)
    void client.ask(produce, 'lost')
    await client.ask(produce, 'answered')
    expect(broker.seen).toEqual(['answered'])
  })

  test('matched by API, after `skip` of them, `times` times, until removed', async () => {
    const rule = proxy.inject({ fault: 'drop-request', api: 'Fetch', skip: 1, times: 2 })
    const always = proxy.inject({ fault: 'drop-request', api: 77, times: Number.POSITIVE_INFINITY })
    const client = await connectEcho(proxy.port)
    void client.ask(77, 'other-1')
    for (const name of ['f1', 'f2', 'f3', 'f4']) void client.ask(fetch, name)
    void client.ask(77, 'other-2')
    await client.ask(produce, 'p')
    always.remove()
    await client.ask(77, 'other-3')
    expect(broker.seen).toEqual(['f1', 'f4', 'p', 'other-3'])
    expect([rule.hits(), always.hits()]).toEqual([2, 2])
  })

  test.each(['request', 'response'] as const)('delay on %s: it and all behind it wait, in order', async (on) => {
    proxy.inject({ fault: 'delay', on, by: '200 ms', api: 'Produce' })
    const client = await connectEcho(proxy.port)
    const started = performance.now()
    await Promise.all([client.ask(produce, 'one'), client.ask(fetch, 'two')])
    expect(performance.now() - started).toBeGreaterThan(190)
    expect(client.answers).toEqual(['one', 'two'])
  })

  test('hold on request: delivered only after release; on response: delivered, answered after release', async () => {
    const before = proxy.inject({ fault: 'hold', on: 'request', api: 'Produce' })
    const after = proxy.inject({ fault: 'hold', on: 'response', api: 'Fetch' })
    const one = await connectEcho(proxy.port)
    const two = await connectEcho(proxy.port)
    const asked = [one.ask(produce, 'one'), two.ask(fetch, 'two')]
    await Promise.all([before.happened, after.happened])
    expect(broker.seen).toEqual(['two'])
    expect([...one.answers, ...two.answers]).toEqual([])
    before.release()
    after.remove()
    await Promise.all(asked)
    expect(broker.seen).toEqual(['two', 'one'])
  })

  test('cut on request: the broker gets no whole request, both ends are closed', async () => {
    proxy.inject({ fault: 'cut', on: 'request', afterBytes: 15 })
    const client = await connectEcho(proxy.port)
    void client.ask(produce, 'a longer body')
    expect(['ECONNRESET', 'end', 'close']).toContain(await client.ended)
    await expect.poll(broker.open).toBe(0)
    expect(broker.seen).toEqual([])
    expect(proxy.traffic()).toMatchObject({ requests: {}, requestBytes: 15 })
  })

  test.each([0, 5, 10])('cut on response after %i bytes: done, but only so many bytes come back', async (afterBytes) => {
    proxy.inject({ fault: 'cut', on: 'response', afterBytes })
    const client = await connectEcho(proxy.port)
    void client.ask(produce, 'done')
    await client.ended
    expect(broker.seen).toEqual(['done'])
    expect(client.received()).toBe(afterBytes)
  })

  test.each(['request', 'response'] as const)('reset on %s', async (on) => {
    proxy.inject({ fault: 'reset', on })
    const client = await connectEcho(proxy.port)
    void client.ask(produce, 'one')
    expect(await client.ended).toBe('ECONNRESET')
    await expect.poll(broker.open).toBe(0)
    expect(broker.seen).toEqual(on === 'request' ? [] : ['one'])
  })

  test('black-hole: from the request on nothing passes on this connection, which stays open; others go on', async () => {
    const rule = proxy.inject({ fault: 'black-hole', api: 'Produce' })
    const client = await connectEcho(proxy.port)
    await client.ask(fetch, 'before')
    void client.ask(produce, 'lost')
    await rule.happened
    void client.ask(fetch, 'lost too')
    const other = await connectEcho(proxy.port)
    await other.ask(produce, 'other')
    await quiet()
    expect(broker.seen).toEqual(['before', 'other'])
    expect(client.answers).toEqual(['before'])
    expect(client.socket.readyState).toBe('open')
  })
})

describe('modes', () => {
  test('refuse: new connections are refused, open ones go on, and pass opens the same port again', async () => {
    const client = await connectEcho(proxy.port)
    await proxy.setMode('refuse')
    await expect(connectEcho(proxy.port)).rejects.toThrow('ECONNREFUSED')
    await client.ask(produce, 'open')
    await proxy.setMode('pass')
    const other = await connectEcho(proxy.port)
    await other.ask(produce, 'new')
    expect(broker.seen).toEqual(['open', 'new'])
  })

  test('black-hole: open and new connections stay open and silent; one that lost something stays dead', async () => {
    const client = await connectEcho(proxy.port)
    const idle = await connectEcho(proxy.port)
    await client.ask(produce, 'before')
    await proxy.setMode('black-hole')
    void client.ask(produce, 'lost')
    const fresh = await connectEcho(proxy.port)
    void fresh.ask(produce, 'lost as well')
    await quiet()
    expect(client.socket.readyState).toBe('open')
    await proxy.setMode('pass')
    void client.ask(produce, 'still dead')
    await idle.ask(produce, 'alive')
    await quiet()
    expect(broker.seen).toEqual(['before', 'alive'])
  })

  test('black-hole hides that the broker has gone', async () => {
    const client = await connectEcho(proxy.port)
    await client.ask(produce, 'before')
    await proxy.setMode('black-hole')
    await broker.close()
    await quiet()
    expect(client.socket.readyState).toBe('open')
    broker = await startEchoBroker()
  })

  test('delay: every frame both ways', async () => {
    await proxy.setMode({ delay: '50 ms' })
    const client = await connectEcho(proxy.port)
    const started = performance.now()
    await client.ask(produce, 'one')
    expect(performance.now() - started).toBeGreaterThan(95)
  })

  test('resetConnections once; clear removes rules and mode', async () => {
    const client = await connectEcho(proxy.port)
    proxy.resetConnections()
    expect(await client.ended).toBe('ECONNRESET')
    const rule = proxy.inject({ fault: 'drop-request', times: Number.POSITIVE_INFINITY })
    await proxy.setMode('black-hole')
    await proxy.clear()
    const other = await connectEcho(proxy.port)
    await other.ask(produce, 'passes')
    expect(rule.hits()).toBe(0)
  })
})

test.each<[string, (client: Awaited<ReturnType<typeof connectEcho>>) => void]>([
  ['ends', ({ socket }) => socket.end()],
  ['is destroyed', ({ socket }) => socket.destroy()],
  ['is reset', () => proxy.resetConnections()],
  [
    'is reset by a rule',
    (client) => {
      proxy.inject({ fault: 'reset', on: 'response' })
      void client.ask(produce, 'two')
    },
  ],
  [
    'is cut',
    (client) => {
      proxy.inject({ fault: 'cut', on: 'response', afterBytes: 6 })
      void client.ask(produce, 'two')
    },
  ],
])('a connection that %s leaves no socket behind', async (_, end) => {
  const sockets = () => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length
  const before = sockets()
  for (let round = 0; round < 10; round++) {
    const client = await connectEcho(proxy.port)
    await client.ask(produce, 'one')
    end(client)
    await client.ended
  }
  await expect.poll(sockets).toBeLessThanOrEqual(before)
})

describe('bad input', () => {
  test.each([
    [{ fault: 'explode' }, 'No fault "explode"'],
    [{ fault: 'delay', by: '1 second' }, 'needs the option "on"'],
    [{ fault: 'delay', by: 'soon', on: 'request' }, '"soon" is not a duration'],
    [{ fault: 'reset', on: 'both' }, 'not "both"'],
    [{ fault: 'drop-response', api: 'Prodcue' }, 'No Kafka API "Prodcue"'],
    [{ fault: 'drop-response', nth: 2 }, 'no option "nth"'],
    [{ fault: 'cut', on: 'request', afterBytes: -1 }, '"afterBytes" of the fault "cut" is -1'],
  ])('%o is refused', (rule, text) => {
    expect(() => proxy.inject(rule as never)).toThrow(text)
  })

  test('an unknown mode is refused', async () => {
    await expect(proxy.setMode('slow' as never)).rejects.toThrow('No proxy mode "slow"')
    await expect(startFaultProxy({ target: 1, prot: 2 } as never)).rejects.toThrow('Did you mean "port"?')
  })
})
