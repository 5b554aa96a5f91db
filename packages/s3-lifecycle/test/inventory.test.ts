import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { column, defineTable, writeParquet } from '@pipe/core'
import { afterAll, describe, expect, it } from 'vitest'
import { readInventory, type StoredObject } from '../src/index'

const folder = mkdtempSync(join(tmpdir(), 'pipe-inventory-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const schema =
  'Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag, StorageClass, ReplicationStatus, ObjectLockRetainUntilDate, ObjectLockLegalHoldStatus'

function write(name: string, fileFormat: string, file: string, bytes: Uint8Array, fileSchema = schema): string {
  writeFileSync(join(folder, file), bytes)
  const manifest = {
    sourceBucket: 'lake',
    destinationBucket: 'arn:aws:s3:::inventory',
    version: '2016-11-30',
    fileFormat,
    fileSchema,
    files: [{ key: `inventory/lake/data/${file}`, size: bytes.length }],
  }
  const place = join(folder, `${name}.json`)
  writeFileSync(place, JSON.stringify(manifest))
  return place
}

async function all(manifest: string): Promise<StoredObject[]> {
  const found: StoredObject[] = []
  for await (const object of readInventory({ manifest })) found.push(object)
  return found
}

const expected: StoredObject[] = [
  {
    key: 'logs/a b+ü/1.gz',
    sizeBytes: 42,
    lastModified: new Date('2026-11-20T10:00:00.000Z'),
    storageClass: 'STANDARD_IA',
    etag: '"abc"',
    versionId: 'v1',
    isLatest: true,
    replicationStatus: 'FAILED',
  },
  {
    key: 'logs/gone',
    sizeBytes: 0,
    lastModified: new Date('2026-11-21T10:00:00.000Z'),
    versionId: 'null',
    isLatest: true,
    isDeleteMarker: true,
  },
  {
    key: 'logs/old',
    sizeBytes: 7,
    lastModified: new Date('2026-11-19T10:00:00.000Z'),
    storageClass: 'STANDARD',
    etag: '"def"',
    versionId: 'v2',
    isLatest: false,
    lockedUntil: new Date('2027-01-01T00:00:00.000Z'),
    hasLegalHold: true,
  },
]

describe('readInventory', () => {
  it('reads CSV with gzip, keys decoded', async () => {
    const lines = [
      '"lake","logs/a+b%2B%C3%BC/1.gz","v1","true","false","42","2026-11-20T10:00:00.000Z","abc","STANDARD_IA","FAILED","",""',
      '"lake","logs/gone","","true","true","","2026-11-21T10:00:00.000Z","","","","",""',
      '"lake","logs/old","v2","false","false","7","2026-11-19T10:00:00.000Z","def","STANDARD","","2027-01-01T00:00:00.000Z","On"',
    ]
    expect(await all(write('csv', 'CSV', 'a.csv.gz', gzipSync(`${lines.join('\n')}\n`)))).toEqual(expected)
  })

  it('reads Parquet, whatever optional fields it has', async () => {
    const table = defineTable('inventory', {
      columns: {
        bucket: column.string(),
        key: column.string(),
        version_id: column.string().nullable(),
        is_latest: column.boolean().nullable(),
        is_delete_marker: column.boolean().nullable(),
        size: column.bigint().nullable(),
        last_modified_date: column.timestamp().nullable(),
        e_tag: column.string().nullable(),
        storage_class: column.string().nullable(),
        replication_status: column.string().nullable(),
        encryption_status: column.string().nullable(),
        object_lock_retain_until_date: column.timestamp().nullable(),
        object_lock_legal_hold_status: column.string().nullable(),
      },
    })
    const empty = {
      version_id: null,
      e_tag: null,
      storage_class: null,
      replication_status: null,
      object_lock_retain_until_date: null,
      object_lock_legal_hold_status: null,
    }
    const base = { ...empty, bucket: 'lake', encryption_status: 'SSE-S3', is_latest: true, is_delete_marker: false, size: 0n }
    const date = (day: number) => new Date(`2026-11-${day}T10:00:00Z`)
    const rows = [
      {
        ...base,
        key: 'logs/a b+ü/1.gz',
        version_id: 'v1',
        size: 42n,
        last_modified_date: date(20),
        e_tag: 'abc',
        storage_class: 'STANDARD_IA',
        replication_status: 'FAILED',
      },
      { ...base, key: 'logs/gone', is_delete_marker: true, last_modified_date: date(21) },
      {
        ...base,
        key: 'logs/old',
        version_id: 'v2',
        is_latest: false,
        size: 7n,
        last_modified_date: date(19),
        e_tag: 'def',
        storage_class: 'STANDARD',
        object_lock_retain_until_date: new Date('2027-01-01T00:00:00Z'),
        object_lock_legal_hold_status: 'ON',
      },
    ]
    const parts: Uint8Array[] = []
    for await (const bytes of writeParquet(rows, { table, rowGroupRows: 2 })) parts.push(bytes)
    expect(await all(write('parquet', 'Parquet', 'a.parquet', Buffer.concat(parts), 'message s3.inventory { … }'))).toEqual(
      expected,
    )
  })

  it('an inventory of current objects has no versions', async () => {
    const place = write(
      'current',
      'CSV',
      'c.csv.gz',
      gzipSync('"lake","a","1","2026-11-20T10:00:00.000Z"\n'),
      'Bucket, Key, Size, LastModifiedDate',
    )
    expect(await all(place)).toEqual([{ key: 'a', sizeBytes: 1, lastModified: new Date('2026-11-20T10:00:00Z') }])
  })

  it('names what it cannot read: file and line, ORC, a manifest that is none', async () => {
    const bad = write(
      'bad',
      'CSV',
      'b.csv.gz',
      gzipSync('"lake","a","1","2026-11-20T10:00:00.000Z"\n"lake","b"\n'),
      'Bucket, Key, Size, LastModifiedDate',
    )
    await expect(all(bad)).rejects.toThrow(
      /PIPE_LIFECYCLE_INVENTORY .*b\.csv\.gz line 2 cannot be read: the row has 2 cells, not 4/,
    )
    const cut = write(
      'cut',
      'CSV',
      'd.csv.gz',
      gzipSync('"lake","a","1","2026-11-20T10:00:00.000Z"\n'.repeat(1000)).subarray(0, 60),
      'Bucket, Key, Size, LastModifiedDate',
    )
    await expect(all(cut)).rejects.toThrow(/PIPE_LIFECYCLE_INVENTORY/)
    const noDate = write('nodate', 'CSV', 'e.csv.gz', gzipSync('"lake","a","1",""\n'), 'Bucket, Key, Size, LastModifiedDate')
    await expect(all(noDate)).rejects.toThrow(/without key or last-modified date/)
    await expect(all(write('orc', 'ORC', 'a.orc', Buffer.from('ORC')))).rejects.toThrow(/as Parquet or CSV/)
    await expect(all(write('notparquet', 'Parquet', 'x.parquet', Buffer.from('no parquet')))).rejects.toThrow(
      /PIPE_LIFECYCLE_INVENTORY .*x\.parquet/,
    )
    const place = join(folder, 'none.json')
    writeFileSync(place, '{}')
    await expect(all(place)).rejects.toThrow(/no known file format/)
    writeFileSync(place, 'x')
    await expect(all(place)).rejects.toThrow(/is no JSON/)
  })
})
