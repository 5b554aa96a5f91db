import { type Column, column, PipeError } from '@pipe/core'

/**
 * The column of a type of the catalogue: `array<struct<name:string,size:bigint>>`. Every column of a table may be NULL.
 *
 * @throws {@link PipeError} `PIPE_ATHENA_TYPE` for a type that a contract does not know.
 */
export function columnOfHiveType(text: string): Column {
  const reader = createReader(text)
  const found = reader.read()
  if (!reader.isDone()) throw reader.unknown()
  return found
}

const simple: Readonly<Record<string, () => Column>> = {
  boolean: column.boolean,
  tinyint: column.integer,
  smallint: column.integer,
  int: column.integer,
  integer: column.integer,
  bigint: column.bigint,
  float: column.float,
  real: column.float,
  double: column.double,
  string: column.string,
  varchar: column.string,
  char: column.string,
  binary: column.binary,
  varbinary: column.binary,
  date: column.date,
  timestamp: () => column.timestamp(),
}

function createReader(text: string): { read(): Column; isDone(): boolean; unknown(): PipeError } {
  let at = 0
  const unknown = () =>
    new PipeError('PIPE_ATHENA_TYPE', `${JSON.stringify(text)} is no type that a table contract knows (at ${at + 1}).`, {
      hint: 'Query the column with a cast to one that it knows.',
      details: { type: text },
    })
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    const found = pattern.exec(text)
    if (!found) return undefined
    at += found[0].length
    return found[0]
  }
  const need = (pattern: RegExp): string => {
    const found = match(pattern)
    if (found === undefined) throw unknown()
    return found
  }
  const numbers = (): number[] => {
    const inside = match(/\(\s*\d+\s*(?:,\s*\d+\s*)?\)/y)
    return (inside?.match(/\d+/g) ?? []).map(Number)
  }

  function read(): Column {
    const name = need(/\s*[a-z]+/iy)
      .trim()
      .toLowerCase()
    if (name === 'array') {
      need(/</y)
      const element = read().nullable()
      need(/>/y)
      return column.array(element)
    }
    if (name === 'map') {
      need(/</y)
      const key = read() as Column<string>
      need(/\s*,/y)
      const value = read().nullable()
      need(/>/y)
      return column.map(key, value)
    }
    if (name === 'struct') return readStruct()
    if (name === 'decimal') {
      const [precision = 10, scale = 0] = numbers()
      return column.decimal(precision, scale)
    }
    const make = simple[name]
    if (!make) throw unknown()
    numbers() // varchar(10): a contract knows no lengths
    return make()
  }

  function readStruct(): Column {
    const fields: Record<string, Column> = {}
    need(/</y)
    do {
      const name = need(/\s*[^:<>,]+/y).trim()
      need(/:/y)
      fields[name] = read().nullable()
    } while (match(/\s*,/y))
    need(/>/y)
    return column.struct(fields)
  }

  return { read, isDone: () => at === text.length, unknown }
}
