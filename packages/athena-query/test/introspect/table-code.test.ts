import { column, PipeError, typeName } from '@pipe/core'
import { describe, expect, it } from 'vitest'
import { columnOfHiveType, tableCode } from '../../src/index'
import { columnCode } from '../../src/introspect/table-code'

describe('columnOfHiveType', () => {
  it.each([
    ['tinyint', 'int'],
    ['varchar(10)', 'string'],
    ['decimal(12,3)', 'decimal(12,3)'],
    ['decimal', 'decimal(10,0)'],
    ['timestamp', 'timestamp'],
    ['array<struct<name:string,size:bigint>>', 'array<struct<name:string,size:bigint>>'],
    ['map<string,array<double>>', 'map<string,array<double>>'],
    ['struct<a:int, b:map<int,decimal(4,2)>>', 'struct<a:int,b:map<int,decimal(4,2)>>'],
  ])('%s', (text, hive) => {
    expect(typeName(columnOfHiveType(text).type, 'hive')).toBe(hive)
  })

  it.each([['uniontype<int,string>'], ['interval'], ['array<int'], ['struct<a>'], ['int)'], ['']])('refuses %s', (text) => {
    expect(() => columnOfHiveType(text)).toThrow(PipeError)
  })
})

describe('tableCode', () => {
  const described = (name: string, type: string, comment?: string) => ({
    name,
    type,
    column: columnOfHiveType(type).nullable(),
    comment,
  })

  it('writes the contract of a table', () => {
    const code = tableCode({
      database: 'logs',
      name: 'device_logs',
      kind: 'EXTERNAL_TABLE',
      location: 's3://lake/raw/',
      columns: [described('at', 'timestamp'), described('tags', 'array<string>', 'two\nlines */')],
      partitions: [described('dt', 'string'), described('hour', 'string')],
      properties: {},
    })
    expect(code).toBe(`import { column, defineTable } from '@pipe/core'

/** logs.device_logs, s3://lake/raw/ */
export const deviceLogs = defineTable('device_logs', {
  columns: {
    at: column.timestamp().nullable(),
    tags: column.array(column.string().nullable()).nullable(), // two lines */
  },
})
`)
  })

  it('cannot be left by names, and says what it leaves out', () => {
    const code = tableCode({
      database: 'logs',
      name: "x'); process.exit(); ('",
      kind: 'EXTERNAL_TABLE',
      location: 's3://lake/*/ process.exit() /*\n',
      columns: [described("a'b", 'int'), { name: 'u', type: 'uniontype<int>', column: undefined, comment: undefined }],
      partitions: [described('day', 'string')],
      properties: {},
    })
    expect(code).toContain(`defineTable('x\\'); process.exit(); (\\'', {`)
    expect(code).toContain(`'a\\'b': column.integer().nullable()`)
    expect(code).toContain('// u is uniontype<int>, which a contract does not know')
    expect(code).toContain('// Partition keys: day string.')
    expect(code.match(/\*\//g)).toHaveLength(1)
  })

  it('spells every kind of column', () => {
    expect(columnCode(column.struct({ a: column.decimal(4, 2), b: column.map(column.string(), column.timestampMicros()) }))).toBe(
      'column.struct({ a: column.decimal(4, 2), b: column.map(column.string(), column.timestampMicros()) })',
    )
  })
})
