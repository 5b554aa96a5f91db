import { produce } from '@pipe/kafka-wire'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { LocalKafka } from '../../src/kafka/cluster'
import type { KafkaFaultRule } from '../../src/kafka/faults/fault-rule'
import { createFaultRules } from '../../src/kafka/faults/fault-rules'
import { startKafka } from '../../src/kafka/start-kafka'
import { embeddedTargetOf } from './suite/embedded-target'
import { batchOf, type PartitionClient, partitionClient } from './suite/partition-client'

let kafka: LocalKafka
beforeAll(async () => {
  kafka = await startKafka({ brokers: 2 })
})
afterAll(() => kafka?.close())

let topics = 0
async function onTopic(): Promise<PartitionClient> {
  const topic = `faults-${topics++}`
  kafka.createTopic(topic, { partitions: 2 })
  return partitionClient(embeddedTargetOf(kafka), topic)
}
const hungUp = (work: Promise<unknown>) =>
  work.then(
    () => false,
    () => true,
  )

describe('rules', () => {
  test('error: the code is answered, nothing is appended; then all is well', async () => {
    const client = await onTopic()
    const rule = kafka.faults.add({
      fault: 'error',
      code: 7,
      api: 'Produce',
      topic: client.topic,
      partition: 0,
      skip: 1,
      times: 2,
    })
    const codes = []
    for (const value of ['a', 'b', 'c', 'd']) codes.push((await client.produce(batchOf([value]))).errorCode)
    expect(codes).toEqual([0, 7, 7, 0])
    expect(rule.hits()).toBe(2)
    expect(await client.values()).toEqual(['a', 'd'])
  })

  test('drop-response: appended, and never said', async () => {
    const client = await onTopic()
    const rule = kafka.faults.add({ fault: 'drop-response', api: 'Produce', topic: client.topic })
    const partitions = [{ partition: 0, records: batchOf(['silent']) }]
    client.raw.send(produce, 7, {
      transactionalId: null,
      acks: -1,
      timeoutMs: 1000,
      topics: [{ name: client.topic, partitions }],
    })
    await rule.happened
    const other = await partitionClient(embeddedTargetOf(kafka), client.topic)
    expect((await other.produce(batchOf(['next']))).baseOffset).toBe(1n)
    expect(await other.values()).toEqual(['silent', 'next'])
    expect(kafka.timeline.events().some((event) => event.kind === 'fault' && event.action === 'drop-response')).toBe(true)
  })

  test('drop-request, reset and cut', async () => {
    for (const [rule, values] of [
      [{ fault: 'reset', on: 'request' }, []],
      [{ fault: 'reset', on: 'response' }, ['a']],
      [{ fault: 'cut', afterBytes: 6 }, ['a']],
    ] as const) {
      const client = await onTopic()
      kafka.faults.add({ ...rule, api: 'Produce', topic: client.topic })
      expect(await hungUp(client.produce(batchOf(['a'])))).toBe(true)
      expect(await (await partitionClient(embeddedTargetOf(kafka), client.topic)).values()).toEqual(values)
    }
  })

  test('hold keeps an answer until it is released; what comes behind it waits too', async () => {
    const client = await onTopic()
    const rule = kafka.faults.add({ fault: 'hold', on: 'response', api: 'Produce', topic: client.topic })
    const held = client.produce(batchOf(['a']))
    await rule.happened
    const other = await partitionClient(embeddedTargetOf(kafka), client.topic)
    expect(await other.values()).toEqual(['a'])
    rule.release()
    expect((await held).errorCode).toBe(0)
  })

  test('a black hole answers nothing more, and keeps the connection', async () => {
    const client = await onTopic()
    const rule = kafka.faults.add({ fault: 'black-hole', topic: client.topic })
    let answered = false
    void client.produce(batchOf(['a'])).then(
      () => (answered = true),
      () => {},
    )
    await rule.happened
    const other = await partitionClient(embeddedTargetOf(kafka), client.topic)
    expect(await other.values()).toEqual([])
    expect(answered).toBe(false)
    expect(client.raw.socket.destroyed).toBe(false)
    client.close()
  })

  test('only at the broker that is named', async () => {
    const client = await onTopic()
    const leader = kafka.partitions(client.topic)[0]!.leader
    const rule = kafka.faults.add({
      fault: 'error',
      code: 6,
      api: 'Produce',
      broker: leader === 1 ? 2 : 1,
      times: Number.POSITIVE_INFINITY,
    })
    expect((await client.produce(batchOf(['a']))).errorCode).toBe(0)
    expect(rule.hits()).toBe(0)
    rule.remove()
  })
})

test('a chance is drawn from the seed: the same requests meet the same faults', () => {
  const drawn = (seed: number) => {
    const rules = createFaultRules(seed)
    rules.add({ fault: 'drop-request', chance: 0.3, times: Number.POSITIVE_INFINITY })
    return Array.from({ length: 200 }, () => rules.take({ broker: 1, apiKey: 0, places: [] }) !== undefined)
  }
  expect(drawn(5)).toEqual(drawn(5))
  expect(drawn(5)).not.toEqual(drawn(6))
  const hits = drawn(5).filter(Boolean).length
  expect(hits).toBeGreaterThan(30)
  expect(hits).toBeLessThan(90)
})

test.each([
  [{ fault: 'explode' }, 'No fault "explode"'],
  [{ fault: 'delay', on: 'request' }, 'needs the option "by"'],
  [{ fault: 'error', code: 0 }, 'error code 0'],
  [{ fault: 'reset', on: 'answer' }, "'request' or 'response'"],
  [{ fault: 'drop-request', api: 'Prodce' }, 'No Kafka API "Prodce"'],
  [{ fault: 'drop-request', times: -1 }, '"times"'],
  [{ fault: 'drop-request', topics: 'a' }, 'no option "topics"'],
  [{ fault: 'drop-request', broker: 9 }, 'no broker 9'],
])('a wrong rule is refused: %j', (rule, message) => {
  expect(() => kafka.faults.add(rule as unknown as KafkaFaultRule)).toThrow(message)
})
