import { GetBucketLifecycleConfigurationCommand } from '@aws-sdk/client-s3'
import { addPartitionsDdl } from '@pipe/core'
import { describe, expect, it } from 'vitest'
import { collectGarbage, doctor, repair, retireSources } from '../../src/maintenance'
import { at, memoryLake } from '../memory-lake'

const minute = '2026-11-24T15:30:00Z'
const hourMs = 3_600_000
const clients = (lake: Awaited<ReturnType<typeof memoryLake>>) => ({
  compaction: lake.compaction,
  athena: lake.athena.client,
  client: lake.s3.client,
})
const span = { from: new Date('2026-11-24T15:00:00Z'), to: new Date('2026-11-24T16:00:00Z') }

/** A lake with a commit, and an attempt that died behind its output. */
async function withDeadAttempt() {
  const lake = await memoryLake()
  await lake.put(minute, 0, 1)
  const inner = lake.compactor().engine
  const dying = {
    ...inner,
    async run(job: Parameters<typeof inner.run>[0]) {
      await inner.run(job)
      throw new Error('killed')
    },
  }
  await expect(lake.compactor({ engine: dying }).run({ at })).rejects.toThrow('killed')
  await lake.compactor().run({ at })
  return lake
}

describe('collectGarbage', () => {
  it('says what it would delete, then deletes it, and nothing else', async () => {
    const lake = await withDeadAttempt()
    await lake.compacted.put('data/20261124T1530Z/0-000000000000/foreign', 'x')
    expect(lake.keys('data/')).toHaveLength(3)
    expect(await collectGarbage(clients(lake))).toMatchObject({ applied: false, objects: 0, young: 2 })
    lake.s3.age(25 * hourMs)
    const dry = await collectGarbage(clients(lake))
    expect(dry).toMatchObject({ applied: false, objects: 3, young: 0, tables: [] })
    expect(dry.garbage.map(({ why }) => why).sort()).toEqual(['attempt died', 'attempt died', 'attempt ended'])
    expect(lake.keys('data/')).toHaveLength(3)
    expect(await collectGarbage({ ...clients(lake), apply: true })).toMatchObject({ applied: true, objects: 3 })
    const [commit] = await lake.commits()
    expect(lake.keys('data/').sort()).toEqual(
      [commit!.outputs[0]!.key, 'data/20261124T1530Z/0-000000000000/foreign'].map((key) => `compacted/${key}`).sort(),
    )
    expect(await collectGarbage({ ...clients(lake), apply: true })).toMatchObject({ objects: 0 })
    expect(await lake.seen()).toEqual([1])
  })

  it('deletes files that a roll-up has replaced once nobody is shown them', async () => {
    const lake = await memoryLake({ publish: 'manifest' })
    await lake.put('2026-11-24T15:00:00Z', 0, 1)
    await lake.put(minute, 0, 2)
    await lake.compactor().backfill(span)
    await lake.compactor().rollUp({ at: span.to })
    lake.s3.age(25 * hourMs)
    const options = { ...clients(lake), since: span.from, apply: true }
    const { garbage } = await collectGarbage(options)
    expect(garbage.filter(({ why }) => why === 'replaced')).toHaveLength(2)
    expect(lake.keys('data/')).toHaveLength(1)
    expect(await lake.seen()).toEqual([1, 2])
    expect(await collectGarbage(options)).toMatchObject({ objects: 0 })
  })

  it('goes by the clock of S3, not by that of this machine', async () => {
    const lake = await withDeadAttempt()
    // A machine two days ahead would see attempts two days old.
    lake.s3.age(2 * hourMs)
    const now = Date.now
    Date.now = () => now() + 48 * hourMs
    try {
      expect(await collectGarbage({ ...clients(lake), apply: true })).toMatchObject({ objects: 0, young: 2 })
    } finally {
      Date.now = now
    }
  })

  it('does nothing by a record that names what is not its own', async () => {
    const lake = await withDeadAttempt()
    const key = lake.keys('_pipe/device_logs/attempt/')[0]!.slice('compacted/'.length)
    const record = JSON.parse(await (await lake.compacted.get(key))!.text())
    await lake.compacted.put(key, JSON.stringify({ ...record, data: 'data/' }))
    lake.s3.age(25 * hourMs)
    await expect(collectGarbage({ ...clients(lake), apply: true })).rejects.toMatchObject({ code: 'PIPE_COMPACT_STATE' })
    expect(await lake.seen()).toEqual([1])
  })

  it('refuses an age at which attempts may still commit', async () => {
    const lake = await memoryLake()
    await expect(collectGarbage({ ...clients(lake), minAge: '1 hour' })).rejects.toThrow(/too short/)
    await expect(collectGarbage({ compaction: {} as never })).rejects.toThrow(/defineCompaction/)
  })
})

