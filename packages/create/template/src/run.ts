import { fileURLToPath } from 'node:url'
import { AthenaClient } from '@aws-sdk/client-athena'
import { createAthena, sql } from '@pipe/athena-query'
import { compactionDdl } from '@pipe/compactor'
import { column } from '@pipe/core'
import { applyApp, startLocal, virtualClock } from '@pipe/local'
import app from '../pipe.config'
import { compaction } from './compaction'
import { places } from './places'

/** The hour that is played. */
export const hour = { from: new Date('2026-11-24T15:00:00Z'), to: new Date('2026-11-24T16:00:00Z') }

/** How long the pipeline runs for it. */
export const minutes = 65

/** Rows a device, and the mean of its metric. */
export interface DeviceRow {
  readonly device: string
  readonly readings: bigint
  readonly mean: number
}

/** Plays the hour on the local runtime and asks Athena about it. */
export async function run(onMinute: (minute: number) => void = () => {}): Promise<readonly DeviceRow[]> {
  await using local = await startLocal({ clock: virtualClock(hour.from.toISOString()) })
  await applyApp(local, app, fileURLToPath(new URL('..', import.meta.url)))
  const client = new AthenaClient(local.aws)
  await using athena = createAthena({ database: places.database, output: places.results, client, poll: ['5 ms', '250 ms'] })
  await athena.execute(`CREATE DATABASE IF NOT EXISTS ${places.database}`)
  for (const statement of compactionDdl(compaction, { database: places.database })) await athena.execute(statement)

  // One window more: the last one of the hour waits for its grace.
  for (let minute = 1; minute <= minutes; minute++) {
    await local.clock.advance('1 minute')
    const [failure] = local.events.failures
    if (failure !== undefined) throw new Error(`${failure.functionName} failed: ${failure.message}`)
    onMinute(minute)
  }
  const query = sql`
    SELECT device_name AS device, count(*) AS readings, avg(metric) AS mean
    FROM device_logs_compacted GROUP BY device_name ORDER BY device_name`
  return await athena
    .query(query, { returns: { device: column.string(), readings: column.bigint(), mean: column.double() } })
    .rows()
}
