import { column, daily, defineTable, PipeError } from '@pipe/core'
import { describe, expect, it } from 'vitest'
import {
  createViewSql,
  ctasSql,
  deallocateSql,
  dropViewSql,
  executeSql,
  formatTime,
  parseTime,
  prepareSql,
  projectionSql,
  renderSql,
  sql,
  type UnloadSqlOptions,
  unloadSql,
} from '../../src/index'

const codeOf = (run: () => unknown) => {
  try {
    run()
  } catch (error) {
    if (PipeError.isInstance(error)) return error.code
    throw error
  }
  throw new Error('nothing was thrown')
}

describe('statements', () => {
  it('views', () => {
    expect(renderSql(createViewSql('busy', sql`SELECT ${"it's"} AS x`))).toBe(
      `CREATE OR REPLACE VIEW "busy" AS\nSELECT 'it''s' AS x`,
    )
    expect(renderSql(dropViewSql('busy'))).toBe('DROP VIEW IF EXISTS "busy"')
  })

  it('prepared statements', () => {
    expect(renderSql(prepareSql('of_device', sql`SELECT * FROM t WHERE a = ?`))).toBe(
      'PREPARE of_device FROM\nSELECT * FROM t WHERE a = ?',
    )
    expect(renderSql(executeSql('of_device', ["it's", 1n, null]))).toBe("EXECUTE of_device USING 'it''s', 1, NULL")
    expect(renderSql(executeSql('all_of_it'))).toBe('EXECUTE all_of_it')
    expect(renderSql(deallocateSql('of_device'))).toBe('DEALLOCATE PREPARE of_device')
    expect(codeOf(() => prepareSql('a b', sql`SELECT 1`))).toBe('PIPE_ATHENA_NAME')
    expect(codeOf(() => prepareSql('a', 'SELECT 1' as never))).toBe('PIPE_ATHENA_SQL')
  })

  it('UNLOAD', () => {
    expect(renderSql(unloadSql({ query: sql`SELECT 1 AS x`, to: 's3://lake/out/', partitionedBy: ['x'] }))).toBe(
      `UNLOAD (\nSELECT 1 AS x\n) TO 's3://lake/out/' WITH (format = 'PARQUET', compression = 'SNAPPY', partitioned_by = ARRAY['x'])`,
    )
    const text = unloadSql({ query: sql`SELECT 1 AS x`, to: 's3://lake/out/', format: 'TEXTFILE', fieldDelimiter: "'" })
    expect(renderSql(text)).toContain(`WITH (format = 'TEXTFILE', field_delimiter = '''')`)
  })

  it.each([
    [{ to: 's3://lake/out' }, 'PIPE_LOCATION'],
    [{ query: 'SELECT 1' }, 'PIPE_ATHENA_SQL'],
    [{ format: 'CSV' }, 'PIPE_CONFIG'],
    [{ fieldDelimiter: ',' }, 'PIPE_CONFIG'],
    [{ partitionedBy: [] }, 'PIPE_CONFIG'],
    [{ compresion: 'GZIP' }, 'PIPE_CONFIG'],
  ])('UNLOAD refuses %j', (wrong, code) => {
    const options = { query: sql`SELECT 1 AS x`, to: 's3://lake/out/', ...wrong } as UnloadSqlOptions
    expect(codeOf(() => unloadSql(options))).toBe(code)
  })

  it('CTAS with partitions', () => {
    const options = { table: 't', as: sql`SELECT 1`, location: 's3://lake/t/' } as const
    expect(renderSql(ctasSql({ ...options, partitionedBy: ['dt'] }))).toContain(
      "partitioned_by = ARRAY['dt'],\n  external_location",
    )
    expect(codeOf(() => ctasSql({ ...options, partitionedBy: [] }))).toBe('PIPE_CONFIG')
    expect(codeOf(() => ctasSql({ ...options, partitionedBy: ['a'], buckets: { by: ['a'], count: 1 } }))).toBe('PIPE_CONFIG')
  })

  it('partition projection follows the contract', () => {
    const hours = defineTable('logs', { columns: { n: column.bigint() } })
    const text = renderSql(projectionSql(hours, { location: 's3://lake/raw/', from: '2026-01-01' }))
    expect(text).toContain('ALTER TABLE `logs` SET TBLPROPERTIES (')
    expect(text).toContain("'projection.hour.digits' = '2'")
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a template of Athena
    expect(text).toContain("'storage.location.template' = 's3://lake/raw/dt=${dt}/hour=${hour}/'")
    const days = defineTable('logs', { columns: { n: column.bigint() }, partitions: daily() })
    expect(renderSql(projectionSql(days, { location: 's3://lake/raw/', from: '2026-01-01' }))).not.toContain('hour')
    expect(codeOf(() => projectionSql(hours, { location: 's3://lake/raw/', from: 'January' }))).toBe('PIPE_CONFIG')
  })

  it('formats of time', () => {
    expect(renderSql(parseTime(sql`t`, 'iso8601'))).toBe("CAST(at_timezone(from_iso8601_timestamp(t), 'UTC') AS timestamp(3))")
    expect(renderSql(formatTime(sql`t`, { pattern: "%d'%m" }))).toBe("date_format(t, '%d''%m')")
    expect(codeOf(() => parseTime(sql`t`, 'unix' as never))).toBe('PIPE_CONFIG')
    expect(codeOf(() => parseTime('t' as never, 'iso8601'))).toBe('PIPE_ATHENA_SQL')
  })
})
