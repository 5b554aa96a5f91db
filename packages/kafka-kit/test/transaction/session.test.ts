import { PipeError } from '@pipe/core'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Output } from '../../src/transaction/output'
import { createOutputTopics } from '../../src/transaction/output-topics'
import { openSession, type TransactionSession, transactionalIdOf } from '../../src/transaction/session'
import { type StubFault, type StubTransactions, stubTransactions } from './stub-transactions'

const input = { topic: 'in', partition: 0 }
const forever = new AbortController().signal

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** Lets back-offs pass without waiting for them. */
async function fast<T>(work: Promise<T>): Promise<T> {
  let isDone = false
  const done = () => {
    isDone = true
  }
  work.then(done, done)
  while (!isDone) await vi.advanceTimersByTimeAsync(25)
  return work
}

async function open(stub: StubTransactions): Promise<TransactionSession> {
  const topics = createOutputTopics(stub.cluster, ['out', 'other'])
  await topics.refresh()
  const settings = { cluster: stub.cluster, group: 'g', topics, codec: undefined, timeoutMs: 10_000, giveUpMs: 6000 }
  return fast(openSession(settings, transactionalIdOf('g', input), forever))
}

const output = (value: string, partition = 0, topic = 'out'): Output => ({
  topic,
  partition,
  record: { key: null, value, headers: [], timestampMs: 0 },
  bytes: 40_000,
})

const commit = (
  stub: StubTransactions,
  session: TransactionSession,
  outputs: readonly Output[],
  offset: bigint,
  isOwned = () => true,
) => fast(session.commit({ outputs, input: { ...input, offset }, member: { ...stub.member }, isOwned }, forever))

const failure = (work: Promise<unknown>): Promise<PipeError> =>
  work.then(
    () => expect.fail('it should have rejected'),
    (error) => error,
  )

