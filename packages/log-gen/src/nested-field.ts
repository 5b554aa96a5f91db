import type { Column, ColumnMap } from '@pipe/core'
import { type Cell, type CellContext, nullDraw } from './cell'
import type { Field, FieldSpec, NestedSpec } from './field-spec'

type ValuesOf<Fields extends Readonly<Record<string, Field>>> = {
  readonly [Name in keyof Fields]: Fields[Name] extends Field<infer Value> ? Fitting<Value> : never
}

/** A measure fits number and bigint columns alike, so its type says neither; the column is checked when the log is made. */
type Fitting<Value> = [number | bigint] extends [Value] ? Exclude<Value, number | bigint> : Value

/**
 * A struct of fields, each filled as a column is. For struct columns; a field for each field of the struct.
 *
 * @example
 * ```ts
 * nested({ floor: choice([0, 1, 2]), address: ip('10.0.0.0/16') })
 * ```
 */
export function nested<const Fields extends Readonly<Record<string, Field>>>(fields: Fields): Field<ValuesOf<Fields>> {
  return { spec: { kind: 'nested', fields: Object.fromEntries(Object.entries(fields).map(([name, { spec }]) => [name, spec])) } }
}

/** Makes the cell of a struct. */
export function nestedCell(
  { fields }: NestedSpec,
  columns: ColumnMap,
  context: CellContext,
  make: (spec: FieldSpec, column: Column, context: CellContext) => Cell,
): Cell {
  const cells = Object.entries(columns).map(([name, column]) => ({
    name,
    cell: make(fields[name] as FieldSpec, column, { ...context, keysOf: (part) => context.keysOf(`${name}:${part}`) }),
  }))
  return {
    draw: () => 0,
    value: (_drawn, line) =>
      // Not by assignment: a field may be named __proto__.
      Object.fromEntries(
        cells.map(({ name, cell }) => {
          const drawn = cell.draw(line)
          return [name, drawn === nullDraw ? null : cell.value(drawn, line)]
        }),
      ),
    form: { kind: 'text' },
  }
}
