import type { SchemaElement } from 'hyparquet'
import type { Column, ColumnMap } from '../column-type'

/**
 * The Parquet schema of columns, in the form that Athena writes and reads: text as UTF-8, decimals by precision as 32 bits, 64 bits or fixed
 * bytes, timestamps without zone as milliseconds or microseconds not adjusted to UTC (else DuckDB reads a TIMESTAMPTZ), lists and maps in
 * three levels.
 *
 * @see https://github.com/apache/parquet-format/blob/master/LogicalTypes.md
 */
export function parquetSchemaOf(columns: ColumnMap): SchemaElement[] {
  const names = Object.keys(columns)
  return [{ name: 'schema', num_children: names.length }, ...names.flatMap((name) => elementsOf(name, columns[name]!))]
}

function elementsOf(name: string, column: Column): SchemaElement[] {
  const { type } = column
  const repetition_type = column.isNullable ? 'OPTIONAL' : 'REQUIRED'
  switch (type.kind) {
    case 'boolean':
      return [{ name, type: 'BOOLEAN', repetition_type }]
    case 'integer':
      return [{ name, type: 'INT32', repetition_type }]
    case 'bigint':
      return [{ name, type: 'INT64', repetition_type }]
    case 'float':
      return [{ name, type: 'FLOAT', repetition_type }]
    case 'double':
      return [{ name, type: 'DOUBLE', repetition_type }]
    case 'string':
      return [{ name, type: 'BYTE_ARRAY', repetition_type, converted_type: 'UTF8', logical_type: { type: 'STRING' } }]
    case 'binary':
      return [{ name, type: 'BYTE_ARRAY', repetition_type }]
    case 'date':
      return [{ name, type: 'INT32', repetition_type, converted_type: 'DATE', logical_type: { type: 'DATE' } }]
    case 'decimal': {
      const { precision, scale } = type
      const physical: Pick<SchemaElement, 'type' | 'type_length'> =
        precision <= 9
          ? { type: 'INT32' }
          : precision <= 18
            ? { type: 'INT64' }
            : { type: 'FIXED_LEN_BYTE_ARRAY', type_length: decimalBytes(precision) }
      const logical_type = { type: 'DECIMAL', precision, scale } as const
      return [{ name, ...physical, repetition_type, converted_type: 'DECIMAL', precision, scale, logical_type }]
    }
    case 'timestamp': {
      const unit = type.precision <= 3 ? 'MILLIS' : type.precision <= 6 ? 'MICROS' : 'NANOS'
      return [{ name, type: 'INT64', repetition_type, logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: type.zone, unit } }]
    }
    case 'array':
      return [
        { name, repetition_type, num_children: 1, converted_type: 'LIST', logical_type: { type: 'LIST' } },
        { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
        ...elementsOf('element', type.element),
      ]
    case 'map':
      return [
        { name, repetition_type, num_children: 1, converted_type: 'MAP', logical_type: { type: 'MAP' } },
        { name: 'key_value', repetition_type: 'REPEATED', num_children: 2 },
        ...elementsOf('key', type.key),
        ...elementsOf('value', type.value),
      ]
    case 'struct': {
      const fields = Object.entries(type.fields)
      return [
        { name, repetition_type, num_children: fields.length },
        ...fields.flatMap(([fieldName, field]) => elementsOf(fieldName, field)),
      ]
    }
  }
}

/** Fewest bytes of two's complement that hold every decimal of the precision. */
export function decimalBytes(precision: number): number {
  let bytes = 1
  while (2n ** BigInt(8 * bytes - 1) < 10n ** BigInt(precision)) bytes++
  return bytes
}
