import { AthenaFailure, notSupportedLocally } from './query-engine'

/** A type of a table column. Field names are lower case. */
export type HiveType =
  | { readonly kind: 'primitive'; readonly name: PrimitiveName }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'varchar'; readonly length: number }
  | { readonly kind: 'array'; readonly element: HiveType }
  | { readonly kind: 'map'; readonly key: HiveType; readonly value: HiveType }
  | { readonly kind: 'struct'; readonly fields: readonly { readonly name: string; readonly type: HiveType }[] }

export type PrimitiveName =
  | 'boolean'
  | 'tinyint'
  | 'smallint'
  | 'int'
  | 'bigint'
  | 'float'
  | 'double'
  | 'string'
  | 'binary'
  | 'date'
  | 'timestamp'

// One row a primitive: Hive (DDL, catalogue), Trino (queries), DuckDB (the engine underneath).
const primitives: Record<PrimitiveName, readonly [trino: string, duckdb: string]> = {
  boolean: ['boolean', 'BOOLEAN'],
  tinyint: ['tinyint', 'TINYINT'],
  smallint: ['smallint', 'SMALLINT'],
  int: ['integer', 'INTEGER'],
  bigint: ['bigint', 'BIGINT'],
  float: ['real', 'FLOAT'],
  double: ['double', 'DOUBLE'],
  string: ['varchar', 'VARCHAR'],
  binary: ['varbinary', 'BLOB'],
  date: ['date', 'DATE'],
  timestamp: ['timestamp(3)', 'TIMESTAMP'],
}

const hiveNames: Record<string, PrimitiveName> = { integer: 'int' }
const trinoNames: Record<string, PrimitiveName> = {
  integer: 'int',
  int: 'int',
  real: 'float',
  varchar: 'string',
  varbinary: 'binary',
  timestamp: 'timestamp',
}

/**
 * Reads a type as it stands in Hive DDL or in the catalogue: `bigint`, `decimal(10,2)`, `array<struct<k:string,v:int>>`.
 *
 * @throws {@link AthenaFailure} for an unknown type; by name for `char(n)`, `interval` and `uniontype`, which are not modelled.
 */
export function parseHiveType(text: string): HiveType {
  const parser = typeParser(text, { open: '<', close: '>', fieldSeparator: ':' })
  const type = parser.type()
  parser.end()
  return type
}

/**
 * Reads a type in Trino's spelling (`row(a integer, b array(varchar))`) as the Hive type that a CTAS stores for it.
 *
 * @throws {@link AthenaFailure} for types that a Hive table cannot hold (`time`, `timestamp with time zone`, `json`, …).
 */
export function hiveTypeOfTrino(text: string): HiveType {
  const parser = typeParser(text, { open: '(', close: ')', fieldSeparator: '' })
  const type = parser.type()
  parser.end()
  return type
}

interface Grammar {
  readonly open: string
  readonly close: string
  /** Between the name and the type of a struct field; empty = white space. */
  readonly fieldSeparator: string
}

