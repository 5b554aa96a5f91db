import {
  type Column,
  type ColumnMap,
  ConfigError,
  fromJson,
  parseText,
  type RowOf,
  type RowOfColumns,
  type Table,
  toText,
} from '@pipe/core'
import { jsonText, rowEncoder, rowReader } from '@pipe/core/internal'
import { KafkaError } from './errors'

/** A Standard Schema (standardschema.dev): zod, valibot, arktype … and the tables of `@pipe/core`. */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => ValidationResult<Output> | Promise<ValidationResult<Output>>
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
}

type ValidationResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string; readonly path?: readonly unknown[] | undefined }[] }

/** What the contract of a key may be. */
export type KeyContract = Column | StandardSchema
/** What the contract of a value may be. */
export type ValueContract = Column | ColumnMap | Table | StandardSchema
/** What the contract of the headers may be. */
export type HeaderContract = ColumnMap | StandardSchema

/** What a producer gives for a contract. */
export type InputOf<C> = C extends Table
  ? RowOf<C>
  : C extends Column<infer T>
    ? T
    : C extends StandardSchema<infer Input, unknown>
      ? Input
      : C extends ColumnMap
        ? RowOfColumns<C>
        : never

/** What a consumer gets for a contract. */
export type OutputOf<C> = C extends Table
  ? RowOf<C>
  : C extends Column<infer T>
    ? T
    : C extends StandardSchema<unknown, infer Output>
      ? Output
      : C extends ColumnMap
        ? RowOfColumns<C>
        : never

type Wire = Uint8Array | string | null

/** Both directions of one part of a record. `undefined` of `decode` never stands for a value. */
export interface PartCodec {
  encode(value: unknown): Wire | Promise<Wire>
  decode(bytes: Uint8Array | null): unknown
}

function isColumn(contract: object): contract is Column {
  return 'type' in contract && 'isNullable' in contract && typeof (contract as Column).nullable === 'function'
}

function isTable(contract: object): contract is Table {
  return (contract as { kind?: unknown }).kind === 'table'
}

function isStandardSchema(contract: object): contract is StandardSchema {
  const standard = (contract as Partial<StandardSchema>)['~standard']
  return typeof standard?.validate === 'function'
}

/** Whether an object is columns by name. */
export function isColumnMap(contract: object): contract is ColumnMap {
  const columns = Object.values(contract)
  return columns.length > 0 && columns.every((item) => typeof item === 'object' && item !== null && isColumn(item))
}

/** Whether decoding by it may take more than a turn: a Standard Schema may validate asynchronously. */
export function mayWait(contract: KeyContract | ValueContract | HeaderContract): boolean {
  return !isTable(contract) && !isColumn(contract) && isStandardSchema(contract)
}

/** @throws ConfigError for a contract of no known kind. */
export function unknownContract(where: string, part: string, known: string): never {
  throw new ConfigError(`${where}: ${part} is no contract.`, { hint: `Give ${known}.` })
}

function refuseValue(where: string, reason: string): never {
  throw new KafkaError('PIPE_KAFKA_VALUE', `${where} ${reason}. It was not sent.`, {
    hint: 'Give a value of the type of the contract (see defineTopic).',
  })
}

function refuseBytes(where: string, reason: string, cause?: unknown): never {
  throw new KafkaError('PIPE_KAFKA_DECODE', `${where} ${reason}.`, {
    hint: 'The record was written by a producer with another contract. Its bytes are untouched.',
    cause,
  })
}

const decoder = new TextDecoder('utf-8', { fatal: true })

function textOf(where: string, bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch (cause) {
    return refuseBytes(where, 'is not UTF-8 text', cause)
  }
}

/** A column as text, or as its bytes when it is binary. `null` where the column is nullable. */
function textColumnCodec(where: string, column: Column): PartCodec {
  const { type } = column
  return {
    encode(value) {
      if (value === null || value === undefined) return column.isNullable ? null : refuseValue(where, `is ${value}`)
      if (type.kind === 'binary') return value instanceof Uint8Array ? value : refuseValue(where, 'is no Uint8Array')
      if (type.kind === 'string')
        return typeof value === 'string' ? value : refuseValue(where, `is a ${typeof value}, not a text`)
      return toText(type, value)
    },
    decode(bytes) {
      if (bytes === null) return column.isNullable ? null : refuseBytes(where, 'is missing')
      if (type.kind === 'binary') return bytes
      const text = textOf(where, bytes)
      if (type.kind === 'string') return text
      const read = parseText(type, text)
      return 'reason' in read ? refuseBytes(where, read.reason) : read.value
    },
  }
}

/** A column of a nested type as JSON. */
function jsonColumnCodec(where: string, column: Column): PartCodec {
  return {
    encode: (value) => jsonText(column, value),
    decode(bytes) {
      if (bytes === null) return refuseBytes(where, 'is missing')
      const read = fromJson(column, parseJson(where, textOf(where, bytes)))
      return 'reason' in read ? refuseBytes(where, read.reason) : read.value
    },
  }
}

