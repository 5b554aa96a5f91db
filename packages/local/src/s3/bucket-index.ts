import { localAccount } from '../service'
import type { BucketConfiguration } from './bucket-configuration'
import { type Journal, openJournal } from './journal'
import {
  isMarker,
  type MarkerRecord,
  type ObjectRecord,
  type PartRecord,
  type UploadRecord,
  type VersionRecord,
} from './object-record'
import { type KeyCursor, utf8Order } from './sorted-keys'
import { createVersionStack } from './version-stack'

/** What a bucket is from its creation on. */
export interface BucketIdentity {
  readonly name: string
  readonly createdAt: number
  readonly location: string
  /** Account; absent: that of the runtime. */
  readonly owner?: string
}

type Entry =
  | (Omit<BucketIdentity, 'name'> & { readonly bucket: string })
  | { readonly put: ObjectRecord; readonly upload?: string }
  | { readonly mark: MarkerRecord }
  // In the place of the version of the same id.
  | { readonly amend: VersionRecord }
  | { readonly delete: string; readonly version?: string }
  | { readonly begin: Omit<UploadRecord, 'parts'> }
  | { readonly part: PartRecord; readonly of: string }
  | { readonly abort: string }
  | { readonly configure: Readonly<Record<string, unknown>> }

/**
 * The objects, versions, unfinished uploads and configuration of one bucket: in memory, sorted, and in a journal. Every change is written to the journal
 * first and is synchronous; a caller that checks a condition and changes the index without awaiting in between has done both atomically.
 */
