import { describe, expect, it, vi } from 'vitest'
import { createIdempotency, defineEvent, onHttp, onKafka, onS3, onSchedule, onSqs, shape } from '../../src/index'
import { memoryStore } from './memory-store'

vi.spyOn(console, 'error').mockImplementation(() => {})
const soon = { getRemainingTimeInMillis: () => 60 }

describe('onSchedule', () => {
  const tick = (time: string) => ({ time, resources: ['arn:aws:events:us-east-1:1:rule/r'], detail: {} })

  it('takes the time of the tick, of a rule and of the Scheduler', async () => {
    const seen: unknown[] = []
    const handler = onSchedule((at, { schedule }) => void seen.push([at.toISOString(), schedule]))
    await handler(tick('2026-11-24T00:05:00Z'))
    await handler({ scheduleArn: 'arn:s', scheduledTime: '2026-11-24T00:10:00Z' })
    expect(seen).toEqual([
      ['2026-11-24T00:05:00.000Z', 'arn:aws:events:us-east-1:1:rule/r'],
      ['2026-11-24T00:10:00.000Z', 'arn:s'],
    ])
    await expect(handler({})).rejects.toMatchObject({ code: 'PIPE_EVENT_TIME' })
  })

  it('handles a tick once, and tells which ticks nobody handled', async () => {
    const store = memoryStore()
    let calls = 0
    const options = { idempotency: createIdempotency({ store }), ticks: { schedule: 'rate(5 minutes)', store } }
    const handler = onSchedule(() => void calls++, options)
    expect(await handler(tick('2026-11-24T00:05:00Z'))).toEqual({ at: '2026-11-24T00:05:00.000Z', missed: [], repeated: false })
    expect(await handler(tick('2026-11-24T00:05:00Z'))).toMatchObject({ repeated: true })
    expect(await handler(tick('2026-11-24T00:20:00Z'))).toMatchObject({
      missed: ['2026-11-24T00:10:00.000Z', '2026-11-24T00:15:00.000Z'],
      repeated: false,
    })
    expect(calls).toBe(2)
  })
})

describe('onS3', () => {
  const record = (key: string) => ({
    eventName: 'ObjectCreated:Put',
    eventTime: '2026-11-24T00:00:00.000Z',
    s3: { bucket: { name: 'lake' }, object: { key, size: 5, eTag: 'e', sequencer: '0A' } },
  })

  it('reads notifications, whose keys are encoded, and events of EventBridge', async () => {
    const seen: unknown[] = []
    const handler = onS3(({ uri, sizeBytes, name }) => void seen.push([uri, sizeBytes, name]))
    await handler({ Records: [record('a+b%2Bc/%C3%A4')] })
    await handler({
      source: 'aws.s3',
      'detail-type': 'Object Created',
      time: '2026-11-24T00:00:00Z',
      detail: { bucket: { name: 'lake' }, object: { key: 'a+b', size: 7 } },
    })
    await handler({ Event: 's3:TestEvent', Bucket: 'lake' })
    expect(seen).toEqual([
      ['s3://lake/a b+c/ä', 5, 'ObjectCreated:Put'],
      ['s3://lake/a+b', 7, 'Object Created'],
    ])
    await expect(handler({ Records: [{}] })).rejects.toMatchObject({ code: 'PIPE_S3_EVENT' })
    await expect(handler(null)).rejects.toMatchObject({ code: 'PIPE_S3_EVENT' })
  })

  it('handles the others when one fails, and fails; a retry does only what is left', async () => {
    let fails = true
    const done: string[] = []
    const handler = onS3(
      ({ key }) => {
        if (key === 'b' && fails) throw new Error('no')
        done.push(key)
      },
      { idempotency: createIdempotency({ store: memoryStore() }) },
    )
    const event = { Records: ['a', 'b', 'c'].map(record) }
    await expect(handler(event)).rejects.toMatchObject({ code: 'PIPE_S3_FAILED', details: { failed: ['s3://lake/b'] } })
    fails = false
    await handler(event)
    expect(done).toEqual(['a', 'c', 'b'])
  })
})

