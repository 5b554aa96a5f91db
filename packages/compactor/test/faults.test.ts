import { injectFaults, type NetworkFault } from '@pipe/testkit'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { mapBounded } from '../src/engine/map-bounded'
import { type CommitRecord, createCompactor, type Engine, inProcessEngine } from '../src/index'
import { deviceLogs, keyOf, type Lake, type LakeServer, line, putLines, readableRows, rowsOf, startLakes } from './lake'

let server: LakeServer
let lake: Lake
beforeAll(async () => {
  server = await startLakes()
})
afterAll(() => server.close())
beforeEach(async () => {
  lake = await server.lake()
  await putLines(lake.raw, keyOf('2026-11-24T15:30:00Z'), [
    line('2026-11-24T15:30:00Z', 'd1', 1),
    'noise',
    line('2026-11-24T15:30:00Z', 'd2', 2),
  ])
  await putLines(lake.raw, keyOf('2026-11-24T15:31:00Z'), [line('2026-11-24T15:31:00Z', 'd1', 3)])
})
afterEach(() => lake.close())

const at = new Date('2026-11-24T15:35:00Z')

/** What fails here are requests; what writes the file makes no difference to them, and this starts at once. */
const engineAtHand = () => inProcessEngine({ writer: 'hyparquet' })

async function commits({ compacted }: Lake = lake): Promise<CommitRecord[]> {
  const records: CommitRecord[] = []
  for await (const { key } of compacted.list({ prefix: '_pipe/device_logs/commit/' })) {
    records.push(JSON.parse(await (await compacted.get(key))!.text()))
  }
  return records
}

/** multiset(committed) = multiset(inputs − quarantined), whatever happened before. */
async function expectExactlyOnce(own: Lake = lake): Promise<void> {
  const all = await commits(own)
  const truth = await readableRows(own.raw, deviceLogs)
  const seen = await rowsOf(
    own.compacted,
    all.flatMap(({ outputs }) => outputs.map(({ key }) => key)),
  )
  expect(seen).toEqual(truth.rows)
  expect(all.reduce((sum, { quarantinedRows }) => sum + quarantinedRows, 0)).toBe(truth.unreadable)
}

/** A run on a client of its own, one of whose requests has a fault. Says how many requests it made, and whether it died. */
async function runWith(
  own: Lake,
  decide: Parameters<typeof injectFaults>[1],
  maxAttempts: number,
): Promise<{ readonly requests: number; readonly died: boolean }> {
  const client = own.client({ maxAttempts })
  let requests = 0
  injectFaults(client, (attempt) => {
    requests = attempt.number
    const fault = decide(attempt)
    // A reply that is thrown away leaves the SDK's check of its body behind, which fails where nobody can catch it. For a GET a lost
    // request comes to the same.
    return fault !== undefined && attempt.command === 'GetObjectCommand' ? 'request-lost' : fault
  })
  const compactor = createCompactor({ compaction: own.compaction(), engine: engineAtHand(), client })
  const died = await compactor.run({ at }).then(
    () => false,
    () => true,
  )
  return { requests, died }
}

const clean = (own: Lake = lake) =>
  createCompactor({ compaction: own.compaction(), engine: engineAtHand(), client: own.client() })

/** Lakes at work at a time: most of a round is waiting for the SDK to try again. */
const atOnce = 4

/** Breaks one request of a run in a lake of its own; says whether the run died of it. */
async function breakRequest(fault: NetworkFault, broken: number, maxAttempts: number): Promise<boolean> {
  const own = await server.lake()
  await putLines(own.raw, keyOf('2026-11-24T15:30:00Z'), [line('2026-11-24T15:30:00Z', 'd1', 1), 'noise'])
  await putLines(own.raw, keyOf('2026-11-24T15:31:00Z'), [line('2026-11-24T15:31:00Z', 'd1', 3)])
  const { died } = await runWith(own, ({ number }) => (number === broken ? fault : undefined), maxAttempts)
  if (!died) expect(await commits(own)).toHaveLength(1)
  const last = await clean(own).run({ at })
  expect(await commits(own)).toHaveLength(1)
  expect(['committed', 'already-committed']).toContain(last.outcome)
  await expectExactlyOnce(own)
  await own.close()
  return died
}

describe.each<NetworkFault>(['request-lost', 'reply-lost', 'sent-twice', 'server-error'])('%s', (fault) => {
  it.each([1, 3])(
    'at any one request, with %i attempts of the SDK, leaves every row once',
    async (maxAttempts) => {
      const { requests } = await runWith(lake, () => undefined, maxAttempts)
      expect(requests).toBeGreaterThan(10)
      // A fault may add some.
      const points = Array.from({ length: requests + 2 }, (_, i) => i + 1)
      const deaths = (await mapBounded(points, atOnce, (broken) => breakRequest(fault, broken, maxAttempts))).filter(
        Boolean,
      ).length
      // Without retries of the SDK a lost plain request kills the run: the test has been where it hurts.
      if (maxAttempts === 1 && fault !== 'sent-twice') expect(deaths).toBeGreaterThan(5)
      if (maxAttempts === 3) expect(deaths).toBe(0)
    },
    120_000,
  )

  it('at every PUT leaves every row once', async () => {
    let puts = 0
    const run = await runWith(lake, ({ command }) => (command === 'PutObjectCommand' && puts++ % 2 === 0 ? fault : undefined), 3)
    expect(run.died).toBe(false)
    expect(puts).toBeGreaterThan(5)
    await expectExactlyOnce()
    expect(await clean().run({ at })).toMatchObject({ outcome: 'already-committed' })
  })
})

