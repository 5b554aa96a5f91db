import { type ObjectStore, type RowOf, rawKey, type Table, toJson, writeCsv, writeTsv } from '@pipe/core'
import { rowEncoder, stampMetadata } from '@pipe/core/internal'
import type { Compaction } from '../define'
import { sampleRow } from './sample-rows'

/** One version of a source object, and what it holds. */
export interface SourceVersion {
  readonly key: string
  readonly etag: string
  /** Readable rows, as texts. */
  readonly rows: readonly string[]
  /** Lines that nobody can read. */
  readonly unreadable: number
}

/** The source objects of a schedule. Every version that ever was is remembered. */
export interface Sources {
  readonly versions: readonly SourceVersion[]
  /** Writes an object of a few rows for an instant; the same index writes over it. */
  put(at: Date, index: number, options?: { readonly spoiled?: boolean }): Promise<void>
}

/** Where the objects lie, relative to the source. */
export type KeyOf = (at: Date, index: number) => string

/** Keys as `rawKey` gives them. */
export function rawKeys({ table, format }: Compaction): KeyOf {
  return (at, index) =>
    rawKey({
      prefix: '',
      partitions: table.partitions,
      stream: table.name,
      at,
      shard: { index, of: 100 },
      configHash: '51a1a7ed',
      extension: format,
    })
}

/** Text of a row: equal for equal rows. */
export function rowText(table: Table): (row: Readonly<Record<string, unknown>>) => string {
  const columns = Object.entries(table.columns)
  return (row) => {
    let text = known.get(row)
    if (text === undefined) {
      const values = columns.map(([name, column]) => toJson(column, (row[name] ?? null) as never))
      text = JSON.stringify(values, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
      known.set(row, text)
    }
    return text
  }
}

/** The same rows are looked at after every request. */
const known = new WeakMap<object, string>()

/** No objects yet. Rows are numbered, so that no two are equal. */
export function createSources(compaction: Compaction, store: ObjectStore, keyOf: KeyOf): Sources {
  const { table } = compaction
  const versions: SourceVersion[] = []
  const textOf = rowText(table)
  const encode = rowEncoder(table)
  let number = 0
  return {
    versions,
    async put(at, index, { spoiled = false } = {}) {
      const rows = Array.from({ length: 2 }, () => sampleRow(table, ++number, at))
      const isNdjson = compaction.format === 'ndjson'
      const lines = isNdjson ? rows.map((row) => encode(row as never)).join('') : await delimited(compaction, rows)
      const isSpoiled = spoiled && isNdjson
      const body = Buffer.from(isSpoiled ? `${lines}noise ${number}\n` : lines)
      const count = rows.length + (isSpoiled ? 1 : 0)
      const metadata = stampMetadata({ rows: count, rawBytes: body.length, sha256: '0'.repeat(64) })
      const key = keyOf(at, index)
      const { etag } = await store.put(key, body, { metadata })
      versions.push({ key, etag, rows: rows.map(textOf), unreadable: isSpoiled ? 1 : 0 })
    },
  }
}

async function delimited({ table, format, header }: Compaction, rows: readonly Record<string, unknown>[]): Promise<string> {
  const write = format === 'csv' ? writeCsv : writeTsv
  const chunks: Uint8Array[] = []
  for await (const chunk of write(rows as RowOf<Table>[], { table, header } as never)) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}