describe('onSqs', () => {
  const records = (bodies: readonly string[], queue = 'q') => ({
    Records: bodies.map((body, i) => ({
      messageId: `m${i}`,
      body,
      eventSourceARN: `arn:aws:sqs:us-east-1:1:${queue}`,
      attributes: { ApproximateReceiveCount: '2', SentTimestamp: '1000', MessageGroupId: 'g' },
    })),
  })
  const failures = (...ids: string[]) => ({ batchItemFailures: ids.map((itemIdentifier) => ({ itemIdentifier })) })
  const user = shape.object({ name: shape.text() })

  it('returns what failed and what cannot be read, of a standard queue', async () => {
    const seen: unknown[] = []
    const handler = onSqs({ body: user }, ({ body, receives, group, sentAt }) => {
      if (body.name === 'bad') throw new Error('no')
      seen.push([body.name, receives, group, sentAt.getTime()])
    })
    const event = records(['{"name":"a"}', '{"name":"bad"}', '{', '{"name":5}', '{"name":"b"}'])
    expect(await handler(event)).toEqual(failures('m1', 'm2', 'm3'))
    expect(seen).toEqual([
      ['a', 2, 'g', 1000],
      ['b', 2, 'g', 1000],
    ])
  })

  it('stops a FIFO queue at the first failure', async () => {
    const seen: string[] = []
    const handler = onSqs({}, ({ body }) => {
      if (body === 'b') throw new Error('no')
      seen.push(body)
    })
    expect(await handler(records(['a', 'b', 'c'], 'q.fifo'))).toEqual(failures('m1', 'm2'))
    expect(seen).toEqual(['a'])
  })

  it('returns what the deadline left undone, though the handler does not listen', async () => {
    const handler = onSqs({ reserve: '50 ms', concurrency: 1 }, ({ body }) =>
      body === 'slow' ? new Promise(() => {}) : undefined,
    )
    expect(await handler(records(['a', 'slow', 'b']), soon)).toEqual(failures('m1', 'm2'))
  })

  it('reads events that a rule put into the queue; poison can be put aside', async () => {
    const contract = defineEvent('com.shop', 'UserMade', user)
    const seen: string[] = []
    const aside: string[] = []
    const handler = onSqs(
      { event: contract, onInvalid: (_record, { code }) => void aside.push(code) },
      ({ body }) => void seen.push(`${body.id} ${body.detail.name}`),
    )
    const event = JSON.stringify({ id: 'e', source: 'com.shop', 'detail-type': 'UserMade', detail: { name: 'a' } })
    expect(await handler(records([event, '{"id":"x"}', '{']))).toEqual(failures())
    expect([seen, aside.sort()]).toEqual([['e a'], ['PIPE_EVENT_OTHER', 'PIPE_SQS_BODY']])
  })

  it('refuses what is no batch', async () => {
    await expect(onSqs({}, () => {})({ Records: [{ body: 'x' }] })).rejects.toMatchObject({ code: 'PIPE_SQS_EVENT' })
    expect(() => onSqs({ body: user, event: {} } as never, () => {})).toThrow('not both')
  })
})

describe('onKafka', () => {
  const text = (value: string) => Buffer.from(value).toString('base64')
  const record = (partition: number, offset: number, value: string) => ({
    topic: 'orders',
    partition,
    offset,
    timestamp: 1000,
    timestampType: 'CREATE_TIME',
    key: text('k'),
    value: text(value),
    headers: [{ trace: [97, 98] }],
  })
  const topic = {
    name: 'orders',
    decode: (raw: {
      key: Uint8Array | null
      value: Uint8Array | null
      headers: readonly { key: string; value: Uint8Array | null }[]
    }) => {
      const value = Buffer.from(raw.value!).toString()
      if (value === 'poison') throw new Error('unreadable')
      return { value, key: Buffer.from(raw.key!).toString(), trace: Buffer.from(raw.headers[0]!.value!).toString() }
    },
  }

  it('goes through partitions in order and stops each at its first failure', async () => {
    const seen: string[] = []
    const handler = onKafka(topic, ({ partition, offset, value, key, trace }) => {
      if (value === 'bad') throw new Error('no')
      seen.push(`${partition}:${offset} ${key} ${value} ${trace}`)
    })
    const event = {
      eventSource: 'aws:kafka',
      records: {
        'orders-0': [record(0, 5, 'a'), record(0, 6, 'bad'), record(0, 7, 'c')],
        'orders-1': [record(1, 10, 'x'), record(1, 9, 'w')],
        'orders-2': [record(2, 1, 'poison')],
      },
    }
    expect(await handler(event)).toEqual({
      batchItemFailures: [
        { itemIdentifier: { partition: 'orders-0', offset: 6 } },
        { itemIdentifier: { partition: 'orders-2', offset: 1 } },
      ],
    })
    expect([...seen].sort()).toEqual(['0:5 k a ab', '1:10 k x ab', '1:9 k w ab'])
    expect(seen.indexOf('1:9 k w ab')).toBeLessThan(seen.indexOf('1:10 k x ab'))
  })

  it('stops at the deadline, puts poison aside, refuses other topics', async () => {
    const slow = onKafka(topic, () => new Promise(() => {}), { reserve: '50 ms' })
    const event = { records: { 'orders-0': [record(0, 5, 'a'), record(0, 6, 'b')] } }
    expect((await slow(event, soon)).batchItemFailures).toEqual([{ itemIdentifier: { partition: 'orders-0', offset: 5 } }])
    const aside: bigint[] = []
    const lenient = onKafka(topic, () => {}, { onInvalid: ({ offset }) => void aside.push(offset) })
    expect(await lenient({ records: { 'orders-0': [record(0, 5, 'poison'), record(0, 6, 'b')] } })).toEqual({
      batchItemFailures: [],
    })
    expect(aside).toEqual([5n])
    await expect(lenient({ records: { 'x-0': [{ ...record(0, 5, 'a'), topic: 'x' }] } })).rejects.toMatchObject({
      code: 'PIPE_KAFKA_EVENT',
    })
    await expect(lenient({})).rejects.toMatchObject({ code: 'PIPE_KAFKA_EVENT' })
  })
})

