import { afterEach, describe, expect, test } from 'vitest'
import type { KafkaOptions, LocalKafka } from '../../src/kafka/cluster'
import { startKafka } from '../../src/kafka/start-kafka'
import { embeddedTargetOf } from './suite/embedded-target'
import { batchOf, type PartitionClient, partitionClient } from './suite/partition-client'

let kafka: LocalKafka
const clients: PartitionClient[] = []
afterEach(async () => {
  for (const client of clients.splice(0)) client.close()
  await kafka.close()
})

async function start(settings: KafkaOptions['settings'] = {}): Promise<void> {
  kafka = await startKafka({ brokers: 3, settings: { 'broker.session.timeout.ms': '60', ...settings } })
}
async function at(broker?: number): Promise<PartitionClient> {
  const client = await partitionClient(embeddedTargetOf(kafka), 'log', 0, broker)
  clients.push(client)
  return client
}
const state = () => kafka.partitions('log')[0]!
const copyOf = (broker: number) => state().copies.find((copy) => copy.broker === broker)!
const others = (broker: number) => [1, 2, 3].filter((id) => id !== broker)
const isLedByAnother = (leader: number) => kafka.waitFor('log', ([one]) => one!.leader >= 0 && one!.leader !== leader)
const ends = () => state().copies.map(({ endOffset }) => endOffset)

describe('what acks mean when the leader dies', () => {
  test('acks 1: a record that no follower had is confirmed, and gone', async () => {
    await start()
    kafka.createTopic('log')
    const { leader } = state()
    const client = await at()
    await client.produce(batchOf(['kept']))
    for (const other of others(leader)) kafka.faults.cut(leader, other)
    expect(await client.produce(batchOf(['lost']), { acks: 1 })).toMatchObject({ errorCode: 0, baseOffset: 1n })
    await kafka.faults.kill(leader)
    await isLedByAnother(leader)
    const second = await at()
    expect(await second.produce(batchOf(['instead']), { acks: 1 })).toMatchObject({ errorCode: 0, baseOffset: 1n })
    expect(await second.values()).toEqual(['kept', 'instead'])
    // The old leader comes back with its own end of the log, and drops it.
    expect(copyOf(leader).endOffset).toBe(2)
    kafka.faults.clear()
    await kafka.faults.restart(leader)
    await kafka.waitFor('log', ([one]) => one!.inSync.length === 3)
    expect(ends()).toEqual([2, 2, 2])
    const cut = kafka.timeline.events().find((event) => event.kind === 'truncate')
    expect(cut).toMatchObject({ broker: leader, from: 2, to: 1 })
    expect(await second.values()).toEqual(['kept', 'instead'])
  })

  test('acks all: the same death loses nothing that was confirmed', async () => {
    await start()
    kafka.createTopic('log')
    const { leader } = state()
    const client = await at()
    await client.produce(batchOf(['kept']))
    for (const other of others(leader)) kafka.faults.cut(leader, other)
    const open = client.produce(batchOf(['unconfirmed'])).then(
      (answer) => answer.errorCode,
      () => 'hung up',
    )
    await kafka.waitFor('log', () => copyOf(leader).endOffset === 2)
    await kafka.faults.kill(leader)
    expect(await open).toBe('hung up')
    await isLedByAnother(leader)
    expect(await (await at()).values()).toEqual(['kept'])
  })

  test('acks 0: the client is happy before anything was written', async () => {
    await start()
    kafka.createTopic('log')
    const { leader } = state()
    const client = await at()
    const rule = kafka.faults.add({ fault: 'drop-request', api: 'Produce' })
    client.raw.send((await import('@pipe/kafka-wire')).produce, 7, {
      transactionalId: null,
      acks: 0,
      timeoutMs: 1000,
      topics: [{ name: 'log', partitions: [{ partition: 0, records: batchOf(['lost']) }] }],
    })
    await rule.happened
    await kafka.faults.kill(leader)
    await isLedByAnother(leader)
    expect(await (await at()).values()).toEqual([])
  })
})

describe('min.insync.replicas', () => {
  test('too few before the append: 19, and nothing is written', async () => {
    await start()
    kafka.createTopic('log', { settings: { 'min.insync.replicas': '3' } })
    const { leader } = state()
    await kafka.faults.kill(others(leader)[0]!)
    await kafka.waitFor('log', ([one]) => one!.inSync.length === 2)
    const client = await at()
    expect((await client.produce(batchOf(['a']))).errorCode).toBe(19)
    expect(copyOf(leader).endOffset).toBe(0)
    // Leaders that are asked for less still write; nobody sees it before enough are in sync again (KIP-966).
    expect((await client.produce(batchOf(['b']), { acks: 1 })).errorCode).toBe(0)
    expect(await client.values()).toEqual([])
    await kafka.faults.restart(others(leader)[0]!)
    // The leader hears of the larger in-sync set a moment after the controllers have it.
    await kafka.waitFor('log', ([one]) =>
      one!.copies.some(({ broker, highWatermark }) => broker === leader && highWatermark === 1),
    )
    expect(state().inSync).toHaveLength(3)
    expect(await client.values()).toEqual(['b'])
  })

  test('a follower that is cut off leaves the in-sync set after its time, and comes back', async () => {
    await start({ 'replica.lag.time.max.ms': '100' })
    kafka.createTopic('log')
    const { leader } = state()
    const [late, other] = others(leader) as [number, number]
    kafka.faults.cut(leader, late)
    const client = await at()
    // Waits for the follower until it is out.
    expect((await client.produce(batchOf(['a']))).errorCode).toBe(0)
    expect(state().inSync.toSorted()).toEqual([leader, other].toSorted())
    expect(copyOf(late).endOffset).toBe(0)
    kafka.faults.mend(leader, late)
    await kafka.waitFor('log', ([one]) => one!.inSync.length === 3)
    expect(ends()).toEqual([1, 1, 1])
  })

  test('a leader that is cut off from all believes in itself, and confirms nothing with acks all', async () => {
    await start({ 'replica.lag.time.max.ms': '100' })
    kafka.createTopic('log')
    const { leader } = state()
    const old = await at(leader)
    kafka.faults.isolate(leader)
    expect((await old.produce(batchOf(['zombie']), { acks: 1 })).errorCode).toBe(0)
    expect((await old.produce(batchOf(['zombie too']), { timeoutMs: 200 })).errorCode).toBe(7)
    await isLedByAnother(leader)
    const now = await at()
    expect((await now.produce(batchOf(['real']))).errorCode).toBe(0)
    kafka.faults.reconnect(leader)
    await kafka.waitFor('log', ([one]) => one!.inSync.length === 3)
    expect(ends()).toEqual([1, 1, 1])
    expect(await now.values()).toEqual(['real'])
    expect((await old.produce(batchOf(['late']))).errorCode).toBe(6)
  })
})

