import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { sql } from '@pipe/athena-query'
import { column } from '@pipe/core'
import { injectFaults, type NetworkFault } from '@pipe/testkit'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { mapBounded } from '../src/engine/map-bounded'
import { athenaEngine, type CommitRecord, type Compaction, createCompactor, inProcessEngine } from '../src/index'
import { parquetRows, readByCore } from './engine/exact-rows'
import { flatTable, hostileLines } from './engine/hostile-lines'
import { deviceLogs, keyOf, type Lake, type LakeServer, line, putLines, readableRows, rowsOf, startLakes } from './lake'

let server: LakeServer
let lake: Lake
beforeAll(async () => {
  server = await startLakes()
})
afterAll(() => server.close())
beforeEach(async () => {
  lake = await server.lake()
})
afterEach(() => lake.close())

const at = new Date('2026-11-24T15:35:00Z')

async function start(compaction: Compaction = lake.compaction()) {
  const athena = await lake.athena(compaction)
  const compactor = createCompactor({ compaction, engine: athenaEngine({ athena }), client: lake.client() })
  /** Rows that readers see through the compacted table. */
  const published = async () => {
    const rows = await athena
      .query(sql`SELECT "timestamp", device_name, metric FROM ${compaction.compacted}`, {
        returns: { timestamp: column.timestamp(), device_name: column.string(), metric: column.double() },
      })
      .rows()
    return rows
      .map((row) => JSON.stringify([row.timestamp.toISOString().replace('T', ' ').replace('Z', ''), row.device_name, row.metric]))
      .sort()
  }
  return { athena, compactor, published }
}

async function putWindow(start: string): Promise<void> {
  for (let minute = 0; minute < 5; minute++) {
    const time = new Date(Date.parse(start) + minute * 60_000).toISOString().replace('.000', '')
    await putLines(lake.raw, keyOf(time), [line(time, 'd1', minute + 0.5), line(time, `d'"; DROP\n😀`, 0.1 + minute)])
  }
}

/** `PIPE_PROPERTY_RUNS=500` looks longer for hostile lines that the engines read differently. */
const propertyRuns = Number(process.env['PIPE_PROPERTY_RUNS'] ?? 8)

/**
 * Compacts a window in a lake of its own, with a fault at the request of the given name, and once more without. Returns the names of the
 * requests; those that ask how a statement is getting on share one, as their number depends on how fast it is.
 */
async function runBroken(fault: NetworkFault, broken: string | undefined): Promise<string[]> {
  const own = await server.lake()
  const compaction = own.compaction()
  const main = await own.athena(compaction)
  await putLines(own.raw, keyOf('2026-11-24T15:31:00Z'), [line('2026-11-24T15:31:00Z', 'd1', 1), 'noise'])
  await putLines(own.raw, keyOf('2026-11-24T15:32:00Z'), [line('2026-11-24T15:32:00Z', 'd2', 2)])
  const { client, athena } = own.athenaClient(main)
  const seen = new Set<string>()
  let statements = 0
  injectFaults(client, ({ command }) => {
    if (command === 'StartQueryExecutionCommand') statements++
    const name = `${command} ${statements}`
    const isFirst = !seen.has(name)
    seen.add(name)
    return isFirst && name === broken ? fault : undefined
  })
  // A lost request may kill the run; what matters is what stands afterwards.
  const first = await createCompactor({ compaction, engine: athenaEngine({ athena }), client: own.client() })
    .run({ at })
    .catch((error: unknown) => error)
  if (first instanceof Error) expect(first.message).toMatch(/^PIPE_/)
  if (broken !== undefined) expect(seen).toContain(broken)
  const last = await createCompactor({ compaction, engine: athenaEngine({ athena: main }), client: own.client() }).run({ at })
  expect(last).toMatchObject({ outputRows: 2, quarantinedRows: 1, published: true })
  const counted = await main
    .query(sql`SELECT count(*) AS n FROM ${compaction.compacted}`, { returns: { n: column.bigint() } })
    .rows()
  expect(counted).toEqual([{ n: 2n }])
  await own.close()
  return [...seen]
}

