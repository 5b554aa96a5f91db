import { DuckDBInstance } from '@duckdb/node-api'

const connection = await (await DuckDBInstance.create(':memory:', { threads: '2' })).connect()

export const handler = async (event: { readonly sql: string }): Promise<unknown> => {
  const reader = await connection.runAndReadAll(event.sql)
  return reader.getRowsJson()
}
