import type {
  DuckDBBlobVector,
  DuckDBConnection,
  DuckDBScalarFunctionInfo,
  DuckDBType,
  DuckDBValue,
  DuckDBVector,
} from '@duckdb/node-api'
import { quietName } from '../value'
import { RuntimeError, refusalCode } from './failure'
import { type NativeFunction, type NativeType, nativeFunctions } from './library'

type DuckDBModule = typeof import('@duckdb/node-api')

/** What native functions refused, by the connection whose query called them. */
export interface NativeRefusals {
  /** The text of a refusal on this connection since the last call, which forgets it. */
  take(connection: DuckDBConnection): string | undefined
}

/**
 * Makes the native functions known to an instance of DuckDB, once an instance: each as `t_…`, which fails as Trino's does, and as `q_…`,
 * which gives NULL instead. DuckDB's own TRY runs a chunk that fails again row by row, and each row is then a call from DuckDB's thread
 * to this one: some 100 µs, where the whole chunk takes little more.
 */
export function registerNativeFunctions(duckdb: DuckDBModule, connection: DuckDBConnection): NativeRefusals {
  const typeOf: Readonly<Record<NativeType, DuckDBType>> = {
    VARCHAR: duckdb.VARCHAR,
    BIGINT: duckdb.BIGINT,
    DOUBLE: duckdb.DOUBLE,
    BOOLEAN: duckdb.BOOLEAN,
    BLOB: duckdb.BLOB,
    'VARCHAR[]': duckdb.LIST(duckdb.VARCHAR),
  }
  const refused = new Map<number, string>()
  for (const [name, native] of Object.entries(nativeFunctions)) {
    for (const forgiving of [false, true]) {
      connection.registerScalarFunction(
        duckdb.DuckDBScalarFunction.create({
          name: forgiving ? quietName(name) : name,
          parameterTypes: native.parameters.map((type) => typeOf[type]),
          returnType: typeOf[native.returns],
          bindFunction: (info) => info.setBindData({ connection: info.clientContext.connectionId } satisfies BindData),
          mainFunction(info, input, output) {
            const columns = native.parameters.map((type, index) => readColumn(duckdb, input.getColumnVector(index), type))
            for (let row = 0; row < input.rowCount; row++) {
              output.setItem(row, callOr(row, columns, info) as never)
            }
            output.flush()
          },
        }),
      )
      const callOr = (row: number, columns: readonly ReadItem[], info: DuckDBScalarFunctionInfo): DuckDBValue => {
        try {
          return callRow(duckdb, native, columns, row)
        } catch (error) {
          if (!(error instanceof RuntimeError)) throw error
          if (error.code === refusalCode) {
            // DuckDB's TRY would forgive it: kept here, so that the query fails in any case.
            refused.set((info.getBindData() as BindData).connection, error.message)
          } else if (forgiving) {
            return null
          }
          throw error
        }
      }
    }
  }
  return {
    take(of) {
      const id = of.clientContext.connectionId
      const text = refused.get(id)
      refused.delete(id)
      return text
    },
  }
}

interface BindData {
  readonly connection: number
}

type ReadItem = (row: number) => unknown

// A VARCHAR is read as bytes: DuckDB's client drops a byte order mark at the start of a text that it decodes itself.
function readColumn(duckdb: DuckDBModule, column: DuckDBVector, type: NativeType): ReadItem {
  if (type !== 'VARCHAR' && type !== 'BLOB') return (row) => column.getItem(row)
  const { vector, dataView, validity } = column as unknown as StringVector
  if (vector === undefined || dataView === undefined || validity === undefined)
    throw new Error('This version of @duckdb/node-api hides the vector behind a column.')
  const items = duckdb.DuckDBBlobVector.fromRawVector(vector, column.itemCount)
  if (type === 'BLOB') return (row) => items.getItemBytes(row)
  let last = ''
  let lastRow = -1
  return (row) => {
    if (!validity.itemValid(row)) return null
    if (lastRow >= 0 && isSameItem(dataView, row, lastRow)) return last
    const bytes = items.getItemBytes(row) as Uint8Array
    last = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()
    lastRow = row
    return last
  }
}

/** What a vector of strings keeps to itself. */
interface StringVector {
  readonly vector?: Parameters<typeof DuckDBBlobVector.fromRawVector>[0]
  readonly dataView?: DataView
  readonly validity?: { itemValid(row: number): boolean }
}

// The 16 bytes of an item hold its length and its text, or the place of its text: a constant is the same in each row.
function isSameItem(view: DataView, row: number, other: number): boolean {
  const [a, b] = [row * 16, other * 16]
  return (
    view.getInt32(a + 8) === view.getInt32(b + 8) &&
    view.getInt32(a + 12) === view.getInt32(b + 12) &&
    view.getInt32(a) === view.getInt32(b) &&
    view.getInt32(a + 4) === view.getInt32(b + 4)
  )
}

function callRow(duckdb: DuckDBModule, native: NativeFunction, columns: readonly ReadItem[], row: number): DuckDBValue {
  const values: unknown[] = []
  for (const read of columns) {
    const value = read(row)
    if (value === null) return null
    values.push(value)
  }
  const result = native.call(...values) as DuckDBValue | Uint8Array | string[] | null
  if (result === null) return null
  if (native.returns === 'VARCHAR[]') return duckdb.listValue((result as (string | null)[]).map(encodable))
  if (native.returns === 'BLOB') return duckdb.blobValue(result as Uint8Array)
  if (native.returns === 'VARCHAR') return encodable(result as string)
  return result as DuckDBValue
}

// Half a surrogate pair, as JSON can escape one, has no UTF-8: Java's String.getBytes writes a question mark.
function encodable<T extends string | null>(text: T): T | string {
  return text !== null && /\p{Surrogate}/u.test(text) ? text.replace(/\p{Surrogate}/gu, '?') : text
}