describe('elections', () => {
  test('the last one in sync is waited for, unless unclean elections are allowed', async () => {
    await start()
    kafka.createTopic('log', { settings: { 'min.insync.replicas': '1' } })
    const { leader } = state()
    const [one, other] = others(leader) as [number, number]
    const client = await at()
    for (const id of [one, other]) {
      await kafka.faults.kill(id)
      await kafka.waitFor('log', ([now]) => !now!.inSync.includes(id))
    }
    expect((await client.produce(batchOf(['only here']))).errorCode).toBe(0)
    await kafka.faults.kill(leader)
    await kafka.waitFor('log', ([now]) => now!.leader === -1)
    await kafka.faults.restart(one)
    expect(state()).toMatchObject({ leader: -1, inSync: [leader] })
    kafka.elect('log', 0, 'unclean')
    expect(state()).toMatchObject({ leader: one, inSync: [one] })
    const elected = kafka.timeline.events().filter((event) => event.kind === 'leader')
    expect(elected.at(-1)).toMatchObject({ leader: one, unclean: true })
    await kafka.faults.restart(leader)
    await kafka.waitFor('log', ([now]) => now!.inSync.includes(leader))
    expect(await (await at()).values()).toEqual([])
  })

  test('a broker that stops in good order hands over at once; the preferred leader is put back on request', async () => {
    await start({ 'broker.session.timeout.ms': '60000' })
    kafka.createTopic('log')
    const { leader } = state()
    await kafka.faults.stop(leader)
    expect(state().leader).not.toBe(leader)
    await kafka.faults.restart(leader)
    await kafka.waitFor('log', ([one]) => one!.inSync.length === 3)
    expect(state().leader).not.toBe(leader)
    kafka.elect('log', 0, 'preferred')
    expect(state().leader).toBe(leader)
  })

  test('a paused broker is replaced, and hears of it before it goes on', async () => {
    await start()
    kafka.createTopic('log')
    const { leader } = state()
    const client = await at()
    kafka.faults.pause(leader)
    const open = client.produce(batchOf(['late']))
    await isLedByAnother(leader)
    kafka.faults.resume(leader)
    expect((await open).errorCode).toBe(6)
    await kafka.waitFor('log', ([one]) => one!.inSync.length === 3)
  })
})

describe('restart', () => {
  test('a killed process keeps its log; a power cut leaves what was flushed', async () => {
    await start()
    kafka.createTopic('log', { replicationFactor: 1, settings: { 'min.insync.replicas': '1' } })
    const { leader } = state()
    await (await at()).produce(batchOf(['a']))
    kafka.faults.flush(leader)
    await (await at()).produce(batchOf(['b']))
    await kafka.faults.kill(leader)
    await kafka.faults.restart(leader)
    expect(await (await at()).values()).toEqual(['a', 'b'])
    await kafka.faults.kill(leader, { losesUnflushed: true })
    await kafka.faults.restart(leader)
    expect(await (await at()).values()).toEqual(['a'])
  })

  test('flush.messages = 1 survives a power cut', async () => {
    await start()
    kafka.createTopic('log', { replicationFactor: 1, settings: { 'min.insync.replicas': '1', 'flush.messages': '1' } })
    const { leader } = state()
    await (await at()).produce(batchOf(['a', 'b']))
    await kafka.faults.kill(leader, { losesUnflushed: true })
    await kafka.faults.restart(leader)
    expect(await (await at()).values()).toEqual(['a', 'b'])
  })

  test('a topic that was deleted and made anew meanwhile begins at 0 everywhere', async () => {
    await start()
    kafka.createTopic('log')
    await (await at()).produce(batchOf(['old']))
    const away = others(state().leader)[0]!
    await kafka.faults.kill(away)
    await kafka.waitFor('log', ([one]) => !one!.inSync.includes(away))
    kafka.deleteTopic('log')
    kafka.createTopic('log', { replicationFactor: 2 })
    await (await at()).produce(batchOf(['new']))
    await kafka.faults.restart(away)
    expect(await (await at()).values()).toEqual(['new'])
    expect(state().copies.every(({ startOffset, endOffset }) => startOffset === 0 && endOffset <= 1)).toBe(true)
  })
})
