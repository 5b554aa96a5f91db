import { describe, expect, it } from 'vitest'
import { metricsOf } from '../src/index'
import { at, memoryLake, window } from './memory-lake'

const minute = '2026-11-24T15:30:00Z'
const key = 'dt=2026-11-24/hour=15/device_logs-20261124T1530Z-0of10-0badcafe.ndjson'

describe('plan', () => {
  it('says files, bytes, requests, dollars and the statements', async () => {
    const lake = await memoryLake()
    await lake.put(minute, 0, 1, 2)
    await lake.put(minute, 1, 3)
    const inProcess = await lake.compactor().plan({ at })
    expect(inProcess.windows).toMatchObject([{ window, seq: 0, mode: 'append', files: 2, sql: [] }])
    expect(inProcess.windows[0]!.estimate).toMatchObject({ scannedBytes: 0, statements: 0 })
    const { windows } = await lake.compactor({ engine: lake.athenaEngine() }).plan({ at })
    expect(windows[0]!.estimate).toMatchObject({ scannedBytes: 20 * 1024 * 1024, statements: 5 })
    expect(windows[0]!.estimate.usd).toBeCloseTo(0.000_135, 5)
    expect(windows[0]!.sql).toEqual([
      expect.stringMatching(/^ALTER TABLE `device_logs_lines` ADD IF NOT EXISTS/),
      expect.stringMatching(/^SELECT "\$path" AS path, count/),
      expect.stringMatching(/^CREATE TABLE "?stg_device_logs_20261124t1530z_0_[0-9a-f]{12}"? WITH/),
    ])
    expect(windows[0]!.sql[2]).toContain(`'${lake.raw.uri(key)}'`)
    const linked = await lake.compactor({ engine: lake.athenaEngine({ inputList: 'symlink' }) }).plan({ at })
    expect(linked.windows[0]!.sql[0]).toContain('SymlinkTextInputFormat')
    // Reads only.
    expect(lake.keys('')).toEqual([])
  })

  it('leads to a refusal of what would cost more than allowed, before anything starts', async () => {
    const lake = await memoryLake()
    await lake.put(minute, 0, 1)
    const engine = lake.athenaEngine()
    const dear = lake.compactor({ engine, limits: { maxScannedBytes: 1_000_000 } })
    await expect(dear.run({ at })).rejects.toMatchObject({ cause: { code: 'PIPE_COMPACT_LIMIT', details: { statements: 5 } } })
    expect(lake.keys('_pipe/')).toEqual([])
    await expect(lake.compactor({ limits: { maxCostUsd: 0.000_001 } }).run({ at })).rejects.toThrow(/expected to cost/)
    expect(await lake.compactor({ engine, limits: { maxCostUsd: 1 } }).run({ at })).toMatchObject({ outcome: 'committed' })
    expect(() => lake.compactor({ limits: { maxCosts: 1 } as never })).toThrow(/limits has no option "maxCosts"/)
  })
})

