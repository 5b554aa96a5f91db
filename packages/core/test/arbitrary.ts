import fc from 'fast-check'
import { type Column, column } from '../src/column-type'
import { formatDecimal } from '../src/decimal-text'
import { formatInstant } from '../src/timestamp-text'

const time = { min: Date.UTC(1, 0, 1), max: Date.UTC(9999, 11, 31) }

/** Text that UTF-8 can hold, hostile characters included. */
export const text: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    '',
    '"',
    '""',
    ',',
    '\t',
    '\n',
    '\r',
    '\r\n',
    '\\N',
    '\\',
    '\uFEFF',
    "'; DROP TABLE x; --",
    '😀',
    '\u0000',
    ' ',
    'null',
  ),
)

const instant = fc.integer(time)

/** A column of a scalar type with values of it. */
export interface AnyColumn {
  readonly column: Column
  readonly value: fc.Arbitrary<unknown>
}

function timestampText(digits: number, suffix: string): fc.Arbitrary<string> {
  return fc.tuple(instant, fc.nat({ max: 999_999 })).map(([ms, nanos]) => {
    const kept = digits <= 3 ? 0 : Math.floor(nanos / 10 ** (9 - digits)) * 10 ** (9 - digits)
    return formatInstant(ms, kept, digits) + suffix
  })
}

/** Every scalar type of the contract. */
export const scalars: readonly AnyColumn[] = [
  { column: column.boolean(), value: fc.boolean() },
  { column: column.integer(), value: fc.integer() },
  { column: column.bigint(), value: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }) },
  { column: column.float(), value: fc.float() },
  { column: column.double(), value: fc.double() },
  {
    column: column.decimal(9, 2),
    value: fc.bigInt({ min: -999_999_999n, max: 999_999_999n }).map((n) => formatDecimal(n, 2)),
  },
  {
    column: column.decimal(18, 18),
    value: fc.bigInt({ min: -(10n ** 18n) + 1n, max: 10n ** 18n - 1n }).map((n) => formatDecimal(n, 18)),
  },
  {
    column: column.decimal(38, 5),
    value: fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n }).map((n) => formatDecimal(n, 5)),
  },
  { column: column.string(), value: text },
  { column: column.binary(), value: fc.uint8Array() },
  { column: column.date(), value: instant.map((ms) => formatInstant(ms, 0, 0).slice(0, 10)) },
  { column: column.timestamp(), value: instant.map((ms) => new Date(ms)) },
  { column: column.timestampMicros(), value: timestampText(6, '') },
  { column: column.timestampWithZone(3), value: timestampText(3, ' UTC') },
]

/** Types in types. */
export const nested: readonly AnyColumn[] = [
  { column: column.array(column.integer()), value: fc.array(fc.integer()) },
  { column: column.array(column.string().nullable()).nullable(), value: fc.option(fc.array(fc.option(text))) },
  {
    column: column.map(column.string(), column.double()),
    value: fc.uniqueArray(fc.tuple(text, fc.double()), { selector: ([key]) => key }).map((pairs) => new Map(pairs)),
  },
  {
    column: column.map(column.bigint(), column.array(column.boolean())),
    value: fc
      .uniqueArray(fc.tuple(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.array(fc.boolean())), {
        selector: ([key]) => key,
      })
      .map((pairs) => new Map(pairs)),
  },
  {
    column: column.struct({ a: column.integer(), b: column.string().nullable() }),
    value: fc.record({ a: fc.integer(), b: fc.option(text) }),
  },
  {
    column: column.struct({ at: column.timestamp(), deep: column.struct({ n: column.decimal(9, 2).nullable() }) }).nullable(),
    value: fc.option(
      fc.record({
        at: instant.map((ms) => new Date(ms)),
        deep: fc.record({ n: fc.option(fc.bigInt({ min: 0n, max: 999n }).map((n) => formatDecimal(n, 2))) }),
      }),
    ),
  },
  {
    column: column.array(column.struct({ x: column.double(), tags: column.array(column.string()) })),
    value: fc.array(fc.record({ x: fc.double(), tags: fc.array(text) })),
  },
]

/** A column that may be null, with values of it. */
export function nullable({ column: given, value }: AnyColumn): AnyColumn {
  return { column: given.nullable(), value: fc.option(value) }
}
