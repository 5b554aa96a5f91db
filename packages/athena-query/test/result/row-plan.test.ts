import { type Column, column, PipeError } from '@pipe/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkReturns, decodeCells, type Returns, rowPlan } from '../../src/result/row-plan'

const info = (name: string, type: string, precision = 0, scale = 0) => ({
  Name: name,
  Type: type,
  Precision: precision,
  Scale: scale,
})
const compileRows = (returns: Returns, columns: Parameters<typeof rowPlan>[1]) => {
  const plan = rowPlan(returns, columns)
  return (cells: readonly (string | undefined)[], row: number) => decodeCells(plan, cells, row)
}
const messageOf = (run: () => unknown) => {
  try {
    run()
  } catch (error) {
    if (PipeError.isInstance(error)) return error.message
    throw error
  }
  throw new Error('nothing was thrown')
}
const decodeOne = (declared: Column, type: string, text: string | undefined, precision = 0, scale = 0) =>
  compileRows({ x: declared }, [info('x', type, precision, scale)])([text], 1)['x']

describe('values', () => {
  it.each([
    ['boolean', column.boolean(), 'true', true],
    ['integer', column.integer(), '-2147483648', -2147483648],
    ['tinyint', column.integer(), '-7', -7],
    ['bigint', column.bigint(), '9223372036854775807', 9223372036854775807n],
    ['double', column.double(), '1.0E10', 1e10],
    ['double', column.double(), 'NaN', Number.NaN],
    ['double', column.double(), '-Infinity', Number.NEGATIVE_INFINITY],
    ['double', column.double(), '-0.0', -0],
    ['float', column.float(), '1.5', 1.5],
    ['real', column.float(), '1.5', 1.5],
    ['varchar', column.string(), '', ''],
    ['json', column.string(), '{"a":1}', '{"a":1}'],
    ['varbinary', column.binary(), '00 ff 7f', Uint8Array.of(0, 255, 127)],
    ['varbinary', column.binary(), '', new Uint8Array()],
    ['date', column.date(), '2026-11-24', '2026-11-24'],
    ['timestamp', column.timestamp(), '2026-11-24 15:31:00.007', new Date('2026-11-24T15:31:00.007Z')],
    ['timestamp', column.timestamp(), '2026-11-24 15:31:00.120000', new Date('2026-11-24T15:31:00.120Z')],
    ['timestamp', column.timestamp(), '2026-11-24 15:31:00', new Date('2026-11-24T15:31:00Z')],
    ['timestamp', column.timestampMicros(), '2026-11-24 15:31:00.123456', '2026-11-24 15:31:00.123456'],
    ['timestamp with time zone', column.timestampWithZone(), '2026-11-24 15:31:00.000 UTC', '2026-11-24 15:31:00.000 UTC'],
  ])('%s', (type, declared, text, value) => {
    expect(decodeOne(declared, type, text)).toEqual(value)
  })

  it('decimals keep all digits', () => {
    expect(decodeOne(column.decimal(20, 4), 'decimal', '1234567890123456.0001', 20, 4)).toBe('1234567890123456.0001')
  })

  it('all doubles come back from their shortest text', () => {
    fc.assert(
      fc.property(fc.double(), (value) => {
        expect(decodeOne(column.double(), 'double', Object.is(value, -0) ? '-0.0' : String(value))).toBe(value)
      }),
    )
  })

  it('all bytes come back', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (value) => {
        const text = [...value].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
        expect(decodeOne(column.binary(), 'varbinary', text)).toEqual(value)
      }),
    )
  })

  it.each([
    ['boolean', column.boolean(), 'TRUE?'],
    ['integer', column.integer(), '2147483648'],
    ['bigint', column.bigint(), '9223372036854775808'],
    ['bigint', column.bigint(), ''],
    ['double', column.double(), '0x10'],
    ['double', column.double(), ''],
    ['varbinary', column.binary(), '0'],
    ['date', column.date(), '24.11.2026'],
    ['timestamp', column.timestamp(), '2026-11-24'],
    ['timestamp', column.timestamp(), '2026-13-24 00:00:00.000'],
  ])('%s refuses a text that is none', (type, declared, text) => {
    expect(messageOf(() => decodeOne(declared, type, text))).toContain(
      `PIPE_ATHENA_VALUE Row 1 holds ${JSON.stringify(text)} in "x"`,
    )
  })

  it('a Date that would lose digits is refused with advice', () => {
    expect(messageOf(() => decodeOne(column.timestamp(), 'timestamp', '2026-11-24 15:31:00.123456'))).toContain('timestampMicros')
  })

  it('NULL is null where it may be, and an error that names column and row where not', () => {
    expect(decodeOne(column.string().nullable(), 'varchar', undefined)).toBeNull()
    expect(messageOf(() => decodeOne(column.string(), 'varchar', undefined))).toContain(
      'PIPE_ATHENA_NULL Row 1 holds NULL in "x"',
    )
  })
})

describe('columns', () => {
  const declared: Returns = { a: column.string(), b: column.bigint() }
  it.each([
    ['missing', [info('a', 'varchar')], '"returns" names "b", which the query does not return'],
    ['extra', [info('a', 'varchar'), info('b', 'bigint'), info('c', 'date')], 'the query returns "c" (date), which'],
    ['unnamed', [info('a', 'varchar'), info('_col1', 'bigint')], 'Give the expression a name with AS'],
    ['twice', [info('a', 'varchar'), info('b', 'bigint'), info('B', 'bigint')], 'the query returns "b" twice'],
    ['of another type', [info('a', 'varchar'), info('b', 'integer')], '"b" is declared as bigint, but the query returns integer'],
    ['nested', [info('a', 'array'), info('b', 'bigint')], 'CAST(a AS JSON)'],
  ])('%s', (_name, columns, text) => {
    const message = messageOf(() => compileRows(declared, columns))
    expect(message).toContain('PIPE_ATHENA_COLUMN')
    expect(message.toLowerCase()).toContain(text.toLowerCase())
  })

  it('are found whatever their order and case', () => {
    const decode = compileRows({ deviceName: column.string(), n: column.bigint() }, [
      info('n', 'bigint'),
      info('devicename', 'varchar'),
    ])
    expect(decode(['1', 'd'], 1)).toEqual({ deviceName: 'd', n: 1n })
  })

  it('decimals must have precision and scale', () => {
    expect(messageOf(() => compileRows({ x: column.decimal(10, 2) }, [info('x', 'decimal', 10, 3)]))).toContain(
      'declared as decimal(10,2), but the query returns decimal(10,3)',
    )
  })

  it('rows of another width are refused', () => {
    const decode = compileRows(declared, [info('a', 'varchar'), info('b', 'bigint')])
    expect(messageOf(() => decode(['one padded cell'], 3))).toContain('Row 3 has 1 cells for 2 columns')
  })

  it('that cannot be declared', () => {
    expect(messageOf(() => checkReturns({ a: column.string(), A: column.string() }))).toContain('ignores case')
    expect(messageOf(() => checkReturns({}))).toContain('names no columns')
  })
})
