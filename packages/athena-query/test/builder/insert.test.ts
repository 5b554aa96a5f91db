import { column, daily, defineTable, PipeError, type RowOf } from '@pipe/core'
import { describe, expect, it } from 'vitest'
import { insertSql, renderSql } from '../../src/index'
import { tokenizeTrino } from '../trino-tokenizer'

const at = new Date('2026-11-24T15:31:00.007Z')
const logs = defineTable('device_logs', {
  columns: { timestamp: column.timestamp(), device_name: column.string(), metric: column.double().nullable() },
  eventTime: 'timestamp',
})
const row = (device_name: string): RowOf<typeof logs> => ({ timestamp: at, device_name, metric: 0.5 })
const textsOf = (options: Parameters<typeof insertSql<typeof logs>>[0]) => [...insertSql(options)].map((one) => renderSql(one))
const codeOf = (run: () => unknown) => {
  try {
    run()
  } catch (error) {
    if (PipeError.isInstance(error)) return `${error.code} ${error.message}`
    throw error
  }
  throw new Error('nothing was thrown')
}

describe('insertSql', () => {
  it('spells every value with its type, and its partition behind it', () => {
    expect(textsOf({ table: logs, rows: [{ ...row("it's"), metric: null }], at })).toEqual([
      `INSERT INTO "device_logs" ("timestamp", "device_name", "metric", "dt", "hour") VALUES
(CAST(TIMESTAMP '2026-11-24 15:31:00.007' AS timestamp(3)), CAST('it''s' AS varchar), CAST(NULL AS double), '2026-11-24', '15')`,
    ])
  })

  it('knows all types of a contract', () => {
    const table = defineTable('t', {
      columns: {
        i: column.integer(),
        b: column.bigint(),
        d: column.decimal(10, 2),
        day: column.date(),
        bytes: column.binary(),
        micros: column.timestampMicros(),
        tags: column.array(column.string()),
        sizes: column.map(column.string(), column.bigint()),
        point: column.struct({ x: column.double(), name: column.string().nullable() }),
        ok: column.boolean(),
      },
      partitions: daily(),
    })
    const values = {
      i: -7,
      b: 2n ** 40n,
      d: '12.5',
      day: '2026-11-24',
      bytes: Uint8Array.of(0, 255),
      micros: '2026-11-24 15:31:00.123456',
      tags: ['a', "b'"],
      sizes: new Map([['k', 1n]]),
      point: { x: 1, name: null },
      ok: true,
    }
    const [statement] = insertSql({ table, rows: [values], at })
    const text = renderSql(statement!)
    expect(text).toContain(`CAST(DECIMAL '12.5' AS decimal(10,2))`)
    expect(text).toContain(`CAST(ARRAY[CAST('a' AS varchar), CAST('b''' AS varchar)] AS array(varchar))`)
    expect(text).toContain(`CAST(MAP(ARRAY[CAST('k' AS varchar)], ARRAY[CAST(1 AS bigint)]) AS map(varchar, bigint))`)
    expect(text).toContain(`CAST(ROW(CAST(1 AS double), CAST(NULL AS varchar)) AS row("x" double, "name" varchar))`)
    expect(text).toContain(`CAST(TIMESTAMP '2026-11-24 15:31:00.123456' AS timestamp(6))`)
    expect(() => tokenizeTrino(text)).not.toThrow()
  })

  it('begins another statement after so many rows, 100 partitions, or the bytes that Athena takes', () => {
    expect(textsOf({ table: logs, rows: [row('a'), row('b'), row('c')], at, maxRows: 2 })).toHaveLength(2)
    let hours = 0
    const perRow = textsOf({
      table: logs,
      rows: Array.from({ length: 250 }, () => row('a')),
      at: () => new Date(at.getTime() + 3_600_000 * hours++),
    })
    expect(perRow.map((text) => text.split('\n').length - 1)).toEqual([100, 100, 50])
    const long = textsOf({ table: logs, rows: [row('x'.repeat(150_000)), row('y'.repeat(150_000))], at })
    expect(long).toHaveLength(2)
    for (const text of long) expect(Buffer.byteLength(text)).toBeLessThanOrEqual(262_144)
  })

  it('makes no statement of no rows', () => {
    expect(textsOf({ table: logs, rows: [], at })).toEqual([])
  })

  it.each([
    ['a NULL', { ...row('a'), device_name: null }, 'Row 1: "device_name" is null, but the column is not nullable'],
    ['a missing value', { timestamp: at, metric: 1 }, 'Row 1: "device_name" is undefined'],
    ['another type', { ...row('a'), metric: '1' }, 'Row 1: "metric" is no value of type double'],
    ['half a surrogate pair', row('\ud800'), 'half a surrogate pair'],
  ])('refuses %s', (_name, wrong, text) => {
    expect(codeOf(() => textsOf({ table: logs, rows: [wrong as RowOf<typeof logs>], at }))).toContain(text)
  })

  it('refuses a decimal that would be rounded, and a row that fits into no statement', () => {
    const money = defineTable('m', { columns: { d: column.decimal(4, 2) } })
    expect(codeOf(() => [...insertSql({ table: money, rows: [{ d: '1.005' }], at })])).toContain('no value of type decimal(4,2)')
    expect(codeOf(() => [...insertSql({ table: money, rows: [{ d: '100.00' }], at })])).toContain('no value of type decimal(4,2)')
    expect(codeOf(() => textsOf({ table: logs, rows: [row('x'.repeat(300_000))], at }))).toContain('PIPE_ATHENA_QUERY_TOO_LONG')
  })
})
