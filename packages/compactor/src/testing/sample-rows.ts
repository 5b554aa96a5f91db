import { type ColumnType, ConfigError, type Table } from '@pipe/core'

/**
 * The nth sample row of a table: no two are equal, as the number is in every column that can hold it.
 *
 * @throws {@link ConfigError} when no column can tell so many rows apart.
 */
export function sampleRow(table: Table, number: number, at: Date): Record<string, unknown> {
  const row: Record<string, unknown> = {}
  let isUnique = false
  for (const [name, column] of Object.entries(table.columns)) {
    row[name] = sampleValue(column.type, number, at)
    if (['string', 'integer', 'bigint', 'double', 'timestamp'].includes(column.type.kind)) isUnique = true
  }
  if (!isUnique) {
    throw new ConfigError(`${table.name} has no column by which rows of the simulation can be told apart.`, {
      hint: 'It needs a string, integer, bigint, double or timestamp.',
    })
  }
  return row
}

function sampleValue(type: ColumnType, number: number, at: Date): unknown {
  switch (type.kind) {
    case 'string':
      return `row ${number}`
    case 'boolean':
      return number % 2 === 0
    case 'integer':
    case 'double':
      return number
    case 'float':
      return number % 1000
    case 'bigint':
      return BigInt(number)
    case 'decimal':
      return type.scale === 0 ? '0' : `0.${'0'.repeat(type.scale)}`
    case 'date':
      return at.toISOString().slice(0, 10)
    case 'timestamp':
      // More digits than a Date has are a text.
      return type.precision > 3 ? at.toISOString().replace('T', ' ').replace('Z', '000') : new Date(at.getTime() + number)
    case 'binary':
      return new Uint8Array([number & 255])
    case 'array':
      return [sampleValue(type.element.type, number, at)]
    case 'map':
      return new Map([[sampleValue(type.key.type, number, at), sampleValue(type.value.type, number, at)]])
    case 'struct':
      return Object.fromEntries(Object.entries(type.fields).map(([name, field]) => [name, sampleValue(field.type, number, at)]))
  }
}
