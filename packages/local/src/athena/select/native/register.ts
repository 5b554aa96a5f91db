import type { DuckDBConnection, DuckDBType, DuckDBValue } from '@duckdb/node-api'
import { type NativeFunction, type NativeType, nativeFunctions } from './library'

type DuckDBModule = typeof import('@duckdb/node-api')

/** Makes the native functions known to an instance of DuckDB. Once an instance. */
export function registerNativeFunctions(duckdb: DuckDBModule, connection: DuckDBConnection): void {
  const typeOf: Readonly<Record<NativeType, DuckDBType>> = {
    VARCHAR: duckdb.VARCHAR,
    BIGINT: duckdb.BIGINT,
    DOUBLE: duckdb.DOUBLE,
    BOOLEAN: duckdb.BOOLEAN,
    BLOB: duckdb.BLOB,
    'VARCHAR[]': duckdb.LIST(duckdb.VARCHAR),
  }
  for (const [name, native] of Object.entries(nativeFunctions)) {
    connection.registerScalarFunction(
      duckdb.DuckDBScalarFunction.create({
        name,
        parameterTypes: native.parameters.map((type) => typeOf[type]),
        returnType: typeOf[native.returns],
        mainFunction(_info, input, output) {
          const columns = native.parameters.map((_, index) => input.getColumnVector(index))
          for (let row = 0; row < input.rowCount; row++) {
            output.setItem(row, callRow(duckdb, native, columns, row) as never)
          }
          output.flush()
        },
      }),
    )
  }
}

function callRow(
  duckdb: DuckDBModule,
  native: NativeFunction,
  columns: readonly { getItem(index: number): DuckDBValue }[],
  row: number,
): DuckDBValue {
  const values: unknown[] = []
  for (const column of columns) {
    const value = column.getItem(row)
    if (value === null) return null
    values.push(value instanceof duckdb.DuckDBBlobValue ? value.bytes : value)
  }
  const result = native.call(...values) as DuckDBValue | Uint8Array | string[] | null
  if (result === null) return null
  if (native.returns === 'VARCHAR[]') return duckdb.listValue(result as string[])
  if (native.returns === 'BLOB') return duckdb.blobValue(result as Uint8Array)
  return result as DuckDBValue
}