describe('retireSources', () => {
  it('deletes committed sources that readers are shown, a day later', async () => {
    const lake = await memoryLake()
    await lake.put(minute, 0, 1)
    await lake.put(minute, 1, 2)
    await lake.raw.put('dt=2026-11-24/hour=15/device_logs-20261124T1533Z-0.ndjson', 'noise\n')
    await lake.compactor().run({ at })
    await lake.put(minute, 1, 9)
    const raw = () => lake.s3.keys('lake', 'raw/').length
    const young = await retireSources({ ...clients(lake), ...span, apply: true })
    expect(young).toMatchObject({ objects: 0, leftAlone: expect.arrayContaining(['20261124T1530Z']) })
    lake.s3.age(25 * hourMs)
    const expected = { objects: 1, quarantined: 1, overwritten: 1 }
    expect(await retireSources({ ...clients(lake), ...span })).toMatchObject({ applied: false, ...expected })
    expect(raw()).toBe(3)
    expect(await retireSources({ ...clients(lake), ...span, apply: true })).toMatchObject({ applied: true, ...expected })
    expect(raw()).toBe(2)
    expect(await retireSources({ ...clients(lake), ...span, apply: true })).toMatchObject({ objects: 0 })
    expect(await lake.seen()).toEqual([1, 2])
  })

  it('leaves alone what the catalogue does not serve', async () => {
    for (const publish of ['partitions', 'manifest'] as const) {
      const lake = await memoryLake({ publish })
      await lake.put(minute, 0, 1)
      await lake.compactor().run({ at })
      lake.s3.age(25 * hourMs)
      if (publish === 'manifest') await lake.compacted.put('manifest/dt=2026-11-24/hour=15/files', '')
      else
        await lake.athena.client.execute(
          "ALTER TABLE `device_logs_compacted` DROP IF EXISTS PARTITION (`dt` = '2026-11-24', `hour` = '15', `batch` = '20261124T1530Z-0')",
        )
      expect(await retireSources({ ...clients(lake), ...span, apply: true })).toMatchObject({ objects: 0 })
      await repair({ ...clients(lake), apply: true })
      lake.s3.age(25 * hourMs)
      expect(await retireSources({ ...clients(lake), ...span, apply: true })).toMatchObject({ objects: 1 })
    }
  })

  it('refuses a delay that is shorter than a query', async () => {
    await expect(retireSources({ ...clients(await memoryLake()), ...span, after: '1 hour' })).rejects.toThrow(/too short/)
  })
})

describe('repair', () => {
  it('adds what is missing and drops what no commit makes', async () => {
    const lake = await memoryLake()
    await lake.put(minute, 0, 1)
    await lake.put('2026-11-24T15:25:00Z', 0, 2)
    await createUnpublished(lake)
    const [commit] = await lake.commits()
    const folder = commit!.outputs[0]!.key.replace(/[^/]*$/, '')
    const values = { dt: '2026-11-24', hour: '15', batch: 'sabotage' }
    await lake.athena.client.execute(
      addPartitionsDdl({ name: 'device_logs_compacted' }, [{ values, location: `s3://lake/compacted/${folder}` }]),
    )
    expect(await lake.seen()).toEqual([2])
    const dry = await repair(clients(lake))
    expect(dry).toMatchObject({
      applied: false,
      commits: 2,
      added: ['2026-11-24/15/20261124T1525Z-0', '2026-11-24/15/20261124T1530Z-0'],
      dropped: ['2026-11-24/15/sabotage'],
    })
    expect(await repair({ ...clients(lake), apply: true })).toMatchObject({ applied: true })
    expect(await lake.seen()).toEqual([1, 2])
    expect(await repair(clients(lake))).toMatchObject({ added: [], dropped: [] })
  })

  it('derives lists of files from the commits alone', async () => {
    const lake = await memoryLake({ publish: 'manifest' })
    await lake.put('2026-11-24T15:00:00Z', 0, 1)
    await lake.put(minute, 0, 2)
    await lake.compactor().backfill(span)
    await lake.compactor().rollUp({ at: span.to })
    const manifest = 'manifest/dt=2026-11-24/hour=15/files'
    const text = async () => (await lake.compacted.get(manifest))?.text()
    const wanted = await text()
    await lake.compacted.delete(manifest)
    expect(await repair({ ...clients(lake), apply: true })).toMatchObject({ lists: 1 })
    expect(await text()).toBe(wanted)
    expect(await lake.seen()).toEqual([1, 2])
  })

  async function createUnpublished(lake: Awaited<ReturnType<typeof memoryLake>>) {
    const { createCompactor } = await import('../../src/index')
    const { engine } = lake.compactor()
    await createCompactor({ compaction: lake.compaction, engine, client: lake.s3.client }).run({ at })
  }
})