describe('verify', () => {
  it('proves a window from S3 alone, row by row when asked to', async () => {
    const lake = await memoryLake()
    await lake.put(minute, 0, 1, 2)
    await lake.compactor().run({ at })
    await lake.put(minute, 1, 3)
    const report = { ok: true, live: [0], inputRows: 2, outputRows: 2, sources: { same: 1, overwritten: 0, gone: 0 }, waiting: 1 }
    expect(await lake.compactor().verify(window)).toMatchObject({ ...report, rowsCompared: false })
    expect(await lake.compactor().verify(new Date(minute), { rows: true })).toMatchObject({ ...report, rowsCompared: true })
    await lake.raw.delete(key)
    expect(await lake.compactor().verify(window, { rows: true })).toMatchObject({
      ok: true,
      rowsCompared: false,
      sources: { same: 0, gone: 1 },
    })
  })

  it.each([
    ['is gone', async (lake: Awaited<ReturnType<typeof memoryLake>>, file: string) => lake.compacted.delete(file)],
    ['has ETag', async (lake: Awaited<ReturnType<typeof memoryLake>>, file: string) => lake.compacted.put(file, 'x')],
    [
      'lies beside the committed files',
      async (lake: Awaited<ReturnType<typeof memoryLake>>, file: string) => lake.compacted.put(`${file}-copy`, 'x'),
    ],
  ])('sees an output that %s', async (what, damage) => {
    const lake = await memoryLake()
    await lake.put(minute, 0, 1, 2)
    await lake.compactor().run({ at })
    await damage(lake, (await lake.commits())[0]!.outputs[0]!.key)
    const { ok, discrepancies } = await lake.compactor().verify(window)
    expect(ok).toBe(false)
    expect(discrepancies[0]!.what).toContain(what)
  })

  it('sees rows that are not those of the sources', async () => {
    const lake = await memoryLake()
    await lake.put(minute, 0, 1, 2)
    await lake.compactor().run({ at })
    const other = await memoryLake()
    await other.put(minute, 0, 1, 7)
    await other.compactor().run({ at })
    const [ours, theirs] = [(await lake.commits())[0]!, (await other.commits())[0]!]
    const file = await other.compacted.get(theirs.outputs[0]!.key)
    const { etag } = await lake.compacted.put(ours.outputs[0]!.key, await file!.bytes())
    const forged = { ...ours, outputs: [{ ...ours.outputs[0]!, etag, bytes: file!.size }] }
    await lake.compacted.put('_pipe/device_logs/commit/20261124T1530Z/0.json', JSON.stringify(forged))
    expect(await lake.compactor().verify(window)).toMatchObject({ ok: true })
    const { discrepancies } = await lake.compactor().verify(window, { rows: true })
    expect(discrepancies[0]!.what).toMatch(/the outputs hold 2 rows \(digest \w+\), the sources 2/)
  })

  it('takes the id of a window only', async () => {
    const compactor = (await memoryLake()).compactor()
    await expect(compactor.verify('20261124T1532Z')).rejects.toThrow(/not the id of a window/)
    await expect(compactor.verify('yesterday')).rejects.toThrow(/not the id of a window/)
  })
})

describe('explain', () => {
  it('says what became of an object', async () => {
    const lake = await memoryLake()
    const compactor = lake.compactor()
    const status = async () => (await compactor.explain(lake.raw.uri(key))).status
    expect(await status()).toBe('absent')
    await lake.put(minute, 0, 1)
    expect(await compactor.explain(key)).toMatchObject({
      status: 'waiting',
      text: expect.stringContaining('2026-11-24T15:35:00.000Z'),
    })
    await lake.compacted.put(
      '_pipe/device_logs/plan/20261124T1530Z/0.json',
      JSON.stringify({ version: 1, table: 'device_logs', window, seq: 0, inputs: [{ key, etag: 'x', size: 1 }] }),
    )
    expect(await status()).toBe('planned')
    await lake.compacted.delete('_pipe/device_logs/plan/20261124T1530Z/0.json')
    await compactor.run({ at })
    expect(await compactor.explain(key)).toMatchObject({ status: 'committed', seq: 0, rows: 1, quarantinedRows: 0 })
    await lake.put(minute, 0, 9)
    expect(await status()).toBe('overwritten')
    await compactor.run({ at })
    expect(await compactor.explain(key)).toMatchObject({ status: 'quarantined', seq: 1 })
    expect(await compactor.explain('elsewhere/readme.txt')).toMatchObject({ status: 'unplaced' })
    await expect(compactor.explain('s3://other/key')).rejects.toThrow(/does not lie below/)
  })
})