export interface BucketIndex extends BucketIdentity {
  /** Account. */
  readonly owner: string
  /** How many current objects there are. */
  readonly size: number
  /** Nothing in it, not even a noncurrent version. */
  readonly isEmpty: boolean
  /** Grows with every change. */
  readonly revision: number
  readonly uploads: ReadonlyMap<string, UploadRecord>
  readonly configuration: BucketConfiguration
  /** The current object; undefined also under a delete marker. */
  get(key: string): ObjectRecord | undefined
  /** By ordered form of the key ({@link utf8Order}). */
  at(ordered: string): ObjectRecord
  /** Over the current objects. */
  seek(ordered: string): KeyCursor
  /** All versions and markers of a key, newest first. */
  versions(key: string): readonly VersionRecord[]
  /** By ordered form of the key. */
  versionsAt(ordered: string): readonly VersionRecord[]
  /** Over all keys that have a version or a marker. */
  seekAll(ordered: string): KeyCursor
  /** Makes an object the current version, in place of a version of the same id; `upload` is the multipart upload that it finishes. */
  put(record: ObjectRecord, upload?: string): void
  /** Makes a delete marker the current version, in place of a version of the same id. */
  mark(marker: MarkerRecord): void
  /** Changes what a version carries, without making it a new one. */
  amend(version: VersionRecord): void
  /** Removes a version for good; without an id the version `null`. */
  delete(key: string, versionId?: string): void
  /** `undefined` takes a part of the configuration away. */
  configure<Name extends keyof BucketConfiguration>(name: Name, value: BucketConfiguration[Name] | undefined): void
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
export function openBucketIndex(file: string, release: (body: number) => void, created?: BucketIdentity): BucketIndex {
  const stack = createVersionStack()
  const uploads = new Map<string, UploadRecord>()
  let identity: BucketIdentity = { name: '', createdAt: 0, location: '' }
  let configuration: BucketConfiguration = {}
  let revision = 0
  let replaying = true

  function drop(version: VersionRecord | undefined): void {
    if (version && !replaying && !isMarker(version)) release(version.body)
  }

  function dropUpload(uploadId: string): void {
    const upload = uploads.get(uploadId)
    uploads.delete(uploadId)
    if (upload && !replaying) for (const part of upload.parts.values()) release(part.body)
  }

  function apply(entry: Entry): void {
    if ('put' in entry) {
      drop(stack.push(utf8Order(entry.put.key), entry.put))
      if (entry.upload !== undefined) dropUpload(entry.upload)
    } else if ('mark' in entry) {
      drop(stack.push(utf8Order(entry.mark.key), entry.mark))
    } else if ('amend' in entry) {
      stack.replace(utf8Order(entry.amend.key), entry.amend)
    } else if ('delete' in entry) {
      drop(stack.remove(utf8Order(entry.delete), entry.version))
    } else if ('begin' in entry) {
      uploads.set(entry.begin.uploadId, { ...entry.begin, parts: new Map() })
    } else if ('part' in entry) {
      const parts = uploads.get(entry.of)?.parts
      const previous = parts?.get(entry.part.number)
      parts?.set(entry.part.number, entry.part)
      if (previous && !replaying) release(previous.body)
    } else if ('abort' in entry) {
      dropUpload(entry.abort)
    } else if ('configure' in entry) {
      const next = { ...configuration, ...entry.configure }
      // JSON has no undefined: null takes away.
      configuration = Object.fromEntries(Object.entries(next).filter(([, value]) => value !== null)) as BucketConfiguration
    } else {
      const { bucket: name, ...rest } = entry
      identity = { name, ...rest }
    }
  }

  function* live(): Iterable<Entry> {
    const { name: bucket, ...rest } = identity
    yield { bucket, ...rest }
    if (Object.keys(configuration).length > 0) yield { configure: { ...configuration } }
    for (const cursor = stack.seekAll(''); ; cursor.next()) {
      const ordered = cursor.key()
      if (ordered === undefined) break
      const versions = stack.versions(ordered)
      // Oldest first: each makes the one before it noncurrent. The time of that is in the record, which is then put right.
      for (const version of [...versions].reverse()) yield isMarker(version) ? { mark: version } : { put: version }
      for (const version of versions.slice(1)) yield { amend: version }
    }
    for (const { parts, ...begin } of uploads.values()) {
      yield { begin }
      for (const part of parts.values()) yield { part, of: begin.uploadId }
    }
  }

  const journal: Journal = openJournal(file, apply)
  replaying = false
  stack.sort()
  let parts = 0
  for (const upload of uploads.values()) parts += 1 + upload.parts.size
  const needed = stack.objects.size + 2 * stack.otherCount + parts
  if (identity.name !== '' && journal.entries > 1000 + 2 * needed) journal.rewrite(live())
  if (created) {
    const { name: bucket, ...rest } = created
    change({ bucket, ...rest })
  }

  function change(entry: Entry): void {
    journal.append(entry)
    revision++
    apply(entry)
  }

  return {
    get name() {
      return identity.name
    },
    get createdAt() {
      return identity.createdAt
    },
    get location() {
      return identity.location
    },
    get owner() {
      return identity.owner ?? localAccount
    },
    get size() {
      return stack.objects.size
    },
    get isEmpty() {
      return stack.objects.size === 0 && stack.otherCount === 0
    },
    get revision() {
      return revision
    },
    get configuration() {
      return configuration
    },
    uploads,
    get: (key) => stack.objects.get(utf8Order(key)),
    at: (ordered) => stack.objects.get(ordered)!,
    seek: stack.seek,
    versions: (key) => stack.versions(utf8Order(key)),
    versionsAt: stack.versions,
    seekAll: stack.seekAll,
    put: (put, upload) => change(upload === undefined ? { put } : { put, upload }),
    mark: (mark) => change({ mark }),
    amend: (amend) => change({ amend }),
    delete: (key, version) => {
      if (stack.versions(utf8Order(key)).some(({ versionId }) => versionId === version))
        change(version === undefined ? { delete: key } : { delete: key, version })
    },
    configure: (name, value) => change({ configure: { [name]: value ?? null } }),
    beginUpload: (begin) => change({ begin }),
    putPart: (uploadId, part) => change({ part, of: uploadId }),
    abortUpload: (uploadId) => change({ abort: uploadId }),
    *bodies() {
      for (const version of stack.all()) if (!isMarker(version)) yield version.body
      for (const upload of uploads.values()) for (const part of upload.parts.values()) yield part.body
    },
    close: () => journal.close(),
  }
}