describe('onHttp', () => {
  const second = {
    version: '2.0',
    rawPath: '/orders/a%20b',
    rawQueryString: 'x=1&x=2',
    headers: { host: 'api.shop', 'content-type': 'application/json' },
    cookies: ['a=1', 'b=2'],
    requestContext: { http: { method: 'POST' } },
    body: Buffer.from('{"n":1}').toString('base64'),
    isBase64Encoded: true,
    pathParameters: { id: 'a b' },
  }

  it('gives a request of payload 2 or a function URL, and answers it', async () => {
    const handler = onHttp(async (request, { pathParameters }) => {
      const { searchParams, pathname, host } = new URL(request.url)
      const headers = new Headers({ 'content-type': 'application/json' })
      headers.append('set-cookie', 'c=3')
      headers.append('set-cookie', 'd=4')
      const body = {
        method: request.method,
        host,
        pathname,
        x: searchParams.getAll('x'),
        cookie: request.headers.get('cookie'),
        body: await request.json(),
        pathParameters,
      }
      return new Response(JSON.stringify(body), { status: 201, headers })
    })
    const answer = await handler(second)
    expect(answer).toMatchObject({ statusCode: 201, cookies: ['c=3', 'd=4'], isBase64Encoded: false })
    expect(JSON.parse(answer.body)).toEqual({
      method: 'POST',
      host: 'api.shop',
      pathname: '/orders/a%20b',
      x: ['1', '2'],
      cookie: 'a=1; b=2',
      body: { n: 1 },
      pathParameters: { id: 'a b' },
    })
  })

  it('gives a request of payload 1, and answers bytes', async () => {
    const handler = onHttp((request) => {
      expect([request.method, new URL(request.url).search, request.headers.get('x')]).toEqual(['GET', '?q=%C3%A4&q=b', '1, 2'])
      return new Response(new Uint8Array([0, 255]), { headers: { 'content-type': 'image/png', 'set-cookie': 'c=3' } })
    })
    const answer = await handler({
      httpMethod: 'GET',
      path: '/',
      multiValueHeaders: { x: ['1', '2'] },
      multiValueQueryStringParameters: { q: ['ä', 'b'] },
      body: null,
    })
    expect(answer).toMatchObject({
      statusCode: 200,
      body: 'AP8=',
      isBase64Encoded: true,
      multiValueHeaders: { 'set-cookie': ['c=3'] },
    })
  })

  it('answers 500 and 504 without saying why', async () => {
    const failing = onHttp(() => Promise.reject(new Error('secret')))
    expect(await failing(second)).toMatchObject({ statusCode: 500, body: '{"message":"Internal Server Error"}' })
    const slow = onHttp(() => new Promise(() => {}), { reserve: '50 ms' })
    expect(await slow(second, soon)).toMatchObject({ statusCode: 504 })
    const large = onHttp(() => new Response('xxxxx'), { maxResponseBytes: 4 })
    expect(await large(second)).toMatchObject({ statusCode: 500 })
    await expect(failing({ some: 'event' })).rejects.toMatchObject({ code: 'PIPE_HTTP_EVENT' })
  })
})