function rowCodec(where: string, name: string, columns: ColumnMap): PartCodec {
  // The codecs of rows look at the name and the columns only.
  const table = { kind: 'table', name, columns } as unknown as Table
  const write = rowEncoder(table)
  const read = rowReader(table)
  return {
    encode(value) {
      if (typeof value !== 'object' || value === null)
        return refuseValue(where, `is ${value === null ? 'null' : `a ${typeof value}`}`)
      for (const key of Object.keys(value)) {
        if (!Object.hasOwn(columns, key)) return refuseValue(where, `has ${JSON.stringify(key)}, which is not in the contract`)
      }
      return write(value as never).slice(0, -1)
    },
    decode(bytes) {
      if (bytes === null) return refuseBytes(where, 'is missing')
      const row = read(textOf(where, bytes))
      return typeof row === 'string' ? refuseBytes(where, `cannot be read: ${row}`) : row
    },
  }
}

function parseJson(where: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    return refuseBytes(where, `is not JSON: ${JSON.stringify(text.slice(0, 60))}`, cause)
  }
}

function issueText(issues: readonly { readonly message: string; readonly path?: readonly unknown[] | undefined }[]): string {
  return issues
    .slice(0, 5)
    .map(({ message, path }) => {
      const names = path?.map((step) => String(typeof step === 'object' && step !== null && 'key' in step ? step.key : step))
      return names?.length ? `${names.join('.')}: ${message}` : message
    })
    .join('; ')
}

/** Validates, in the same turn where the schema does. */
function validated<T>(
  schema: StandardSchema,
  value: unknown,
  then: (output: unknown) => T,
  failed: (issues: string) => never,
): T | Promise<T> {
  const finish = (result: ValidationResult<unknown>) => (result.issues ? failed(issueText(result.issues)) : then(result.value))
  const result = schema['~standard'].validate(value)
  return result instanceof Promise ? result.then(finish) : finish(result)
}

/**
 * A Standard Schema. What is written is the value that was given (the schema's input), after it was found valid: reading it back runs the
 * same validation, so a schema that transforms does so once, at the consumer.
 */
function schemaCodec(where: string, schema: StandardSchema, format: 'json' | 'text'): PartCodec {
  return {
    encode: (value) =>
      validated<Wire>(
        schema,
        value,
        () => {
          if (format === 'text') return typeof value === 'string' ? value : refuseValue(where, `is a ${typeof value}, not a text`)
          let text: string | undefined
          try {
            text = JSON.stringify(value)
          } catch (cause) {
            return refuseValue(where, `has no JSON: ${(cause as Error).message}`)
          }
          return text ?? refuseValue(where, `has no JSON (a ${typeof value})`)
        },
        (issues) => refuseValue(where, `does not fit the schema: ${issues}`),
      ),
    decode(bytes) {
      if (bytes === null) return refuseBytes(where, 'is missing')
      const text = textOf(where, bytes)
      return validated(
        schema,
        format === 'text' ? text : parseJson(where, text),
        (output) => output,
        (issues) => refuseBytes(where, `does not fit the schema: ${issues}`),
      )
    },
  }
}

const nestedKinds: readonly string[] = ['array', 'map', 'struct']

/** The codec of a key. `undefined` for a contract of no known kind. */
export function keyCodec(where: string, contract: KeyContract): PartCodec | undefined {
  if (isColumn(contract)) return nestedKinds.includes(contract.type.kind) ? undefined : textColumnCodec(where, contract)
  return isStandardSchema(contract) ? schemaCodec(where, contract, 'text') : undefined
}

/** The codec of a value. `undefined` for a contract of no known kind. */
export function valueCodec(where: string, name: string, contract: ValueContract): PartCodec | undefined {
  if (isTable(contract)) return rowCodec(where, contract.name, contract.columns)
  if (isColumn(contract)) {
    const isText = contract.type.kind === 'string' || contract.type.kind === 'binary'
    return isText ? textColumnCodec(where, contract) : jsonColumnCodec(where, contract)
  }
  if (isStandardSchema(contract)) return schemaCodec(where, contract, 'json')
  return isColumnMap(contract) ? rowCodec(where, name, contract) : undefined
}

/** The codecs of headers that are columns by name. */
export function headerCodecs(where: string, columns: ColumnMap): ReadonlyMap<string, PartCodec> {
  return new Map(
    Object.entries(columns).map(([name, column]) => [name, textColumnCodec(`${where} ${JSON.stringify(name)}`, column)]),
  )
}

/** Checks headers against a Standard Schema of an object of texts. */
export function checkHeaders(where: string, schema: HeaderContract, headers: unknown, isDecoding: boolean): unknown {
  return validated(
    schema as StandardSchema,
    headers,
    (output) => output,
    (issues) => (isDecoding ? refuseBytes : refuseValue)(where, `do not fit the schema: ${issues}`),
  )
}

/** Text of the bytes of a header, or `null`. */
export function headerText(where: string, bytes: Uint8Array | null): string | null {
  return bytes === null ? null : textOf(where, bytes)
}
