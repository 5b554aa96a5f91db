import { randomUUID } from 'node:crypto'
import { AthenaClient } from '@aws-sdk/client-athena'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { type Athena, createAthena, identifier, sql } from '@pipe/athena-query'
import { column, formatDuration, type S3Location } from '@pipe/core'
import { type Local, startLocal, virtualClock } from '@pipe/local'
import { athenaEngine, compactionDdl, inProcessEngine } from '../../src/index'
import type { Scenario, WorldFactory } from '../../src/testing'
import { gatedClient } from '../../src/testing/gated-client'
import { builtInScenarios } from '../../src/testing/scenario'

/** One local AWS whose S3 and Athena are spoken to by HTTP; each schedule has a bucket and a database of its own in it. */
export interface LocalWorlds {
  readonly world: WorldFactory
  readonly scenarios: readonly Scenario[]
  close(): Promise<void>
}

/** Starts it. Its clock is virtual: objects grow old when a schedule says so. */
export async function startLocalWorlds(): Promise<LocalWorlds> {
  const clock = virtualClock(new Date().toISOString())
  const local: Local = await startLocal({ clock })
  const s3 = new S3Client({ ...local.aws, maxAttempts: 1 })
  const athenaClient = new AthenaClient({ ...local.aws, maxAttempts: 1 })

  const world: WorldFactory = async (template) => {
    const bucket = `lake-${randomUUID().slice(0, 8)}`
    const place = (folder: string): S3Location => `s3://${bucket}/${folder}/`
    const compaction = { ...template, source: place('raw'), target: place('compacted') }
    await s3.send(new CreateBucketCommand({ Bucket: bucket }))
    const database = `db_${randomUUID().slice(0, 8)}`
    const open = (client: AthenaClient): Athena =>
      createAthena({ client, database, output: `s3://${bucket}/results/`, poll: ['2 ms', '20 ms'] })
    const athena = open(athenaClient)
    await athena.execute(`CREATE DATABASE ${database}`)
    for (const statement of compactionDdl(compaction)) await athena.execute(statement)
    return {
      compaction,
      s3,
      athena,
      athenaOf: (worker) => open(gatedClient(athenaClient, worker)),
      visibleRows: () =>
        athena
          .query(sql`SELECT "timestamp", device_name, metric FROM ${identifier(compaction.compacted.name)}`, {
            returns: compaction.table.columns,
          })
          .rows() as Promise<Record<string, unknown>[]>,
      tables: async () => {
        const rows = await athena.query(sql`SHOW TABLES`, { returns: { tab_name: column.string() } }).rows()
        return rows.map(({ tab_name }) => tab_name)
      },
      pass: (ms) => clock.advance(formatDuration(ms)),
      isFast: false,
      close: async () => {},
    }
  }

  return {
    world,
    scenarios: realScenarios(),
    async close() {
      // Clients of workers that died wait for replies that never come: they are not closed.
      s3.destroy()
      athenaClient.destroy()
      await local.close()
    },
  }
}

/** The built-in configurations with DuckDB and the local Athena. Leases need clocks that agree, so they are left to the schedules in memory. */
function realScenarios(): Scenario[] {
  const engines: Readonly<Record<string, Scenario['engine']>> = {
    DuckDB: (_, tempDir) => inProcessEngine({ tempDir }),
    Athena: (athena) => athenaEngine({ athena }),
    'Athena, symlink': (athena) => athenaEngine({ athena, inputList: 'symlink' }),
  }
  const names = new Set(builtInScenarios().map(({ name }) => name.split(' · ')[0]!))
  return [...names].flatMap((name) =>
    Object.entries(engines).map(([engineName, engine]) => {
      const template = builtInScenarios().find((one) => one.name.startsWith(name))!
      return { ...template, name: `${name} · ${engineName}`, engine, lease: undefined }
    }),
  )
}
