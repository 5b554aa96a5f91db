import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { lineScanners } from '../src/engine/line-scanner'
import { scanFile } from '../src/engine/scan-file'
import { inProcessEngine } from '../src/index'
import { deviceLogs, line } from './lake'
import { at, memoryLake, window } from './memory-lake'

const minute = '2026-11-24T15:30:00Z'

it('a window of 50 000 objects is one file and one commit', async () => {
  const lake = await memoryLake()
  const text = `${line(minute, 'd1', 1)}\n`
  const send = (lake.s3.client as unknown as { send(command: object): Promise<unknown> }).send
  for (let i = 0; i < 50_000; i++) {
    const Key = `raw/dt=2026-11-24/hour=15/device_logs-20261124T1530Z-${i}of50000-0badcafe.ndjson`
    await send({ constructor: { name: 'PutObjectCommand' }, input: { Bucket: 'lake', Key, Body: text } })
  }
  const plan = await lake.compactor().plan({ at })
  expect(plan.windows).toMatchObject([{ files: 50_000 }])
  const result = await lake.compactor().run({ at })
  expect(result).toMatchObject({ outcome: 'committed', files: 50_000, outputRows: 50_000 })
  expect(result.outputs).toHaveLength(1)
  // Fifty pages a listing of the sources, of which there are two.
  expect(result.requests - 50_001).toBeLessThan(120)
}, 240_000)

it('one line of 2 GB is quarantined in bounded memory', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'pipe-long-'))
  try {
    const path = join(dir, 'long.ndjson.gz')
    // A gzip may have many members: two gigabytes of text are two megabytes on disk.
    const member = gzipSync(Buffer.alloc(16 * 1024 * 1024, 'x'))
    const members = Array<Buffer>(128).fill(member)
    const edge = (text: string) => gzipSync(text)
    const good = line(minute, 'd1', 1)
    await writeFile(path, Buffer.concat([edge(`${good}\n`), ...members, edge(`\n${good}\n`)]))
    const unreadable: { reason: string; line?: number | undefined; offset?: number | undefined; raw?: string | undefined }[] = []
    let taken = 0
    const sink = {
      takeBytes(bytes: Uint8Array) {
        taken += bytes.length
      },
      takeRow: () => {},
      takeUnreadable: (row: (typeof unreadable)[number]) => void unreadable.push(row),
    }
    const before = process.memoryUsage().rss
    const account = await scanFile(
      { name: path, content: { path } },
      deviceLogs,
      { format: 'ndjson', header: false },
      lineScanners(deviceLogs),
      sink,
      undefined,
    )
    expect(account).toEqual({ rows: 3, quarantinedRows: 1 })
    expect(taken).toBe(2 * (good.length + 1))
    expect(unreadable).toMatchObject([{ line: 2, reason: expect.stringContaining('longer than 33554432 bytes') }])
    expect(unreadable[0]!.raw!.length).toBeLessThanOrEqual(1024)
    expect(process.memoryUsage().rss - before).toBeLessThan(400 * 1024 * 1024)
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}, 240_000)

it('partitions × buckets above 100 are refused before anything starts', async () => {
  const lake = await memoryLake()
  expect(() => lake.athenaEngine({ buckets: 101 })).toThrow(/PIPE_COMPACT_WRITERS.*at most 100 \(partitions × buckets\)/)
  expect(() => lake.athenaEngine({ buckets: 0 })).toThrow(/from 1 to 100/)
  expect(lake.athenaEngine({ buckets: 100 }).name).toBe('athena')
})

it('ORC asked of the in-process engine is refused, with the way to it', () => {
  expect(() => inProcessEngine({ format: 'orc' as never })).toThrow(/PIPE_COMPACT_FORMAT.*cannot write ORC.*athena\.ctas/s)
})

it('a target that is not empty is left as it is', async () => {
  const lake = await memoryLake()
  const foreign = ['data/part-0.parquet', `data/${window}/notes.txt`, 'manifest.json', '_pipe/other_table/commit/x.json']
  for (const key of foreign) await lake.compacted.put(key, 'not ours')
  await lake.put(minute, 0, 1)
  expect(await lake.compactor().run({ at })).toMatchObject({ outcome: 'committed' })
  expect(await lake.seen()).toEqual([1])
  expect(await lake.compactor().verify(window)).toMatchObject({ ok: true })
  for (const key of foreign) expect(await (await lake.compacted.get(key))!.text()).toBe('not ours')
})

it('a commit at a place where something else lies is no commit', async () => {
  const lake = await memoryLake()
  await lake.put(minute, 0, 1)
  await lake.compacted.put(`_pipe/device_logs/commit/${window}/0.json`, 'not ours')
  await expect(lake.compactor().run({ at })).rejects.toMatchObject({ cause: { code: 'PIPE_COMPACT_STATE' } })
  expect(await lake.seen()).toEqual([])
})

it('functions whose clocks disagree compact each window once', async () => {
  const lake = await memoryLake()
  await lake.put(minute, 0, 1)
  await lake.put('2026-11-24T15:35:00Z', 0, 2)
  const now = Date.now
  try {
    for (const skew of [-3_600_000, 0, 3_600_000]) {
      Date.now = () => now() + skew
      await Promise.all([lake.compactor({ lease: '15 minutes' }).run({ at }), lake.compactor().run({ at })])
    }
  } finally {
    Date.now = now
  }
  expect(await lake.compactor().run({ at })).toMatchObject({ outcome: 'already-committed' })
  expect(await lake.commits()).toHaveLength(1)
  expect(await lake.seen()).toEqual([1])
})
