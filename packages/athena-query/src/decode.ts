import type { ColumnInfo } from '@aws-sdk/client-athena'
import { type Column, type ColumnType, ConfigError, PipeError, typeName } from '@pipe/core'

/** Columns that a query returns, by name. Checked against Athena's own column types at run time. */
export type Returns = Readonly<Record<string, Column>>

/** Turns the cells of one row into a row object. `row` is its 1-based number, for errors. */
export type RowDecoder = (cells: readonly (string | undefined)[], row: number) => Record<string, unknown>

/** Decodes the text of one cell; `undefined` when the text is not of the type. */
type CellDecoder = (text: string) => unknown

const nested = new Set(['array', 'map', 'struct'])

/**
 * Refuses columns that no row can be decoded to.
 *
 * @throws {@link ConfigError} `PIPE_ATHENA_COLUMN` for a nested type, or two names that differ in case only.
 */
export function checkReturns(returns: Returns): void {
  const names = Object.keys(returns)
  if (names.length === 0) {
    throw new ConfigError('query: "returns" names no columns.', { hint: 'For example returns: { n: column.bigint() }.' })
  }
  const folded = new Map<string, string>()
  for (const name of names) {
    const { type } = returns[name]!
    if (nested.has(type.kind)) {
      throw columnError(`"${name}" is ${typeName(type, 'trino')}: Athena gives nested values as text that cannot be read back.`, {
        hint: `Select json_format(CAST(${name} AS JSON)) AS ${name} and declare it as column.string().`,
        details: { column: name },
      })
    }
    const other = folded.get(name.toLowerCase())
    if (other !== undefined) throw columnError(`"${other}" and "${name}" are one name to Athena, which ignores case.`)
    folded.set(name.toLowerCase(), name)
  }
}

/**
 * Compiles the decoder of the rows of one result.
 *
 * @throws {@link ConfigError} `PIPE_ATHENA_COLUMN` naming the column, what was declared and what Athena returned: missing, extra,
 * twice, or of another type.
 */
export function compileRows(returns: Returns, columns: readonly ColumnInfo[]): RowDecoder {
  const declared = new Map(Object.keys(returns).map((name) => [name.toLowerCase(), name]))
  const seen = new Set<string>()
  const plan = columns.map(({ Name = '', Type = '', Precision, Scale }) => {
    const name = declared.get(Name.toLowerCase())
    if (name === undefined) {
      throw columnError(`the query returns "${Name}" (${Type}), which "returns" does not name.`, {
        hint: Name.startsWith('_col') ? 'Give the expression a name with AS.' : `Declare it, or do not select it.`,
        details: { column: Name, found: Type },
      })
    }
    if (seen.has(name)) {
      throw columnError(`the query returns "${name}" twice.`, { hint: 'Rename one with AS.', details: { column: name } })
    }
    seen.add(name)
    const column = returns[name]!
    if (!accepts(column.type, Type.toLowerCase(), Precision, Scale)) {
      const found = Type === 'decimal' ? `decimal(${Precision},${Scale})` : Type
      const expected = typeName(column.type, 'trino')
      throw columnError(`"${name}" is declared as ${expected}, but the query returns ${found}.`, {
        hint: adviceFor(name, found, expected),
        details: { column: name, expected, found },
      })
    }
    return { name, decode: decoders[column.type.kind]!(column.type), isNullable: column.isNullable, type: column.type }
  })
  for (const name of declared.values()) {
    if (!seen.has(name)) {
      throw columnError(`"returns" names "${name}", which the query does not return.`, {
        hint: `It returns ${columns.map((one) => one.Name).join(', ')}.`,
        details: { column: name, expected: typeName(returns[name]!.type, 'trino') },
      })
    }
  }
  return (cells, rowNumber) => {
    if (cells.length !== plan.length) {
      throw new PipeError('PIPE_ATHENA_COLUMN', `Row ${rowNumber} has ${cells.length} cells for ${plan.length} columns.`, {
        hint: 'DESCRIBE and SHOW give one padded cell: use information_schema instead.',
      })
    }
    const row: Record<string, unknown> = {}
    for (let i = 0; i < plan.length; i++) {
      const { name, decode, isNullable, type } = plan[i]!
      const text = cells[i]
      if (text === undefined) {
        if (!isNullable) throw nullError(name, rowNumber)
        row[name] = null
        continue
      }
      const value = decode(text)
      if (value === undefined) throw valueError(name, rowNumber, text, type)
      row[name] = value
    }
    return row
  }
}

function columnError(text: string, options: { hint?: string; details?: object } = {}): ConfigError {
  return new ConfigError(`Column ${text}`.replace('Column the', 'The').replace('Column "returns"', '"returns"'), {
    code: 'PIPE_ATHENA_COLUMN',
    ...options,
  })
}

function adviceFor(name: string, found: string, expected: string): string {
  if (/^(?:array|map|row)/.test(found)) return `Select json_format(CAST(${name} AS JSON)) and declare column.string().`
  return `Declare what the query returns, or write CAST(${name} AS ${expected}).`
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

/** Whether Athena's type name (ColumnInfo) is that of the declared type. Narrower integers fit a wider column. */
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
    default:
      return base === type.kind
  }
}

const decoders: Record<string, (type: ColumnType) => CellDecoder> = {
  boolean: () => (text) => (text === 'true' ? true : text === 'false' ? false : undefined),
  integer: () => (text) => {
    const value = Number(text)
    return /^-?\d+$/.test(text) && (value | 0) === value ? value : undefined
  },
  bigint: () => (text) => {
    if (!/^-?\d+$/.test(text)) return undefined
    const value = BigInt(text)
    return BigInt.asIntN(64, value) === value ? value : undefined
  },
  float: () => decodeDouble,
  double: () => decodeDouble,
  decimal: () => (text) => (/^-?\d+(?:\.\d+)?$/.test(text) ? text : undefined),
  string: () => (text) => text,
  // Athena writes bytes in hexadecimal, split by spaces.
  binary: () => (text) => (/^(?:[0-9a-f]{2}(?: ?[0-9a-f]{2})*)?$/i.test(text) ? hexBytes(text) : undefined),
  date: () => (text) => (/^-?\d{4,}-\d{2}-\d{2}$/.test(text) ? text : undefined),
  timestamp: (type) => {
    const { zone, precision } = type as Extract<ColumnType, { kind: 'timestamp' }>
    if (zone) return (text) => (/^-?\d{4,}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(?:\.\d+)? \S+$/.test(text) ? text : undefined)
    if (precision > 3) return (text) => (/^-?\d{4,}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(?:\.\d+)?$/.test(text) ? text : undefined)
    return decodeTimestamp
  },
}

function decodeDouble(text: string): number | undefined {
  if (text === 'NaN') return Number.NaN
  if (text === 'Infinity' || text === '-Infinity') return Number(text)
  return /^-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text) ? Number(text) : undefined
}

function hexBytes(text: string): Uint8Array {
  // A plain Uint8Array of its own, not a Buffer on the shared pool.
  return new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'))
}

function decodeTimestamp(text: string): Date | undefined {
  const match = /^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2})(?:\.(\d{1,3})(0*))?$/.exec(text)
  if (!match) return undefined
  const at = new Date(`${match[1]}T${match[2]}.${(match[3] ?? '').padEnd(3, '0')}Z`)
  return Number.isNaN(at.getTime()) ? undefined : at
}