function typeParser(text: string, grammar: Grammar) {
  const tokens = text.match(/"(?:[^"]|"")*"|`(?:[^`]|``)*`|[A-Za-z_0-9$]+|[^\s]/g) ?? []
  let at = 0
  const trino = grammar.open === '('

  const fail = (): AthenaFailure =>
    trino
      ? new AthenaFailure(`NOT_SUPPORTED: Unsupported Hive type: ${text}`, { type: 1007 })
      : new AthenaFailure(`FAILED: SemanticException: unknown column type "${text}"`, { type: 1006 })
  const take = (expected?: string): string => {
    const token = tokens[at]
    if (token === undefined || (expected !== undefined && token !== expected)) throw fail()
    at++
    return token
  }
  const numbers = (): number[] => {
    if (tokens[at] !== '(') return []
    take('(')
    const values = [Number(take())]
    while (tokens[at] === ',') {
      take(',')
      values.push(Number(take()))
    }
    take(')')
    if (values.some((value) => !Number.isInteger(value))) throw fail()
    return values
  }
  const fieldName = (): string => {
    const token = take()
    const quote = token[0]
    const name = quote === '"' || quote === '`' ? token.slice(1, -1).replaceAll(quote + quote, quote) : token
    return name.toLowerCase()
  }

  const type = (): HiveType => {
    const name = take().toLowerCase()
    if (name === 'array') {
      take(grammar.open)
      const element = type()
      take(grammar.close)
      return { kind: 'array', element }
    }
    if (name === 'map') {
      take(grammar.open)
      const key = type()
      take(',')
      const value = type()
      take(grammar.close)
      return { kind: 'map', key, value }
    }
    if (name === (trino ? 'row' : 'struct')) {
      take(grammar.open)
      const fields: { name: string; type: HiveType }[] = []
      do {
        if (fields.length > 0) take(',')
        const field = fieldName()
        if (grammar.fieldSeparator !== '') take(grammar.fieldSeparator)
        fields.push({ name: field, type: type() })
      } while (tokens[at] === ',')
      take(grammar.close)
      return { kind: 'struct', fields }
    }
    if (name === 'decimal') {
      const [precision = trino ? 38 : 10, scale = 0] = numbers()
      if (precision < 1 || precision > 38 || scale > precision) throw fail()
      return { kind: 'decimal', precision, scale }
    }
    if (name === 'varchar') {
      const [length] = numbers()
      // Hive's longest varchar is 65 535; Trino stores a longer one as string.
      if (length !== undefined && (!trino || length <= 65_535)) return { kind: 'varchar', length }
      if (!trino) throw fail()
      return { kind: 'primitive', name: 'string' }
    }
    if (name === 'char' || name === 'uniontype' || name === 'interval') throw notSupportedLocally(`the column type ${name}`)
    if (name === 'timestamp' && trino) numbers()
    const primitive = (trino ? trinoNames[name] : hiveNames[name]) ?? (name as PrimitiveName)
    const known =
      Object.hasOwn(primitives, primitive) && (!trino || primitives[primitive][0].startsWith(name) || name in trinoNames)
    if (!known) throw fail()
    return { kind: 'primitive', name: primitive }
  }

  return {
    type,
    end() {
      if (at !== tokens.length) throw fail()
    },
  }
}

/** The type as the catalogue stores it: `array<struct<k:string,v:int>>`. */
export function hiveTypeText(type: HiveType): string {
  switch (type.kind) {
    case 'primitive':
      return type.name
    case 'decimal':
      return `decimal(${type.precision},${type.scale})`
    case 'varchar':
      return `varchar(${type.length})`
    case 'array':
      return `array<${hiveTypeText(type.element)}>`
    case 'map':
      return `map<${hiveTypeText(type.key)},${hiveTypeText(type.value)}>`
    case 'struct':
      return `struct<${type.fields.map((field) => `${field.name}:${hiveTypeText(field.type)}`).join(',')}>`
  }
}

/** The type as queries see it: `array(row(k varchar, v integer))`. */
export function trinoTypeText(type: HiveType): string {
  switch (type.kind) {
    case 'primitive':
      return primitives[type.name][0]
    case 'decimal':
      return `decimal(${type.precision},${type.scale})`
    case 'varchar':
      return `varchar(${type.length})`
    case 'array':
      return `array(${trinoTypeText(type.element)})`
    case 'map':
      return `map(${trinoTypeText(type.key)}, ${trinoTypeText(type.value)})`
    case 'struct':
      return `row(${type.fields.map((field) => `${trinoName(field.name)} ${trinoTypeText(field.type)}`).join(', ')})`
  }
}

const trinoName = (name: string) => (/^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`)

/** The DuckDB type that holds the same values. */
export function duckdbTypeText(type: HiveType): string {
  switch (type.kind) {
    case 'primitive':
      return primitives[type.name][1]
    case 'decimal':
      return `DECIMAL(${type.precision},${type.scale})`
    case 'varchar':
      return 'VARCHAR'
    case 'array':
      return `${duckdbTypeText(type.element)}[]`
    case 'map':
      return `MAP(${duckdbTypeText(type.key)}, ${duckdbTypeText(type.value)})`
    case 'struct':
      return `STRUCT(${type.fields.map((field) => `${duckdbIdentifier(field.name)} ${duckdbTypeText(field.type)}`).join(', ')})`
  }
}

/** A name for DuckDB, always quoted. */
export function duckdbIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** A string literal for DuckDB. A zero byte cannot stand in SQL text, so it is put together with chr(0). */
export function duckdbString(text: string): string {
  const quoted = (part: string) => `'${part.replaceAll("'", "''")}'`
  return text.includes('\0') ? `(${text.split('\0').map(quoted).join(' || chr(0) || ')})` : quoted(text)
}
