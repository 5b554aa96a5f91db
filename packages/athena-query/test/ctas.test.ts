import { PipeError } from '@pipe/core'
import { describe, expect, it } from 'vitest'
import { type CtasSqlOptions, createAthena, ctasSql, renderSql, sql } from '../src/index'
import { startFakeAthena } from './fake-athena'

const base: CtasSqlOptions = {
  table: 'w_1',
  as: sql`SELECT * FROM raw WHERE device_name = ${"it's"} -- all`,
  location: 's3://lake/compacted/w_1/',
}

describe('ctasSql', () => {
  it('makes one Snappy Parquet file a bucket', () => {
    expect(renderSql(ctasSql({ ...base, buckets: { by: ["device'name"], count: 1 } }))).toBe(`CREATE TABLE "w_1" WITH (
  format = 'PARQUET',
  parquet_compression = 'SNAPPY',
  bucketed_by = ARRAY['device''name'],
  bucket_count = 1,
  external_location = 's3://lake/compacted/w_1/'
) AS
SELECT * FROM raw WHERE device_name = 'it''s' -- all
`)
  })

  it.each([
    [{ format: 'ORC' }, "format = 'ORC',\n  external"],
    [{ format: 'ORC', compression: 'ZSTD' }, "orc_compression = 'ZSTD'"],
    [{ format: 'JSON', compression: 'GZIP' }, "write_compression = 'GZIP'"],
    [{ compression: 'NONE' }, "parquet_compression = 'NONE'"],
  ] as const)('%j', (options, text) => {
    expect(renderSql(ctasSql({ ...base, ...options }))).toContain(text)
  })

  it.each([
    [{ table: 'db.t' }, 'PIPE_CONFIG'],
    [{ table: '' }, 'PIPE_ATHENA_NAME'],
    [{ as: 'SELECT 1' }, 'PIPE_ATHENA_SQL'],
    [{ location: 's3://lake/x' }, 'PIPE_LOCATION'],
    [{ format: 'AVRO' }, 'PIPE_CONFIG'],
    [{ format: 'ORC', compression: 'GZIP' }, 'PIPE_CONFIG'],
    [{ buckets: { by: ['a'], count: 101 } }, 'PIPE_CONFIG'],
    [{ buckets: { by: [], count: 1 } }, 'PIPE_CONFIG'],
    [{ partitions: [] }, 'PIPE_CONFIG'],
  ])('refuses %j', (options, code) => {
    try {
      ctasSql({ ...base, ...options } as unknown as CtasSqlOptions)
    } catch (error) {
      expect(PipeError.isInstance(error) && error.code).toBe(code)
      return
    }
    throw new Error('nothing was thrown')
  })
})

it('ctas() reports the rows written', async () => {
  const fake = await startFakeAthena()
  fake.when(/^CREATE TABLE/, {
    substatementType: 'CREATE_TABLE_AS_SELECT',
    updateCount: 12,
    columns: [{ name: 'rows', type: 'bigint' }],
  })
  const athena = createAthena({ client: fake.client, poll: ['1 ms', '5 ms'] })
  const phases: string[] = []
  const report = await athena.ctas({ ...base, database: 'logs', onProgress: ({ phase }) => phases.push(phase) })
  expect(report.updatedRows).toBe(12)
  expect(phases).toContain('running')
  expect(fake.executions[0]!.input).toMatchObject({ QueryExecutionContext: { Database: 'logs' } })
  await fake.close()
})
