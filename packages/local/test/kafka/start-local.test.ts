import { connect } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { applyApp, defineApp, type Local, startLocal, virtualClock } from '../../src/index'
import { kafkajsClient, kitClient } from './clients'

let local: Local | undefined
afterEach(async () => {
  await local?.close()
  local = undefined
})

describe('startLocal({ kafka })', () => {
  test('has brokers that any client reaches, and ends them with the runtime', async () => {
    local = await startLocal({ kafka: { brokers: 3 } })
    const { kafka } = local
    expect(kafka.brokers).toHaveLength(3)
    kafka.createTopic('orders', { partitions: 3 })
    const kit = kitClient(kafka.brokers)
    expect((await kit.producer().send('orders', { key: 'a', value: 'b' })).offset).toBe(0n)
    await kit.close()
    const admin = kafkajsClient(kafka.brokers).admin()
    await admin.connect()
    expect(await admin.listTopics()).toEqual(['orders'])
    await admin.disconnect()
    await local.close()
    const [host, port] = kafka.brokers[0]!.split(':') as [string, string]
    const refused = await new Promise((resolve) => {
      connect(Number(port), host).once('error', (error: NodeJS.ErrnoException) => resolve(error.code))
    })
    expect(refused).toBe('ECONNREFUSED')
  })

  test('stamps by the clock of the runtime', async () => {
    const clock = virtualClock('2026-11-24T00:00:00Z')
    await using virtual = await startLocal({ clock, kafka: {} })
    virtual.kafka.createTopic('orders', { settings: { 'message.timestamp.type': 'LogAppendTime' } })
    const client = kafkajsClient(virtual.kafka.brokers)
    const producer = client.producer()
    await producer.connect()
    const [sent] = await producer.send({ topic: 'orders', messages: [{ value: 'a' }] })
    expect(sent!.logAppendTime).toBe(String(Date.parse('2026-11-24T00:00:00Z')))
    await producer.disconnect()
  })

  test('without it, kafka says how to get it', async () => {
    local = await startLocal()
    expect(() => local!.kafka).toThrow('PIPE_LOCAL_KAFKA_OFF')
  })

  test.each([
    [{ brokers: 4 }, 'brokers is 4'],
    [{ broker: 3 }, 'no option "broker"'],
    [{ ports: [1, 2] }, '2 ports for 1 broker'],
    [{ settings: { 'num.partition': '3' } }, 'no setting "num.partition"'],
    [{ settings: { 'num.partitions': 'many' } }, 'num.partitions cannot be "many"'],
  ])('refuses %j', async (kafka, message) => {
    await expect(startLocal({ kafka: kafka as object })).rejects.toThrow(message)
  })

  test('a port that is taken is named', async () => {
    local = await startLocal({ kafka: {} })
    const port = Number(local.kafka.brokers[0]!.split(':')[1])
    await expect(startLocal({ kafka: { ports: [port] } })).rejects.toThrow(`port ${port}`)
  })
})

test('topics of an app are made once', async () => {
  local = await startLocal({ kafka: { brokers: 2 } })
  const app = defineApp({
    kafka: { brokers: 2, topics: [{ name: 'orders', partitions: 4, settings: { 'retention.ms': '60000' } }] },
  })
  await applyApp(local, app, '.')
  await applyApp(local, app, '.')
  expect(local.kafka.topics()).toEqual(['orders'])
  expect(local.kafka.partitions('orders').map(({ replicas }) => replicas.length)).toEqual([2, 2, 2, 2])
  expect(() => defineApp({ kafka: { topic: [] } as object })).toThrow('no option "topic"')
  expect(() => local!.kafka.createTopic('orders')).toThrow('PIPE_LOCAL_KAFKA_TOPIC')
})
