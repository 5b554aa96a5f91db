import { setTimeout as pause } from 'node:timers/promises'
import { column, type PipeError } from '@pipe/core'
import { afterEach, describe, expect, test } from 'vitest'
import type { Assignment } from '../../src/consumer/assignment'
import type { DeliveryContext } from '../../src/consumer/delivery'
import { createAssignments } from '../../src/consumer/rebalance'
import { defineTopic, type TransformEvent } from '../../src/index'
import { createOutputEncoder } from '../../src/transaction/output'
import { createOutputTopics } from '../../src/transaction/output-topics'
import { openSession } from '../../src/transaction/session'
import { createTransactionDelivery, type TransactionDelivery } from '../../src/transaction/transaction-delivery'
import { stubTransactions } from './stub-transactions'

// The member, its records and handlers are played by the test; coordinator and logs by the stub.

const shape = { value: column.string(), partitions: 1, replicationFactor: 1 }
const input = defineTopic('in', shape)
const out = defineTopic('out', shape)

let delivery: TransactionDelivery | undefined
afterEach(async () => {
  await delivery?.close()
})

async function until(what: string, holds: () => boolean): Promise<void> {
  const giveUpAt = Date.now() + 20_000
  while (!holds()) {
    if (Date.now() > giveUpAt) throw new Error(`Not within 20 s: ${what}`)
    await pause(5)
  }
}

async function member(options: { readonly outputBytes?: number; readonly commitEveryMs?: number } = {}) {
  const stub = stubTransactions({ in: 1, out: 1, dead: 1 })
  const topics = createOutputTopics(stub.cluster, ['out', 'dead'])
  await topics.refresh()
  const events: TransformEvent[] = []
  const failures: PipeError[] = []
  const assignments = createAssignments({
    topics: new Map([['in', input]]),
    dispatcher: () => ({ release: () => undefined }) as never,
    drainMs: 0,
    commit: async () => true,
    onEvent: (event) => events.push(event),
  })
  const settings = {
    group: 'g',
    deadLetter: { topic: 'dead' },
    missing: 'earliest',
    timing: { heartbeatMs: 10, commitEveryMs: options.commitEveryMs ?? 5, rebalanceTimeoutMs: 4000 },
  }
  const context = {
    settings,
    membership: () => ({ identity: { ...stub.member } }),
    assignments: () => assignments,
    fenced: () => undefined,
    fail: (error: PipeError) => failures.push(error),
    wake: () => undefined,
  } as unknown as DeliveryContext
  const own = createTransactionDelivery(context, {
    cluster: stub.cluster,
    topics,
    encoder: createOutputEncoder({ to: out, topics, partitioner: () => 0 }),
    codec: undefined,
    transactionMs: 60_000,
    outputBytes: options.outputBytes ?? 1_000_000,
    handle: ({ offset }: { offset: bigint }) => ({ value: `out-${offset}` }),
    check: async () => undefined,
    onEvent: (event) => events.push(event),
  })
  delivery = own
  const join = (partitions: readonly number[] = [0], generation = stub.member.generation) => {
    assignments.joined({ memberId: stub.member.memberId, generation }, { in: partitions })
    own.assigned()
  }
  const current = () => assignments.find('in', 0)!
  const ready = () => until('a session', () => current() !== undefined && own.isReady(current()))
  /** Runs the handler for a record and reports it as done. */
  async function handle(offset: bigint, assignment: Assignment = current()): Promise<void> {
    const entry = assignment.log!.tracker.begin(offset)
    await own.handle({ topic: 'in', partition: 0, offset }, { signal: assignment.abort.signal, attempt: 1 })
    assignment.log!.tracker.complete(entry)
    own.committer.schedule()
  }
  const kinds = () => events.map(({ kind }) => kind).filter((kind) => kind !== 'joined')
  return { stub, topics, own, assignments, events, failures, join, current, ready, handle, kinds }
}