describe('a transaction', () => {
  test('adds what it writes to, writes it in order, commits offset and outputs together', async () => {
    const stub = stubTransactions({ out: 2, other: 1 })
    const session = await open(stub)
    await commit(stub, session, [output('a'), output('b', 1), output('c'), output('d', 0, 'other')], 4n)
    expect(stub.requests).toEqual([
      'InitProducerId',
      'AddPartitionsToTxn',
      'Produce',
      'Produce',
      'AddOffsetsToTxn',
      'TxnOffsetCommit',
      'EndTxn',
    ])
    expect([stub.committed('out', 0), stub.committed('out', 1), stub.committed('other', 0)]).toEqual([['a', 'c'], ['b'], ['d']])
    expect(stub.offset()).toBe(4n)
    // The next one goes on with its sequence numbers.
    await commit(stub, session, [output('e')], 5n)
    expect(stub.committed('out', 0)).toEqual(['a', 'c', 'e'])
  })

  test('without outputs commits the offset alone', async () => {
    const stub = stubTransactions({ out: 1 })
    await commit(stub, await open(stub), [], 9n)
    expect(stub.requests).toEqual(['InitProducerId', 'AddOffsetsToTxn', 'TxnOffsetCommit', 'EndTxn'])
    expect(stub.offset()).toBe(9n)
  })

  test.each(['InitProducerId', 'AddPartitionsToTxn', 'AddOffsetsToTxn', 'TxnOffsetCommit', 'EndTxn'])(
    '%s: CONCURRENT_TRANSACTIONS is waited for, 20 to 100 ms at a time',
    async (api) => {
      const stub = stubTransactions({ out: 1 })
      stub.fail({ api, what: 51, times: 6 })
      const startedMs = Date.now()
      await commit(stub, await open(stub), [output('a')], 1n)
      expect(Date.now() - startedMs).toBeLessThan(1000)
      expect(stub.committed('out', 0)).toEqual(['a'])
      expect(stub.lookups()).toBe(1)
    },
  )

  test.each([14, 15, 16])('a coordinator that moved or loads (%i) is looked up again', async (code) => {
    const stub = stubTransactions({ out: 1 })
    stub.fail({ api: 'AddPartitionsToTxn', what: code, times: 2 })
    stub.fail({ api: 'TxnOffsetCommit', what: code })
    stub.fail({ api: 'EndTxn', what: code })
    await commit(stub, await open(stub), [output('a')], 1n)
    expect(stub.committed('out', 0)).toEqual(['a'])
    expect(stub.lookups()).toBe(4)
  })

  test('a commit whose answer is lost is asked for again, and is one', async () => {
    const stub = stubTransactions({ out: 1 })
    stub.fail({ api: 'EndTxn', what: 'unanswered' })
    const session = await open(stub)
    await commit(stub, session, [output('a')], 1n)
    await commit(stub, session, [output('b')], 2n)
    expect(stub.committed('out', 0)).toEqual(['a', 'b'])
  })

  test.each([
    ['unanswered', 1n, ['a']],
    ['lost', -1n, []],
  ] as const)(
    'a commit that is never answered (%s) ends the session; the next one finds out what became of it',
    async (what, offset, values) => {
      const stub = stubTransactions({ out: 1 })
      stub.fail({ api: 'EndTxn', what, times: Number.POSITIVE_INFINITY })
      const session = await open(stub)
      const error = await failure(commit(stub, session, [output('a')], 1n))
      expect(error).toMatchObject({ code: 'PIPE_KAFKA_TRANSACTION_ENDED', retryable: true })
      expect(
        stub.requests.filter((request) => request.startsWith('EndTxn')).every((request) => request === `EndTxn ${what}`),
      ).toBe(true)
      await open(stub)
      expect([stub.offset(), stub.committed('out', 0), stub.isOpen()]).toEqual([offset, values, false])
      // The old one does nothing more.
      expect(await failure(commit(stub, session, [], 2n))).toMatchObject({ message: expect.stringContaining('is over') })
    },
  )

  test('a write whose answer is lost goes again with the same bytes, and is one', async () => {
    const stub = stubTransactions({ out: 1 })
    stub.fail({ api: 'Produce', what: 'unanswered' })
    await commit(stub, await open(stub), [output('a')], 1n)
    expect(stub.requests.filter((request) => request.startsWith('Produce'))).toEqual(['Produce unanswered', 'Produce'])
    expect(stub.appended('out', 0)).toEqual(['a'])
  })

  test('a write that is never answered ends the session without an EndTxn that it could arrive behind', async () => {
    const stub = stubTransactions({ out: 1 })
    stub.fail({ api: 'Produce', what: 'unanswered', times: Number.POSITIVE_INFINITY })
    const error = await failure(commit(stub, await open(stub), [output('a')], 1n))
    expect(error).toMatchObject({ code: 'PIPE_KAFKA_TRANSACTION_ENDED', retryable: true })
    expect(stub.requests).not.toContain('EndTxn')
    expect(stub.isOpen()).toBe(true)
    await open(stub)
    expect([stub.isOpen(), stub.appended('out', 0), stub.committed('out', 0)]).toEqual([false, ['a'], []])
  })

  test('a session is shut out by the next one of its id, and says so', async () => {
    const stub = stubTransactions({ out: 1 })
    const first = await open(stub)
    await commit(stub, first, [output('a')], 1n)
    const second = await open(stub)
    const error = await failure(commit(stub, first, [output('late')], 2n))
    expect(error).toMatchObject({ code: 'PIPE_KAFKA_FENCED', retryable: false, details: { errorCode: 90 } })
    await commit(stub, second, [output('b')], 2n)
    expect(stub.committed('out', 0)).toEqual(['a', 'b'])
  })

  test('a session is shut out in the middle of a transaction: nothing of it is seen, and it does not touch that of the other', async () => {
    const stub = stubTransactions({ out: 1 })
    const first = await open(stub)
    stub.fail({ api: 'EndTxn', what: 51, times: 30 })
    const committing = failure(commit(stub, first, [output('late')], 1n))
    while (!stub.requests.includes('EndTxn 51')) await vi.advanceTimersByTimeAsync(1)
    const second = await open(stub)
    expect(await committing).toMatchObject({ code: 'PIPE_KAFKA_FENCED' })
    await commit(stub, second, [output('a')], 1n)
    expect(stub.committed('out', 0)).toEqual(['a'])
    expect(stub.appended('out', 0)).toEqual(['late', 'a'])
  })

  test.each([
    ['an old generation', 22],
    ['a member that was put out', 25],
  ])('%s may not commit: the transaction is aborted', async (_, code) => {
    const stub = stubTransactions({ out: 1 })
    const session = await open(stub)
    const member = { memberId: code === 25 ? 'other' : 'member', generation: code === 22 ? 2 : 3 }
    const work = session.commit({ outputs: [output('a')], input: { ...input, offset: 1n }, member, isOwned: () => true }, forever)
    expect(await failure(fast(work))).toMatchObject({ code: 'PIPE_KAFKA_REVOKED', retryable: true, details: { errorCode: code } })
    expect([stub.requests.at(-1), stub.isOpen(), stub.committed('out', 0)]).toEqual(['EndTxn', false, []])
  })

  test('a partition that is lost meanwhile is not committed', async () => {
    const stub = stubTransactions({ out: 1 })
    const error = await failure(commit(stub, await open(stub), [output('a')], 1n, () => false))
    expect(error).toMatchObject({ code: 'PIPE_KAFKA_REVOKED' })
    expect([stub.offset(), stub.committed('out', 0), stub.isOpen()]).toEqual([-1n, [], false])
  })

  test.each([
    ['InitProducerId', 53],
    ['AddPartitionsToTxn', 29],
    ['TxnOffsetCommit', 30],
    ['Produce', 87],
  ])('%s refused for good (%i) says what to do', async (api, code) => {
    const stub = stubTransactions({ out: 1 })
    stub.fail({ api, what: code })
    const error = await failure(open(stub).then((session) => commit(stub, session, [output('a')], 1n)))
    expect(error).toMatchObject({ code: 'PIPE_KAFKA_TRANSACTION', retryable: false, details: { errorCode: code } })
    expect(error.hint).toBeTruthy()
  })

  test('a batch that is too large goes in halves; one record that is too large ends it', async () => {
    const stub = stubTransactions({ out: 1 }, 2)
    const small = (value: string): Output => ({ ...output(value), bytes: 10 })
    await commit(stub, await open(stub), ['a', 'b', 'c', 'd', 'e'].map(small), 5n)
    expect(stub.committed('out', 0)).toEqual(['a', 'b', 'c', 'd', 'e'])
    const none = stubTransactions({ out: 1 }, 0)
    expect(await failure(commit(none, await open(none), [output('a')], 1n))).toMatchObject({ code: 'PIPE_KAFKA_TRANSACTION' })
  })
})