describe('the Athena engine', () => {
  it('turns a window into one Parquet file and publishes it', async () => {
    await putWindow('2026-11-24T15:30:00Z')
    const { compactor, published } = await start()
    const result = await compactor.run({ at })
    expect(result).toMatchObject({
      outcome: 'committed',
      engine: 'athena',
      inputRows: 10,
      outputRows: 10,
      published: true,
      statements: 4,
    })
    expect(result.outputs).toHaveLength(1)
    expect(await published()).toEqual((await readableRows(lake.raw, deviceLogs)).rows)
    expect(await compactor.run({ at })).toMatchObject({ outcome: 'already-committed', statements: 0, published: true })
  })

  it('reads suspect objects in process and still writes one file', async () => {
    const good = line('2026-11-24T15:30:00Z', 'd1', 1)
    await putLines(lake.raw, keyOf('2026-11-24T15:30:00Z'), [good, 'noise', good])
    await putLines(lake.raw, keyOf('2026-11-24T15:31:00Z'), Array(50).fill(good), {
      bytes: (gz) => gz.subarray(0, gz.length - 20),
    })
    await putLines(lake.raw, keyOf('2026-11-24T15:32:00Z'), [good, `${good.slice(0, -1)},"extra":1}`, ''], { rows: 'none' })
    await lake.raw.put(keyOf('2026-11-24T15:33:00Z'), '')
    const gz = await lake.raw.get(keyOf('2026-11-24T15:30:00Z'))
    await lake.raw.put(keyOf('2026-11-24T15:34:00Z', 0, 'json'), await gz!.bytes())
    await putLines(lake.raw, keyOf('2026-11-24T15:34:00Z', 1), [good, good])
    await putLines(lake.raw, keyOf('2026-11-24T15:34:00Z', 2), [good, good], { rows: 3 })
    const { compactor, published } = await start()
    const result = await compactor.run({ at })
    const truth = await readableRows(lake.raw, deviceLogs)
    expect(result).toMatchObject({ outcome: 'committed', outputRows: truth.rows.length, quarantinedRows: truth.unreadable })
    expect(result.outputs).toHaveLength(1)
    expect(await published()).toEqual(truth.rows)
  })

  it('commits a window of which nothing is readable', async () => {
    await putLines(lake.raw, keyOf('2026-11-24T15:30:00Z'), ['noise', '{}'])
    const { compactor, published } = await start()
    expect(await compactor.run({ at })).toMatchObject({ outcome: 'committed', outputs: [], quarantinedRows: 2, inputRows: 2 })
    expect(await published()).toEqual([])
    expect(await compactor.run({ at })).toMatchObject({ outcome: 'already-committed' })
  })

  it('continues what the in-process engine began, and publishes it', async () => {
    await putWindow('2026-11-24T15:30:00Z')
    const compaction = lake.compaction()
    expect(await createCompactor({ compaction, engine: inProcessEngine(), client: lake.client() }).run({ at })).toMatchObject({
      published: false,
    })
    await putLines(lake.raw, keyOf('2026-11-24T15:31:00Z', 7), [line('2026-11-24T15:31:00Z', 'late', 1)])
    const { compactor, published } = await start(compaction)
    const result = await compactor.run({ at: new Date('2026-11-24T15:40:00Z') })
    expect(result.sweep).toMatchObject([{ outcome: 'committed', seq: 1, published: true }])
    expect(await published()).toEqual((await readableRows(lake.raw, deviceLogs)).rows)
  })

  it('gives what the in-process engine gives', async () => {
    const good = line('2026-11-24T15:30:00Z', 'd1', 1)
    await putLines(lake.raw, keyOf('2026-11-24T15:30:00Z'), [
      good,
      good.replace('1}', '"1.5"}'),
      good.replace(':1}', ': -0.0}'),
      good.replace('d1', '\\u00e9\\t'),
    ])
    const other = await server.lake()
    for await (const { key } of lake.raw.list()) {
      const object = (await lake.raw.get(key))!
      await other.raw.put(key, await object.bytes(), { metadata: object.metadata })
    }
    const { compactor } = await start()
    const ours = await compactor.run({ at })
    const theirs = await createCompactor({
      compaction: other.compaction(),
      engine: inProcessEngine(),
      client: other.client(),
    }).run({ at })
    const relative = (uris: readonly string[]) => uris.map((uri) => uri.split('/compacted/')[1]!)
    expect(await rowsOf(lake.compacted, relative(ours.outputs))).toEqual(await rowsOf(other.compacted, relative(theirs.outputs)))
    expect(ours.quarantinedRows).toBe(theirs.quarantinedRows)
    await other.close()
  })

  it(
    'reads hostile lines exactly as the reader of @pipe/core does',
    async () => {
      const compaction = lake.compaction({ table: flatTable })
      const { compactor } = await start(compaction)
      let hour = 0
      await fc.assert(
        fc.asyncProperty(fc.array(hostileLines(flatTable, { maxLength: 6 }), { minLength: 12, maxLength: 12 }), async (files) => {
          const window = new Date(Date.parse('2026-11-25T00:00:00Z') + hour++ * 3_600_000)
          const truth: unknown[][] = []
          let unreadable = 0
          for (const [i, lines] of files.entries()) {
            const key = keyOf(window.toISOString(), i)
            // A lone carriage return ends a line in Athena, but not here; a stamp tells the two apart.
            await putLines(lake.raw, key, lines)
            const object = await lake.raw.get(key)
            const found = await readByCore(Buffer.from(await object!.bytes()), key, flatTable, lines.length)
            truth.push(...found.rows)
            unreadable += found.unreadable.reduce((sum, { rows }) => sum + rows, 0)
          }
          const result = await compactor.run({ at: new Date(window.getTime() + 300_000) })
          expect(result).toMatchObject({ outcome: 'committed', outputRows: truth.length, quarantinedRows: unreadable })
          const rows: unknown[][] = []
          for (const uri of result.outputs) {
            const file = join(await mkdtemp(join(tmpdir(), 'pipe-athena-')), 'out.parquet')
            await writeFile(file, await (await lake.compacted.get(uri.slice(lake.compacted.location.length)))!.bytes())
            rows.push(...(await parquetRows(file, flatTable)))
            await rm(dirname(file), { recursive: true })
          }
          const sorted = (some: unknown[][]) => some.map((row) => JSON.stringify(row)).sort()
          expect(sorted(rows)).toEqual(sorted(truth))
        }),
        { numRuns: propertyRuns },
      )
    },
    120_000 + propertyRuns * 5000,
  )

  it('says what to do when the tables are missing', async () => {
    await putWindow('2026-11-24T15:30:00Z')
    const { athena, compactor } = await start()
    await athena.execute('DROP TABLE device_logs_lines')
    await expect(compactor.run({ at })).rejects.toThrow(/device_logs_lines.*compactionDdl/s)
  })

  it('leaves nothing in the catalogue but its two tables', async () => {
    await putLines(lake.raw, keyOf('2026-11-24T15:30:00Z'), ['noise', line('2026-11-24T15:30:00Z', 'd1', 1)])
    const { athena, compactor } = await start()
    await compactor.run({ at })
    for (const table of ['device_logs_lines', 'device_logs_compacted']) await athena.execute(`DROP TABLE ${table}`)
    // Athena drops a database only when it is empty.
    await athena.execute(`DROP DATABASE ${athena.database}`)
  })

  it('keeps its commits when one of them is read back', async () => {
    await putWindow('2026-11-24T15:30:00Z')
    const { compactor } = await start()
    await compactor.run({ at })
    const commit = JSON.parse(
      await (await lake.compacted.get('_pipe/device_logs/commit/20261124T1530Z/0.json'))!.text(),
    ) as CommitRecord
    expect(commit).toMatchObject({ version: 1, outcome: 'committed', engine: 'athena', inputRows: 10, outputRows: 10 })
    expect(commit.inputs).toHaveLength(5)
    expect(commit.inputs[0]).toMatchObject({ rows: 2, quarantinedRows: 0 })
  })

  it.each<NetworkFault>(['request-lost', 'reply-lost', 'sent-twice', 'server-error'])(
    'survives %s at any one request to Athena',
    async (fault) => {
      const requests = await runBroken(fault, undefined)
      expect(requests.length).toBeGreaterThan(8)
      // To a read, a reply that is lost or comes twice is what a lost request or nothing is.
      const isOfWrites = fault === 'reply-lost' || fault === 'sent-twice'
      const broken = requests.filter((name) => !isOfWrites || name.startsWith('StartQueryExecution'))
      expect(broken.length).toBeGreaterThan(3)
      await mapBounded(broken, 4, (name) => runBroken(fault, name))
    },
    180_000,
  )

  it('writes one file a statement when the names of a window do not fit into one', async () => {
    const device = 'x'.repeat(900)
    const keys = Array.from({ length: 300 }, (_, i) => `dt=2026-11-24/hour=15/${device}-20261124T1531Z-${i}.ndjson`)
    await mapBounded(keys, 16, (key) => putLines(lake.raw, key, [line('2026-11-24T15:31:00Z', 'd1', 1)]))
    const { compactor, published } = await start()
    const result = await compactor.run({ at })
    expect(result).toMatchObject({ outcome: 'committed', files: 300, outputRows: 300 })
    expect(result.outputs).toHaveLength(2)
    expect(await published()).toHaveLength(300)
  }, 120_000)
})