describe('the delivery of a transform', () => {
  test('opens a session for a gained partition, begins at what is committed, and commits what is done up to the first gap', async () => {
    const { stub, join, ready, current, handle, own } = await member({ commitEveryMs: 60_000 })
    join()
    expect(own.isReady(current())).toBe(false)
    await ready()
    expect(current().position).toBe(0n)
    const gap = current().log!.tracker.begin(0n)
    await handle(1n)
    expect(await own.committer.flush()).toBe(true)
    expect(stub.committed('out', 0)).toEqual([])
    await own.handle({ topic: 'in', partition: 0, offset: 0n }, { signal: current().abort.signal, attempt: 1 })
    current().log!.tracker.complete(gap)
    expect(await own.committer.flush()).toBe(true)
    expect([stub.committed('out', 0), stub.offset()]).toEqual([['out-0', 'out-1'], 2n])
  })

  test('writes a dead letter in the transaction that steps over its record', async () => {
    const { stub, join, ready, current, own } = await member()
    join()
    await ready()
    const entry = current().log!.tracker.begin(0n)
    const record = {
      topic: 'in',
      partition: 0,
      offset: 0n,
      timestamp: new Date(0),
      key: null,
      value: Buffer.from('bad'),
      headers: [],
    }
    expect(await own.bury!({ record, error: new Error('no'), attempts: 1 }, current().abort.signal)).toBe('dead')
    expect(stub.appended('dead', 0)).toEqual([])
    current().log!.tracker.complete(entry)
    await own.committer.flush()
    expect([stub.committed('dead', 0), stub.offset()]).toEqual([['bad'], 1n])
  })

  test('what a handler returns after its partition was lost does not count, also when the partition came back', async () => {
    const { stub, join, ready, current, handle, own } = await member({ commitEveryMs: 60_000 })
    join()
    await ready()
    const lost = current()
    const { signal } = lost.abort
    join([], 4)
    stub.member.generation = 5
    join([0], 5)
    await ready()
    expect(current()).not.toBe(lost)
    await expect(own.handle({ topic: 'in', partition: 0, offset: 0n }, { signal, attempt: 1 })).rejects.toThrow(/another member/)
    await handle(0n)
    await own.committer.flush()
    expect(stub.committed('out', 0)).toEqual(['out-0'])
  })

  test('a session that was shut out begins anew at what the other has committed', async () => {
    const { stub, topics, join, ready, current, handle, events } = await member()
    join()
    await ready()
    await handle(0n)
    await until('a transaction', () => stub.offset() === 1n)
    const settings = { cluster: stub.cluster, group: 'g', topics, codec: undefined, timeoutMs: 10_000, giveUpMs: 6000 }
    const other = await openSession(settings, 'g/in/0', new AbortController().signal)
    const outputs = await createOutputEncoder({ to: out, topics, partitioner: () => 0 }).encode({ value: 'of the other' }, 0)
    const place = { topic: 'in', partition: 0, offset: 2n }
    await other.commit({ outputs, input: place, member: { ...stub.member }, isOwned: () => true }, new AbortController().signal)
    const before = current()
    await handle(1n)
    await until('its end', () =>
      events.some((event) => event.kind === 'session-ended' && event.error.code === 'PIPE_KAFKA_FENCED'),
    )
    await until('another life', () => current() !== before)
    await ready()
    expect(current().position).toBe(2n)
    await handle(2n)
    await until('a transaction', () => stub.offset() === 3n)
    expect(stub.committed('out', 0)).toEqual(['out-0', 'of the other', 'out-2'])
  })

  test('a commit that was carried out and never answered is not repeated', async () => {
    const { stub, join, ready, current, handle, events } = await member()
    join()
    await ready()
    stub.fail({ api: 'EndTxn', what: 'unanswered', times: 1000 })
    const before = current()
    await handle(0n)
    await until('its end', () => events.some(({ kind }) => kind === 'session-ended'))
    await until('another life', () => current() !== before)
    await ready()
    expect([current().position, stub.committed('out', 0)]).toEqual([1n, ['out-0']])
  })

  test('a refused transaction ends the transform, with nothing committed', async () => {
    const { stub, join, ready, handle, failures } = await member()
    join()
    await ready()
    stub.fail({ api: 'AddPartitionsToTxn', what: 29, times: 1000 })
    await handle(0n)
    await until('the failure', () => failures.length > 0)
    expect(failures[0]).toMatchObject({ code: 'PIPE_KAFKA_TRANSACTION', details: { errorCode: 29 } })
    expect([stub.offset(), stub.isOpen()]).toEqual([-1n, false])
  })

  test('a session that cannot be opened is tried again; one that may not be ends the transform', async () => {
    const { stub, join, ready, kinds } = await member()
    stub.fail({ api: 'OffsetFetch', what: 22, times: 1 })
    stub.fail({ api: 'InitProducerId', what: 48, times: 1 })
    join()
    await ready()
    expect(kinds()).toContain('session-failed')
    const refused = await member()
    refused.stub.fail({ api: 'InitProducerId', what: 53 })
    refused.join()
    await until('the failure', () => refused.failures.length > 0)
    expect(refused.failures[0]!.hint).toMatch(/transactional ids/)
  })

  test('outputs that fill the buffer go at once, and nothing more is handled before', async () => {
    const { stub, join, ready, current, own } = await member({ outputBytes: 30, commitEveryMs: 60_000 })
    join()
    await ready()
    expect(own.hasRoom(current())).toBe(true)
    const entry = current().log!.tracker.begin(0n)
    await own.handle({ topic: 'in', partition: 0, offset: 0n }, { signal: current().abort.signal, attempt: 1 })
    expect(own.hasRoom(current())).toBe(false)
    current().log!.tracker.complete(entry)
    own.committer.schedule()
    await until('its transaction', () => stub.committed('out', 0).length === 1)
    expect(own.hasRoom(current())).toBe(true)
  })
})