describe('doctor', () => {
  const withRules = (lake: Awaited<ReturnType<typeof memoryLake>>, answer: () => unknown) => ({
    ...lake.s3.client,
    send: (command: { constructor: { name: string } }) =>
      command.constructor.name === GetBucketLifecycleConfigurationCommand.name
        ? Promise.resolve().then(answer)
        : (lake.s3.client as unknown as { send(command: object): Promise<unknown> }).send(command),
  })
  const findings = async (lake: Awaited<ReturnType<typeof memoryLake>>, options: object = {}) => {
    const { findings: found } = await doctor({ ...clients(lake), ...options })
    return Object.fromEntries(found.map(({ name, status, text }) => [name, `${status}: ${text}`]))
  }

  it('finds a sound set-up sound, and leaves nothing behind', async () => {
    const lake = await memoryLake()
    await lake.put(minute, 0, 1)
    await lake.compactor().run({ at })
    const rule = { ID: 'abort', Status: 'Enabled', AbortIncompleteMultipartUpload: { DaysAfterInitiation: 2 } }
    const found = await findings(lake, { client: withRules(lake, () => ({ Rules: [rule] })) })
    expect(Object.values(found).map((text) => text.split(':')[0])).toEqual(Array(7).fill('ok'))
    expect(lake.keys('_pipe/device_logs/doctor/')).toEqual([])
  })

  it('sees missing rules, rules that eat data, foreign objects, missing tables', async () => {
    const lake = await memoryLake()
    const none = () => Promise.reject(Object.assign(new Error('none'), { name: 'NoSuchLifecycleConfiguration' }))
    expect((await findings(lake, { client: withRules(lake, none) }))['lifecycle rules']).toMatch(
      /^warning: No rule of lake aborts/,
    )
    const eating = { ID: 'old', Status: 'Enabled', Filter: { Prefix: 'compacted/' }, Expiration: { Days: 30 } }
    const eaten = await findings(lake, { client: withRules(lake, () => ({ Rules: [eating] })) })
    expect(eaten['lifecycle rules']).toMatch(/^failed: The rule "old" expires/)
    expect((await findings(lake))['lifecycle rules']).toMatch(/^unknown/)
    expect((await findings(lake))['source']).toMatch(/^warning: There is nothing below/)
    await lake.compacted.put('report.csv', 'x')
    expect((await findings(lake))['target prefix']).toMatch(/^warning: It is not empty: 1 objects.*report\.csv/)
    await lake.athena.client.execute('DROP TABLE IF EXISTS `device_logs_compacted`')
    expect((await findings(lake))['tables']).toMatch(/^failed: There is no table device_logs_compacted/)
  })

  it('sees a workgroup that enforces its place, and a service without conditional writes', async () => {
    const lake = await memoryLake()
    const athenaClient = (Configuration: object) => ({ send: async () => ({ WorkGroup: { Configuration } }), destroy() {} })
    const enforced = { athenaClient: athenaClient({ EnforceWorkGroupConfiguration: true }) }
    expect((await findings(lake, { ...enforced, usesAthenaEngine: true }))['workgroup']).toMatch(
      /^failed: The workgroup primary enforces/,
    )
    expect((await findings(lake, enforced))['workgroup']).toMatch(/^ok/)
    const client = {
      ...lake.s3.client,
      send: (command: { input: object }) => {
        const { IfNoneMatch: _, ...input } = command.input as Record<string, unknown>
        return (lake.s3.client as unknown as { send(command: object): Promise<unknown> }).send({
          constructor: command.constructor,
          input,
        })
      },
    }
    expect((await findings(lake, { client }))['target']).toMatch(/^failed: A create-only write/)
  })
})
