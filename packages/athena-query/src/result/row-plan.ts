import type { ColumnInfo } from '@aws-sdk/client-athena'
import { type Column, type ColumnType, ConfigError, PipeError, typeName } from '@pipe/core'
import { type CellDecoder, cellDecoder } from './cell-decoder'
import { rowMaker } from './row-maker'

/** Columns that a query returns, by name. Checked against Athena's own column types at run time. */
export type Returns = Readonly<Record<string, Column>>

/** One column of a result, as Athena describes it. */
export interface ResultColumn {
  readonly name: string
  /** Athena's name of the type: `bigint`, `varchar`, `decimal(10,2)`, `array` … Elements of nested types are not named. */
  readonly type: string
}

/** How the rows of one result are decoded, whatever way they come. */
export interface RowPlan<Row = Record<string, unknown>> {
  /** As the result names them, in its order. */
  readonly names: readonly string[]
  /** Rows may have other cells than there are columns: DESCRIBE gives one padded cell. */
  readonly anyWidth?: true
  /** `undefined`: the text is the value. */
  readonly decoders: readonly (CellDecoder | undefined)[]
  /** Makes the row of values, which are in the order of the columns. The array is used again for the next row. */
  make(values: readonly unknown[]): Row
  /** The value of a NULL: `null`. @throws {@link PipeError} `PIPE_ATHENA_NULL` where the column is not nullable. */
  nullOf(column: number, row: number): null
  /** The error for a text that is not of its column's type. */
  badValue(column: number, row: number, text: string): PipeError
}

const nested = new Set(['array', 'map', 'struct'])

/**
 * Refuses columns that no result can have.
 *
 * @throws {@link ConfigError} `PIPE_ATHENA_COLUMN` for two names that differ in case only, or none at all.
 */
export function checkReturns(returns: Returns): void {
  const names = Object.keys(returns)
  if (names.length === 0) {
    throw new ConfigError('query: "returns" names no columns.', { hint: 'For example returns: { n: column.bigint() }.' })
  }
  const folded = new Map<string, string>()
  for (const name of names) {
    const other = folded.get(name.toLowerCase())
    if (other !== undefined) throw columnError(`"${other}" and "${name}" are one name to Athena, which ignores case.`)
    folded.set(name.toLowerCase(), name)
  }
}

/** Whether the values of a column have no text form that can be read back. */
export function isNested(type: ColumnType): boolean {
  return nested.has(type.kind)
}

/** The columns of a result. */
export function resultColumns(columns: readonly ColumnInfo[]): ResultColumn[] {
  return columns.map(({ Name = '', Type = '', Precision, Scale }) => ({
    name: Name,
    type: Type === 'decimal' ? `decimal(${Precision},${Scale})` : Type,
  }))
}

/** The plan of rows that are not decoded: arrays of texts by position, NULL as `null`. Names may be there twice. */
export function textPlan(columns: readonly ColumnInfo[]): RowPlan<(string | null)[]> {
  return {
    names: columns.map(({ Name = '' }) => Name),
    anyWidth: true,
    decoders: columns.map(() => undefined),
    make: (values) => [...values] as (string | null)[],
    nullOf: () => null,
    badValue: (column, row) => new PipeError('PIPE_ATHENA_VALUE', `Row ${row}, column ${column + 1} is no text.`),
  }
}

/**
 * The plan of typed rows.
 *
 * @throws {@link ConfigError} `PIPE_ATHENA_COLUMN` naming the column, what was declared and what Athena returned: missing, extra,
 * twice, or of another type.
 */
export function rowPlan(returns: Returns, columns: readonly ColumnInfo[]): RowPlan {
  const declared = new Map(Object.keys(returns).map((name) => [name.toLowerCase(), name]))
  const seen = new Set<string>()
  const names = columns.map((info) => {
    const name = declaredName(info, declared, seen)
    seen.add(name)
    checkType(name, returns[name]!.type, info)
    return name
  })
  for (const name of declared.values()) {
    if (!seen.has(name)) {
      throw columnError(`"returns" names "${name}", which the query does not return.`, {
        hint: `It returns ${columns.map((one) => one.Name).join(', ')}.`,
        details: { column: name, expected: typeName(returns[name]!.type, 'trino') },
      })
    }
  }
  return declaredPlan(returns, names)
}

/** The plan of rows whose columns come in the order of `names`; their types were checked, or cannot be. */
export function declaredPlan(returns: Returns, names: readonly string[]): RowPlan {
  const declaredColumns = names.map((name) => returns[name]!)
  return {
    names,
    decoders: declaredColumns.map((one) => (one.type.kind === 'string' ? undefined : cellDecoder(one))),
    make: rowMaker(names),
    nullOf: (column, row) => {
      if (!declaredColumns[column]!.isNullable) throw nullError(names[column]!, row)
      return null
    },
    badValue: (column, row, text) => valueError(names[column]!, row, text, declaredColumns[column]!.type),
  }
}