describe('concurrent runs with faults', () => {
  it('leave every row once, and one commit a sequence number', async () => {
    const faults = fc.constantFrom<NetworkFault | undefined>(
      'request-lost',
      'reply-lost',
      'sent-twice',
      'server-error',
      undefined,
    )
    const plans = fc.array(fc.array(faults, { minLength: 25, maxLength: 25 }), { minLength: 2, maxLength: 3 })
    await fc.assert(
      fc.asyncProperty(plans, async (runs) => {
        const own = await server.lake()
        await putLines(own.raw, keyOf('2026-11-24T15:30:00Z'), [line('2026-11-24T15:30:00Z', 'd1', 1), 'noise'])
        await Promise.all(
          runs.map(async (plan, i) => {
            if (i > 0) await putLines(own.raw, keyOf('2026-11-24T15:32:00Z', i), [line('2026-11-24T15:32:00Z', 'late', i)])
            return runWith(own, ({ number }) => (number % 4 === 0 ? plan[number % 25] : undefined), 2)
          }),
        )
        await clean(own).run({ at })
        await expectExactlyOnce(own)
        expect((await clean(own).run({ at })).outcome).toBe('already-committed')
        await own.close()
      }),
      { numRuns: 12 },
    )
  }, 120_000)
})

/** An engine that does something to the lake before or after its work. */
function around(hooks: { readonly before?: () => Promise<unknown>; readonly after?: () => Promise<unknown> }, times = 1): Engine {
  const inner = engineAtHand()
  let runs = 0
  return {
    ...inner,
    async run(job) {
      const acts = runs++ < times
      if (acts) await hooks.before?.()
      const result = await inner.run(job)
      if (acts) await hooks.after?.()
      return result
    },
  }
}

describe('a source that changes', () => {
  const overwrite = () => putLines(lake.raw, keyOf('2026-11-24T15:31:00Z'), [line('2026-11-24T15:31:00Z', 'new', 9)])
  const remove = () => lake.raw.delete(keyOf('2026-11-24T15:31:00Z'))

  it.each([
    ['is overwritten between plan and read', { before: overwrite }],
    ['is overwritten between read and commit', { after: overwrite }],
    ['vanishes between plan and read', { before: remove }],
    ['vanishes between read and commit', { after: remove }],
  ])('and %s is given up and planned afresh', async (_, hooks) => {
    const compactor = createCompactor({ compaction: lake.compaction(), engine: around(hooks), client: lake.client() })
    expect(await compactor.run({ at })).toMatchObject({ outcome: 'committed', seq: 1 })
    expect((await commits()).map(({ outcome }) => outcome)).toEqual(['aborted', 'committed'])
    await expectExactlyOnce()
  })

  it('and never stops changing ends as aborted, until it rests', async () => {
    const compactor = createCompactor({
      compaction: lake.compaction(),
      engine: around(
        { before: () => putLines(lake.raw, keyOf('2026-11-24T15:31:00Z'), [line('2026-11-24T15:31:00Z', 'x', Math.random())]) },
        5,
      ),
      client: lake.client(),
    })
    expect(await compactor.run({ at })).toMatchObject({ outcome: 'aborted', reason: expect.stringContaining('ETag') })
    expect(await compactor.run({ at })).toMatchObject({ outcome: 'committed', seq: 5 })
    await expectExactlyOnce()
  })

  it('and vanishes with all others leaves an empty window', async () => {
    await remove()
    const gone = around({ before: () => lake.raw.delete(keyOf('2026-11-24T15:30:00Z')) })
    const compactor = createCompactor({ compaction: lake.compaction(), engine: gone, client: lake.client() })
    expect(await compactor.run({ at })).toMatchObject({ outcome: 'aborted', files: 0 })
    expect(await compactor.run({ at })).toMatchObject({ outcome: 'empty' })
  })
})

describe('an attempt that does not add up', () => {
  it.each([
    ['loses a row', (rows: number) => rows + 1, /rows came in/],
    ['invents a row', (rows: number) => rows - 1, /rows came in/],
  ])('because the engine %s is given up; nothing of it is visible', async (_, wrong, message) => {
    const inner = engineAtHand()
    const liar: Engine = {
      ...inner,
      async run(job) {
        const { outputs, accounts } = await inner.run(job)
        return { outputs, accounts: accounts.map((account) => ({ ...account, rows: wrong(account.rows) })) }
      },
    }
    const compactor = createCompactor({ compaction: lake.compaction(), engine: liar, client: lake.client() })
    await expect(compactor.run({ at })).rejects.toMatchObject({
      code: 'PIPE_COMPACT_WINDOWS',
      message: expect.stringMatching(message),
      cause: expect.objectContaining({ code: 'PIPE_COMPACT_VERIFY' }),
    })
    expect(await commits()).toHaveLength(0)
    expect(await clean().run({ at })).toMatchObject({ outcome: 'committed', seq: 0 })
    await expectExactlyOnce()
  })

  it('does not keep the other windows from being compacted', async () => {
    await putLines(lake.raw, keyOf('2026-11-24T15:25:00Z'), [line('2026-11-24T15:25:00Z', 'd1', 1)])
    const failing = around({ before: () => Promise.reject(new Error('disk full')) })
    const compactor = createCompactor({ compaction: lake.compaction(), engine: failing, client: lake.client() })
    await expect(compactor.run({ at })).rejects.toMatchObject({
      message: expect.stringContaining('disk full'),
      details: { windows: ['20261124T1530Z'], succeeded: ['20261124T1525Z'] },
    })
    expect((await commits()).map(({ window }) => window)).toEqual(['20261124T1525Z'])
  })
})
