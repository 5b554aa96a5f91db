import { once } from 'node:events'
import { apiVersions, fetchRecords, metadata } from '@pipe/kafka-wire'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { LocalKafka } from '../../src/kafka/cluster'
import { startKafka } from '../../src/kafka/start-kafka'
import { createFrameSplitter } from '../../src/kafka/wire/frames'
import { type RawClient, rawClient } from './raw-client'
import { embeddedTargetOf } from './suite/embedded-target'
import { batchOf, partitionClient } from './suite/partition-client'

let kafka: LocalKafka
beforeAll(async () => {
  kafka = await startKafka({ settings: { 'socket.request.max.bytes': '200000' } })
})
afterAll(() => kafka?.close())

const open = () => rawClient(kafka.brokers[0]!)
async function isHungUp(client: RawClient): Promise<boolean> {
  return (await client.nextFrame()) === undefined
}
async function stillServes(): Promise<void> {
  const client = await open()
  expect((await client.ask(apiVersions, 0, { clientSoftwareName: '', clientSoftwareVersion: '' })).errorCode).toBe(0)
  client.close()
}

describe('what is not the protocol ends the connection, and the broker goes on', () => {
  const frame = (size: number, ...bytes: number[]) => {
    const head = Buffer.alloc(4)
    head.writeInt32BE(size)
    return Buffer.concat([head, Buffer.from(bytes)])
  }
  const cases: readonly (readonly [string, Buffer])[] = [
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')],
    ['a negative length', frame(-1)],
    ['a length of nothing', frame(0)],
    ['a length above the limit', frame(200_001, 0)],
    ['an unknown API', frame(10, 0, 99, 0, 0, 0, 0, 0, 1, 255, 255)],
    ['an unknown version', frame(10, 0, 3, 0, 99, 0, 0, 0, 1, 255, 255)],
    ['a body that is cut off', frame(12, 0, 3, 0, 5, 0, 0, 0, 1, 255, 255, 0, 0)],
    ['a client id that runs over', frame(10, 0, 18, 0, 0, 0, 0, 0, 1, 100, 0)],
    ['an array of two thousand million', frame(14, 0, 3, 0, 5, 0, 0, 0, 1, 255, 255, 127, 255, 255, 255)],
  ]
  test.each(cases)('%s', async (_name, bytes) => {
    const client = await open()
    client.socket.write(bytes)
    expect(await isHungUp(client)).toBe(true)
    await stillServes()
  })

  test('bytes behind a request are passed over, as Kafka does: all topics, as librdkafka 2.12 asks for them', async () => {
    const client = await open()
    const asked = '0003000c00000003000772646b61666b610000000000010000'
    client.socket.write(Buffer.concat([Buffer.from([0, 0, 0, asked.length / 2]), Buffer.from(asked, 'hex')]))
    expect((await client.nextFrame())?.readInt32BE(0)).toBe(3)
    client.close()
  })

  test('random bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 64 }), async (bytes) => {
        const client = await open()
        client.socket.end(bytes)
        await isHungUp(client)
        client.close()
      }),
      { numRuns: 100 },
    )
    await stillServes()
  })

  test('half a frame, and then nothing', async () => {
    const client = await open()
    client.socket.end(frame(100, 0, 3, 0, 5))
    expect(await isHungUp(client)).toBe(true)
    await stillServes()
  })
})

test('ApiVersions of an unknown version is answered in version 0 with 35 and the list', async () => {
  const client = await open()
  const head = Buffer.from([0, 0, 0, 10, 0, 18, 0, 99, 0, 0, 0, 7, 255, 255])
  client.socket.write(head)
  const answer = apiVersions.decodeResponse((await client.nextFrame())!.subarray(4), 0)
  expect(answer.errorCode).toBe(35)
  expect(answer.apiKeys.find(({ apiKey }) => apiKey === 18)).toEqual({ apiKey: 18, minVersion: 0, maxVersion: 3 })
  expect((await client.ask(apiVersions, 3, { clientSoftwareName: 'a', clientSoftwareVersion: '1' })).errorCode).toBe(0)
  client.close()
})

