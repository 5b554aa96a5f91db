import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type ColumnMap, column, createObjectStore, defineTable, readCsv, type S3Location } from '@pipe/core'
import { checkOptions, openParquet, spooledRanges } from '@pipe/core/internal'
import { LifecycleError } from './errors'
import type { S3Options } from './s3-call'
import type { ReplicationStatus, StoredObject } from './stored-object'

/** What {@link readInventory} takes. */
export interface ReadInventoryOptions extends Pick<S3Options, 'client' | 'signal'> {
  /** The `manifest.json` of an inventory: `s3://bucket/…/manifest.json`, or a path (its files are then looked for beside it). */
  readonly manifest: string
  /** Told how far the work is. */
  readonly onProgress?:
    | ((progress: { readonly phase: 'read'; readonly done: number; readonly total: number; readonly unit: 'files' }) => void)
    | undefined
}

interface Manifest {
  readonly fileFormat: string
  readonly fileSchema: string
  readonly destinationBucket: string
  readonly files: readonly { readonly key: string }[]
}

/**
 * The objects of an S3 Inventory (CSV with gzip, or Parquet), streamed file by file. Fields that the inventory does not have are absent.
 *
 * Reads stop at the first row that cannot be read, as a decision on half a list would mislead.
 *
 * @throws {@link LifecycleError} `PIPE_LIFECYCLE_INVENTORY` for a manifest, file or row that cannot be read, with its place; for ORC, which
 * cannot be read in process.
 * @example
 * ```ts
 * const found = await wouldAffect(rules, readInventory({ manifest: 's3://inventory/lake/daily/2026-11-24T01-00Z/manifest.json' }), { at })
 * ```
 */
export async function* readInventory(options: ReadInventoryOptions): AsyncGenerator<StoredObject, void, undefined> {
  checkOptions('readInventory', options, { required: ['manifest'], optional: ['client', 'signal', 'onProgress'] })
  const source = openSource(options)
  try {
    const manifest = manifestOf(options.manifest, await source.manifest())
    const total = manifest.files.length
    for (const [done, { key }] of manifest.files.entries()) {
      options.signal?.throwIfAborted()
      options.onProgress?.({ phase: 'read', done, total, unit: 'files' })
      const file = source.nameOf(manifest, key)
      const bytes = await source.file(manifest, key)
      if (manifest.fileFormat === 'CSV') yield* csvObjects(bytes, file, manifest, options.signal)
      else yield* parquetObjects(bytes, file, options.signal)
    }
    options.onProgress?.({ phase: 'read', done: total, total, unit: 'files' })
  } finally {
    source.close()
  }
}

interface Source {
  manifest(): Promise<string>
  nameOf(manifest: Manifest, key: string): string
  file(manifest: Manifest, key: string): Promise<AsyncIterable<Uint8Array>>
  close(): void
}

function openSource({ manifest: place, client }: ReadInventoryOptions): Source {
  const match = /^s3:\/\/([^/]+)\/(.+)$/.exec(place)
  if (!match) {
    // Downloaded inventories lie beside their manifest, by the last part of the key or by the whole.
    const local = (key: string) => join(dirname(place), key.split('/').at(-1)!)
    return {
      manifest: () => readFile(place, 'utf8'),
      nameOf: (_, key) => local(key),
      file: async (_, key) => createReadStream(local(key)),
      close: () => {},
    }
  }
  const [, bucket, key] = match
  const stores = new Map<string, ReturnType<typeof createObjectStore>>()
  const storeOf = (name: string) => {
    const found = stores.get(name) ?? createObjectStore({ location: `s3://${name}/` as S3Location, ...(client && { client }) })
    stores.set(name, found)
    return found
  }
  const bodyOf = async (name: string, path: string) => {
    const body = await storeOf(name).get(path)
    if (body === undefined) throw inventoryError(`s3://${name}/${path}`, 'does not exist')
    return body
  }
  const bucketOf = (manifest: Manifest) => manifest.destinationBucket.split(':').at(-1)!
  return {
    manifest: async () => (await bodyOf(bucket!, key!)).text(),
    nameOf: (manifest, path) => `s3://${bucketOf(manifest)}/${path}`,
    file: async (manifest, path) => (await bodyOf(bucketOf(manifest), path)).stream(),
    close: () => {
      for (const store of stores.values()) store.close()
    },
  }
}

function manifestOf(place: string, text: string): Manifest {
  let manifest: Manifest
  try {
    manifest = JSON.parse(text) as Manifest
  } catch (error) {
    throw inventoryError(place, `is no JSON: ${(error as Error).message}`)
  }
  const { fileFormat, fileSchema, files, destinationBucket } = manifest
  if (fileFormat === 'ORC')
    throw inventoryError(place, 'is of ORC files, which cannot be read in process: set it up as Parquet or CSV')
  if (fileFormat !== 'CSV' && fileFormat !== 'Parquet')
    throw inventoryError(place, `has no known file format (${String(fileFormat)})`)
  if (typeof fileSchema !== 'string' || typeof destinationBucket !== 'string' || !Array.isArray(files))
    throw inventoryError(place, 'is no manifest of an inventory')
  return manifest
}

