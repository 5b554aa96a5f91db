import { AthenaClient } from '@aws-sdk/client-athena'
import { S3Client } from '@aws-sdk/client-s3'
import { createAthena, identifier, sql } from '@pipe/athena-query'
import { column } from '@pipe/core'
import { startLocal, virtualClock } from '@pipe/local'
import { describe, expect, it } from 'vitest'
import { deploy } from '../src/deploy'
import { places } from '../src/places'

describe('the compactor', () => {
  it('commits a window once, however often it is called', { timeout: 120_000 }, async () => {
    await using local = await startLocal({ clock: virtualClock('2026-11-24T15:00:00Z') })
    const s3 = new S3Client(local.aws)
    const client = new AthenaClient(local.aws)
    const athena = createAthena({ database: places.database, output: 's3://lake/results/', client, poll: ['5 ms', '100 ms'] })
    await deploy(local, { s3, athena }, { engine: 'in-process', tick: '1 minute', window: '5 minutes' })
    // The generator's ticks up to 15:06; at 15:05 the window is still in its grace.
    await local.clock.advance('6 minutes')
    const event = { time: '2026-11-24T15:06:00Z' }
    const invoke = async () => {
      const { payload, functionError } = await local.lambda.invoke('log-compactor', event)
      expect(functionError).toBeUndefined()
      const { statusCode, body } = payload as { statusCode: number; body: string }
      expect(statusCode).toBe(200)
      return JSON.parse(body) as { outcome: string; window: { id: string } | string }
    }
    const count = async () =>
      (await athena
        .query(sql`SELECT count(*) AS n FROM ${identifier(places.compactedTable)}`, { returns: { n: column.bigint() } })
        .first())!.n

    const outcomes = (await Promise.all([invoke(), invoke(), invoke()])).map(({ outcome }) => outcome).sort()
    const rows = await count()
    expect(outcomes).toEqual(['already-committed', 'already-committed', 'committed'])
    expect(rows).toBeGreaterThan(7000n)
    expect((await invoke()).outcome).toBe('already-committed')
    expect(await count()).toBe(rows)
    await athena.close()
    client.destroy()
    s3.destroy()
  })
})
