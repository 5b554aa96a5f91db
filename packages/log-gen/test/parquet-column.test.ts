import fc from 'fast-check'
import { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import { expect, it } from 'vitest'
import { nullDraw } from '../src/cell'
import { textList } from '../src/flat-column'
import { type SchemaElement, writeFlatColumn } from '../src/parquet-column'

const plain = { name: 'UNCOMPRESSED', compress: (bytes: Uint8Array) => bytes } as const

/** The bytes of a column as hyparquet-writer writes it, and what its metadata say. */
function theirs(element: SchemaElement, data: unknown[], statistics: boolean) {
  const out = new ByteWriter()
  const schema: SchemaElement[] = [{ name: 'schema', num_children: 1 }, element]
  const writer = new ParquetWriter({ writer: out, schema, codec: 'UNCOMPRESSED' })
  void writer.write({ columnData: [{ name: element.name, data: data as never, statistics }], rowGroupSize: data.length })
  return { bytes: Buffer.from(out.getBytes()), chunk: writer.row_groups[0]!.columns[0]! }
}

const repetitions = fc.constantFrom('REQUIRED' as const, 'OPTIONAL' as const)

/** Columns that repeat themselves much, a little, or not at all. */
const whole = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.integer({ min: -2000, max: 2000 }), fc.integer())
const lengths = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 900, max: 1200 }), fc.constant(3000))

const columns = fc.record({ repetition: repetitions, seed: fc.array(whole, { minLength: 1, maxLength: 40 }), length: lengths })

/** Values of a column, out of few that repeat in a pattern without a short period. */
function spread<T>(seed: readonly T[], length: number, isOptional: boolean): (T | null)[] {
  return Array.from({ length }, (_, i) => (isOptional && i % 7 === 3 ? null : seed[(i * i + (i >> 3)) % seed.length]!))
}

function expectSame(element: SchemaElement, data: unknown[], column: Parameters<typeof writeFlatColumn>[2]): void {
  const expected = theirs(element, data, column.texts === undefined)
  const out = new ByteWriter()
  out.appendUint32(0x31524150)
  const chunk = writeFlatColumn(out, element, column, plain)
  expect(chunk).toEqual(expected.chunk)
  expect(Buffer.from(out.getBytes()).equals(expected.bytes)).toBe(true)
}

it.each(['INT32', 'INT64', 'DOUBLE'] as const)('writes %s with the bytes of hyparquet-writer', (type) => {
  fc.assert(
    fc.property(columns, fc.integer({ min: 0, max: 1 }), ({ repetition, seed, length }, isRising) => {
      const power = type === 'DOUBLE' ? 100 : 1
      const numbers = spread(seed, length, repetition === 'OPTIONAL').map((value, i) =>
        value === null ? null : ((isRising * i * 1_000_003) % 2_000_000_000) + (isRising ? 0 : value),
      )
      const data = numbers.map((value) => (value === null ? null : type === 'INT64' ? BigInt(value) : value / power))
      const values = Float64Array.from(numbers, (value) => value ?? nullDraw)
      const numberBytes = type === 'INT32' ? 4 : 8
      expectSame({ name: 'n', type, repetition_type: repetition }, data, { values, power, texts: undefined, numberBytes })
    }),
  )
})

it('writes texts with the bytes of hyparquet-writer', () => {
  const words = fc.array(fc.string({ unit: 'binary', maxLength: 12 }), { minLength: 1, maxLength: 60 })
  fc.assert(
    fc.property(repetitions, words, lengths, (repetition, texts, length) => {
      const places = spread([...texts.keys()], length, repetition === 'OPTIONAL')
      const values = Float64Array.from(places, (place) => place ?? nullDraw)
      const data = places.map((place) => (place === null ? null : texts[place]))
      const element = { name: 't', type: 'BYTE_ARRAY', repetition_type: repetition, converted_type: 'UTF8' } as const
      expectSame(element, data, { values, power: 1, texts: textList(texts), numberBytes: 8 })
    }),
  )
})

it('refuses a number that is no 32-bit integer', () => {
  const column = { values: Float64Array.of(1, 2 ** 31), power: 1, texts: undefined, numberBytes: 4 }
  const element = { name: 'n', type: 'INT32', repetition_type: 'REQUIRED' } as const
  expect(() => writeFlatColumn(new ByteWriter(), element, column, plain)).toThrow(/PIPE_FORMAT_VALUE.*"n" is 2147483648/)
})