test('answers come in the order of the requests, also when the first one waits', async () => {
  kafka.createTopic('ordered')
  const client = await open()
  const wait = {
    replicaId: -1,
    maxWaitMs: 100,
    minBytes: 1,
    maxBytes: 1000,
    isolationLevel: 0,
    sessionId: 0,
    sessionEpoch: -1,
    topics: [
      {
        name: 'ordered',
        partitions: [{ partition: 0, currentLeaderEpoch: -1, fetchOffset: 0n, logStartOffset: -1n, maxBytes: 1 }],
      },
    ],
    forgottenTopics: [],
    rackId: '',
  }
  client.send(fetchRecords, 4, wait)
  client.send(apiVersions, 0, { clientSoftwareName: '', clientSoftwareVersion: '' })
  client.send(fetchRecords, 4, wait)
  const order = []
  for (let i = 0; i < 3; i++) order.push((await client.nextFrame())!.readInt32BE(0))
  expect(order).toEqual([1, 2, 3])
  client.close()
})

test('a client that never reads costs one answer; others are served meanwhile', async () => {
  kafka.createTopic('large')
  const producer = await partitionClient(embeddedTargetOf(kafka), 'large')
  for (let i = 0; i < 20; i++) await producer.produce(batchOf(['x'.repeat(40_000)]))
  const silent = await open()
  silent.socket.pause()
  const everything = {
    replicaId: -1,
    maxWaitMs: 0,
    minBytes: 0,
    maxBytes: 10_000_000,
    isolationLevel: 0,
    sessionId: 0,
    sessionEpoch: -1,
    topics: [
      {
        name: 'large',
        partitions: [{ partition: 0, currentLeaderEpoch: -1, fetchOffset: 0n, logStartOffset: -1n, maxBytes: 10_000_000 }],
      },
    ],
    forgottenTopics: [],
    rackId: '',
  }
  const before = process.memoryUsage().rss
  for (let i = 0; i < 300; i++) silent.send(fetchRecords, 11, everything)
  for (let i = 0; i < 20; i++) await stillServes()
  // 300 answers of 1.6 MB would be 480 MB.
  expect(process.memoryUsage().rss - before).toBeLessThan(150_000_000)
  silent.close()
  await once(silent.socket, 'close')
  producer.close()
})

test('metadata names the brokers, and no topic is made by accident', async () => {
  const client = await open()
  const ask = (topics: { topicId: string; name: string }[] | null, version: number) =>
    client.ask(metadata, version, {
      topics,
      allowAutoTopicCreation: true,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    })
  const topicId = '0'.repeat(32)
  const answer = await ask([{ topicId, name: 'not-there' }], 5)
  expect(answer.topics).toMatchObject([{ errorCode: 3, name: 'not-there' }])
  expect(answer.brokers).toEqual([{ nodeId: 1, host: '127.0.0.1', port: Number(kafka.brokers[0]!.split(':')[1]), rack: null }])
  for (const version of [1, 8, 9, 12]) {
    const all = await ask(null, version)
    expect(all.topics.map(({ name }) => name)).toEqual(expect.arrayContaining(['ordered', 'large']))
  }
  client.close()
})

test('frames arrive whole however the bytes are cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ minLength: 8, maxLength: 300 }), { maxLength: 8 }),
      fc.integer({ min: 1, max: 64 }),
      (frames, cut) => {
        const bytes = Buffer.concat(
          frames.flatMap((one) => {
            const head = Buffer.alloc(4)
            head.writeInt32BE(one.length)
            return [head, Buffer.from(one)]
          }),
        )
        const splitter = createFrameSplitter(1000)
        const found: Buffer[] = []
        for (let i = 0; i < bytes.length; i += cut) {
          splitter.push(bytes.subarray(i, i + cut))
          for (let next = splitter.next(); next; next = splitter.next()) found.push(Buffer.from(next))
        }
        expect(found).toEqual(frames.map((one) => Buffer.from(one)))
      },
    ),
  )
})
