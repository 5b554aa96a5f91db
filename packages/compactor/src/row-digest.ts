import { createHash } from 'node:crypto'
import {
  type ObjectStore,
  PipeError,
  type RowBatch,
  readCsv,
  readNdjson,
  readParquet,
  readTsv,
  type Table,
  toJson,
} from '@pipe/core'
import { stampOf } from '@pipe/core/internal'
import type { Compaction } from './define'

/** A digest of rows that does not depend on their order: equal for equal multisets. */
export interface RowDigest {
  readonly rows: number
  /** Sum of the rows' hashes modulo 2^64, hexadecimal. */
  readonly digest: string
}

/** Adds rows up. */
export interface DigestOfRows {
  add(row: Readonly<Record<string, unknown>>): void
  result(): RowDigest
}

/** An empty digest. */
export function digestOfRows(table: Table): DigestOfRows {
  const columns = Object.entries(table.columns)
  let rows = 0
  let sum = 0n
  return {
    add(row) {
      const values = columns.map(([name, column]) => textOf(toJson(column, (row[name] ?? null) as never)))
      sum = (sum + createHash('sha256').update(JSON.stringify(values)).digest().readBigUInt64BE()) & 0xffff_ffff_ffff_ffffn
      rows++
    },
    result: () => ({ rows, digest: sum.toString(16).padStart(16, '0') }),
  }
}

/** JSON has one text for numbers that differ in sign only, and none for bigints. */
function textOf(value: unknown): unknown {
  return Object.is(value, -0) ? '-0' : typeof value === 'bigint' ? String(value) : value
}

/** Rows of a raw object in its committed version, as core's readers read them. `undefined` when that version is gone. */
export async function rawRows(
  compaction: Compaction,
  source: ObjectStore,
  input: { readonly key: string; readonly etag: string },
  signal: AbortSignal | undefined,
): Promise<AsyncIterable<RowBatch<Record<string, unknown>>> | undefined> {
  let object: Awaited<ReturnType<ObjectStore['get']>>
  try {
    object = await source.get(input.key, { ifMatch: input.etag, ...(signal && { signal }) })
  } catch (error) {
    if (PipeError.isInstance(error) && error.code === 'PIPE_OBJECT_CHANGED') return undefined
    throw error
  }
  if (object === undefined) return undefined
  const { table, format, header } = compaction
  const expectedRows = stampOf(object.metadata)?.rows
  const common = { table, file: source.uri(input.key), expectedRows, ...(signal && { signal }) }
  const batches =
    format === 'ndjson'
      ? readNdjson(object.stream(), common)
      : format === 'csv'
        ? readCsv(object.stream(), { ...common, header })
        : readTsv(object.stream(), { ...common, header })
  return batches as AsyncIterable<RowBatch<Record<string, unknown>>>
}

/** Rows of a committed file. */
export async function committedRows(
  table: Table,
  target: ObjectStore,
  key: string,
  signal: AbortSignal | undefined,
): Promise<AsyncIterable<RowBatch<Record<string, unknown>>>> {
  const object = await target.get(key, signal ? { signal } : {})
  if (object === undefined) throw new PipeError('PIPE_COMPACT_OUTPUT', `The committed file ${target.uri(key)} is gone.`)
  const batches = readParquet(object.stream(), { table, file: target.uri(key), ...(signal && { signal }) })
  return batches as AsyncIterable<RowBatch<Record<string, unknown>>>
}