/** Decodes one row of a page. `undefined` is NULL; `row` is its 1-based number, for errors. */
export function decodeCells<Row>(plan: RowPlan<Row>, cells: readonly (string | undefined)[], row: number): Row {
  const { decoders } = plan
  if (cells.length !== decoders.length && !plan.anyWidth) {
    throw new PipeError('PIPE_ATHENA_COLUMN', `Row ${row} has ${cells.length} cells for ${decoders.length} columns.`, {
      hint: 'DESCRIBE and SHOW give one padded cell: use information_schema instead.',
    })
  }
  const values = new Array<unknown>(cells.length)
  for (let i = 0; i < cells.length; i++) {
    const text = cells[i]
    if (text === undefined) {
      values[i] = plan.nullOf(i, row)
      continue
    }
    const decode = decoders[i]
    const value = decode === undefined ? text : decode(text, 0, text.length)
    if (value === undefined) throw plan.badValue(i, row, text)
    values[i] = value
  }
  return plan.make(values)
}

function declaredName({ Name = '', Type = '' }: ColumnInfo, declared: Map<string, string>, seen: Set<string>): string {
  const name = declared.get(Name.toLowerCase())
  if (name === undefined) {
    throw columnError(`the query returns "${Name}" (${Type}), which "returns" does not name.`, {
      hint: Name.startsWith('_col') ? 'Give the expression a name with AS.' : `Declare it, or do not select it.`,
      details: { column: Name, found: Type },
    })
  }
  if (seen.has(name)) {
    throw columnError(`the query returns "${name}" twice.`, {
      hint: "Rename one with AS, or read texts by position with returns: 'text'.",
      details: { column: name },
    })
  }
  return name
}

function checkType(name: string, type: ColumnType, { Type = '', Precision, Scale }: ColumnInfo): void {
  if (accepts(type, Type.toLowerCase(), Precision, Scale)) return
  const found = Type === 'decimal' ? `decimal(${Precision},${Scale})` : Type
  const expected = typeName(type, 'trino')
  throw columnError(`"${name}" is declared as ${expected}, but the query returns ${found}.`, {
    hint: adviceFor(name, found, expected, type),
    details: { column: name, expected, found },
  })
}

function columnError(text: string, options: { hint?: string; details?: object } = {}): ConfigError {
  return new ConfigError(`Column ${text}`.replace('Column the', 'The').replace('Column "returns"', '"returns"'), {
    code: 'PIPE_ATHENA_COLUMN',
    ...options,
  })
}

function adviceFor(name: string, found: string, expected: string, type: ColumnType): string {
  if (/^(?:array|map|row|struct)/i.test(found)) {
    return isNested(type)
      ? "Athena gives nested values as text that cannot be read back: ask for nested: 'json', or read it by route: 'unload'."
      : `Select CAST(${name} AS JSON) AS ${name} and declare its array, map or struct.`
  }
  return isNested(type)
    ? `Select CAST(${name} AS JSON) AS ${name}.`
    : `Declare it as it comes, or select CAST(${name} AS ${expected}) AS ${name}.`
}

function nullError(name: string, row: number): PipeError {
  return new PipeError('PIPE_ATHENA_NULL', `Row ${row} holds NULL in "${name}", which is not declared as nullable.`, {
    hint: `Declare it .nullable(), or select coalesce(${name}, …).`,
    details: { column: name, row },
  })
}

function valueError(name: string, row: number, text: string, type: ColumnType): PipeError {
  const lost = type.kind === 'timestamp' && /\.\d{4,}/.test(text)
  return new PipeError(
    'PIPE_ATHENA_VALUE',
    `Row ${row} holds ${JSON.stringify(text.slice(0, 80))} in "${name}", which is not of type ${typeName(type, 'trino')}.`,
    {
      ...(lost ? { hint: 'A Date holds milliseconds: declare column.timestampMicros().' } : {}),
      details: { column: name, row },
    },
  )
}

/** Whether Athena's type name (ColumnInfo) is that of the declared type. Narrower integers fit a wider column; JSON a nested one. */
function accepts(type: ColumnType, found: string, precision: number | undefined, scale: number | undefined): boolean {
  const base = found.replace(/\(.*?\)/, '').replace(/\s+/g, ' ')
  switch (type.kind) {
    case 'integer':
      return base === 'integer' || base === 'int' || base === 'smallint' || base === 'tinyint'
    case 'float':
      return base === 'float' || base === 'real'
    case 'string':
      return base === 'varchar' || base === 'char' || base === 'string' || base === 'json'
    case 'binary':
      return base === 'varbinary' || base === 'binary'
    case 'decimal':
      return base === 'decimal' && precision === type.precision && scale === type.scale
    case 'timestamp':
      return base === (type.zone ? 'timestamp with time zone' : 'timestamp')
    case 'array':
    case 'map':
    case 'struct':
      return base === 'json'
    default:
      return base === type.kind
  }
}