test('whatever goes wrong: who begins a new session at what is committed writes each input once', async () => {
  const apis = ['InitProducerId', 'AddPartitionsToTxn', 'Produce', 'AddOffsetsToTxn', 'TxnOffsetCommit', 'EndTxn']
  const fault = fc.record({
    api: fc.constantFrom(...apis),
    what: fc.constantFrom<StubFault['what']>('lost', 'unanswered', 51, 16, 15, 7, 47, 48, 45, 22),
    skip: fc.nat({ max: 6 }),
    times: fc.constantFrom(1, 2, 40),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.array(fault, { maxLength: 6 }),
      fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 6 }),
      async (faults, sizes) => {
        const stub = stubTransactions({ out: 2, other: 1 })
        for (const one of faults) stub.fail(one)
        const inputs = sizes.reduce((sum, size) => sum + size + 1, 0)
        let at = 0
        for (let round = 0; at < inputs; round++) {
          expect(round).toBeLessThan(200)
          try {
            const session = await open(stub)
            at = Math.max(0, Number(stub.offset()))
            for (const size of sizes) {
              const to = Math.min(inputs, at + size + 1)
              const outputs = Array.from({ length: to - at }, (_, i) => output(String(at + i), (at + i) % 2))
              await commit(stub, session, outputs, BigInt(to))
              at = to
            }
          } catch (error) {
            if (!PipeError.isInstance(error)) throw error
          }
        }
        const all = [...stub.committed('out', 0), ...stub.committed('out', 1)].map(Number).sort((a, b) => a - b)
        expect(all).toEqual(Array.from({ length: inputs }, (_, i) => i))
      },
    ),
    { numRuns: 30 },
  )
})
