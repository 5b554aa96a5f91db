import type { Checksum, ChecksumAlgorithm, ChecksumType } from './checksum'
import { type Journal, openJournal } from './journal'
import { createSortedKeys, type KeyCursor, type SortedKeys, utf8Order } from './sorted-keys'

/** What an object carries besides its bytes. */
export interface ObjectHeaders {
  readonly storageClass: string
  /** User metadata without the `x-amz-meta-` prefix. */
  readonly metadata: Readonly<Record<string, string>>
  /** `content-type`, `content-encoding`, `cache-control`, … as stored. */
  readonly content: Readonly<Record<string, string>>
}

/** One object in the index. */
export interface ObjectRecord extends ObjectHeaders {
  readonly key: string
  readonly size: number
  /** With quotes. */
  readonly etag: string
  /** Milliseconds by the clock of the runtime. */
  readonly lastModified: number
  /** Number of the body file. */
  readonly body: number
  readonly checksum?: Checksum
  /** Sizes of the parts, for an object made by a multipart upload. */
  readonly partSizes?: readonly number[]
}

/** One part of an unfinished multipart upload. */
export interface PartRecord {
  readonly number: number
  readonly size: number
  /** With quotes. */
  readonly etag: string
  readonly lastModified: number
  readonly body: number
  readonly checksum?: Checksum
}

/** An unfinished multipart upload. */
export interface UploadRecord extends ObjectHeaders {
  readonly uploadId: string
  readonly key: string
  readonly initiated: number
  /** Absent when the client named none; S3 then computes CRC64NVME over the object. */
  readonly algorithm?: ChecksumAlgorithm
  readonly checksumType: ChecksumType
  readonly parts: Map<number, PartRecord>
}

type Entry =
  | { readonly bucket: string; readonly createdAt: number; readonly location: string }
  | { readonly put: ObjectRecord; readonly upload?: string }
  | { readonly delete: string }
  | { readonly begin: Omit<UploadRecord, 'parts'> }
  | { readonly part: PartRecord; readonly of: string }
  | { readonly abort: string }

/**
 * The objects and unfinished uploads of one bucket: in memory, sorted, and in a journal. Every change is written to the journal first and is
 * synchronous; a caller that checks a condition and changes the index without awaiting in between has done both atomically.
 */
export interface BucketIndex {
  readonly name: string
  readonly createdAt: number
  readonly location: string
  readonly size: number
  readonly uploads: ReadonlyMap<string, UploadRecord>
  get(key: string): ObjectRecord | undefined
  /** By ordered form of the key ({@link utf8Order}). */
  at(ordered: string): ObjectRecord
  seek(ordered: string): KeyCursor
  /** Stores an object; `upload` is the multipart upload that it finishes. */
  put(record: ObjectRecord, upload?: string): void
  delete(key: string): void
  beginUpload(upload: Omit<UploadRecord, 'parts'>): void
  putPart(uploadId: string, part: PartRecord): void
  abortUpload(uploadId: string): void
  /** Numbers of all body files in use. */
  bodies(): Iterable<number>
  close(): void
}

/**
 * Opens the journal `file` of a bucket, or creates it when `created` is given. `release` is called for each body that a change leaves without an
 * owner. The journal is rewritten when most of its entries are history.
 */
export function openBucketIndex(
  file: string,
  release: (body: number) => void,
  created?: { readonly name: string; readonly createdAt: number; readonly location: string },
): BucketIndex {
  const objects = new Map<string, ObjectRecord>()
  const uploads = new Map<string, UploadRecord>()
  let keys: SortedKeys | undefined
  let name = ''
  let createdAt = 0
  let location = ''
  let replaying = true

  function dropUpload(uploadId: string): void {
    const upload = uploads.get(uploadId)
    uploads.delete(uploadId)
    if (upload && !replaying) for (const part of upload.parts.values()) release(part.body)
  }

  function apply(entry: Entry): void {
    if ('put' in entry) {
      const ordered = utf8Order(entry.put.key)
      const previous = objects.get(ordered)
      objects.set(ordered, entry.put)
      if (previous === undefined) keys?.add(ordered)
      else if (!replaying) release(previous.body)
      if (entry.upload !== undefined) dropUpload(entry.upload)
    } else if ('delete' in entry) {
      const ordered = utf8Order(entry.delete)
      const previous = objects.get(ordered)
      objects.delete(ordered)
      keys?.delete(ordered)
      if (previous && !replaying) release(previous.body)
    } else if ('begin' in entry) {
      uploads.set(entry.begin.uploadId, { ...entry.begin, parts: new Map() })
    } else if ('part' in entry) {
      const parts = uploads.get(entry.of)?.parts
      const previous = parts?.get(entry.part.number)
      parts?.set(entry.part.number, entry.part)
      if (previous && !replaying) release(previous.body)
    } else if ('abort' in entry) {
      dropUpload(entry.abort)
    } else {
      name = entry.bucket
      createdAt = entry.createdAt
      location = entry.location
    }
  }

  function* live(): Iterable<Entry> {
    yield { bucket: name, createdAt, location }
    for (const put of objects.values()) yield { put }
    for (const { parts, ...begin } of uploads.values()) {
      yield { begin }
      for (const part of parts.values()) yield { part, of: begin.uploadId }
    }
  }

  const journal: Journal = openJournal(file, apply)
  replaying = false
  keys = createSortedKeys([...objects.keys()])
  let parts = 0
  for (const upload of uploads.values()) parts += 1 + upload.parts.size
  if (name !== '' && journal.entries > 1000 + 2 * (objects.size + parts)) journal.rewrite(live())
  if (created) change({ bucket: created.name, createdAt: created.createdAt, location: created.location })

  function change(entry: Entry): void {
    journal.append(entry)
    apply(entry)
  }

  const sorted = keys
  return {
    get name() {
      return name
    },
    get createdAt() {
      return createdAt
    },
    get location() {
      return location
    },
    get size() {
      return objects.size
    },
    uploads,
    get: (key) => objects.get(utf8Order(key)),
    at: (ordered) => objects.get(ordered)!,
    seek: (ordered) => sorted.seek(ordered),
    put: (put, upload) => change(upload === undefined ? { put } : { put, upload }),
    delete: (key) => {
      if (objects.has(utf8Order(key))) change({ delete: key })
    },
    beginUpload: (begin) => change({ begin }),
    putPart: (uploadId, part) => change({ part, of: uploadId }),
    abortUpload: (uploadId) => change({ abort: uploadId }),
    *bodies() {
      for (const object of objects.values()) yield object.body
      for (const upload of uploads.values()) for (const part of upload.parts.values()) yield part.body
    },
    close: () => journal.close(),
  }
}
