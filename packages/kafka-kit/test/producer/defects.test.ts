import { type StubBrokers, startStubBrokers } from '@pipe/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import { createKafka, type Kafka, PartialSendError, type Producer } from '../../src/index'
import { defects, meet } from './defects'

// Where bare kafkajs fails the test asserts its failure: the day it is repaired, the test says so.

const all = (defect: (typeof defects)[number]) => defect.sends.flat().length

describe.each(defects)('$id: $accident', (defect) => {
  it('bare kafkajs loses, doubles or rejects', async () => {
    const outcome = await meet(defect, 'kafkajs')
    for (const count of ['acknowledged', 'lost', 'twice', 'rejected'] as const) {
      const [least, most] = defect.bare[count]
      expect(outcome[count], count).toBeGreaterThanOrEqual(least)
      expect(outcome[count], count).toBeLessThanOrEqual(most)
    }
    expect(outcome.lost + outcome.twice + outcome.rejected).toBeGreaterThan(0)
  })

  it('the kit does not', async () => {
    expect(await meet(defect, 'kit')).toEqual({ acknowledged: all(defect), lost: 0, twice: 0, rejected: 0 })
  })
})

describe('how the kit does it', () => {
  let stub: StubBrokers
  let kafka: Kafka

  afterEach(async () => {
    await kafka.close()
    await stub.close()
  })

  async function connect(topics: Readonly<Record<string, number>>, brokers = 1): Promise<Kafka> {
    stub = await startStubBrokers({ brokers, topics })
    kafka = createKafka({ brokers: stub.bootstrap, clientId: 'kit', requestTimeout: '300 ms' })
    return kafka
  }

  it.each<[string, (from: Kafka) => Producer<'leader' | 'quorum'>]>([
    ['quorum, not idempotent', (from) => from.producer({ idempotent: false })],
    ['leader', (from) => from.producer({ durability: 'leader' })],
  ])('what is stored is not sent again, also without idempotence (%s)', async (_, make) => {
    const producer = make(await connect({ t: 6 }, 2))
    stub.script({ broker: 0, partition: 'first', error: 6 })
    const sent = Array.from({ length: 101 }, (_, i) => `v${i}`)
    await producer.sendMany(
      't',
      sent.map((value) => ({ key: value, value })),
    )
    expect([...stub.values('t')].sort()).toEqual([...sent].sort())
  })

  it('a batch that is sent again keeps its sequence number, and the next one waits for it', async () => {
    const producer = (await connect({ t: 1 })).producer({ linger: '0 ms' })
    const rule = stub.script({ reply: 'none' })
    const first = producer.send('t', { value: 'A' })
    // In a request of its own: in one batch there would be nothing to confuse.
    await rule.happened
    await Promise.all([first, producer.send('t', { value: 'B' })])
    expect(stub.values('t')).toEqual(['A', 'B'])
    expect(stub.batches.map(({ baseSequence }) => baseSequence)).toEqual([0, 0, 1])
  })

  it('given up without an answer: it says that it does not know, takes a new producer id, and stores what follows', async () => {
    const events: unknown[] = []
    const producer = (await connect({ t: 1 })).producer({
      linger: '0 ms',
      deliveryTimeout: '900 ms',
      onEvent: (event) => events.push(event),
    })
    const rule = stub.script({ reply: 'none', times: Number.POSITIVE_INFINITY })
    await expect(producer.send('t', { value: 'A' })).rejects.toMatchObject({
      code: 'PIPE_KAFKA_AMBIGUOUS',
      outcome: 'unknown',
      details: { topic: 't', partition: 0 },
    })
    rule.remove()
    const results = [await producer.send('t', { value: 'B' }), await producer.send('t', { value: 'C' })]
    expect(stub.values('t')).toEqual(['A', 'B', 'C'])
    expect(results.map(({ offset }) => offset)).toEqual([1n, 2n])
    expect(events).toMatchObject([{ kind: 'producer-id-renewed' }])
  })

  it('a batch larger than the one after it does not wedge the producer', async () => {
    const producer = (await connect({ t: 1 })).producer({ linger: '0 ms', deliveryTimeout: '900 ms' })
    const rule = stub.script({ reply: 'none', times: Number.POSITIVE_INFINITY })
    const error = await producer.sendMany('t', [{ value: 'A1' }, { value: 'A2' }]).catch((reason) => reason)
    expect(error).toBeInstanceOf(PartialSendError)
    expect(error.outcomes.map(({ outcome }: { outcome: string }) => outcome)).toEqual(['unknown', 'unknown'])
    rule.remove()
    await producer.send('t', { value: 'B' })
    await producer.send('t', { value: 'C' })
    expect(stub.values('t')).toEqual(['A1', 'A2', 'B', 'C'])
  })
})