function inventoryError(place: string, why: string): LifecycleError {
  return new LifecycleError('PIPE_LIFECYCLE_INVENTORY', `${place} ${why}.`)
}

/** `LastModifiedDate` → `last_modified_date`: CSV names the fields in one way, Parquet in the other. */
function columnName(field: string): string {
  return field.replaceAll(/(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, '_').toLowerCase()
}

async function* csvObjects(
  source: AsyncIterable<Uint8Array>,
  file: string,
  manifest: Manifest,
  signal: AbortSignal | undefined,
): AsyncGenerator<StoredObject, void, undefined> {
  const names = manifest.fileSchema.split(',').map((field) => columnName(field.trim()))
  const columns: ColumnMap = Object.fromEntries(names.map((name) => [name, column.string().nullable()]))
  const table = defineTable('inventory', { columns })
  for await (const { rows, unreadable } of readCsv(source, { table, file, ...(signal && { signal }) })) {
    const [first] = unreadable
    if (first !== undefined) throw inventoryError(file, `line ${first.line ?? '?'} cannot be read: ${first.reason}`)
    for (const row of rows as Record<string, string | null>[]) {
      if (row['key']) row['key'] = decodeURIComponent(row['key'].replaceAll('+', ' '))
      yield objectOf(row, file)
    }
  }
}

const wanted = [
  'key',
  'version_id',
  'is_latest',
  'is_delete_marker',
  'size',
  'last_modified_date',
  'e_tag',
  'storage_class',
  'replication_status',
  'object_lock_retain_until_date',
  'object_lock_legal_hold_status',
]

async function* parquetObjects(
  source: AsyncIterable<Uint8Array>,
  file: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<StoredObject, void, undefined> {
  const ranges = await spooledRanges(source)
  try {
    const opened = await openParquet(ranges, signal)
    if ('reason' in opened) throw inventoryError(file, opened.reason)
    const present = wanted.filter((name) => opened.metadata.schema.some((element) => element.name === name))
    let start = 0
    for (const group of opened.metadata.row_groups) {
      signal?.throwIfAborted()
      const rows = Number(group.num_rows)
      let columns: Record<string, unknown[]>
      try {
        columns = await opened.readColumns(present, start, start + rows)
      } catch (error) {
        signal?.throwIfAborted()
        throw inventoryError(file, `rows ${start + 1} to ${start + rows} cannot be decoded: ${(error as Error).message}`)
      }
      for (let i = 0; i < rows; i++) yield objectOf(Object.fromEntries(present.map((name) => [name, columns[name]![i]])), file)
      start += rows
    }
  } finally {
    await ranges.close()
  }
}

/** A row of an inventory, of either format. */
function objectOf(row: Readonly<Record<string, unknown>>, file: string): StoredObject {
  const key = textOf(row['key'])
  const lastModified = timeOf(row['last_modified_date'])
  const isDeleteMarker = truth(row['is_delete_marker'])
  if (!key || lastModified === undefined)
    throw inventoryError(
      file,
      `has a row without key or last-modified date (${JSON.stringify(row, (_, v) => (typeof v === 'bigint' ? String(v) : v))})`,
    )
  const [versionId, storageClass, etag, status] = ['version_id', 'storage_class', 'e_tag', 'replication_status'].map((name) =>
    textOf(row[name]),
  )
  const lockedUntil = timeOf(row['object_lock_retain_until_date'])
  const hasVersions = row['is_latest'] !== undefined && row['is_latest'] !== null && row['is_latest'] !== ''
  return {
    key,
    sizeBytes: Number(row['size'] ?? 0),
    lastModified,
    ...(storageClass && { storageClass }),
    ...(etag && { etag: `"${etag}"` }),
    ...(hasVersions && { versionId: versionId || 'null', isLatest: truth(row['is_latest']) }),
    ...(isDeleteMarker && { isDeleteMarker }),
    ...(status && { replicationStatus: status as ReplicationStatus }),
    ...(lockedUntil && { lockedUntil }),
    ...(textOf(row['object_lock_legal_hold_status'])?.toUpperCase() === 'ON' && { hasLegalHold: true }),
  }
}

function textOf(value: unknown): string | undefined {
  if (value instanceof Uint8Array) return Buffer.from(value).toString()
  return typeof value === 'string' ? value : undefined
}

function truth(value: unknown): boolean {
  return value === true || String(textOf(value)).toLowerCase() === 'true'
}

function timeOf(value: unknown): Date | undefined {
  if (value === null || value === undefined || value === '') return undefined
  const time =
    value instanceof Date ? value : new Date(typeof value === 'bigint' ? Number(value) : (textOf(value) ?? Number(value)))
  return Number.isNaN(time.getTime()) ? undefined : time
}
