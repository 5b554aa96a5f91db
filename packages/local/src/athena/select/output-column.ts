import type { OutputColumn } from '../query-engine'
import { type TrinoType, typeText } from './trino-type'

const precisions: Readonly<Record<string, number>> = {
  tinyint: 3,
  smallint: 5,
  integer: 10,
  bigint: 19,
  real: 17,
  double: 17,
  timestamp: 3,
  timestamptz: 3,
  varbinary: 1073741824,
}

const names: Readonly<Partial<Record<TrinoType['kind'], string>>> = {
  real: 'float',
  timestamptz: 'timestamp with time zone',
  // NULL alone has the type unknown, which Athena reports as such.
  unknown: 'unknown',
}

/** ColumnInfo of a result column, with the numbers that Athena puts in. */
export function outputColumn(name: string, type: TrinoType): OutputColumn {
  const precision =
    type.kind === 'varchar'
      ? (type.length ?? 2147483647)
      : type.kind === 'decimal'
        ? type.precision
        : (precisions[type.kind] ?? 0)
  return {
    name,
    type: names[type.kind] ?? type.kind,
    fullType: typeText(type),
    precision,
    scale: type.kind === 'decimal' ? type.scale : 0,
  }
}
