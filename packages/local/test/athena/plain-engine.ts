import { DuckDBInstance } from '@duckdb/node-api'
import type { SelectEngine, TableResolver } from '../../src/athena/query-engine'

/**
 * An engine that hands SQL to DuckDB as it is, with tables replaced by their scans: for tests of everything around the SELECT
 * translator, which has its own tests.
 */
export async function createPlainEngine(): Promise<SelectEngine> {
  const instance = await DuckDBInstance.create(':memory:')
  const trinoTypes: Record<string, string> = {
    VARCHAR: 'varchar',
    BIGINT: 'bigint',
    INTEGER: 'integer',
    DOUBLE: 'double',
    TIMESTAMP: 'timestamp(3)',
  }
  return {
    async compile(sql, { database, resolver }) {
      const tables: { database: string; table: string }[] = []
      let scannedBytes = 0
      let scannedFiles = 0
      const path = /"\$path" = '([^']*)'/.exec(sql)?.[1]
      let translated = ''
      let from = 0
      for (const match of sql.matchAll(/\b(FROM|JOIN) ("?[a-z0-9_-]+"?(?:\."?[a-z0-9_-]+"?)?)(?![\w(])/gi)) {
        const parts = (match[2] as string).replaceAll('"', '').split('.')
        const table = parts.pop() as string
        const relation = await resolve(resolver, parts[0] ?? database, table)
        if ('view' in relation) throw new Error('The plain engine has no views.')
        const scan = await relation.scan(path === undefined ? {} : { path: (one) => one === path })
        tables.push({ database: relation.database, table: relation.table })
        scannedBytes += scan.bytes
        scannedFiles += scan.files
        translated += `${sql.slice(from, match.index)}${match[1]} ${scan.sql} `
        from = match.index + match[0].length
      }
      translated += sql.slice(from)
      const connection = await instance.connect()
      try {
        const described = await connection.runAndReadAll(`DESCRIBE ${translated}`)
        const columns = described.getRowObjectsJson().map((row) => {
          const type = row['column_type'] as string
          const trino = trinoTypes[type] ?? type.toLowerCase()
          return { name: row['column_name'] as string, type: trino.replace(/\(.*/, ''), fullType: trino, precision: 0, scale: 0 }
        })
        return { sql: translated, columns, tables, scannedBytes, scannedFiles }
      } finally {
        connection.closeSync()
      }
    },
    async analyze() {
      throw new Error('The plain engine cannot analyse.')
    },
    async *run(query, { signal }) {
      const connection = await instance.connect()
      const stop = () => connection.interrupt()
      signal?.addEventListener('abort', stop, { once: true })
      try {
        const names = query.columns.map((_, i) => `'x' || CAST(c${i} AS VARCHAR)`).join(', ')
        const aliases = query.columns.map((_, i) => `c${i}`).join(', ')
        const result = await connection.stream(`SELECT ${names} FROM (${query.sql}) q(${aliases})`)
        for await (const rows of result.yieldRows()) {
          // DuckDB's client drops a byte order mark at the start of a value; behind an x it stays.
          yield (rows as (string | null)[][]).map((row) => row.map((cell) => cell?.slice(1) ?? null))
        }
      } finally {
        signal?.removeEventListener('abort', stop)
        connection.closeSync()
      }
    },
    async execute(sql, { signal }) {
      const connection = await instance.connect()
      const stop = () => connection.interrupt()
      signal?.addEventListener('abort', stop, { once: true })
      try {
        const result = await connection.run(sql)
        return Number(result.rowsChanged)
      } finally {
        signal?.removeEventListener('abort', stop)
        connection.closeSync()
      }
    },
    async close() {
      instance.closeSync()
    },
  }
}

const resolve = (resolver: TableResolver, database: string, table: string) => resolver.resolve(database, table)
