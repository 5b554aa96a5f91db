import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type KafkaCluster, type StubBrokers, startKafkaCluster, startStubBrokers } from '../../../src/index'
import { connectRawProducer, type RawAnswer, rawBatch } from '../raw-producer'
import { liveVersions } from './versions'

/** One request: a batch, and whether it goes to the leader of the partition. */
interface Step {
  readonly sequence?: number
  readonly count?: number
  readonly epoch?: number
  readonly damage?: (batch: Buffer) => Buffer
  readonly topic?: string
  readonly partition?: number
  readonly toFollower?: boolean
}

const lastSequence = 2 ** 31 - 1
const steps = (from: number, to: number): Step[] => Array.from({ length: to - from + 1 }, (_, i) => ({ sequence: from + i }))

// What brokers do is not written down anywhere: the stub is held against a real one.
const cases: readonly (readonly [string, readonly Step[]])[] = [
  ['batches that follow each other', [{ sequence: 0, count: 3 }, { sequence: 3 }, { sequence: 4, count: 2 }]],
  ['the same batch again', [{ sequence: 0, count: 3 }, { sequence: 0, count: 3 }, { sequence: 3 }]],
  ['the same first, another last sequence', [{ sequence: 0, count: 3 }, { sequence: 0 }, { sequence: 0, count: 4 }]],
  ['a gap', [{ sequence: 0 }, { sequence: 2 }, { sequence: 1 }]],
  ['the window of five remembered batches', [...steps(0, 6), ...steps(0, 6)]],
  ['a producer that is not known begins behind 0', [{ sequence: 5 }, { sequence: 6 }]],
  [
    'a new epoch begins behind 0, then at 0; the old one comes back',
    [{ sequence: 0 }, { sequence: 1, epoch: 1 }, { sequence: 0, epoch: 1 }, { sequence: 1, epoch: 0 }, { sequence: 1, epoch: 1 }],
  ],
  ['sequences wrap', [{ sequence: lastSequence - 1, count: 3 }, { sequence: lastSequence }, { sequence: 1 }]],
  ['sequences wrap exactly', [{ sequence: lastSequence }, { sequence: 0 }]],
  ['not idempotent: everything is stored', [{}, {}, { count: 5 }, {}]],
  ['two batches in one request', [{ sequence: 0, damage: (batch) => Buffer.concat([batch, batch]) }, { sequence: 0 }]],
  ['a damaged batch', [{ sequence: 0, damage: flipLastBit }, { sequence: 0 }]],
  ['a topic and a partition that are not there', [{ topic: 'nowhere' }, { partition: 7 }]],
  ['a broker that does not lead', [{ sequence: 0, toFollower: true }, { sequence: 0 }]],
]

describe.each(liveVersions)('Kafka %s', (version, target) => {
  describe.skipIf(!target.available)(`the stub answers as it does${target.note}`, () => {
    let cluster: KafkaCluster
    let stub: StubBrokers
    beforeAll(async () => {
      cluster = await startKafkaCluster({ version, brokers: 2, minInSyncReplicas: 1 })
    }, 180_000)
    afterAll(() => cluster?.close())

    test.each(cases.map(([name, all], number) => [name, all, `case-${number}`] as const))('%s', async (_, all, topic) => {
      stub = await startStubBrokers({ brokers: 2, topics: { [topic]: 1 } })
      await cluster.createTopic(topic, { partitions: 1, replicationFactor: 1 })
      const leader = await cluster.leaderOf(topic, 0)
      const follower = cluster.brokers.find(({ id }) => id !== leader.id)!
      const real = await answersOf([leader.address, follower.address], topic, all)
      const stubbed = await answersOf(stub.bootstrap, topic, all)
      await stub.close()
      expect(stubbed).toEqual(real)
    })

    test('200 random walks through sequences and epochs', async () => {
      const random = numbers(20261124)
      const topic = 'walks'
      stub = await startStubBrokers({ topics: { [topic]: 1 } })
      await cluster.createTopic(topic, { partitions: 1, replicationFactor: 1 })
      const leader = await cluster.leaderOf(topic, 0)
      const refused = new Set<number>()
      for (let walk = 0; walk < 200; walk++) {
        const all = Array.from(
          { length: 12 },
          (): Step => ({ sequence: random(9), count: 1 + random(3), epoch: random(8) === 0 ? 1 : 0 }),
        )
        const real = await answersOf([leader.address], topic, all)
        expect(await answersOf(stub.bootstrap, topic, all), JSON.stringify(all)).toEqual(real)
        for (const { errorCode } of real) refused.add(errorCode)
      }
      await stub.close()
      expect([...refused].sort()).toEqual([0, 45, 47])
    }, 60_000)
  })
})

/** Whole numbers below a limit, the same in every run (mulberry32). */
function numbers(seed: number): (limit: number) => number {
  let state = seed
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit
  }
}

async function answersOf(brokers: readonly string[], topic: string, all: readonly Step[]): Promise<RawAnswer[]> {
  const [leader, follower] = await Promise.all(brokers.map(connectRawProducer))
  const id = await leader!.newId()
  const answers: RawAnswer[] = []
  for (const step of all) {
    const idempotent = step.sequence === undefined ? {} : { id, epoch: step.epoch ?? 0, sequence: step.sequence }
    const batch = rawBatch({ ...idempotent, count: step.count ?? 1 })
    const target = step.toFollower ? follower : leader
    answers.push(await target!.send(step.topic ?? topic, step.partition ?? 0, step.damage ? step.damage(batch) : batch))
  }
  leader!.close()
  follower?.close()
  return answers
}

function flipLastBit(batch: Buffer): Buffer {
  batch[batch.length - 1]! ^= 1
  return batch
}