describe('requests', () => {
  it.each([
    ['partitions', {}, 12],
    ['manifest', { publish: 'manifest' }, 12],
  ] as const)('are at most 12 a window beyond its data, and 4 for an idle tick (%s)', async (_, options, most) => {
    const lake = await memoryLake(options)
    for (let index = 0; index < 5; index++) await lake.put(minute, index, index)
    const compactor = lake.compactor()
    const busy = await compactor.run({ at })
    // Data: five reads and one write.
    expect(busy.requests - 6).toBeLessThanOrEqual(most)
    expect((await compactor.run({ at })).requests).toBeLessThanOrEqual(4)
    expect((await lake.compactor().run({ at: new Date('2026-11-24T15:45:00Z') })).requests).toBeLessThanOrEqual(4)
  })

  it('are two more with a lease', async () => {
    const plain = await memoryLake()
    const leased = await memoryLake()
    for (const lake of [plain, leased]) await lake.put(minute, 0, 1)
    const { requests } = await plain.compactor().run({ at })
    const withLease = (await leased.compactor({ lease: '15 minutes' }).run({ at })).requests
    expect(withLease).toBe(requests + 2)
    // Data: one read and one write.
    expect(withLease - 2).toBeLessThanOrEqual(12)
  })
})

describe('backfill', () => {
  it('compacts a range, and does nothing the second time', async () => {
    const lake = await memoryLake()
    for (let hour = 0; hour < 24; hour += 3) await lake.put(`2026-11-24T${String(hour).padStart(2, '0')}:10:00Z`, 0, hour)
    const span = { from: new Date('2026-11-24T00:00:00Z'), to: new Date('2026-11-25T00:00:00Z'), concurrency: 4 }
    const seen: number[] = []
    const first = await lake
      .compactor()
      .backfill({ ...span, onProgress: ({ done, unit }) => unit === 'windows' && seen.push(done) })
    expect(first).toMatchObject({ windows: 288, remaining: [], unplaced: [] })
    expect(first.results.map(({ outcome }) => outcome)).toEqual(Array(8).fill('committed'))
    expect(seen).toHaveLength(288)
    expect(await lake.seen()).toEqual([0, 3, 6, 9, 12, 15, 18, 21])
    expect((await lake.compactor().backfill(span)).results).toEqual([])
  })

  it('leaves the rest at the deadline, and refuses nonsense', async () => {
    const lake = await memoryLake()
    await lake.put(minute, 0, 1)
    const span = { from: new Date('2026-11-24T15:00:00Z'), to: new Date('2026-11-24T16:00:00Z') }
    expect(await lake.compactor().backfill({ ...span, deadline: { remainingMs: () => 0 } })).toMatchObject({
      remaining: [window],
    })
    await expect(lake.compactor().backfill({ ...span, concurrency: 0 })).rejects.toThrow(/from 1 to 64/)
    await expect(lake.compactor().backfill({ ...span, from: new Date('x') })).rejects.toThrow(/"from" must be a valid Date/)
    const reason = new Error('enough')
    await expect(lake.compactor().backfill({ ...span, signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })
})

it('names the folders that no lifecycle rule may touch', async () => {
  expect((await memoryLake()).compactor().protectedPrefixes()).toEqual([
    's3://lake/compacted/_pipe/device_logs/',
    's3://lake/compacted/data/',
  ])
  expect((await memoryLake({ publish: 'manifest' })).compactor().protectedPrefixes()).toContain('s3://lake/compacted/manifest/')
})

it('gives metrics in the embedded format', async () => {
  const lake = await memoryLake()
  await lake.put(minute, 0, 1, 2)
  const result = await lake.compactor().run({ at })
  const line = JSON.parse(metricsOf('device_logs', result, { namespace: 'Pipe', dimensions: { Stage: 'test' }, at }))
  expect(line).toMatchObject({ Table: 'device_logs', Stage: 'test', InputRows: 2, OutputRows: 2, InputFiles: 1, OutputFiles: 1 })
  const { Metrics, Dimensions, Namespace } = line._aws.CloudWatchMetrics[0]
  expect(Namespace).toBe('Pipe')
  expect(Dimensions).toEqual([['Table', 'Stage']])
  for (const { Name } of Metrics) expect(line[Name]).toEqual(expect.any(Number))
})
