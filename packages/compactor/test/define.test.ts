import { column, daily, defineTable } from '@pipe/core'
import { describe, expect, it } from 'vitest'
import { athenaEngine, compactionDdl, createCompactor, defineCompaction, inProcessEngine } from '../src/index'
import { deviceLogs } from './lake'

const options = { table: deviceLogs, source: 's3://lake/raw/', target: 's3://lake/compacted/', window: '5 minutes' } as const

describe('defineCompaction', () => {
  it('fills in the defaults', () => {
    const compaction = defineCompaction(options)
    expect(compaction).toMatchObject({
      windowMs: 300_000,
      graceMs: 0,
      sweep: 12,
      onLate: 'append',
      format: 'ndjson',
      header: false,
      linesTable: 'device_logs_lines',
    })
    expect(compaction.compacted).toMatchObject({
      name: 'device_logs_compacted',
      eventTime: 'timestamp',
      columns: deviceLogs.columns,
    })
  })

  it.each([
    ['an unknown option', { windw: '1 minute' }, /no option "windw".*"window"/],
    ['a window longer than a partition', { window: '1 day' }, /daily\(\)/],
    ['a window that straddles partitions', { window: '40 minutes' }, /divides an hour/],
    ['a window that is none', { window: '7 minutes' }, /divide a day/],
    ['a source within the target', { source: 's3://lake/compacted/raw/' }, /overlap/],
    ['a target within the source', { target: 's3://lake/raw/out/' }, /overlap/],
    ['a place without a slash', { source: 's3://lake/raw' }, /trailing slash/],
    ['a policy that does not exist', { onLate: 'drop' }, /'append'/],
    ['a sweep that is no count', { sweep: -1 }, /sweep/],
    ['another format', { format: 'orc' }, /"orc"/],
    ['a header of NDJSON', { header: true }, /CSV and TSV/],
    ['a column that is a partition', { table: defineTable('t', { columns: { batch: column.string() } }) }, /"batch"/],
    ['a column without a Hive type', { table: defineTable('t', { columns: { at: column.timestampWithZone() } }) }, /time zone/],
    [
      'nested columns of CSV',
      { format: 'csv', table: defineTable('t', { columns: { a: column.array(column.string()) } }) },
      /array/,
    ],
  ])('refuses %s', (_, change, message) => {
    expect(() => defineCompaction({ ...options, ...change } as never)).toThrow(message)
  })

  it('refuses table names that Athena DDL cannot spell', () => {
    const places = { source: 's3://lake/raw/', target: 's3://lake/compacted/', window: '5 minutes' } as const
    const named = (name: string) => defineTable(name, { columns: { at: column.timestamp() }, eventTime: 'at' })
    expect(() => defineCompaction({ ...places, table: named('device-logs') })).toThrow(
      'PIPE_ATHENA_NAME "device-logs_lines": a hyphen in a table name fails in Athena DDL. Use device_logs_lines',
    )
    expect(() => defineCompaction({ ...places, table: named('logs'), compactedTable: 'one-file' })).toThrow(
      'PIPE_ATHENA_NAME "one-file": a hyphen',
    )
  })

  it('takes a window of a day with daily partitions', () => {
    const table = defineTable('t', { columns: { a: column.string() }, partitions: daily() })
    expect(defineCompaction({ ...options, table, window: '1 day' }).windowMs).toBe(86_400_000)
  })
})

describe('compactionDdl', () => {
  it('creates the compacted table and the raw-line table', () => {
    const [compacted, lines] = compactionDdl(defineCompaction(options), { database: 'lake' })
    expect(compacted).toContain('CREATE EXTERNAL TABLE IF NOT EXISTS `lake`.`device_logs_compacted`')
    expect(compacted).toContain('PARTITIONED BY (`dt` string, `hour` string, `batch` string)')
    expect(compacted).toContain("STORED AS PARQUET\nLOCATION 's3://lake/compacted/data/'")
    expect(lines).toContain('`lake`.`device_logs_lines`')
    expect(lines).toContain("LOCATION 's3://lake/raw/'")
  })

  it('needs no raw-line table in process', () => {
    expect(compactionDdl(defineCompaction({ ...options, compactedTable: 'out' }), { engine: 'in-process' })).toEqual([
      expect.stringContaining('`out`'),
    ])
    expect(() => compactionDdl(defineCompaction(options), { databse: 'x' } as never)).toThrow(/"database"/)
  })
})

describe('engines', () => {
  const athena = { database: 'lake' } as never
  it('refuse what they cannot carry when the compactor is made', () => {
    const table = defineTable('t', { columns: { a: column.array(column.string()), b: column.array(column.binary()) } })
    const compaction = defineCompaction({ ...options, table })
    expect(() => createCompactor({ compaction, engine: athenaEngine({ athena }) })).toThrow(/"a" of t: it reads flat columns/)
    expect(() => createCompactor({ compaction, engine: inProcessEngine() })).toThrow(/"b" of t/)
    const micros = defineTable('t', { columns: { at: column.timestampMicros() } })
    expect(() =>
      createCompactor({ compaction: defineCompaction({ ...options, table: micros }), engine: athenaEngine({ athena }) }),
    ).toThrow(/milliseconds/)
  })

  it('refuse options that make no sense', () => {
    expect(() => athenaEngine({ athena: {} as never })).toThrow(/no database/)
    expect(() => inProcessEngine({ threads: 1.5 })).toThrow(/threads/)
    expect(() => inProcessEngine({ memory: 1 } as never)).toThrow(/memoryLimitMb/)
    expect(() => createCompactor({ compaction: {} as never, engine: inProcessEngine() })).toThrow(/defineCompaction/)
    expect(() => createCompactor({ compaction: defineCompaction(options), engin: 1 } as never)).toThrow(/"engine"/)
  })
})
